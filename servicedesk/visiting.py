"""What people do with a visit: the technician's way, the owner's no, and the outcome; and with a ticket by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.billing import bill
from servicedesk.errors import IllegalMoveError
from servicedesk.judging import helped, judge
from servicedesk.model import Outcome, OutcomeCode, Ticket, Visit
from servicedesk.notices import notify
from servicedesk.office import DISPATCH, PLAN, Office, moved_ticket, moved_visit
from servicedesk.opening import reopen
from servicedesk.planning import REPLAN, VISIT_DUES, call_off, confirm, give_up
from servicedesk.policy import proof_time
from servicedesk.quoting import withdraw_quotes
from servicedesk.states import TICKET, TICKET_ENDED, VISIT, VISIT_LIVE, TicketState, VisitState, check_move
from servicedesk.way_offers import live_case
from servicedesk.way_rows import WayState

PROOF = "proof"
"""Due: no verdict of the telemetry in several times its nominal time."""
RESUME = "resume"
"""Due: a held ticket is looked at again."""

_REFUSALS = 2
_VERDICTS = (OutcomeCode.REPAIRED, OutcomeCode.NO_FAULT_FOUND)
_BY_VISIT = (VisitState.DONE, VisitState.MOVED)
# What only an owner's yes, a visit or the telemetry can bring about.
_NOT_BY_HAND = frozenset(
    {TicketState.PLANNED, TicketState.IN_REPAIR, TicketState.DONE, TicketState.VERIFIED, TicketState.CLOSED}
)


def visit_moves(visit: Visit) -> tuple[VisitState, ...]:
    """The moves a person may make; done comes with an outcome, moved with another window."""
    return tuple(each for each in VISIT[visit.state] if each not in _BY_VISIT)


def ticket_moves(ticket: Ticket) -> tuple[TicketState, ...]:
    """The moves a person may make by hand."""
    return tuple(each for each in TICKET[ticket.state] if each not in _NOT_BY_HAND)


def move_visit(
    office: Office, visit_id: UUID, new: VisitState, now: datetime, actor: str, *, reason: str | None = None
) -> Visit:
    """Take a visit to its next state with everything that follows for its ticket.

    Raises:
        IllegalMoveError: the table forbids it, or it needs an outcome or another window instead.
        NeedsReasonError: missed and cancelled need one.
        WindowGoneError: confirmed after the window began.
    """
    desk = office.desk
    if new is VisitState.CONFIRMED:
        return confirm(office, visit_id, now, actor)
    ticket, visit = office.case(visit_id)
    if new not in visit_moves(visit):
        raise IllegalMoveError("visit", visit.state, new, tuple(map(str, visit_moves(visit))))
    visit = moved_visit(office, visit, new, now, actor, reason=reason)
    if new is VisitState.ON_SITE:
        visit = desk.visits.save(replace(visit, arrived=now))
        ticket = moved_ticket(office, ticket, TicketState.IN_REPAIR, now, actor)
        office.assign(ticket, f"technician:{visit.technician}", "repair", visit.end)
        return visit
    visit = desk.visits.save(visit)
    if new in VISIT_LIVE:
        return visit
    give_up(office, visit)
    if ticket.state in (TicketState.PLANNED, TicketState.IN_REPAIR):
        ticket = moved_ticket(office, ticket, TicketState.OPEN, now, actor)
    refusals = sum(1 for each in desk.visits.of_ticket(ticket.id) if each.state is VisitState.DECLINED)
    if new is VisitState.CANCELLED:
        notify(office, ticket, "cancelled", now, visit=visit, occasion=len(desk.visits.of_ticket(ticket.id)))
        office.assign(ticket, DISPATCH, PLAN, now + timedelta(hours=4))
    elif new is VisitState.DECLINED and refusals >= _REFUSALS:
        office.assign(ticket, DISPATCH, "call_owner", now + timedelta(hours=4))
    else:
        office.plan_anew(ticket, now + timedelta(hours=4))
    return visit


def finish(office: Office, outcome: Outcome) -> Visit:
    """The technician's outcome: the visit is done, and the ticket goes the way the outcome says.

    `repaired` sends a control entry to the detectors, whose telemetry then proves or disproves the repair.

    Raises:
        IllegalMoveError: the visit is not on site.
        ChargeError: more is asked than was agreed.
        NeedsReasonError: a part does not belong to the diagnosis and the note does not say why.
    """
    desk, now = office.desk, outcome.at
    ticket, visit = office.case(outcome.visit)
    if desk.visits.outcome(visit.id) is not None:
        return visit
    check_move("visit", VISIT, visit.state, VisitState.DONE)
    bill(office, ticket, visit, outcome, now)
    visit = moved_visit(office, visit, VisitState.DONE, now, outcome.actor)
    visit = desk.visits.save(replace(visit, finished=now))
    desk.visits.report(outcome)
    # What was fitted without having been put aside comes from the van, else from the depot.
    for sku in set(outcome.parts) - desk.parts.put_aside(visit.id):
        desk.parts.reserve(ticket.org, visit.id, sku, visit.technician)
    desk.parts.use(visit.id, outcome.parts)
    desk.agenda.drop_due(VISIT_DUES, visit.id)
    office.log(
        ticket.id,
        now,
        "outcome",
        outcome.actor,
        visit=str(visit.id),
        code=str(outcome.code),
        cause=outcome.cause,
        parts=list(outcome.parts),
        note=outcome.note,
    )
    # Nothing is found of what the owner has mended by the guide: that says nothing against whoever found it.
    if outcome.code in _VERDICTS and not (outcome.code is OutcomeCode.NO_FAULT_FOUND and helped(office, ticket)):
        judge(office, ticket, now, fault=outcome.code is OutcomeCode.REPAIRED, confirmed=outcome.cause)
    match outcome.code:
        case OutcomeCode.REPAIRED:
            repaired(office, ticket, outcome.cause, now, outcome.actor)
        case OutcomeCode.NO_FAULT_FOUND:
            ticket = moved_ticket(office, ticket, TicketState.FALSE_ALARM, now, outcome.actor, reason=str(outcome.code))
            withdraw_quotes(office, ticket.id, now, outcome.actor, str(outcome.code))
            ticket = office.assign(ticket, DISPATCH, "none", None, closed=now)
            notify(office, ticket, "no_fault", now, occasion=ticket.episode)
        case OutcomeCode.PART_MISSING:
            ticket = moved_ticket(
                office, ticket, TicketState.AWAITING_PARTS, now, outcome.actor, reason=str(outcome.code)
            )
            ticket = office.assign(ticket, DISPATCH, "order_part", now + timedelta(hours=4), callout_free=True)
            office.ask_plan(ticket)
        case OutcomeCode.NOT_REPAIRED:
            ticket = moved_ticket(office, ticket, TicketState.OPEN, now, outcome.actor, reason=str(outcome.code))
            ticket = office.plan_anew(ticket, now + timedelta(hours=4), callout_free=True)
    return visit


def move_ticket(
    office: Office, ticket_id: UUID, new: TicketState, now: datetime, actor: str, *, reason: str | None = None
) -> Ticket:
    """A person's move of a ticket. Planned, done and verified come from a yes, a visit and the telemetry alone.

    Raises:
        IllegalMoveError: with the moves a person may make.
        NeedsReasonError: hold and cancelled need one.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    if new not in ticket_moves(ticket):
        raise IllegalMoveError("ticket", ticket.state, new, tuple(map(str, ticket_moves(ticket))))
    _leave_way(office, ticket, new, now, actor)
    if new is TicketState.REOPENED:
        return reopen(office, ticket, now, reason or "by hand", actor)
    if new in (TicketState.FALSE_ALARM, TicketState.SELF_FIXED):
        judge(office, ticket, now, fault=new is TicketState.SELF_FIXED)
    ticket = moved_ticket(office, ticket, new, now, actor, reason=reason)
    if new in TICKET_ENDED or new is TicketState.OPEN:
        for visit in desk.visits.of_ticket(ticket.id):
            if visit.state in VISIT_LIVE:
                call_off(office, visit, now, actor, reason or str(new))
    if new in TICKET_ENDED:
        withdraw_quotes(office, ticket.id, now, actor, reason or str(new))
        desk.agenda.drop_due((REPLAN, RESUME, "respond"), ticket.id)
        return office.assign(ticket, DISPATCH, "none", None, closed=now)
    if new is TicketState.OPEN:
        return office.plan_anew(ticket, now + timedelta(hours=4))
    action = "order_part" if new is TicketState.AWAITING_PARTS else "resume"
    desk.agenda.set_due(RESUME, ticket.id, now + timedelta(hours=24))
    return office.assign(ticket, DISPATCH, action, now + timedelta(hours=24))


