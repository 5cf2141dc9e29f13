"""The owner picks a time for a case: other windows of the visit there is, or a first one where there is none."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from servicedesk.errors import IllegalMoveError, WindowGoneError
from servicedesk.feasibility import feasible
from servicedesk.holding import hold_first, hold_window
from servicedesk.model import Hold, Ticket, Visit, Window
from servicedesk.office import OWNER, Office
from servicedesk.planner import LENGTH, Offers, choose
from servicedesk.planning import (
    Alternatives,
    alternatives,
    confirm,
    log_proposed,
    new_visit,
    propose,
    reserve,
    take_window,
)
from servicedesk.states import PLANNABLE, VISIT_LIVE


def live_visit(office: Office, ticket: UUID) -> Visit | None:
    """The visit of a case that is ahead or under way, or None."""
    return next((each for each in office.desk.visits.of_ticket(ticket) if each.state in VISIT_LIVE), None)


def pickable(office: Office, ticket_id: UUID, now: datetime) -> Alternatives:
    """The windows that a case can have now: the three best, then all by time; or what forbids any."""
    ticket = office.desk.tickets.get(ticket_id)
    visit = live_visit(office, ticket.id)
    if visit is not None:
        return alternatives(office, visit.id, now)
    found = _first(office, ticket, now) if ticket.state in PLANNABLE else Offers(())
    household = office.household(ticket)
    return Alternatives(choose(found.found, household.tz if household else "UTC"), found.found, found.blocking)


def hold_pick(office: Office, ticket_id: UUID, start: datetime, now: datetime, actor: str = OWNER) -> Hold:
    """Keep a window for ten minutes while the owner decides; the one that was kept before is free again.

    Raises:
        IllegalMoveError: the case takes no other time now.
        WindowGoneError: the window is not, or no longer, free.
    """
    ticket = _open(office, ticket_id)
    visit = live_visit(office, ticket.id)
    if visit is not None:
        return hold_window(office, visit.id, start, now, actor)
    return hold_first(office, ticket.id, _first(office, ticket, now, start=start), start, now, actor)


def held_pick(office: Office, ticket: Ticket, now: datetime) -> Hold | None:
    """The window that is kept for a case now, or None."""
    who = [each.id for each in office.desk.people.technicians(ticket.org)]
    span = Window(now, now + office.policy.horizon + LENGTH)
    return next((each for each in office.desk.plans.held(who, span, now) if each.ticket == ticket.id), None)


def pick(office: Office, ticket_id: UUID, start: datetime, now: datetime, actor: str = OWNER) -> Visit:
    """Take a window: the owner's own choice is confirmed at once, anybody else's is proposed to them.

    Raises:
        IllegalMoveError: the case takes no other time now.
        WindowGoneError: the window is not, or no longer, free.
    """
    desk, ticket = office.desk, _open(office, ticket_id)
    visit = live_visit(office, ticket.id)
    if visit is not None:
        return take_window(office, visit.id, start, now, actor)
    fault, held = office.fault(ticket), held_pick(office, ticket, now)
    found = _first(office, ticket, now, start=start).found
    for offer in sorted(found, key=lambda each: held is None or each.technician != held.technician):
        if fault is None:
            break
        new = new_visit(office, ticket, fault, offer, readable=now, now=now)
        try:
            desk.visits.add(new)
        except WindowGoneError:
            continue
        desk.plans.release(ticket.id)
        if actor != OWNER:
            propose(office, ticket, new, None, readable=now, now=now)
            return new
        reserve(office, ticket, new, now)
        log_proposed(office, new, now)
        return confirm(office, new.id, now, OWNER)
    raise WindowGoneError(f"no technician is free at {start.isoformat()}")


def _open(office: Office, ticket_id: UUID) -> Ticket:
    """The case, held, when a visit may be picked for it.

    Raises:
        IllegalMoveError: there is nothing to come for.
    """
    ticket = office.desk.tickets.get(ticket_id)
    if ticket.state not in PLANNABLE and live_visit(office, ticket.id) is None:
        raise IllegalMoveError("ticket", ticket.state, "planned", ())
    return ticket


def _first(office: Office, ticket: Ticket, now: datetime, *, start: datetime | None = None) -> Offers:
    """Windows of a case without a visit; of one window everybody who is free then."""
    fault = office.fault(ticket)
    household = office.household(ticket)
    if fault is None or household is None:
        return Offers(())
    earliest = now + office.policy.lead_urgent
    return feasible(
        office, ticket, fault, household, earliest=earliest, now=now, everybody=start is not None, start=start
    )
