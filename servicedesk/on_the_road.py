"""What a technician does between two homes: loads the van, sets out, says that it gets late, is seen on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.checklists import Step, of_visit
from servicedesk.day_rows import Delay, Position, Tick
from servicedesk.errors import IllegalMoveError
from servicedesk.model import Ticket, Visit
from servicedesk.notices import notify
from servicedesk.office import Office
from servicedesk.selfcheck import AnswerError
from servicedesk.states import VisitState
from servicedesk.texts import say_moment
from servicedesk.travel import Place
from servicedesk.visiting import move_visit

LATE = "running_late"
"""Timeline and notice: the technician comes later than the window says."""
AHEAD = (VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING)
"""The technician is not there yet, and is expected."""
MOST_LATE = timedelta(days=1)
"""Whoever comes later than this after the window makes another visit of it."""
_TICKED = (*AHEAD, VisitState.ON_SITE)


def steps_of(office: Office, ticket: Ticket, visit: Visit) -> tuple[Step, ...]:
    """The checklist of a visit."""
    kind, fault = office.desk.people.appliance(ticket.device).kind, office.fault(ticket)
    known = office.catalogue[kind].faults if kind in office.catalogue else {}
    name = next((name for name, each in known.items() if each is fault), None)
    return of_visit(kind, fault, name, visit.parts)


def tick(office: Office, visit_id: UUID, step: str, now: datetime, actor: str, *, done: bool) -> Tick:
    """Tick a step, or take the tick back.

    Raises:
        AnswerError: the list has no such step.
        IllegalMoveError: the visit is over, or nobody has agreed to it yet.
    """
    ticket, visit = office.case(visit_id)
    known = tuple(each.id for each in steps_of(office, ticket, visit))
    if step not in known:
        raise AnswerError(f"the list of this visit has no step {step!r}", known)
    if visit.state not in _TICKED:
        raise IllegalMoveError("visit", visit.state, "ticked", ())
    made = Tick(visit=visit.id, step=step, done=done, at=now, actor=actor)
    office.desk.day.tick(made)
    return made


def load_van(office: Office, visit_id: UUID, now: datetime, actor: str) -> Visit:
    """The visit's parts are in the van: the household sees that it is being prepared. Twice is the same as once."""
    ticket, visit = office.case(visit_id)
    for step in steps_of(office, ticket, visit):
        if step.id.startswith("van:") and visit.state in AHEAD:
            office.desk.day.tick(Tick(visit=visit.id, step=step.id, done=True, at=now, actor=actor))
    if visit.state is not VisitState.CONFIRMED:
        return visit
    return move_visit(office, visit_id, VisitState.DISPATCHED, now, actor)


def set_out(office: Office, visit_id: UUID, now: datetime, actor: str) -> Visit:
    """The technician travels to the visit; a van that nobody has checked counts as loaded. Twice is once.

    Raises:
        IllegalMoveError: the visit is somewhere else.
    """
    _, visit = office.case(visit_id)
    if visit.state is VisitState.TRAVELLING:
        return visit
    if visit.state is VisitState.CONFIRMED:
        move_visit(office, visit_id, VisitState.DISPATCHED, now, actor)
    return move_visit(office, visit_id, VisitState.TRAVELLING, now, actor)


def arrive(office: Office, visit_id: UUID, now: datetime, actor: str) -> Visit:
    """The technician is there. Twice is once.

    Raises:
        IllegalMoveError: nobody was on the way.
    """
    _, visit = office.case(visit_id)
    return visit if visit.state is VisitState.ON_SITE else move_visit(office, visit_id, VisitState.ON_SITE, now, actor)


def cannot_come(office: Office, visit_id: UUID, reason: str, now: datetime, actor: str) -> Visit:
    """The visit does not take place, or nobody opened: it is missed, and dispatch looks for another time at once.

    Raises:
        NeedsReasonError: without a reason.
        IllegalMoveError: it is over, or nobody has agreed to it.
    """
    _, visit = office.case(visit_id)
    if visit.state is VisitState.MISSED:
        return visit
    return move_visit(office, visit_id, VisitState.MISSED, now, actor, reason=reason.strip() or None)


def running_late(office: Office, visit_id: UUID, expected: datetime, now: datetime, actor: str) -> Delay:
    """The technician comes later: the household is told when.

    Raises:
        IllegalMoveError: the technician is there already, or is not expected.
        AnswerError: the time has passed, or is more than a day too late.
    """
    ticket, visit = office.case(visit_id)
    if visit.state not in AHEAD:
        raise IllegalMoveError("visit", visit.state, "late", tuple(map(str, AHEAD)))
    if expected <= now:
        raise AnswerError("the expected time has passed; name a later one", ())
    if expected > max(visit.end, now) + MOST_LATE:
        raise AnswerError("that is more than a day late; dispatch looks for another time", ())
    told = office.desk.day.delay(Delay(visit=visit.id, expected=expected, at=now, actor=actor))
    office.log(ticket.id, now, LATE, actor, visit=str(visit.id), expected=expected.isoformat())
    household = office.household(ticket)
    if household is not None:
        when = say_moment(expected, household.tz, household.lang)
        occasion = sum(1 for each in office.desk.tickets.timeline(ticket.id) if each.kind == LATE)
        notify(office, ticket, LATE, now, visit=visit, occasion=occasion, say={"expected": when})
    return told


def note_position(office: Office, visit_id: UUID, place: Place, now: datetime) -> Position:
    """Where the technician is: kept only while travelling to this visit, and only the last one.

    Raises:
        IllegalMoveError: nobody travels to it.
    """
    _, visit = office.case(visit_id)
    made = Position(visit=visit.id, at=now, place=place)
    if visit.state is not VisitState.TRAVELLING or not office.desk.day.place(made):
        raise IllegalMoveError("visit", visit.state, "followed", (str(VisitState.TRAVELLING),))
    return made
