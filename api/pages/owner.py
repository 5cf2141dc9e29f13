"""Owners' pages: the link is the key. Reading changes nothing but "opened"; every choice is a POST."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response

from api.auth import same_origin
from api.context import InTx, Tx
from api.i18n import Words
from api.moves import ticket_moves
from api.pages.care import care_values
from api.pages.case import Case
from api.pages.door import Door, InDoor, LinkError, back, case_of, links, take_note
from api.pages.prices import quote_values
from api.pages.render import render
from servicedesk.contact import say
from servicedesk.errors import DeskError, IllegalMoveError, UnknownError, WindowGoneError
from servicedesk.invite import calendar_file
from servicedesk.office import OWNER
from servicedesk.planning import alternatives, confirm, take_window
from servicedesk.quoting import approve_quote, decline_quote
from servicedesk.selfcheck import answer_step, withdraw
from servicedesk.states import TicketState, VisitState
from servicedesk.survey import rate
from servicedesk.visiting import move_ticket
from storage.read_desk import timeline

router = APIRouter(prefix="/o", include_in_schema=False)


@router.get("/{token}")  # noqa: FAST003  (taken by the door)
def alert(request: Request, door: InDoor, tx: InTx) -> Response:
    """What was noticed, whether it is safe, and the one thing to do."""
    case, t = door.case, door.words
    if case is None:
        return render(
            request,
            "owner_none.html",
            t,
            heading=t("All is well"),
            lead=t("There is nothing to plan for your appliances."),
            mark="inband",
            mark_tone="is-ok",
            title=t("Nothing to do"),
            say=t("When the readings leave their usual range, you get one message with one link."),
        )
    take_note(tx, case)
    more: dict[str, Any] = {"care": care_values(tx, case), "quote": quote_values(tx, case)}
    return render(request, "owner_alert.html", t, told=_told(request, t), **more, **_alert_values(case), **links(door))


@router.get("/{token}/visit")  # noqa: FAST003  (taken by the door)
def visit_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """Where the visit stands."""
    case, t = case_of(door), door.words
    take_note(tx, case)
    values = _visit_values(case, timeline(tx.conn, case.ticket.id))
    paid = tx.office.desk.levels.clocks.compensations(case.ticket.id)
    values["paid"] = [f"{each.amount} {each.currency}" for each in paid]
    return render(request, "owner_visit.html", t, told=_told(request, t), **values, **links(door))


@router.get("/{token}/time")  # noqa: FAST003  (taken by the door)
def time_page(request: Request, door: InDoor, tx: InTx) -> Response:
    """Other windows: the three best, then every feasible one by day."""
    return _time_page(request, door, tx, _told(request, door.words))


@router.post("/{token}/confirm", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def confirm_visit(door: InDoor, tx: InTx, visit: Annotated[UUID, Form()]) -> Response:
    """The owner's yes to the visit that was shown."""
    case = case_of(door)
    if visit not in {each.id for each in case.visits}:
        raise LinkError(expired=False)
    try:
        confirm(tx.office, visit, tx.now, OWNER)
    except (IllegalMoveError, WindowGoneError):
        return back(door, "/time", gone="visit")
    return back(door, "/visit", done="confirmed")


