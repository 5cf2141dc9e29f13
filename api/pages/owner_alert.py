"""The owner's alert: what was noticed, whether it is safe, and the one thing to do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.context import InTx
from api.moves import ticket_moves
from api.pages.care import care_values
from api.pages.case import Case
from api.pages.door import InDoor, links, take_note
from api.pages.owner_told import told_of, until
from api.pages.prices import quote_values
from api.pages.render import render
from servicedesk.states import TicketState, VisitState

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
    return render(
        request, "owner_alert.html", t, told=told_of(request, t), **more, **_alert_values(case), **links(door)
    )


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
        "hold": until(case, live.hold_until) if live else "",
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
