"""What owners say of their own accord: an appliance has failed, or they are not content."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from servicedesk.errors import IllegalMoveError, UnknownError
from servicedesk.model import Appliance, Ticket
from servicedesk.office import DISPATCH, OWNER, PLAN, SUPERVISOR, Office
from servicedesk.opening import RESPOND, reopen
from servicedesk.policy import priority, respond_due
from servicedesk.states import TICKET_ENDED, VISIT_LIVE, TicketState

REPORTED = "owner_reported"
"""Timeline: an owner said that the appliance has failed."""
COMPLAINT = "complaint"
"""Timeline: an owner is not content."""
NOT_FIXED = "not_fixed"
"""Timeline, and why a ticket is taken up again: the owner says that the repair did not help."""
_REPAIRED = (TicketState.DONE, TicketState.VERIFIED)
_ANSWERED_FOR = (*_REPAIRED, TicketState.CLOSED)
_PLANNABLE = (TicketState.OPEN, TicketState.REOPENED, TicketState.AWAITING_PARTS)


def report_fault(office: Office, appliance: Appliance, family: str | None, words: str, now: datetime) -> Ticket:
    """An owner says that an appliance has failed; telemetry may know of it already, or may have missed it.

    Args:
        office: see there.
        appliance: whose trouble it is.
        family: what the words point to; None takes the most frequent family of its kind.
        words: as they were said.
        now: when.

    Returns:
        The ticket that is open for it: a new one, or the one of telemetry, with a repaired one taken up again.

    Raises:
        UnknownError: the catalogue has no such kind or family.
    """
    desk = office.desk
    named = _family(office, appliance, family)
    latest = desk.tickets.latest(appliance.no, named)
    if latest is None or latest.state in TICKET_ENDED:
        return _open(office, appliance, named, words, now)
    ticket = desk.tickets.get(latest.id)
    office.log(ticket.id, now, REPORTED, OWNER, words=words)
    if ticket.state in _REPAIRED:
        return reopen(office, ticket, now, REPORTED, OWNER)
    ticket = desk.tickets.save(replace(ticket, priority=min(ticket.priority, priority(1, safety=False))))
    live = any(visit.state in VISIT_LIVE for visit in desk.visits.of_ticket(ticket.id))
    if not live and ticket.state in _PLANNABLE:
        office.ask_plan(ticket)
    return ticket


def complain(office: Office, ticket_id: UUID, words: str, now: datetime) -> Ticket:
    """An owner is not content: it stands on the timeline, and where no visit is under way a person calls at once.

    Raises:
        UnknownError: there is no such ticket.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    office.log(ticket.id, now, COMPLAINT, OWNER, words=words)
    if ticket.state in TICKET_ENDED or any(v.state in VISIT_LIVE for v in desk.visits.of_ticket(ticket.id)):
        return ticket
    return office.assign(ticket, SUPERVISOR, "call_owner", now + office.policy.respond[0])


def guaranteed_until(office: Office, ticket: Ticket) -> datetime | None:
    """Until when a repair is answered for; None where nothing was repaired."""
    return None if ticket.done is None else ticket.done + office.policy.guarantee


def not_fixed(office: Office, ticket_id: UUID, words: str, now: datetime) -> Ticket:
    """An owner says that a repair did not help: the case is taken up again without a second call-out fee.

    Raises:
        AlreadyOpenError: a newer case of the same fault is under way.
        IllegalMoveError: nothing was repaired yet, or it is no longer answered for.
        UnknownError: there is no such ticket.
    """
    ticket = office.desk.tickets.get(ticket_id)
    until = guaranteed_until(office, ticket)
    if ticket.state not in _ANSWERED_FOR or until is None or now > until:
        raise IllegalMoveError("ticket", ticket.state, TicketState.REOPENED, ())
    again = reopen(office, ticket, now, NOT_FIXED, OWNER)
    office.log(again.id, now, NOT_FIXED, OWNER, words=words)
    return again


def _family(office: Office, appliance: Appliance, family: str | None) -> str:
    if appliance.kind not in office.catalogue:
        raise UnknownError(f"the catalogue has no kind {appliance.kind!r}")
    faults = office.catalogue[appliance.kind].faults
    if family is None:
        return max(faults.values(), key=lambda fault: fault.prior).family
    known = sorted({fault.family for fault in faults.values()})
    if family not in known:
        raise UnknownError(f"a {appliance.kind} has no fault family {family!r}; it has {', '.join(known)}")
    return family


def _open(office: Office, appliance: Appliance, family: str, words: str, now: datetime) -> Ticket:
    desk = office.desk
    faults = office.catalogue[appliance.kind].family_faults(family)
    severity = min(fault.severity for fault in faults.values())
    due = respond_due(severity, now, office.policy)
    household = office.household(appliance)
    wanted = Ticket(
        id=office.new_id(),
        org=appliance.org,
        device=appliance.no,
        household=household.id if household is not None else None,
        family=family,
        severity=severity,
        priority=priority(1, safety=False),
        state=TicketState.OPEN,
        responsible=DISPATCH,
        next_action=PLAN,
        next_due=due,
        opened=now,
        respond_due=due,
    )
    ticket = desk.tickets.add(wanted)
    if ticket is None:
        # Telemetry was quicker by a moment.
        found = desk.tickets.latest(appliance.no, family)
        if found is None:
            raise UnknownError(f"the ticket of device {appliance.no} and family {family!r} is gone")
        return found
    office.log(ticket.id, now, REPORTED, OWNER, words=words)
    desk.agenda.set_due(RESPOND, ticket.id, due)
    office.ask_plan(ticket)
    return ticket
