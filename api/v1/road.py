"""`/v1/technicians/{technician}/days/{date}` and what a technician tells on the way: list, delay, position."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from api.auth import CaseReader, Principal, VisitMover
from api.context import InContext, InTx, Tx
from api.problems import invalid, not_found
from api.reads import note_read
from api.v1.models import WindowOut
from api.v1.money_models import WordsOut
from api.v1.road_models import (
    ChecklistOut,
    DelayIn,
    DelayOut,
    JourneyDayOut,
    ListStepOut,
    PartOut,
    PositionIn,
    PositionOut,
    StopOut,
    TickIn,
)
from api.v1.router import V1Router
from api.v1.service import read_visit
from servicedesk.checklists import Phase
from servicedesk.door_code import door_code
from servicedesk.on_the_road import AHEAD, note_position, running_late, steps_of, tick
from servicedesk.policy import fault_of
from servicedesk.travel import Place
from storage.access import Role
from storage.read_day import DayVisit, day_visits, sees_technician, who_is
from telemetry.catalogue import Catalogue, Text

router = V1Router()
_MINUTE = 60
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)


@router.get("/technicians/{technician}/days/{day}", tags=["visits"])
def technician_day(technician: str, day: date, who: VisitMover, tx: InTx, context: InContext) -> JourneyDayOut:
    """A technician's visits of a day, in order. `me` is the technician of the token."""
    wanted = who.technician or "" if technician == "me" else technician
    found = who_is(tx.conn, wanted, who.scope.org)
    own = who.scope.technician
    mine = found is not None and own in (str(found.id), found.name)
    if found is None or not (mine if own is not None else sees_technician(tx.conn, who.scope, found)):
        raise not_found("technician")
    if not _FIRST <= day <= _LAST:
        raise invalid(f"a day lies between {_FIRST} and {_LAST}")
    start = datetime.combine(day, time(), ZoneInfo(found.tz))
    until = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(found.tz))
    rows = day_visits(tx.conn, who.scope, str(found.id), start, until)
    stops, before = [], found.home
    for row in rows:
        ahead = row.state in AHEAD
        way = round(tx.office.travel.between(before, row.place) / _MINUTE) if ahead else None
        stops.append(_stop(tx, context.catalogue, row, way))
        note_read(tx, who, f"visit {row.id}", row.household)
        before = row.place
    return JourneyDayOut(technician=found.id, name=found.name, tz=found.tz, date=day, stops=stops)


@router.get("/visits/{visit}/checklist", tags=["visits"])
def visit_checklist(visit: UUID, who: CaseReader, tx: InTx) -> ChecklistOut:
    """What is to be done at the appliance, and what is done."""
    read_visit(tx, who, visit)
    return _list(tx, visit)


@router.post("/visits/{visit}/checklist", tags=["visits"])
def tick_step(visit: UUID, given: TickIn, who: VisitMover, tx: InTx) -> ChecklistOut:
    """Tick a step, or take the tick back; the last word counts."""
    row = read_visit(tx, who, visit)
    tick(tx.office, visit, given.step, tx.now, who.actor(str(row.technician_id)), done=given.done)
    return _list(tx, visit)


@router.post("/visits/{visit}/delay", tags=["visits"])
def tell_delay(visit: UUID, given: DelayIn, who: VisitMover, tx: InTx) -> DelayOut:
    """The technician runs late: the household is told when to expect them."""
    row = read_visit(tx, who, visit)
    told = running_late(tx.office, visit, given.expected, tx.now, who.actor(str(row.technician_id)))
    return DelayOut(visit=visit, expected=told.expected, at=told.at, times=told.times)


@router.get("/visits/{visit}/position", tags=["visits"])
def read_position(visit: UUID, who: CaseReader, tx: InTx) -> PositionOut:
    """Where the technician is; for the visit's household and its technician alone, and while travelling alone."""
    read_visit(tx, who, visit)
    known = tx.office.desk.day.position(visit) if _is_theirs(who) else None
    if known is None:
        return PositionOut(visit=visit, at=None, lat=None, lon=None)
    return PositionOut(visit=visit, at=known.at, lat=known.place.latitude, lon=known.place.longitude)


@router.post("/visits/{visit}/position", tags=["visits"])
def tell_position(visit: UUID, given: PositionIn, who: VisitMover, tx: InTx) -> PositionOut:
    """Where the technician is, about every half minute; a 409 when nobody travels to this visit."""
    read_visit(tx, who, visit)
    made = note_position(tx.office, visit, Place(given.lat, given.lon), tx.now)
    return PositionOut(visit=visit, at=made.at, lat=given.lat, lon=given.lon)


def _is_theirs(who: Principal) -> bool:
    """Whether the visit, which the asker sees, is their own: its household's or its technician's."""
    return who.role in (Role.OWNER, Role.TECHNICIAN)


def _list(tx: Tx, visit_id: UUID) -> ChecklistOut:
    ticket, visit = tx.office.case(visit_id)
    ticks = {each.step: each for each in tx.office.desk.day.ticks(visit_id)}
    steps = []
    for step in steps_of(tx.office, ticket, visit):
        found = ticks.get(step.id)
        steps.append(
            ListStepOut(
                id=step.id,
                phase=step.phase,
                text=WordsOut(zh=step.text.zh, en=step.text.en),
                done=found is not None and found.done,
                at=found.at if found is not None else None,
                actor=found.actor if found is not None else None,
            )
        )
    return ChecklistOut(visit=visit_id, steps=steps)


def _stop(tx: Tx, catalogue: Catalogue, row: DayVisit, travel: int | None) -> StopOut:
    kind = catalogue.kinds.get(row.kind)
    fault = fault_of(kind, row.family, row.fault) if kind is not None else None
    titles = {part.sku: part.title for part in fault.parts} if fault is not None else {}
    packed = {each.step for each in tx.office.desk.day.ticks(row.id) if each.done}
    parts = []
    for sku in row.parts:
        title = titles.get(sku, Text(sku, sku))
        parts.append(PartOut(sku=sku, title=WordsOut(zh=title.zh, en=title.en), packed=f"{Phase.VAN}:{sku}" in packed))
    return StopOut(
        visit=row.id,
        ref=row.ref,
        state=row.state,
        window=WindowOut(start=row.start, end=row.end),
        expected=row.expected,
        travel_minutes=travel,
        minutes=row.minutes,
        household=row.household_name,
        address=row.address,
        latitude=row.latitude,
        longitude=row.longitude,
        phone=row.phone,
        device=f"{row.org}/{row.device}",
        kind=row.kind,
        room=row.room,
        serial=row.serial,
        fault=row.fault,
        safety=row.safety,
        parts=parts,
        code=door_code(row.id),
    )
