"""What dispatch does beyond tickets' moves: notes, hands, technicians and absences, roster, wall, fleet faults."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query

from api.auth import PlanReader, Principal, TicketMover
from api.context import InTx, Tx
from api.i18n import Words, zone_of
from api.pages.staffing import days_of, workdays_of
from api.problems import invalid, not_found
from api.v1.desk_models import (
    AbsenceIn,
    AbsenceOut,
    FaultGroupOut,
    FaultGroupsOut,
    FleetFindingOut,
    HandsIn,
    NoteIn,
    OnCallEndIn,
    RosterEntriesOut,
    RosterEntryOut,
    SharedOut,
    SkillOut,
    TechnicianDayOut,
    TechnicianOut,
    TechniciansOut,
    TouchedListOut,
    TouchedOut,
    WallCaseOut,
    WallOut,
)
from api.v1.models import GivenMoment, TicketDetailOut
from api.v1.router import V1Router, changes
from api.v1.service import TICKET, read_ticket
from servicedesk.absences import Absence, Touched, enter_absence, touched
from servicedesk.model import Technician, Window
from servicedesk.noting import hand_over, note
from storage.desk_fleet import list_fleet_findings
from storage.read_faults import fault_groups
from storage.read_models import tickets_in
from storage.read_technicians import absences_of, org_of, work_of
from storage.read_wall import orgs_of, roster_rows, wall_cases, wall_counts

router = V1Router()
_DAYS = 7
_CASES = 100


@router.post("/tickets/{ticket}/internal-notes", tags=["tickets"])
@changes(TICKET)
def ticket_note(ticket: UUID, given: NoteIn, who: TicketMover, tx: InTx) -> TicketDetailOut:
    """Write for the other people of the desk. Owners never see it, and no clock takes it for an answer."""
    read_ticket(tx, who, ticket)
    note(tx.office, ticket, given.words, tx.now, who.actor())
    return read_ticket(tx, who, ticket)


@router.post("/tickets/{ticket}/hands", tags=["tickets"])
@changes(TICKET)
def ticket_hands(ticket: UUID, given: HandsIn, who: TicketMover, tx: InTx) -> TicketDetailOut:
    """Put a case into somebody's hands; action and due time stay. A case on the road or over is a 409."""
    read_ticket(tx, who, ticket)
    hand_over(tx.office, ticket, given.to, tx.now, who.actor())
    return read_ticket(tx, who, ticket)


@router.get("/technicians", tags=["technicians"])
def technicians(who: PlanReader, tx: InTx) -> TechniciansOut:
    """Active technicians with their skills, absences and the load of the next seven days."""
    orgs = orgs_of(tx.conn, who.scope)
    people = [each for org in orgs for each in tx.office.desk.people.technicians(org)]
    return TechniciansOut(items=_shown(tx, who, people))


@router.get("/technicians/{technician}", tags=["technicians"])
def one_technician(technician: UUID, who: PlanReader, tx: InTx) -> TechnicianOut:
    """One technician."""
    return _shown(tx, who, [_technician(tx, who, technician)])[0]


@router.get("/technicians/{technician}/touched", tags=["technicians"])
def absence_touches(
    technician: UUID,
    who: TicketMover,
    tx: InTx,
    start: Annotated[GivenMoment | None, Query(alias="from", description="begin of it, now when absent")] = None,
    end: Annotated[GivenMoment | None, Query(alias="to", description="its end, a day later when absent")] = None,
) -> TouchedListOut:
    """The visits that an absence would touch; nothing is entered."""
    found = _technician(tx, who, technician)
    begin = start or tx.now
    away = Window(begin, end or begin + timedelta(days=1))
    if away.end <= away.start:
        raise invalid("it ends before it begins", "to")
    return _touched_list(tx, who, touched(tx.office, found.id, away))


@router.post("/technicians/{technician}/absences", tags=["technicians"], status_code=201)
def absence_new(technician: UUID, given: AbsenceIn, who: TicketMover, tx: InTx) -> TouchedListOut:
    """Enter an absence; the visits in it get other times where one fits, or go to dispatch."""
    found = _technician(tx, who, technician)
    if given.end <= max(given.start, tx.now):
        raise invalid("it ends before it begins", "#/end")
    absence = Absence(found, Window(given.start, given.end), given.reason)
    rows = enter_absence(tx.office, absence, tx.now, who.actor(), replan=given.then == "replan")
    return _touched_list(tx, who, rows)


@router.get("/roster", tags=["levels"])
def roster_entries(who: TicketMover, tx: InTx) -> RosterEntriesOut:
    """Who is on call, now and later."""
    return RosterEntriesOut(
        items=[
            RosterEntryOut(id=r.id, org=r.org, step=r.step, name=r.name, start=r.start, until=r.until)
            for r in roster_rows(tx.conn, who.scope, tx.now)
        ]
    )


