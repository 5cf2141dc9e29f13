"""What a line of the timeline means for service levels: what starts, meets and pauses clocks."""

from __future__ import annotations

from servicedesk.model import TicketEvent

NEWS = frozenset({"severity", "moved", "proposed", "visit", "quote"})
"""Lines that concern running clocks though they start and meet none."""
ENDING = frozenset({"closed", "self_fixed", "false_alarm", "cancelled"})
"""With these states of a ticket its clocks are over."""
_NONE: frozenset[str] = frozenset()
_CONTACT = frozenset({"contact"})
_HUMAN = frozenset({"human"})
_SIMPLE = {
    "opened": frozenset({"opened"}),
    "owner_reported": frozenset({"opened", "contact"}),
    "complaint": _CONTACT,
    "message": _CONTACT,
    "missed_call": _CONTACT,
    "answer": _HUMAN,
    "reached": _HUMAN,
    "proposed": frozenset({"proposed"}),
}
_VISIT = {"confirmed": frozenset({"confirmed"}), "on_site": frozenset({"on_site"})}
_TICKET = {"reopened": frozenset({"reopened"}), "done": frozenset({"done"})}
_PAUSES = {"awaiting_parts": "parts", "hold": "hold"}
_DECIDED = frozenset({"approved", "declined", "expired"})


def signals_of(event: TicketEvent) -> frozenset[str]:
    """The signals of a line; most have none."""
    new = str(event.body.get("new", ""))
    match event.kind:
        case "visit":
            return _VISIT.get(new, _NONE)
        case "moved":
            return _TICKET.get(new, _NONE)
        case "quote":
            return frozenset({"quoted"}) if new == "sent" else _NONE
        case _:
            return _SIMPLE.get(event.kind, _NONE)


def holds_of(event: TicketEvent) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The reasons to pause that begin with a line, and those that end.

    The wait for the owner begins with no line: it begins when the question was sent.
    """
    new = str(event.body.get("new", ""))
    if event.kind == "visit" and new != "proposed":
        return (), ("owner",)
    if event.kind == "quote" and new in _DECIDED:
        return (), ("owner",)
    if event.kind != "moved":
        return (), ()
    begins = (_PAUSES[new],) if new in _PAUSES else ()
    over = [reason for state, reason in _PAUSES.items() if state != new]
    if event.body.get("old") == "awaiting_quote":
        over.append("owner")
    return begins, tuple(over)
