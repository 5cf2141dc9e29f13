"""Plans visits: the proposal with its notice, other windows, and taking one of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.errors import IllegalMoveError, WindowGoneError
from servicedesk.model import Household, Ticket, Visit, Window
from servicedesk.notices import notify
from servicedesk.office import DISPATCH, OWNER, Office, moved_ticket, moved_visit
from servicedesk.planner import LENGTH, Blocking, Demand, Offer, Offers, choose, offers
from servicedesk.quiet import quiet_span, readable_from
from servicedesk.states import VISIT, VISIT_LIVE, TicketState, VisitState
from telemetry.catalogue import FaultSpec
from telemetry.clock import MICROS, to_datetime

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

_PLANNABLE = (TicketState.OPEN, TicketState.REOPENED, TicketState.AWAITING_PARTS)
_FIRST = ("alert", "alert_no_visit", "safety", "reopened", "reopened_no_visit")
_MOVABLE = (VisitState.PROPOSED, VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING)


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
    if ticket.state not in _PLANNABLE or any(visit.state in VISIT_LIVE for visit in visits):
        return None
    household = desk.people.household(ticket.household) if ticket.household is not None else None
    fault = office.fault(ticket)
    if household is None:
        _blocked(office, ticket, Blocking.HOUSEHOLD, now)
        return None
    if fault is None:
        _blocked(office, ticket, Blocking.SKILL, now)
        return None
    refused = {_day(visit.start, household) for visit in visits if visit.state is VisitState.DECLINED}
    readable = readable_from(now, household, safety=ticket.safety)
    found = _feasible(office, ticket, fault, household, earliest=_earliest(office, ticket, readable), now=now)
    for offer in found.found:
        if _day(offer.window.start, household) in refused:
            continue
        visit = _visit(office, ticket, fault, offer, readable=readable, now=now)
        try:
            desk.visits.add(visit)
        except WindowGoneError:
            continue
        _propose(office, ticket, visit, found.blocking, readable=readable, now=now)
        return visit
    _blocked(office, ticket, found.blocking or Blocking.DOUBLE_BOOKING, now)
    return None


def alternatives(office: Office, visit_id: UUID, now: datetime) -> Alternatives:
    """Feasible other windows for a visit that may still move; its own part stays its own."""
    ticket, visit = office.case(visit_id)
    found = _alternatives(office, ticket, visit, now)
    others = tuple(offer for offer in found.found if offer.window != visit.window)
    household = office.desk.people.household(ticket.household) if ticket.household is not None else None
    return Alternatives(choose(others, household.tz if household is not None else "UTC"), others, found.blocking)


def take_window(office: Office, visit_id: UUID, start: datetime, now: datetime, actor: str) -> Visit:
    """Move a visit to another window. The owner's own choice is confirmed at once; ours is proposed.

    Raises:
        IllegalMoveError: the visit can no longer move.
        WindowGoneError: the window is not, or no longer, feasible.
    """
    desk = office.desk
    ticket, old = office.case(visit_id)
    if old.state not in _MOVABLE:
        raise IllegalMoveError("visit", old.state, VisitState.MOVED, tuple(map(str, VISIT[old.state])))
    found = _alternatives(office, ticket, old, now)
    offer = next((each for each in found.found if each.window.start == start), None)
    if offer is None:
        raise WindowGoneError(f"no technician is free at {start.isoformat()}")
    desk.visits.save(moved_visit(office, old, VisitState.MOVED, now, actor))
    desk.agenda.drop_due(VISIT_DUES, old.id)
    new = replace(
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
        version=0,
    )
    desk.visits.add(new)
    # After the visit, as in planning: rows are always locked in this order.
    desk.parts.release(old.id)
    if ticket.state is TicketState.PLANNED:
        ticket = moved_ticket(office, ticket, TicketState.OPEN, now, actor)
    if actor == OWNER:
        _reserve(office, ticket, new, now)
        ticket = desk.tickets.save(ticket)
        return confirm(office, new.id, now, actor)
    _propose(office, ticket, new, found.blocking, readable=now, now=now)
    return new


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


def _feasible(
    office: Office,
    ticket: Ticket,
    fault: FaultSpec,
    household: Household,
    *,
    earliest: datetime,
    now: datetime,
    own: Collection[str] = (),
) -> Offers:
    desk, until = office.desk, now + office.policy.horizon
    skus = tuple(part.sku for part in fault.parts)
    technicians = desk.people.technicians(ticket.org)
    booked = desk.visits.booked([each.id for each in technicians], Window(now, until + LENGTH))
    demand = Demand(
        skill=fault.skill,
        parts=tuple(sku for sku in skus if sku not in own),
        earliest=earliest,
        latest=_latest(office, ticket),
        until=until,
        tz=household.tz,
        area=household.area,
    )
    return offers(demand, technicians, booked, desk.parts.stock(ticket.org, skus))


def _alternatives(office: Office, ticket: Ticket, visit: Visit, now: datetime) -> Offers:
    fault = office.fault(ticket)
    household = office.desk.people.household(ticket.household) if ticket.household is not None else None
    if visit.state not in _MOVABLE or fault is None or household is None:
        return Offers(())
    earliest = now + office.policy.lead_urgent
    return _feasible(office, ticket, fault, household, earliest=earliest, now=now, own=visit.parts)


def _latest(office: Office, ticket: Ticket) -> datetime | None:
    """The pessimistic end of the remaining life, or None when it is unknown."""
    finding = office.desk.agenda.finding(ticket.finding) if ticket.finding is not None else None
    if finding is None or finding.life_low is None:
        return None
    return to_datetime(finding.observed + round(finding.life_low * MICROS))


def _earliest(office: Office, ticket: Ticket, readable: datetime) -> datetime:
    """Time for the owner to answer; little of it for what is urgent or would fail before."""
    policy, latest = office.policy, _latest(office, ticket)
    short = latest is not None and latest < readable + policy.lead + timedelta(hours=24)
    return readable + (policy.lead_urgent if ticket.safety or ticket.severity == 1 or short else policy.lead)


def _hold(office: Office, ticket: Ticket, window: Window, readable: datetime) -> datetime:
    """The owner's answer is awaited until some hours before the window, but at least half the time left.

    A hold that would end in the household's quiet hours ends when they begin, or, when that leaves too little time,
    in the morning, still a little before the window.
    """
    hold = max(window.start - office.policy.hold_before, readable + (window.start - readable) / 2)
    household = office.desk.people.household(ticket.household) if ticket.household is not None else None
    night = quiet_span(hold, household) if household is not None else None
    if night is None:
        return hold
    evening, morning = night
    if evening - readable >= office.policy.hold_least:
        return evening
    return min(morning, max(hold, window.start - office.policy.hold_least))


def _visit(
    office: Office, ticket: Ticket, fault: FaultSpec, offer: Offer, *, readable: datetime, now: datetime
) -> Visit:
    new = office.new_id()
    return Visit(
        id=new,
        ticket=ticket.id,
        technician=offer.technician,
        skill=fault.skill,
        parts=tuple(part.sku for part in fault.parts),
        start=offer.window.start,
        end=offer.window.end,
        state=VisitState.PROPOSED,
        hold_until=_hold(office, ticket, offer.window, readable),
        calendar=new,
        proposed=now,
    )


def _propose(
    office: Office, ticket: Ticket, visit: Visit, blocking: Blocking | None, *, readable: datetime, now: datetime
) -> None:
    """Everything that follows a proposal: part, next action, due things and the one notice of its stage."""
    desk = office.desk
    _reserve(office, ticket, visit, now)
    if ticket.state is TicketState.AWAITING_PARTS:
        ticket = moved_ticket(office, ticket, TicketState.OPEN, now, "system")
    office.log(
        ticket.id,
        now,
        "proposed",
        visit=str(visit.id),
        technician=str(visit.technician),
        start=visit.start.isoformat(),
        end=visit.end.isoformat(),
        blocking=blocking,
    )
    ticket = office.assign(ticket, DISPATCH, "await_owner", visit.hold_until, blocking=blocking)
    desk.agenda.set_due(REMIND, visit.id, readable + (visit.hold_until - readable) / 2)
    desk.agenda.set_due(ANSWER, visit.id, visit.hold_until)
    desk.agenda.set_due(LAPSE, visit.id, visit.start)
    desk.agenda.drop_due((REPLAN,), ticket.id)
    stage = _stage(office, ticket, "safety" if ticket.safety else "alert", "reopened")
    occasion = len(desk.visits.of_ticket(ticket.id)) if stage == "proposed_again" else ticket.episode
    notify(office, ticket, stage, now, visit=visit, occasion=occasion)


def _reserve(office: Office, ticket: Ticket, visit: Visit, now: datetime) -> None:
    for sku in visit.parts:
        if not office.desk.parts.reserve(ticket.org, visit.id, sku):
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
    stage = _stage(office, ticket, "safety" if ticket.safety else "alert_no_visit", "reopened_no_visit")
    if stage != "proposed_again":
        notify(office, ticket, stage, now, occasion=ticket.episode)


def _stage(office: Office, ticket: Ticket, first: str, reopened: str) -> str:
    """One alert an episode; every later proposal is a new time, not a new alarm."""
    notices = office.desk.notices.of_ticket(ticket.id)
    if any(each.stage in _FIRST and each.occasion == ticket.episode for each in notices):
        return "proposed_again"
    return reopened if ticket.episode else first


def _day(moment: datetime, household: Household) -> str:
    return moment.astimezone(ZoneInfo(household.tz)).date().isoformat()
