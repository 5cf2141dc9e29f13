"""Why something happened on a ticket: the desk's own reasons in words, a person's as they were written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.i18n import Words

_BREACHES = ("planned_too_late", "time_runs_out", "broken")


def reason_words(t: Words, body: Mapping[str, Any]) -> str:
    """The reason that a line of the timeline gives, empty when it gives none."""
    said = str(body.get("reason") or body.get("note") or body.get("words") or body.get("why") or "")
    head, _, rest = said.partition(": ")
    if rest in _BREACHES:
        # A promise by its code, and what is wrong with it.
        return _own(t)[rest]
    if head == "no call in time":
        return t.plain("no call in time")
    if said.startswith("merged into "):
        return t.plain("merged into {ref}", ref=said.removeprefix("merged into "))
    return _own(t).get(said, said)


def _own(t: Words) -> dict[str, str]:
    return {
        "repair_failed": t.plain("the repair did not hold"),
        "recurred": t.plain("the fault has come back"),
        "owner_reported": t.plain("the owner reported it"),
        "not_fixed": t.plain("the owner says that it is not fixed"),
        "low_csat": t.plain("the owner was not content"),
        "by hand": t.plain("by hand"),
        "no_answer": t.plain("no answer"),
        "undone": t.plain("taken back"),
        "erased": t.plain("the household was erased"),
        "part": t.plain("a part is missing"),
        "no contact in time": t.plain("no contact in time"),
        "no verdict of the telemetry": t.plain("no verdict of the telemetry"),
        "the last notice has not arrived": t.plain("the last message has not arrived"),
        "the appeal was not answered in time": t.plain("the appeal was not answered in time"),
        "nobody on call has taken it on": t.plain("nobody on call has taken it on"),
        "planned_too_late": t.plain("the visit is planned too late for a promise"),
        "time_runs_out": t.plain("time for a promise runs out"),
        "broken": t.plain("a promise was broken"),
    }
