"""Technicians: how full their days are, what their skills rest on; and an absence with the visits that it touches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import DeskPerson, TicketPerson, check_csrf, staff_scope
from api.context import InContext, InTx, Tx
from api.i18n import Words, zone_of
from api.pages.shell import actor_of, staff_page, staff_words
from api.pages.staffing import days_of, figures, ids_of, skills_of, workdays_of
from api.pages.timeline import visit_name
from api.problems import not_found
from servicedesk.absences import Absence, AbsenceError, Touched, enter_absence, touched
from servicedesk.model import Technician, Window
from servicedesk.policy import fault_of
from servicedesk.service_report import Summary
from servicedesk.service_report import technicians as by_technician
from storage.access import StaffRow
from storage.read_models import tickets_in
from storage.read_reports import read_cases
from storage.read_technicians import WorkRow, absences_of, org_of, van_of, work_of
from storage.read_wall import orgs_of
from telemetry.catalogue import Catalogue

router = APIRouter(include_in_schema=False)
_DAYS = 7
_FIGURES = timedelta(days=90)
_LOCAL = "%Y-%m-%dT%H:%M"
Moment = Annotated[str, Query(max_length=30)]


@router.get("/technicians")
def technicians(request: Request, person: DeskPerson, tx: InTx, context: InContext) -> Response:
    """All technicians with their week."""
    scope = staff_scope(person)
    people = [each for org in orgs_of(tx.conn, scope) for each in tx.office.desk.people.technicians(org)]
    words = staff_words(request, person, people[0].tz if people else "UTC")
    first = words.local(tx.now).date()
    away = absences_of(tx.conn, ids_of(people), tx.now)
    work = work_of(tx.conn, scope, ids_of(people), tx.now - timedelta(days=1), tx.now + timedelta(days=_DAYS + 1))
    rows = []
    for each in people:
        days = days_of(words, each, work, away, workdays_of(tx, each.tz), first, _DAYS)
        skills = skills_of(words, each, first)
        rows.append({"who": each, "days": days, "skills": skills, "ends": [s for s in skills if s.tone]})
    return staff_page(
        request,
        context,
        person,
        "technicians.html",
        words,
        rows=rows,
        dates=[first + timedelta(days=n) for n in range(_DAYS)],
    )


@router.get("/technicians/{technician}")
def technician_page(  # noqa: PLR0917  (named by FastAPI)
    request: Request, technician: UUID, person: DeskPerson, tx: InTx, context: InContext, done: str = ""
) -> Response:
    """One technician: the week, skills with their records, the van, coming visits, absences, the scorecard."""
    return _show(request, tx, context, person, _found(tx, person, technician), done=done)


@router.get("/technicians/{technician}/absence")
def absence_preview(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    technician: UUID,
    person: TicketPerson,
    tx: InTx,
    context: InContext,
    start: Annotated[str, Query(alias="from", max_length=30)] = "",
    end: Annotated[str, Query(alias="to", max_length=30)] = "",
    reason: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Which visits an absence would touch; nothing is entered yet."""
    who = _found(tx, person, technician)
    away = _window(who, start, end)
    if away is None or away.end <= max(away.start, tx.now):
        return _show(request, tx, context, person, who, wrong=True)
    rows = touched(tx.office, who.id, away)
    seen = tickets_in(tx.conn, staff_scope(person), (row.visit.ticket for row in rows))
    rows = [row for row in rows if row.visit.ticket in seen]  # a technician works for other areas too
    return _show(request, tx, context, person, who, asked=(start, end, reason), rows=rows)


@router.post("/technicians/{technician}/absence")
def absence_enter(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    technician: UUID,
    person: TicketPerson,
    tx: InTx,
    start: Annotated[str, Form(alias="from", max_length=30)],
    end: Annotated[str, Form(alias="to", max_length=30)],
    reason: Annotated[str, Form(max_length=200)] = "",
    then: Annotated[str, Form()] = "dispatch",
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Enter the absence; what it touches is planned again or handed to dispatch."""
    check_csrf(request, csrf)
    who = _found(tx, person, technician)
    away = _window(who, start, end)
    if away is None:
        return RedirectResponse(f"/technicians/{technician}/absence", 303)
    try:
        absence = Absence(who, away, reason)
        rows = enter_absence(tx.office, absence, tx.now, actor_of(person), replan=then == "replan")
    except AbsenceError:
        return RedirectResponse(f"/technicians/{technician}/absence", 303)
    moved = sum(row.new is not None for row in rows)
    return RedirectResponse(f"/technicians/{technician}?done={moved}.{len(rows) - moved}", 303)


def _show(  # noqa: PLR0917  (all of them are the page)
    request: Request,
    tx: Tx,
    context: InContext,
    person: StaffRow,
    who: Technician,
    asked: tuple[str, str, str] | None = None,
    rows: list[Touched] | None = None,
    *,
    wrong: bool = False,
    done: str = "",
) -> Response:
    scope, words = staff_scope(person), staff_words(request, person, who.tz)
    today = words.local(tx.now).date()
    away = absences_of(tx.conn, [who.id], tx.now)
    work = work_of(tx.conn, scope, [who.id], tx.now - timedelta(days=1), tx.now + timedelta(days=14))
    days = days_of(words, who, work, away, workdays_of(tx, who.tz), today, _DAYS)
    coming = [each for each in work if each.end > tx.now and each.state != "done"]
    moved, _, left = done.partition(".")
    return staff_page(
        request,
        context,
        person,
        "technician.html",
        words,
        422 if wrong else 200,
        who=who,
        days=days,
        skills=skills_of(words, who, today),
        van=van_of(tx.conn, who.id),
        coming=[(each, _title(words, context.catalogue, each), visit_name(words, each.state)) for each in coming],
        away=away,
        figures=figures(words, _summary(tx, person, who)),
        asked=asked,
        touched=[] if rows is None else [(row, visit_name(words, row.visit.state)) for row in rows],
        wrong=wrong,
        done=(int(moved), int(left)) if moved.isdigit() and left.isdigit() else None,
        first=words.local(tx.now).strftime(_LOCAL),
    )


def _summary(tx: Tx, person: StaffRow, who: Technician) -> Summary | None:
    cases = read_cases(tx.conn, staff_scope(person), tx.now - _FIGURES, None)
    return by_technician(cases).get(who.name)


def _found(tx: Tx, person: StaffRow, technician: UUID) -> Technician:
    org = org_of(tx.conn, technician)
    if org is None or staff_scope(person).org not in (None, org):
        raise not_found("technician")
    found = next((each for each in tx.office.desk.people.technicians(org) if each.id == technician), None)
    if found is None:
        raise not_found("technician")
    return found


def _title(t: Words, catalogue: Catalogue, row: WorkRow) -> str:
    kind = catalogue.kinds.get(row.kind)
    fault = fault_of(kind, row.family, row.fault) if kind is not None else None
    return t.pick(fault.title) if fault is not None else row.family.replace("_", " ")


def _window(who: Technician, start: str, end: str) -> Window | None:
    """Two local times of a form by the technician's clock; None when they are none."""
    zone: ZoneInfo = zone_of(who.tz)
    try:
        begin, close = (datetime.strptime(each, _LOCAL).replace(tzinfo=zone).astimezone(UTC) for each in (start, end))
    except ValueError:
        return None
    return Window(begin, close)
