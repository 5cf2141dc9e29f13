"""Staff pages: login, dispatch list, ticket, mailbox."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import SESSION_COOKIE, InStaff, LoginNeededError, Throttle, check_csrf, csrf_token, same_origin
from api.context import InContext, InTx
from api.i18n import LANGUAGES, Words, accepted, zone_of
from api.moves import ticket_moves
from api.pages.case import Case, Picture, load_case
from api.pages.owner import door_code
from api.pages.render import render
from api.pages.timeline import Line, lines_of, visit_name
from api.problems import ProblemError, not_found
from api.reads import note_read
from servicedesk.errors import DeskError
from servicedesk.model import Technician
from servicedesk.office import DISPATCH
from servicedesk.planning import confirm
from servicedesk.states import NEEDS_REASON, TicketState
from servicedesk.texts import text
from servicedesk.visiting import move_ticket
from storage.access import SESSION_HOURS, StaffRow, check_password, close_session, open_session
from storage.read_desk import (
    TicketView,
    board,
    count_states,
    get_notice,
    get_ticket_by_ref,
    list_notices,
    timeline,
    visits_of,
)
from storage.read_devices import get_finding
from storage.read_models import EVERYTHING
from telemetry.clock import MICROS

router = APIRouter(include_in_schema=False)
_LANG_COOKIE = "wk_lang"
_VIEWS: dict[str, tuple[str, ...] | None] = {
    "open": ("detected", "open", "planned", "in_repair", "awaiting_quote", "awaiting_parts", "hold", "reopened"),
    "owner": ("open", "reopened"),
    "proving": ("done", "verified"),
    "closed": ("closed", "self_fixed", "false_alarm", "cancelled"),
    "all": None,
}
_RAIL = ("detected", "open", "planned", "in_repair", "done", "verified", "closed")
_SOON = timedelta(hours=4)


def staff_words(request: Request, person: StaffRow | None, zone: str = "UTC") -> Words:
    """Asked for, else remembered, else the person's, else the browser's language."""
    asked = request.query_params.get("lang")
    kept = request.cookies.get(_LANG_COOKIE)
    lang = next((each for each in (asked, kept) if each in LANGUAGES), None)
    lang = lang or (person.lang if person else None) or accepted(request.headers.get("accept-language")) or "en"
    return Words(lang, zone_of(zone))


@router.get("/")
def home() -> Response:
    """Staff start at the dispatch list."""
    return RedirectResponse("/dispatch", 303)


@router.get("/login")
def login_page(request: Request, to: str = "/dispatch") -> Response:
    """Ask for login and password."""
    return render(request, "login.html", staff_words(request, None), to=_local(to), wrong="", login="")


@router.post("/login", dependencies=[Depends(same_origin)])
def login(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    tx: InTx,
    context: InContext,
    login: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=200)],
    to: Annotated[str, Form()] = "/dispatch",
) -> Response:
    """Open a session of one shift."""
    throttle: Throttle = request.app.state.throttle
    t = staff_words(request, None)
    if throttle.closed(login, tx.wall):
        wrong = t("Too many tries. Wait a minute, then try again.")
        return render(request, "login.html", t, 429, to=_local(to), wrong=wrong, login=login)
    person = check_password(tx.conn, login, password)
    if person is None:
        throttle.failed(login, tx.wall)
        wrong = t("This login and password do not belong together.")
        return render(request, "login.html", t, 403, to=_local(to), wrong=wrong, login=login)
    secret = open_session(tx.conn, person.id, now=tx.wall)
    response = RedirectResponse(_local(to), 303)
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=SESSION_HOURS * 3600,
        httponly=True,
        samesite="lax",
        secure=context.settings.secure_cookies,
    )
    return response


@router.post("/logout")
def logout(request: Request, tx: InTx, _: InStaff, csrf: Annotated[str, Form()] = "") -> Response:
    """End the session."""
    check_csrf(request, csrf)
    close_session(tx.conn, request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE)
    return response


@dataclass(frozen=True, slots=True)
class Slip:
    """A line of the dispatch list."""

    case: Case
    action: str
    who: str
    blocking: str
    left: str
    tone: str
    due: str


@router.get("/dispatch")
def dispatch(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: InStaff,
    tx: InTx,
    context: InContext,
    view: str = "open",
    severity: str = "",
    kind: str = "",
) -> Response:
    """Tickets by what is due first."""
    chosen = view if view in _VIEWS else "open"
    level = int(severity) if severity in ("1", "2", "3", "4") else None
    rows = board(
        tx.conn,
        EVERYTHING,
        states=list(states) if (states := _VIEWS[chosen]) is not None else None,
        severity=level,
        kind=kind if kind in context.catalogue else None,
    )
    zones = Counter(row.tz for row in rows)
    words = staff_words(request, person, zones.most_common(1)[0][0] if zones else "UTC")
    technicians = _technicians(tx, rows)
    slips = []
    for row in rows:
        zoned = Words(words.lang, zone_of(row.tz))
        case = load_case(tx, context.catalogue, row, None, [], zoned)
        slips.append(_slip(case, row, tx.now, technicians))
    counts = count_states(tx.conn, EVERYTHING)
    groups = {name: sum(counts.get(s, 0) for s in states or counts) for name, states in _VIEWS.items()}
    kinds = {name: words.pick(spec.title) for name, spec in context.catalogue.kinds.items()}
    response = render(
        request,
        "dispatch.html",
        words,
        person=person,
        csrf=csrf_token(request),
        slips=slips,
        first=slips[0] if slips and chosen in ("open", "owner") else None,
        view=chosen,
        severity=severity,
        kind=kind,
        groups=groups,
        kinds=kinds,
        now=tx.now,
        mailbox=context.settings.mailbox,
        down=[each for each in tx.office.desk.levels.reach.outages() if each.warned is not None],
    )
    return _remember(request, response)


@router.get("/tickets/{ref}")
def ticket_page(request: Request, ref: str, person: InStaff, tx: InTx, context: InContext) -> Response:
    """One ticket: state, evidence, explanation, timeline, and what may be done."""
    row = get_ticket_by_ref(tx.conn, EVERYTHING, ref)
    if row is None:
        raise not_found("ticket")
    note_read(tx, person, f"ticket {row.id}", row.household)
    words = staff_words(request, person, row.tz)
    finding = get_finding(tx.conn, EVERYTHING, row.finding) if row.finding else None
    visits = visits_of(tx.conn, EVERYTHING, row.id)
    case = load_case(tx, context.catalogue, row, finding, visits, words)
    technicians = _technicians(tx, [row])
    lines = lines_of(words, timeline(tx.conn, row.id), {str(k): v for k, v in technicians.items()})
    days = [(words.weekday(day), list(each)) for day, each in groupby(reversed(lines), key=_day_of(words))]
    moves = [_move(words, state) for state in ticket_moves(row.state)]
    signals = [
        (f, words.pick(case.kind.features[f].title)) for f in case.evidence if case.kind and f in case.kind.features
    ]
    asked = request.query_params.get("signal")
    picture = case.picture("tc", wide=True, feature=asked if asked in case.evidence else None)
    response = render(
        request,
        "ticket.html",
        words,
        person=person,
        csrf=csrf_token(request),
        case=case,
        slip=_slip(case, row, tx.now, technicians),
        rail=_rail(words, row),
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
        mailbox=context.settings.mailbox,
    )
    return _remember(request, response)


@router.post("/tickets/{ref}/moves")
def ticket_move(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    ref: str,
    person: InStaff,
    tx: InTx,
    to: Annotated[str, Form()],
    csrf: Annotated[str, Form()] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    version: Annotated[int, Form()] = -1,
) -> Response:
    """A person's move; refused with the reason when someone was faster or the table forbids it."""
    check_csrf(request, csrf)
    if person.role not in ("admin", "dispatcher"):
        raise ProblemError(403, "forbidden", "Your role may not do that")
    row = get_ticket_by_ref(tx.conn, EVERYTHING, ref)
    if row is None:
        raise not_found("ticket")
    if version not in (-1, row.version):
        return RedirectResponse(f"/tickets/{ref}?problem=changed", 303)
    try:
        with tx.conn.transaction():
            if to == "confirm" and row.visit is not None:
                confirm(tx.office, row.visit, tx.now, DISPATCH)
            else:
                move_ticket(tx.office, row.id, TicketState(to), tx.now, DISPATCH, reason=reason.strip() or None)
    except (DeskError, ValueError):
        return RedirectResponse(f"/tickets/{ref}?problem=refused", 303)
    return RedirectResponse(f"/tickets/{ref}", 303)


