"""The dispatch board: one day of all technicians, the tray, and visits placed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import DeskPerson, TicketPerson, check_csrf, staff_scope
from api.context import Context, InContext, InTx, Tx
from api.i18n import Words, zone_of
from api.pages.board_paint import Filter
from api.pages.board_pick import Place, pick_view, read_place, sensible
from api.pages.board_told import said_of, undo_view
from api.pages.board_view import TRAYS, card_view, cases_with, day_view, zone_of_board
from api.pages.board_words import skill_name
from api.pages.shell import actor_of, staff_page, staff_words
from api.problems import not_found
from servicedesk.assigning import Hand, assign_visit, lock_visit, undo_move
from servicedesk.errors import ConflictError, DeskError
from servicedesk.model import Technician
from servicedesk.moves import Consent, ReasonError, RuleError, UndoError
from servicedesk.planner import HOURS
from servicedesk.weighing import Placing
from storage.access import StaffRow
from storage.read_board import board_areas, board_technicians, tray_cards
from storage.read_desk import TicketView, get_ticket_by_ref, get_visit

router = APIRouter(include_in_schema=False)
_KEPT = ("date", "area", "skill", "severity", "technician", "tray")
_WORD = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address of the board asks for."""

    day: date
    shown: Filter
    tray: str
    kept: dict[str, str]

    def link(self, **more: str) -> str:
        """This board with something else picked; an empty value leaves it out."""
        values = {name: value for name, value in (self.kept | more).items() if value}
        return "/board" + ("?" + urlencode(values) if values else "")


def hand_of(person: StaffRow, tx: Tx) -> Hand:
    """A person's hand, now."""
    return Hand(actor_of(person), person.name or person.login, tx.wall)


@router.get("/board")
def board(request: Request, person: DeskPerson, tx: InTx, context: InContext) -> Response:
    """One day: who goes where when, what has no place, and what a picked ticket could get."""
    scope = staff_scope(person)
    people = board_technicians(tx.conn, scope)
    zone = zone_of_board(people)
    t = staff_words(request, person, zone)
    asked = _asked(request, people, tx.now.astimezone(ZoneInfo(zone)).date())
    day = day_view(tx, t, context.catalogue, scope, day=asked.day, people=people, shown=asked.shown)
    query = request.query_params
    row = get_ticket_by_ref(tx.conn, scope, query.get("pick", "")[:_WORD]) if query.get("pick") else None
    pick = (
        pick_view(tx, t, context.catalogue, row, day, to=query.get("to", ""), owner=query.get("owner", ""))
        if row is not None
        else None
    )
    today = tx.now.astimezone(ZoneInfo(zone)).date()
    return staff_page(
        request,
        context,
        person,
        "board.html",
        t,
        day=day,
        asked=asked,
        pick=pick,
        today=today,
        days=(asked.day - timedelta(days=1), asked.day + timedelta(days=1)),
        heading=t.long_day(asked.day),
        clock=t.time(tx.now),
        undo=undo_view(tx, t, person, people),
        problem=said_of(tx, t, query.get("problem", ""), row, people),
        reason=query.get("reason", "")[:500],
        hours=[(hour, f"{hour:02d}:00–{hour + 2:02d}:00") for hour in HOURS],
        skills=sorted((skill_name(t, each), each) for each in {s for p in people for s in p.skills}),
        areas=board_areas(tx.conn, scope),
        people=people,
        skill_name=skill_name,
        **_tray(tx, t, context, person, asked, {each.id: each.name for each in people}),
    )


