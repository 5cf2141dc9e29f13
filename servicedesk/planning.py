"""Plans visits: the proposal with its notice, other windows, and taking one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.errors import IllegalMoveError, WindowGoneError
from servicedesk.feasibility import earliest_of, feasible
from servicedesk.model import Household, Ticket, Visit, Window
from servicedesk.notices import notify
from servicedesk.office import DISPATCH, OWNER, Office, moved_ticket, moved_visit
from servicedesk.ordering import order_missing
from servicedesk.planner import Blocking, Offer, Offers, choose
from servicedesk.quiet import quiet_span, readable_from
from servicedesk.states import PLANNABLE, VISIT, VISIT_LIVE, TicketState, VisitState
from servicedesk.way_offers import say_ways, way_offers
from telemetry.catalogue import FaultSpec

REMIND = "remind"
"""Due: the owner has not answered half the time."""
ANSWER = "answer"
"""Due: the hold ends; a person calls."""
LAPSE = "lapse"
"""Due: the window begins without an answer."""
OVERDUE = "overdue"
"""Due: a visit without an outcome."""
REPLAN = "replan"
"""Due: look again for a window that was not to be found."""
VISIT_DUES = (REMIND, ANSWER, LAPSE, OVERDUE)

_FIRST = ("alert", "alert_no_visit", "alert_ways", "safety", "reopened", "reopened_no_visit")
_NOBODY_COMES = (Blocking.SKILL, Blocking.WORKING_HOURS, Blocking.DOUBLE_BOOKING, Blocking.TRAVEL)
MOVABLE = (VisitState.PROPOSED, VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING)
"""A visit in these may still move to another window."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Other windows of a visit: the best three, then all by time; or what forbids any."""

    best: tuple[Offer, ...]
    all: tuple[Offer, ...]
    blocking: Blocking | None


def plan(office: Office, ticket_id: UUID, now: datetime) -> Visit | None:
    """Propose a visit for a ticket that waits for one and tell the owner; or name to dispatch what forbids it."""
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    visits = desk.visits.of_ticket(ticket.id)
    if ticket.state not in PLANNABLE or any(visit.state in VISIT_LIVE for visit in visits):
        return None
    household = office.household(ticket)
    fault = office.fault(ticket)
    if household is None:
        _blocked(office, ticket, Blocking.HOUSEHOLD, now)
        return None
    if fault is None:
        _blocked(office, ticket, Blocking.SKILL, now)
        return None
    refused = {_day(visit.start, household) for visit in visits if visit.state is VisitState.DECLINED}
    readable = readable_from(now, household, safety=ticket.safety)
    earliest = earliest_of(office, ticket, readable)
    found = feasible(office, ticket, fault, household, earliest=earliest, now=now)
    if found.blocking is Blocking.PART and not found.found and order_missing(office, ticket, now):
        found = feasible(office, ticket, fault, household, earliest=earliest, now=now)
    for offer in found.found:
        if _day(offer.window.start, household) in refused:
            continue
        visit = new_visit(office, ticket, fault, offer, readable=readable, now=now)
        try:
            desk.visits.add(visit)
        except WindowGoneError:
            continue
        propose(office, ticket, visit, found.blocking, readable=readable, now=now)
        return visit
    _blocked(office, ticket, found.blocking or Blocking.DOUBLE_BOOKING, now)
    return None


def alternatives(office: Office, visit_id: UUID, now: datetime) -> Alternatives:
    """Feasible other windows for a visit that may still move; its own part stays its own."""
    ticket, visit = office.case(visit_id)
    found = movable_to(office, ticket, visit, now) if visit.state in MOVABLE else Offers(())
    others = tuple(offer for offer in found.found if offer.window != visit.window)
    household = office.household(ticket)
    return Alternatives(choose(others, household.tz if household is not None else "UTC"), others, found.blocking)


def take_window(office: Office, visit_id: UUID, start: datetime, now: datetime, actor: str) -> Visit:
    """Move a visit to another window. The owner's own choice is confirmed at once; ours is proposed.

    Raises:
        IllegalMoveError: the visit can no longer move.
        WindowGoneError: the window is not, or no longer, feasible.
    """
    desk = office.desk
    ticket, old = office.case(visit_id)
    found = movable_to(office, ticket, old, now, start=start)
    free = found.found
    if not free:
        raise WindowGoneError(f"no technician is free at {start.isoformat()}")
    leave(office, old, now, actor)
    new = _first_free(office, ticket, old, free, now)
    # After the visit, as in planning: rows are always locked in this order.
    desk.parts.release(old.id)
    desk.plans.release(ticket.id)
    if ticket.state is TicketState.PLANNED:
        ticket = moved_ticket(office, ticket, TicketState.OPEN, now, actor)
    if actor == OWNER:
        reserve(office, ticket, new, now)
        ticket = desk.tickets.save(ticket)
        return confirm(office, new.id, now, actor)
    propose(office, ticket, new, found.blocking, readable=now, now=now)
    return new