def _leave_way(office: Office, ticket: Ticket, new: TicketState, now: datetime, actor: str) -> None:
    """Give up a repair elsewhere that has not begun.

    Raises:
        IllegalMoveError: it has begun; it ends when the appliance is back.
    """
    case = live_case(office, ticket.id)
    if case is None:
        return
    if case.state is not WayState.BOOKED:
        raise IllegalMoveError("ticket", f"{ticket.state} ({case.state} elsewhere)", new, ())
    office.log(ticket.id, now, "way_moved", actor, case=str(case.id), old="booked", new="cancelled", note=str(new))
    office.desk.ways.save(replace(case, state=WayState.CANCELLED))


def repaired(office: Office, ticket: Ticket, cause: str | None, now: datetime, actor: str) -> None:
    """A ticket's appliance was mended: the detectors hear of it, and their telemetry proves or disproves it."""
    desk = office.desk
    ticket = moved_ticket(office, ticket, TicketState.DONE, now, actor)
    withdraw_quotes(office, ticket.id, now, actor, "repaired")
    fault = office.fault(replace(ticket, fault=cause or ticket.fault))
    patience = proof_time(fault, office.policy) * office.policy.proof_patience
    ticket = office.assign(ticket, DISPATCH, "await_proof", now + patience, done=now, fault=cause or ticket.fault)
    body = {"family": ticket.family, "fault": ticket.fault}
    desk.agenda.control(office.new_id(), ticket.device, "repair_done", now, body)
    desk.agenda.set_due(PROOF, ticket.id, now + patience)
    notify(office, ticket, "done", now, occasion=ticket.episode)
