"""One ticket: state, evidence, explanation, timeline, and what may be done."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import DeskPerson, TicketPerson, check_csrf, staff_scope
from api.context import InContext, InTx
from api.i18n import Words
from api.moves import ticket_moves
from api.pages.case import Picture, load_case
from api.pages.rail import move_button, rail_of
from api.pages.shell import actor_of, staff_page, staff_words
from api.pages.slips import slip_of, technicians_of
from api.pages.timeline import Line, lines_of, visit_name
from api.problems import not_found
from api.reads import note_read
from servicedesk.door_code import door_code
from servicedesk.errors import DeskError
from servicedesk.planning import confirm
from servicedesk.states import TicketState
from servicedesk.visiting import move_ticket
from storage.read_desk import get_ticket_by_ref, timeline, visits_of
from storage.read_devices import get_finding
from telemetry.clock import MICROS

router = APIRouter(include_in_schema=False)


@router.get("/tickets/{ref}")
def ticket_page(request: Request, ref: str, person: DeskPerson, tx: InTx, context: InContext) -> Response:
    """One ticket: state, evidence, explanation, timeline, and what may be done."""
    scope = staff_scope(person)
    row = get_ticket_by_ref(tx.conn, scope, ref)
    if row is None:
        raise not_found("ticket")
    note_read(tx, person, f"ticket {row.id}", row.household)
    words = staff_words(request, person, row.tz)
    finding = get_finding(tx.conn, scope, row.finding) if row.finding else None
    visits = visits_of(tx.conn, scope, row.id)
    case = load_case(tx, context.catalogue, row, finding, visits, words)
    technicians = technicians_of(tx, [row])
    lines = lines_of(words, timeline(tx.conn, row.id), {str(k): v for k, v in technicians.items()})
    days = [(words.weekday(day), list(each)) for day, each in groupby(reversed(lines), key=_day_of(words))]
    moves = [move_button(words, state) for state in ticket_moves(row.state)]
    signals = [
        (f, words.pick(case.kind.features[f].title)) for f in case.evidence if case.kind and f in case.kind.features
    ]
    asked = request.query_params.get("signal")
    picture = case.picture("tc", wide=True, feature=asked if asked in case.evidence else None)
    return staff_page(
        request,
        context,
        person,
        "ticket.html",
        words,
        case=case,
        slip=slip_of(case, row, tx.now, technicians),
        rail=rail_of(words, row),
        picture=picture,
        signals=signals,
        signal=asked,
        causes=case.causes(),
        reasons=case.reasons(),
        ruled_out=case.ruled_out(),
        days=days,
        moves=moves,
        visit=case.visit,
        visit_state=visit_name(words, case.visit.state) if case.visit else "",
        points=_points(picture),
        code=door_code(case.visit.id) if case.visit else "",
        problem=request.query_params.get("problem"),
    )


@router.post("/tickets/{ref}/moves")
def ticket_move(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    ref: str,
    person: TicketPerson,
    tx: InTx,
    to: Annotated[str, Form()],
    csrf: Annotated[str, Form()] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    version: Annotated[int, Form()] = -1,
) -> Response:
    """A person's move; refused with the reason when someone was faster or the table forbids it."""
    check_csrf(request, csrf)
    scope = staff_scope(person)
    row = get_ticket_by_ref(tx.conn, scope, ref)
    if row is None:
        raise not_found("ticket")
    if version not in (-1, row.version):
        return RedirectResponse(f"/tickets/{ref}?problem=changed", 303)
    try:
        with tx.conn.transaction():
            if to == "confirm" and row.visit is not None:
                confirm(tx.office, row.visit, tx.now, actor_of(person))
            else:
                move_ticket(tx.office, row.id, TicketState(to), tx.now, actor_of(person), reason=reason.strip() or None)
    except (DeskError, ValueError):
        return RedirectResponse(f"/tickets/{ref}?problem=refused", 303)
    return RedirectResponse(f"/tickets/{ref}", 303)


def _points(picture: Picture | None) -> str:
    """The chart's columns for the page's script: seconds, value, low, high."""
    if picture is None:
        return "[]"
    points = picture.series.points
    columns = [
        [p.t // MICROS for p in points],
        [p.value for p in points],
        [p.low for p in points],
        [p.high for p in points],
    ]
    return json.dumps(columns, separators=(",", ":"))


def _day_of(t: Words) -> Any:  # noqa: ANN401  (a key function)
    def key(line: Line) -> Any:  # noqa: ANN401  (a date)
        return t.local(line.at).date()

    return key