def leave(office: Office, old: Visit, now: datetime, actor: str) -> None:
    """Give up the window of a visit that is about to have another one."""
    office.desk.visits.save(moved_visit(office, old, VisitState.MOVED, now, actor))
    office.desk.agenda.drop_due(VISIT_DUES, old.id)


def successor(office: Office, ticket: Ticket, old: Visit, offer: Offer, now: datetime) -> Visit:
    """The visit that takes the place of a moved one: its calendar entry stays the same and counts up."""
    return replace(
        old,
        id=office.new_id(),
        technician=offer.technician,
        start=offer.window.start,
        end=offer.window.end,
        state=VisitState.PROPOSED,
        hold_until=_hold(office, ticket, offer.window, now),
        sequence=old.sequence + 1,
        proposed=now,
        confirmed=None,
        locked=None,
        version=0,
    )


def movable_to(office: Office, ticket: Ticket, visit: Visit, now: datetime, *, start: datetime | None = None) -> Offers:
    """Feasible windows of a visit that has one; of one window everybody who is free then.

    Raises:
        IllegalMoveError: the visit can no longer move.
    """
    if visit.state not in MOVABLE:
        raise IllegalMoveError("visit", visit.state, VisitState.MOVED, tuple(map(str, VISIT[visit.state])))
    fault = office.fault(ticket)
    household = office.household(ticket)
    if fault is None or household is None:
        return Offers(())
    earliest = now + office.policy.lead_urgent
    return feasible(
        office,
        ticket,
        fault,
        household,
        earliest=earliest,
        now=now,
        own=office.desk.parts.put_aside(visit.id),
        everybody=start is not None,
        start=start,
    )


def confirm(office: Office, visit_id: UUID, now: datetime, actor: str) -> Visit:
    """The owner (or a person for them) says yes. Saying it twice is the same as once.

    Raises:
        IllegalMoveError: the visit is not proposed any more.
        WindowGoneError: the window has begun.
    """
    desk = office.desk
    ticket, visit = office.case(visit_id)
    if visit.state is VisitState.CONFIRMED:
        return visit
    visit = moved_visit(office, visit, VisitState.CONFIRMED, now, actor)
    if visit.start <= now:
        raise WindowGoneError("the window has begun; choose another time")
    visit = desk.visits.save(replace(visit, confirmed=now))
    ticket = moved_ticket(office, ticket, TicketState.PLANNED, now, actor)
    ticket = office.assign(ticket, f"technician:{visit.technician}", "visit", visit.start, planned=now)
    desk.agenda.drop_due((REMIND, ANSWER, LAPSE), visit.id)
    desk.agenda.drop_due(("respond", REPLAN), ticket.id)
    desk.agenda.set_due(OVERDUE, visit.id, visit.end + office.policy.overdue_after)
    stage = "confirmed" if visit.sequence == 0 else "moved"
    notify(office, ticket, stage, now, visit=visit, occasion=len(desk.visits.of_ticket(ticket.id)))
    return visit


def _first_free(office: Office, ticket: Ticket, old: Visit, free: Sequence[Offer], now: datetime) -> Visit:
    """Enter the visit with the first technician who is still free, the one whose window the ticket holds before all.

    Raises:
        WindowGoneError: nobody is.
    """
    desk, window = office.desk, free[0].window
    held = {each.technician for each in desk.plans.held([each.technician for each in free], window, now)}
    for offer in sorted(free, key=lambda each: each.technician not in held):
        new = successor(office, ticket, old, offer, now)
        try:
            desk.visits.add(new)
        except WindowGoneError:
            continue
        return new
    raise WindowGoneError(f"no technician is free at {window.start.isoformat()} any more")


def _hold(office: Office, ticket: Ticket, window: Window, readable: datetime) -> datetime:
    """The owner's answer is awaited until some hours before the window, but at least half the time left.

    A hold that would end in the household's quiet hours ends when they begin, or, when that leaves too little time,
    in the morning, still a little before the window.
    """
    hold = max(window.start - office.policy.hold_before, readable + (window.start - readable) / 2)
    household = office.household(ticket)
    night = quiet_span(hold, household) if household is not None else None
    if night is None:
        return hold
    evening, morning = night
    if evening - readable >= office.policy.hold_least:
        return evening
    return min(morning, max(hold, window.start - office.policy.hold_least))


def new_visit(
    office: Office, ticket: Ticket, fault: FaultSpec, offer: Offer, *, readable: datetime, now: datetime
) -> Visit:
    """A first visit in a window, not yet entered."""
    new = office.new_id()
    return Visit(
        id=new,
        ticket=ticket.id,
        technician=offer.technician,
        skill=fault.skill,
        parts=tuple(part.sku for part in fault.parts),
        minutes=fault.minutes,
        start=offer.window.start,
        end=offer.window.end,
        state=VisitState.PROPOSED,
        hold_until=_hold(office, ticket, offer.window, readable),
        calendar=new,
        proposed=now,
    )