@router.post("/{token}/time", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def choose_time(door: InDoor, tx: InTx, start: Annotated[datetime, Form()]) -> Response:
    """The owner's own choice of a window, confirmed at once."""
    case = case_of(door)
    if case.visit is None or start.tzinfo is None:
        return back(door, "/time", gone="window")
    try:
        with tx.conn.transaction():
            take_window(tx.office, case.visit.id, start, tx.now, OWNER)
    except IllegalMoveError:
        return back(door, "/visit", gone="move")
    except DeskError:
        return back(door, "/time", gone="window")
    return back(door, "/visit", done="moved")


@router.post("/{token}/message", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def write_to_us(door: InDoor, tx: InTx, words: Annotated[str, Form(min_length=1, max_length=4000)]) -> Response:
    """The owner writes: it stands on the ticket, and the clock of the first human response runs."""
    say(tx.office, case_of(door).ticket.id, words, tx.now, channel="page")
    return back(door, "/visit", done="written")


@router.post("/{token}/self-check", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def self_check(door: InDoor, tx: InTx, step: Annotated[int, Form()], answer: Annotated[str, Form()]) -> Response:
    """The owner's answer to a step of the guide."""
    try:
        answer_step(tx.office, case_of(door).ticket.id, step, answer, tx.now, actor=OWNER)
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="self-check")


@router.post("/{token}/withdrawal", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def withdrawal(door: InDoor, tx: InTx) -> Response:
    """The one tap by which a visit that is not needed any more is withdrawn."""
    try:
        withdraw(tx.office, case_of(door).ticket.id, tx.now, OWNER)
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="withdrawn")


@router.post("/{token}/survey", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def survey(
    door: InDoor,
    tx: InTx,
    score: Annotated[int, Form(ge=1, le=5)],
    words: Annotated[str, Form(max_length=2000)] = "",
    follow_up: Annotated[str, Form()] = "",
) -> Response:
    """How the repair was, once."""
    try:
        rate(tx.office, case_of(door).ticket.id, score, tx.now, words=words, follow_up=bool(follow_up))
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="self-check")


@router.post("/{token}/quote/approve", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def quote_approve(door: InDoor, tx: InTx, quote: Annotated[UUID, Form()]) -> Response:
    """The owner agrees to a price."""
    try:
        _own_quote(door, tx, quote)
        approve_quote(tx.office, quote, tx.now, OWNER)
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="approved")


@router.post("/{token}/quote/decline", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def quote_decline(
    door: InDoor, tx: InTx, quote: Annotated[UUID, Form()], reason: Annotated[str, Form(min_length=1, max_length=500)]
) -> Response:
    """The owner does not agree to a price."""
    try:
        _own_quote(door, tx, quote)
        decline_quote(tx.office, quote, tx.now, OWNER, reason)
    except DeskError:
        return back(door, "", gone="move")
    return back(door, "", done="declined")


@router.post("/{token}/not-a-problem", dependencies=[Depends(same_origin)])  # noqa: FAST003  (taken by the door)
def not_a_problem(door: InDoor, tx: InTx, reason: Annotated[str, Form(min_length=1, max_length=200)]) -> Response:
    """The owner says that nothing is wrong: the ticket ends as a false alarm with their words."""
    case = case_of(door)
    try:
        move_ticket(tx.office, case.ticket.id, TicketState.FALSE_ALARM, tx.now, OWNER, reason=reason)
    except IllegalMoveError:
        return back(door, "", gone="move")
    return back(door, "", done="no-problem")


@router.get("/{token}/visit.ics")  # noqa: FAST003  (taken by the door)
def calendar(door: InDoor, tx: InTx) -> Response:
    """The visit for a calendar (RFC 5545)."""
    case = case_of(door)
    row = case.visit
    if row is None or case.ticket.household is None:
        raise LinkError(expired=False)
    desk = tx.office.desk
    household = desk.people.household(case.ticket.household)
    technician = next((p for p in desk.people.technicians(case.ticket.org) if p.id == row.technician), None)
    if household is None or technician is None:
        raise LinkError(expired=False)
    visit, ticket = desk.visits.get(row.id), desk.tickets.get(case.ticket.id)
    content = calendar_file(visit, ticket, household, technician, appliance=case.appliance, now=tx.now)
    name = f"{case.ticket.ref}.ics"
    return Response(
        content,
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _own_quote(door: Door, tx: Tx, quote: UUID) -> None:
    """Pass when a quote belongs to the case behind the link."""
    if tx.office.desk.quotes.ticket_of(quote) != case_of(door).ticket.id:
        raise UnknownError(f"there is no quote {quote}")


def _told(request: Request, t: Words) -> tuple[bool, str, str] | None:
    """What became of the last choice."""
    done, gone = request.query_params.get("done"), request.query_params.get("gone")
    told = {
        "confirmed": (True, t("Visit confirmed"), t("We have told the technician.")),
        "moved": (True, t("Your time is booked"), t("We have told the technician.")),
        "written": (
            True,
            t("Your message was sent."),
            t("Your message reaches the same ticket; a person answers within service hours."),
        ),
        "self-check": (True, t("Thank you for the answer"), t("It stands on the ticket; nobody asks again.")),
        "withdrawn": (True, t("The visit is withdrawn"), t("Nothing is charged. The appliance stays under watch.")),
        "approved": (True, t("Quote approved"), t("Nothing above this is charged without your consent.")),
        "declined": (True, t("Quote declined"), t("Nothing is charged. A person from service calls you.")),
        "no-problem": (True, t("Thank you, the ticket is closed"), t("No visit takes place and nothing is charged.")),
    }.get(done or "")
    gone_to = {
        "visit": (False, t("That visit can no longer be confirmed"), t("These times are free now.")),
        "window": (False, t("That window has just gone"), t("Someone else took it. These are free now.")),
        "move": (False, t("That is no longer possible"), t("Nothing was changed. This is how things stand.")),
    }.get(gone or "")
    return told or gone_to


def _alert_values(case: Case) -> dict[str, Any]:
    t, ticket, visit = case.t, case.ticket, case.visit
    state = TicketState(ticket.state)
    mood = {
        TicketState.DONE: "proving",
        TicketState.VERIFIED: "proven",
        TicketState.FALSE_ALARM: "settled",
        TicketState.SELF_FIXED: "settled",
        TicketState.CANCELLED: "settled",
    }.get(state, "open")
    if state is TicketState.CLOSED:
        mood = "proven" if ticket.verified else "settled"
    heading, lead = _heading(case, mood, state)
    live = visit if visit is not None and visit.state != VisitState.DONE else None
    plate = {"proving": "proof", "proven": "proven"}.get(mood, "")
    if mood == "open" and live is not None:
        plate = "proposed" if live.state == VisitState.PROPOSED else "confirmed"
    icon, title, text = _next(case, state)
    steps = [t.pick(step) for step in case.fault.self_fix] if case.fault else []
    return {
        "case": case,
        "mood": mood,
        "heading": heading,
        "lead": lead,
        "plate": plate,
        "plate_icon": icon,
        "plate_title": title,
        "plate_text": text,
        "visit": live,
        "hold": _until(case, live.hold_until) if live else "",
        "cost": case.cost,
        "causes": case.causes(),
        "ruled_out": case.ruled_out(),
        "selfcheck": steps,
        "picture": case.picture("c1"),
        "may_refuse": TicketState.FALSE_ALARM in ticket_moves(state),
    }


def _heading(case: Case, mood: str, state: TicketState) -> tuple[str, str]:
    t = case.t
    if mood == "proving":
        return t("The repair is done. Now the readings show whether it worked."), t(
            "Use the appliance as you always do."
        )
    if mood == "proven":
        return t("The repair worked"), t("The readings are back in their usual range and have stayed there.")
    if mood == "settled":
        heads = {
            TicketState.FALSE_ALARM: t("Settled: nothing was broken"),
            TicketState.SELF_FIXED: t("Settled: it works again"),
        }
        return heads.get(state, t("This case is closed")), t("You pay nothing. The appliance stays under watch.")
    return case.notice.rstrip(".。"), ""


def _next(case: Case, state: TicketState) -> tuple[str, str, str]:
    """The plate's words where there is nothing to press."""
    t = case.t
    if state is TicketState.AWAITING_PARTS:
        return "box", t("The part is on its way"), t("As soon as it is here we propose a time.")
    if state is TicketState.HOLD:
        return "pause", t("On hold"), t("We look at it again within a day and tell you.")
    if state in (TicketState.FALSE_ALARM, TicketState.SELF_FIXED, TicketState.CANCELLED, TicketState.CLOSED):
        return "check", t("Nothing to do"), t("If the readings leave their usual range again, you hear from us.")
    return "phone", t("We look for a time"), t("A person from service calls you.")


def _until(case: Case, moment: datetime) -> str:
    """A time today, else a day and time."""
    t = case.t
    same = t.local(moment).date() == t.local(case.now).date()
    return t.time(moment) if same else t.stamp(moment)


@dataclass(frozen=True, slots=True)
class Step:
    """One of the six steps of a visit; tone is done, now or todo."""

    name: str
    icon: str
    tone: str
    at: str
    note: str = ""


def _visit_values(case: Case, events: list[Any]) -> dict[str, Any]:
    t, visit = case.t, case.visit
    fault = case.fault
    words = {
        None: ("info", "is-unknown", t("No visit"), t("No visit is planned right now")),
        "proposed": ("cal", "is-plan", t("Proposed"), t("Does this time suit you?")),
        "confirmed": ("checkc", "is-ok", t("Confirmed"), t("Your visit is booked")),
        "dispatched": ("box", "is-plan", t("Preparing"), t("Your visit is being prepared")),
        "travelling": ("van", "is-plan", t("On the way"), t("Your technician is on the way")),
        "on_site": ("wrench", "is-plan", t("In progress"), t("The repair is in progress")),
        "done": ("checkc", "is-ok", t("Done"), t("The visit is done")),
    }
    icon, tone, word, heading = words[visit.state if visit else None]
    skills = {
        "cooling": t("Cooling technician"),
        "laundry": t("Laundry technician"),
        "hydraulics": t("Pump technician"),
    }
    names = {part.sku: t.pick(part.title) for part in fault.parts} if fault else {}
    return {
        "case": case,
        "visit": visit,
        "heading": heading,
        "tone": tone,
        "tone_icon": icon,
        "tone_word": word,
        "skill": skills.get(visit.skill, t("Service technician")) if visit else "",
        "code": door_code(visit.id) if visit else "",
        "hold": _until(case, visit.hold_until) if visit else "",
        "steps": _steps(case, events) if visit else [],
        "cost": case.cost,
        "minutes": fault.minutes if fault else 0,
        "part_names": (", " if t.lang == "en" else "、").join(names.get(s, s) for s in visit.parts) if visit else "",
        "prepare": [
            t("Leave it unplugged and do not use it until the technician is there.")
            if case.ticket.safety
            else t("Leave the appliance plugged in. There is no need to empty it."),
            t("Clear about one metre in front, so that it can be moved."),
            t("Someone of age should be at home."),
        ],
    }


def _steps(case: Case, events: list[Any]) -> list[Step]:
    t, visit = case.t, case.visit
    if visit is None:
        return []
    when = {str(e.body.get("new")): e.at for e in events if e.kind == "visit" and e.body.get("visit") == str(visit.id)}
    at = [visit.confirmed, when.get("dispatched"), when.get("travelling"), visit.arrived, visit.arrived, visit.finished]
    reached = {"proposed": 0, "confirmed": 1, "dispatched": 2, "travelling": 3, "on_site": 5, "done": 6}[visit.state]
    days = max(1, round(case.proof_length.total_seconds() / 86_400))
    rows = [
        (t("Confirmed"), "check", ""),
        (t("Preparing"), "box", t("The part goes into the van.") if visit.parts else ""),
        (t("On the way"), "van", ""),
        (t("Arrived"), "user", ""),
        (t("In progress"), "wrench", ""),
        (t("Done"), "check", t("Then the readings prove the repair, in about {n} days.", n=days)),
    ]
    steps = []
    for i, (name, icon, note) in enumerate(rows):
        tone = "done" if i < reached - 1 or visit.state == "done" else "now" if i == reached - 1 else "todo"
        if visit.state == "confirmed" and i == 0:
            tone = "done"
        moment = at[i] if tone != "todo" else None
        steps.append(Step(name, icon, tone, _until(case, moment) if moment else "", note))
    return steps


def _time_page(request: Request, door: Door, tx: Tx, told: tuple[bool, str, str] | None) -> Response:
    case, t = case_of(door), door.words
    visit = case.visit
    found = alternatives(tx.office, visit.id, tx.now) if visit is not None else None
    windows = [offer.window for offer in found.all] if found else []
    best = [offer.window for offer in found.best] if found else []
    rest = [w for w in windows if w not in best]
    days = [(t.long_day(day), list(each)) for day, each in groupby(rest, key=lambda w: t.local(w.start).date())]
    return render(request, "owner_time.html", t, case=case, best=best, days=days, told=told, **links(door))


def door_code(visit: UUID) -> str:
    """Four digits that the technician says first; the same on both sides, from the visit's id."""
    return f"{int.from_bytes(hashlib.sha256(b'door' + visit.bytes).digest()[:4], 'big') % 10_000:04d}"
