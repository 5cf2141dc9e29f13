"""The owner's alert: what was noticed, whether it is safe, and the one thing to do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.context import InTx
from api.moves import ticket_moves
from api.pages.care import care_values
from api.pages.case import Case
from api.pages.door import InDoor, back_to, links, take_note
from api.pages.owner_told import called, told_of, until
from api.pages.prices import quote_values
from api.pages.render import render
from servicedesk.model import OutcomeCode
from servicedesk.owner_says import is_unplugged
from servicedesk.states import PLANNABLE, TicketState, VisitState
from storage.read_desk import VisitView, timeline

router = APIRouter(prefix="/o", include_in_schema=False)


@router.get("/{token}")  # noqa: FAST003  (taken by the door)
def alert(request: Request, door: InDoor, tx: InTx) -> Response:
    """What was noticed, whether it is safe, and the one thing to do."""
    case, t = door.case, door.words
    if case is None or (door.household is not None and "case" not in request.query_params):
        # A household's own link opens all of its appliances; a case is opened from there.
        return back_to(door.base, door.q, "/home")
    take_note(tx, case)
    more: dict[str, Any] = {"care": care_values(tx, case), "quote": quote_values(tx, case)}
    more["unplug"] = case.ticket.safety and not is_unplugged(timeline(tx.conn, case.ticket.id), case.ticket.episode)
    more |= _alert_values(case) | links(door)
    return render(request, "owner_alert.html", t, told=told_of(request, t), **more)


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
    if mood == "open":
        plate = _plate(case, live)
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
        "hold": until(case, live.hold_until) if live else "",
        "held": live is not None and live.hold_until > case.now,
        "name": called(t, live.technician_name) if live else "",
        "under_way": _under_way(case, live) if live else ("checkc", ""),
        "pick": state in PLANNABLE,
        "safe": _safe(case),
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
        if state is TicketState.FALSE_ALARM and case.ticket.reason == OutcomeCode.NO_FAULT_FOUND:
            return t("We were wrong: nothing was broken"), t(
                "You pay nothing. The appliance stays under watch, and the detectors have learned from it."
            )
        heads = {
            TicketState.FALSE_ALARM: t("Settled: nothing was broken"),
            TicketState.SELF_FIXED: t("Settled: it works again"),
        }
        return heads.get(state, t("This case is closed")), t("You pay nothing. The appliance stays under watch.")
    return case.notice.rstrip(".。"), ""


def _safe(case: Case) -> str:
    """Whether it is safe to use. What has turned dangerous is not, whatever the catalogue says of the fault."""
    fault, t = case.fault, case.t
    if fault is None or (case.ticket.safety and not fault.safety):
        return t("Stop using it and pull the plug.") if case.ticket.safety else ""
    return t.pick(fault.safe)


def _plate(case: Case, live: VisitView | None) -> str:
    """What the plate of an open case is about."""
    if live is None:
        return ""
    if live.state != VisitState.PROPOSED:
        return "confirmed"
    return "proposed" if live.start > case.now else "passed"


def _under_way(case: Case, live: VisitView) -> tuple[str, str]:
    """Icon and words for a visit that is settled: somebody of the household has answered already."""
    t = case.t
    return {
        VisitState.DISPATCHED: ("box", t("Your visit is being prepared")),
        VisitState.TRAVELLING: ("van", t("On the way to you")),
        VisitState.ON_SITE: ("wrench", t("The technician is there")),
    }.get(VisitState(live.state), ("checkc", t("Visit confirmed")))


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
