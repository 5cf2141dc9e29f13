"""Timeline lines of service levels, calls and contact in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.i18n import Words


def level_line(t: Words, kind: str, body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Icon and sentence of a line, or None when it is none of these."""
    match kind:
        case "compensated":
            paid = f"{body.get('amount')} {body.get('currency')}"
            return "coin", t.plain("Promise broken: {amount} for the owner", amount=paid)
        case "paged":
            return "phone", t.plain("Told on call: {name}", name=str(body.get("name")))
        case _:
            return _simple(t).get(kind)


def _simple(t: Words) -> dict[str, tuple[str, str]]:
    return {
        "owner_reported": ("flag", t.plain("The owner reported a failure")),
        "complaint": ("tri", t.plain("The owner complained")),
        "reached": ("phone", t.plain("Spoke with the owner")),
        "missed_call": ("phone", t.plain("The owner called and nobody took it")),
        "not_answered": ("phone", t.plain("Called the owner, nobody answered")),
        "wrong_number": ("tri", t.plain("The number belongs to somebody else")),
        "auto_reply": ("mail", t.plain("An automatic reply came in")),
        "acknowledged": ("flag", t.plain("Taken on")),
        "call_task": ("phone", t.plain("A call is to be made")),
        "breach_predicted": ("clock", t.plain("A promise is likely to be broken")),
        "breached": ("tri", t.plain("A promise was broken")),
        "calendar_unpublished": ("clock", t.plain("Holidays of this year are not published yet")),
        "climbed": ("mail", t.plain("Tried the next channel")),
        "unreached": ("phone", t.plain("No channel reached the owner: a person calls")),
        "channel_down": ("tri", t.plain("A channel does not work")),
        "suppressed": ("pause", t.plain("A message was kept back")),
        "delayed": ("clock", t.plain("A message is delayed")),
        "page_refused": ("tri", t.plain("A person on call could not be told")),
    }


def level_stage(t: Words, stage: str) -> str | None:
    """What a message was about, or None when it is none of these."""
    return {
        "late": t.plain("it may take longer"),
        "compensated": t.plain("compensation"),
        "answer": t.plain("an answer"),
    }.get(stage)
