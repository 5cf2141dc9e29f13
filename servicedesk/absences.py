"""A technician is away: which visits that touches, and what becomes of them. Nothing moves before a person says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.errors import DeskError, UnknownError, WindowGoneError
from servicedesk.model import Technician, Visit, Window
from servicedesk.office import DISPATCH, PLAN, Office
from servicedesk.planning import MOVABLE, alternatives, take_window
from servicedesk.states import VISIT_LIVE

AWAY = "technician_away"
"""Timeline: the technician of the visit will be away."""
_TO_CALL = timedelta(hours=4)


class AbsenceError(DeskError):
    """It ends before it begins, or is over."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A visit that falls into an absence, and the one that took its place.

    Attributes:
        movable: the technician has not arrived: it may have another window.
        new: the visit that was proposed instead; None while nothing was, or where nothing fits.
    """

    visit: Visit
    ref: str
    movable: bool
    new: Visit | None = None


def touched(office: Office, technician: UUID, away: Window) -> list[Touched]:
    """The live visits of a technician that an absence would touch, by their window; nothing changes."""
    desk = office.desk
    bookings = desk.visits.bookings([technician], away).get(technician, ())
    found = [
        (visit, desk.tickets.get(visit.ticket).ref)
        for ticket in sorted({each.ticket for each in bookings if each.ticket is not None})
        for visit in desk.visits.of_ticket(ticket)
        if visit.technician == technician and visit.state in VISIT_LIVE and visit.window.overlaps(away)
    ]
    rows = [Touched(visit, ref, visit.state in MOVABLE) for visit, ref in found]
    return sorted(rows, key=lambda row: (row.visit.start, row.visit.id))


@dataclass(frozen=True, slots=True)
class Absence:
    """Who will be away, from when to when, and why, for people."""

    technician: Technician
    away: Window
    reason: str = ""


def enter_absence(office: Office, absence: Absence, now: datetime, actor: str, *, replan: bool) -> list[Touched]:
    """Enter an absence; the visits that it touches are planned again, or handed to dispatch.

    Args:
        office: see there.
        absence: to be entered.
        now: when.
        actor: who enters it.
        replan: propose another window where one fits; otherwise, and where none does, dispatch has the case.

    Raises:
        AbsenceError: it ends before it begins, or is over.
        UnknownError: there is no such technician.
    """
    technician, away = absence.technician, absence.away
    if away.end <= max(away.start, now):
        raise AbsenceError("an absence ends after it begins, and not in the past")
    desk = office.desk
    if all(each.id != technician.id for each in desk.people.technicians(technician.org)):
        raise UnknownError(f"there is no technician {technician.id}")
    rows = touched(office, technician.id, away)
    desk.visits.absent(technician.id, away, absence.reason)
    return [_settled(office, row, now, actor, replan=replan) for row in rows]


def _settled(office: Office, row: Touched, now: datetime, actor: str, *, replan: bool) -> Touched:
    visit = row.visit
    office.log(visit.ticket, now, AWAY, actor, visit=str(visit.id), technician=str(visit.technician))
    found = alternatives(office, visit.id, now) if replan and row.movable else None
    for offer in (*found.best, *found.all) if found is not None else ():
        try:
            new = take_window(office, visit.id, offer.window.start, now, actor)
        except WindowGoneError:
            continue
        return Touched(visit, row.ref, row.movable, new)
    ticket = office.desk.tickets.get(visit.ticket)
    office.assign(ticket, DISPATCH, PLAN, min(now + _TO_CALL, max(now, visit.start)))
    return row