@router.post("/oncall/end", tags=["levels"])
def oncall_end(given: OnCallEndIn, who: TicketMover, tx: InTx) -> RosterEntriesOut:
    """Take a person off the roster from now on. Answers with who is left."""
    if given.entry not in {each.id for each in roster_rows(tx.conn, who.scope, tx.now)}:
        raise not_found("entry")
    tx.office.desk.levels.calls.drop_oncall(given.entry, tx.now)
    return roster_entries(who, tx)


@router.get("/wall", tags=["levels"])
def wall(who: PlanReader, tx: InTx) -> WallOut:
    """How promises stand now: broken, in danger, standing; each case once, by its worst promise."""
    counts = wall_counts(tx.conn, who.scope, tx.now)
    return WallOut(
        broken=counts.broken,
        within_1h=counts.hour,
        within_4h=counts.later,
        waiting_owner=counts.owner,
        waiting_parts=counts.parts,
        on_hold=counts.held,
        cases=[
            WallCaseOut(
                ref=each.ref,
                severity=each.severity,
                policy=each.policy,
                due=each.due,
                breached=each.breached,
                reasons=each.reasons,
                responsible=each.responsible,
            )
            for each in wall_cases(tx.conn, who.scope, tx.now, _CASES)
        ],
    )


@router.get("/fleet-faults", tags=["reports"])
def fleet_faults(who: PlanReader, tx: InTx) -> FaultGroupsOut:
    """What many appliances have at once, against what chance would give."""
    return FaultGroupsOut(
        items=[
            FaultGroupOut.model_validate(
                {
                    "kind": each.kind,
                    "family": each.family,
                    "by": each.by,
                    "name": each.name,
                    "devices": each.devices,
                    "findings": each.findings,
                    "expected": round(each.expected, 3),
                    "chance": round(each.chance, 4),
                    "stands_out": each.stands_out,
                    "first": each.first,
                }
            )
            for each in fault_groups(tx.conn, who.scope)
        ],
        together=[
            FleetFindingOut(
                id=each.id,
                kind=each.kind,
                family=each.family,
                opened=each.opened,
                devices=each.devices,
                findings=each.findings,
                expected=round(each.expected, 3),
                newest=each.newest,
                shared=None if each.shared is None else SharedOut.model_validate(asdict(each.shared)),
            )
            for each in list_fleet_findings(tx.conn, who.scope)
        ],
    )


def _technician(tx: Tx, who: Principal, technician: UUID) -> Technician:
    org = org_of(tx.conn, technician)
    narrow = who.scope.household is not None or who.scope.ticket is not None
    if org is None or narrow or who.scope.org not in (None, org):
        raise not_found("technician")
    found = next((each for each in tx.office.desk.people.technicians(org) if each.id == technician), None)
    if found is None:
        raise not_found("technician")
    return found


def _shown(tx: Tx, who: Principal, people: list[Technician]) -> list[TechnicianOut]:
    ids = [each.id for each in people]
    away = absences_of(tx.conn, ids, tx.now)
    span = tx.now - timedelta(days=1), tx.now + timedelta(days=_DAYS + 1)
    work = work_of(tx.conn, who.scope, ids, *span)
    shown = []
    for each in people:
        words = Words("en", zone_of(each.tz))
        today = words.local(tx.now).date()
        records = {record.skill: record for record in each.certificates}
        days = days_of(words, each, work, away, workdays_of(tx, each.tz), today, _DAYS)
        shown.append(
            TechnicianOut(
                id=each.id,
                org=each.org,
                name=each.name,
                area=each.area,
                skills=[
                    SkillOut(
                        skill=skill,
                        valid_until=records[skill].valid_until if skill in records else None,
                        trained=records[skill].trained if skill in records else None,
                        course=records[skill].course if skill in records else "",
                    )
                    for skill in each.skills
                ],
                days=[
                    TechnicianDayOut(
                        day=d.day, visits=d.visits, load=None if d.load is None else round(d.load, 3), away=d.away
                    )
                    for d in days
                ],
                absences=[
                    AbsenceOut(start=a.start, end=a.end, reason=a.reason) for a in away if a.technician == each.id
                ],
            )
        )
    return shown


def _touched_list(tx: Tx, who: Principal, rows: list[Touched]) -> TouchedListOut:
    """Those of the asker's: a technician works for other areas too."""
    seen = tickets_in(tx.conn, who.scope, (row.visit.ticket for row in rows))
    return TouchedListOut(items=[_touched(row) for row in rows if row.visit.ticket in seen])


def _touched(row: Touched) -> TouchedOut:
    return TouchedOut(
        visit=row.visit.id,
        ref=row.ref,
        start=row.visit.start,
        end=row.visit.end,
        movable=row.movable,
        new=None if row.new is None else row.new.start,
    )
