"""The state rail of a ticket, and the moves that a person may make, with their words."""

from __future__ import annotations

from dataclasses import dataclass

from api.i18n import Words
from servicedesk.states import NEEDS_REASON, TicketState
from storage.read_desk import TicketView

_RAIL = ("detected", "open", "planned", "in_repair", "done", "verified", "closed")


@dataclass(frozen=True, slots=True)
class Stop:
    """A station of the state rail; tone is done, now, todo or aside."""

    name: str
    tone: str


def rail_of(t: Words, row: TicketView) -> list[Stop]:
    """The stations that a ticket passes."""
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


def move_button(t: Words, state: str) -> MoveButton:
    """A move in words."""
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