@router.get("/mailbox")
def mailbox(request: Request, person: InStaff, tx: InTx, context: InContext, notice: UUID | None = None) -> Response:
    """The built-in mail reader: what households were told, with their links. Embedded only."""
    if not context.settings.mailbox:
        raise not_found("page")
    note_read(tx, person, "notices")
    letters = list_notices(tx.conn, EVERYTHING, household=None, after=None, limit=100, sent_only=True)
    chosen = get_notice(tx.conn, EVERYTHING, notice) if notice else (letters[0] if letters else None)
    words = staff_words(request, person, chosen.tz if chosen else "UTC")
    response = render(
        request,
        "mailbox.html",
        words,
        person=person,
        csrf=csrf_token(request),
        letters=letters,
        chosen=chosen,
        link=urlsplit(chosen.link).path if chosen else "",
        mailbox=True,
    )
    return _remember(request, response)


def login_redirect(request: Request, error: LoginNeededError) -> Response:
    """Pages without a session lead to the login and back."""
    if request.method != "GET":
        return RedirectResponse("/login", 303)
    return RedirectResponse("/login?" + urlencode({"to": error.path}), 303)


def error_page(request: Request, status: int) -> Response:
    """A page's error in words, with what still holds."""
    t = staff_words(request, None)
    heading, lead = {
        403: (t("That is not allowed"), t("Nothing was changed. Open the page again and repeat your choice.")),
        404: (t("There is no such page"), t("Perhaps a part of the address is missing.")),
    }.get(status, (t("That did not work"), t("Nothing was saved. Try again in a moment.")))
    return render(request, "error.html", t, status, heading=heading, lead=lead)