def propose(
    office: Office, ticket: Ticket, visit: Visit, blocking: Blocking | None, *, readable: datetime, now: datetime
) -> None:
    """Everything that follows a proposal: part, next action, due things and the one notice of its stage."""
    reserve(office, ticket, visit, now)
    if ticket.state is TicketState.AWAITING_PARTS:
        ticket = moved_ticket(office, ticket, TicketState.OPEN, now, "system")
    log_proposed(office, visit, now, blocking)
    ticket = await_owner(office, ticket, visit, blocking, readable)
    ask_owner(office, ticket, visit, now)


def log_proposed(office: Office, visit: Visit, now: datetime, blocking: Blocking | None = None) -> None:
    """The line of the timeline with which the promise to plan is kept."""
    start, end = visit.start.isoformat(), visit.end.isoformat()
    body = {"visit": str(visit.id), "technician": str(visit.technician), "start": start, "end": end}
    office.log(visit.ticket, now, "proposed", **body, blocking=blocking)


def await_owner(office: Office, ticket: Ticket, visit: Visit, blocking: Blocking | None, readable: datetime) -> Ticket:
    """From now on the owner's answer is waited for: the next action and the due things of a proposal."""
    ticket = office.assign(ticket, DISPATCH, "await_owner", visit.hold_until, blocking=blocking)
    agenda = office.desk.agenda
    agenda.set_due(REMIND, visit.id, readable + (visit.hold_until - readable) / 2)
    agenda.set_due(ANSWER, visit.id, visit.hold_until)
    agenda.set_due(LAPSE, visit.id, visit.start)
    agenda.drop_due((REPLAN,), ticket.id)
    return ticket


def ask_owner(office: Office, ticket: Ticket, visit: Visit, now: datetime, *, moved: bool = False) -> None:
    """The notice of a proposal; one of a visit that had been confirmed says that we moved it."""
    again = "moved_by_us" if moved else "proposed_again"
    stage = again if moved else _stage(office, ticket, "safety" if ticket.safety else "alert", "reopened")
    occasion = len(office.desk.visits.of_ticket(ticket.id)) if stage == again else ticket.episode
    notify(office, ticket, stage, now, visit=visit, occasion=occasion)


def reserve(office: Office, ticket: Ticket, visit: Visit, now: datetime) -> None:
    """Put the parts of a visit aside; what is not there is on order."""
    for sku in visit.parts:
        if not office.desk.parts.reserve(ticket.org, visit.id, sku, visit.technician):
            office.log(ticket.id, now, "part_on_order", visit=str(visit.id), sku=sku)


def _blocked(office: Office, ticket: Ticket, blocking: Blocking, now: datetime) -> None:
    """Dispatch is told what stands in the way, the owner that a person will call."""
    action = "order_part" if blocking is Blocking.PART else "plan_visit"
    if blocking != ticket.blocking:
        office.log(ticket.id, now, "blocked", blocking=blocking)
    if blocking is Blocking.PART and ticket.state is TicketState.OPEN:
        ticket = moved_ticket(office, ticket, TicketState.AWAITING_PARTS, now, "system", reason="part")
    ticket = office.assign(ticket, DISPATCH, action, now + timedelta(hours=4), blocking=blocking)
    office.desk.agenda.set_due(REPLAN, ticket.id, now + timedelta(hours=24))
    others = way_offers(office, ticket, now) if blocking in _NOBODY_COMES else ()
    told = "alert_ways" if others else "alert_no_visit"
    stage = _stage(office, ticket, "safety" if ticket.safety else told, "reopened_no_visit")
    if stage != "proposed_again":
        notify(office, ticket, stage, now, occasion=ticket.episode, say={"ways": say_ways(office, ticket, others)})


def _stage(office: Office, ticket: Ticket, first: str, reopened: str) -> str:
    """One alert an episode; every later proposal is a new time, not a new alarm."""
    notices = office.desk.notices.of_ticket(ticket.id)
    if any(each.stage in _FIRST and each.occasion == ticket.episode for each in notices):
        return "proposed_again"
    return reopened if ticket.episode else first


def call_off(office: Office, visit: Visit, now: datetime, actor: str, reason: str) -> None:
    """Cancel a visit that is not needed where it was planned; its ticket stays as it is."""
    gone = moved_visit(office, visit, VisitState.CANCELLED, now, actor, reason=reason)
    office.desk.visits.save(gone)
    give_up(office, gone)


def give_up(office: Office, visit: Visit) -> None:
    """Free the parts of a visit that will not be, and its due things."""
    office.desk.parts.release(visit.id)
    office.desk.agenda.drop_due(VISIT_DUES, visit.id)


def _day(moment: datetime, household: Household) -> str:
    return moment.astimezone(ZoneInfo(household.tz)).date().isoformat()