@router.post("/board/assign")
def assign(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: TicketPerson,
    tx: InTx,
    ticket: Annotated[str, Form(max_length=_WORD)],
    csrf: Annotated[str, Form()] = "",
    to: Annotated[str, Form(max_length=_WORD)] = "",
    who: Annotated[str, Form(max_length=64)] = "",
    day: Annotated[str, Form(max_length=10)] = "",
    hour: Annotated[str, Form(max_length=2)] = "",
    owner: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    seen: Annotated[int, Form()] = -1,
    back: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Place a ticket's visit; what speaks against it is shown beside the ticket."""
    check_csrf(request, csrf)
    row = _case(tx, person, ticket)
    place = read_place(to) or _place_of(who, day, hour, row)
    if place is None:
        return _back(back, pick=ticket, problem="incomplete")
    consent = Consent(owner) if owner in ("ask", "agreed") else None
    wish = Placing(row.id, place.technician, place.start, consent)
    version = seen if seen >= 0 else None
    try:
        with tx.conn.transaction():
            move = assign_visit(tx.office, wish, hand_of(person, tx), tx.now, reason=reason, seen=version)
    except (RuleError, ReasonError):
        return _back(back, pick=ticket, to=place.word, owner=owner, reason=reason.strip())
    except ConflictError:
        return _back(back, pick=ticket, problem="changed")
    except DeskError:
        return _back(back, pick=ticket, problem="refused")
    zone = ZoneInfo(zone_of_board(tx.office.desk.people.technicians(move.org)))
    return _back(back, date=place.start.astimezone(zone).date().isoformat())


@router.post("/board/undo")
def undo(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: TicketPerson,
    tx: InTx,
    move: Annotated[UUID, Form()],
    csrf: Annotated[str, Form()] = "",
    back: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Take one's last move back."""
    check_csrf(request, csrf)
    mine = tx.office.desk.moves.latest(actor_of(person), tx.wall)
    if mine is None or mine.id != move:
        return _back(back, problem="told")
    try:
        with tx.conn.transaction():
            undo_move(tx.office, move, hand_of(person, tx), tx.now)
    except UndoError:
        return _back(back, problem="told")
    return _back(back, problem="undone")


@router.post("/board/lock")
def lock(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: TicketPerson,
    tx: InTx,
    visit: Annotated[UUID, Form()],
    csrf: Annotated[str, Form()] = "",
    on: Annotated[str, Form(max_length=3)] = "",
    back: Annotated[str, Form(max_length=1000)] = "",
    pick: Annotated[str, Form(max_length=_WORD)] = "",
) -> Response:
    """Lock a visit, or unlock it."""
    check_csrf(request, csrf)
    if get_visit(tx.conn, staff_scope(person), visit) is None:
        raise not_found("visit")
    try:
        with tx.conn.transaction():
            lock_visit(tx.office, visit, hand_of(person, tx), tx.now, on=on == "yes")
    except DeskError:
        return _back(back, pick=pick, problem="changed")
    return _back(back, pick=pick)


def _asked(request: Request, people: Sequence[Technician], today: date) -> Asked:
    query = request.query_params
    kept = {name: value[:_WORD] for name in _KEPT if (value := query.get(name, ""))}
    try:
        day = date.fromisoformat(kept.get("date", ""))
    except ValueError:
        day = today
        kept.pop("date", None)
    if not sensible(day):
        day = today
        kept.pop("date", None)
    severity = int(kept["severity"]) if kept.get("severity") in ("1", "2", "3", "4") else None
    who = next((each.id for each in people if str(each.id) == kept.get("technician")), None)
    shown = Filter(kept.get("area", ""), kept.get("skill", ""), severity, who)
    tray = kept["tray"] if kept.get("tray") in TRAYS else ""
    return Asked(day, shown, tray, kept)


def _tray(  # noqa: PLR0917  (one list)
    tx: Tx, t: Words, context: Context, person: StaffRow, asked: Asked, names: dict[UUID, str]
) -> dict[str, Any]:
    shown = asked.shown
    cards = tray_cards(
        tx.conn,
        staff_scope(person),
        tx.now,
        area=shown.area or None,
        severity=shown.severity,
        cases=cases_with(context.catalogue, shown.skill) if shown.skill else None,
    )
    counts = {name: next((each.of for each in cards if each.tray == name), 0) for name in TRAYS}
    chosen = asked.tray or next((name for name in TRAYS if counts[name]), TRAYS[0])
    views = [card_view(t, context.catalogue, each, tx.now, names) for each in cards if each.tray == chosen]
    first = next(iter(cards), None)
    return {
        "tray": chosen,
        "counts": counts,
        "cards": views,
        "first": None if first is None else card_view(t, context.catalogue, first, tx.now, names),
        "labels": {"unassigned": t("Unassigned"), "alerts": t("Alerts"), "hold": t("Hold")},
    }


def _case(tx: Tx, person: StaffRow, ref: str) -> TicketView:
    row = get_ticket_by_ref(tx.conn, staff_scope(person), ref)
    if row is None:
        raise not_found("ticket")
    return row


def _place_of(who: str, day: str, hour: str, row: TicketView) -> Place | None:
    """The place that the plain form names: a technician, a day and an hour on the household's wall."""
    try:
        start = datetime.combine(date.fromisoformat(day), datetime.min.time().replace(hour=int(hour)), zone_of(row.tz))
        return Place(UUID(who), start) if sensible(start.date()) else None
    except ValueError:
        return None


def _back(back: str, **more: str) -> Response:
    """To the board as it was looked at, with what came of it."""
    kept = {name: value for name, value in parse_qsl(back) if name in _KEPT}
    values = {name: value for name, value in (kept | more).items() if value}
    return RedirectResponse("/board" + ("?" + urlencode(values) if values else ""), 303)