def _slip(case: Case, row: TicketView, now: datetime, technicians: dict[UUID, Technician]) -> Slip:
    t = case.t
    due = row.next_due
    late = due is not None and due < now
    left = "–" if due is None else t("{span} late", span=t.span(now - due)) if late else t.span(due - now)
    tone = "" if due is None else "is-stop" if late else "is-warn" if due - now < _SOON else ""
    return Slip(
        case=case,
        action=t.pick(text("action", row.next_action)),
        who="" if row.next_action == "none" else _person(t, row.responsible, technicians),
        blocking=t.pick(text("blocking", row.blocking)) if row.blocking else "",
        left=left,
        tone=tone,
        due=t.stamp(due) if due else "",
    )


def _person(t: Words, responsible: str, technicians: dict[UUID, Technician]) -> str:
    kind, _, ident = responsible.partition(":")
    if kind == "technician":
        return next((p.name for key, p in technicians.items() if str(key) == ident), t("Technician"))
    names = {"dispatch": t("Dispatch"), "supervisor": t("Supervisor"), "owner": t("Owner"), "system": t("System")}
    return names.get(kind, responsible)


def _technicians(tx: InTx, rows: list[TicketView]) -> dict[UUID, Technician]:
    return {p.id: p for org in {row.org for row in rows} for p in tx.office.desk.people.technicians(org)}


@dataclass(frozen=True, slots=True)
class Stop:
    """A station of the state rail; tone is done, now, todo or aside."""

    name: str
    tone: str


def _rail(t: Words, row: TicketView) -> list[Stop]:
    names = [
        t("Detected"),
        t("Open"),
        t("Planned"),
        t("In repair"),
        t("Done"),
        t("Verified"),
        t("Closed"),
    ]
    aside = {
        "awaiting_quote": (1, t("Awaiting quote")),
        "awaiting_parts": (1, t("Awaiting parts")),
        "hold": (1, t("On hold")),
        "reopened": (1, t("Reopened")),
        "self_fixed": (6, t("Self-fixed")),
        "false_alarm": (6, t("False alarm")),
        "cancelled": (6, t("Cancelled")),
    }.get(row.state)
    at = aside[0] if aside else _RAIL.index(row.state)
    stops = []
    for i, name in enumerate(names):
        if i == at and aside is not None:
            stops.append(Stop(str(aside[1]), "aside"))
        else:
            tone = "done" if i < at or (i == at and row.state == "closed") else "now" if i == at else "todo"
            stops.append(Stop(str(name), tone))
    if aside and aside[0] == len(names) - 1:
        return [stops[0], stops[1], stops[-1]]
    return stops


@dataclass(frozen=True, slots=True)
class MoveButton:
    """A move that is allowed now."""

    to: str
    label: str
    icon: str
    reason: bool
    harm: bool


def _move(t: Words, state: str) -> MoveButton:
    known = {
        "open": (t("Open again and replan"), "leave"),
        "awaiting_quote": (t("Await quote"), "coin"),
        "awaiting_parts": (t("Await parts"), "box"),
        "hold": (t("Hold…"), "pause"),
        "self_fixed": (t("Self-fixed"), "check"),
        "false_alarm": (t("False alarm…"), "x"),
        "cancelled": (t("Cancel…"), "x"),
        "reopened": (t("Reopen…"), "leave"),
    }
    label, icon = known[state]
    asks = TicketState(state) in NEEDS_REASON or state in ("false_alarm", "reopened")
    return MoveButton(state, str(label), icon, asks, state in ("cancelled", "false_alarm"))


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


def _remember(request: Request, response: Response) -> Response:
    """Keep the language that was asked for."""
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        response.set_cookie(_LANG_COOKIE, str(asked), max_age=31_536_000, samesite="lax", httponly=True)
    return response


def _local(to: str) -> str:
    """Only our own paths, so that a login never leads away."""
    return to if to.startswith("/") and not to.startswith("//") and "\\" not in to else "/dispatch"
