"""Timeline lines in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.i18n import Words
from api.pages.care import care_line, care_stage
from api.pages.level_lines import level_line, level_stage
from servicedesk.model import Technician
from servicedesk.planner import Blocking
from servicedesk.texts import pick, text
from storage.read_desk import EventView


@dataclass(frozen=True, slots=True)
class Line:
    """One line: icon, sentence, and a smaller second one."""

    at: datetime
    icon: str
    text: str
    more: str = ""


def lines_of(t: Words, events: list[EventView], technicians: Mapping[str, Technician]) -> list[Line]:
    """All lines, oldest first."""
    return [_line(t, event, technicians) for event in events]


def _line(t: Words, event: EventView, technicians: Mapping[str, Technician]) -> Line:
    body, actor = event.body, _actor(t, event.actor, technicians)
    more = _join(t, actor, str(body.get("reason") or body.get("note") or body.get("why") or ""))
    match event.kind:
        case "moved":
            icon, text = "right", t.plain("Ticket is now: {state}", state=state_name(t, str(body.get("new"))))
        case "visit":
            icon, text = "cal", t.plain("Visit is now: {state}", state=visit_name(t, str(body.get("new"))))
        case "proposed":
            who = technicians.get(str(body.get("technician")))
            start = datetime.fromisoformat(str(body["start"]))
            when = f"{t.weekday(start)}{', ' if t.lang == 'en' else ' '}{t.time(start)}"
            icon, text, more = "cal", t.plain("Visit proposed: {when}", when=when), who.name if who else actor
        case "notice":
            icon, text = "mail", t.plain("Message to the owner: {stage}", stage=stage_name(t, body))
            waits = body.get("waits")
            more = ""
            if waits:
                when = t.stamp(datetime.fromisoformat(str(waits)))
                more = t.plain("goes out after the quiet hours, {when}", when=when)
        case "outcome":
            icon, text = "wrench", t.plain("Outcome: {code}", code=outcome_name(t, str(body.get("code"))))
        case "blocked":
            icon, text = "tri", t.plain("No visit can be planned")
            more = _blocking(t, str(body.get("blocking")))
        case "severity":
            levels = {"old": body.get("old"), "new": body.get("new")}
            icon, text = "leave", t.plain("Severity {old} is now {new}", **levels)
        case _:
            icon, text = level_line(t, event.kind, body) or care_line(t, event.kind, body) or _plain(t, event.kind)
    return Line(event.at, icon, text, more)


def _plain(t: Words, kind: str) -> tuple[str, str]:
    """Lines that need nothing of their body."""
    known = {
        "detected": ("leave", t.plain("Finding reported by telemetry")),
        "opened": ("flag", t.plain("Ticket opened")),
        "part_on_order": ("box", t.plain("The part is on order")),
        "recovered": ("inband", t.plain("The readings are back in their usual range")),
        "no_answer": ("phone", t.plain("The owner has not answered: call")),
        "not_reached": ("phone", t.plain("The owner was not reached")),
        "visit_overdue": ("clock", t.plain("No outcome of the visit yet")),
        "escalated": ("tri", t.plain("Passed to the supervisor")),
        "close_waits": ("clock", t.plain("Closing waits for the last message to arrive")),
        "still_waiting": ("pause", t.plain("Still waiting")),
        "bounced": ("tri", t.plain("A message did not arrive")),
        "quote": ("coin", t.plain("Quote")),
    }
    return known.get(kind) or ("info", t.plain("Event: {kind}", kind=kind.replace("_", " ")))


def outcome_name(t: Words, code: str) -> str:
    """What came of a visit."""
    return {
        "repaired": t.plain("repaired"),
        "no_fault_found": t.plain("no fault found"),
        "part_missing": t.plain("part missing"),
        "not_repaired": t.plain("not repaired"),
    }.get(code, code)


def state_name(t: Words, state: str) -> str:
    """A ticket state's name."""
    return {
        "detected": t.plain("Detected"),
        "open": t.plain("Open"),
        "planned": t.plain("Planned"),
        "in_repair": t.plain("In repair"),
        "done": t.plain("Done, proving"),
        "verified": t.plain("Verified"),
        "closed": t.plain("Closed"),
        "awaiting_quote": t.plain("Awaiting quote"),
        "awaiting_parts": t.plain("Awaiting parts"),
        "hold": t.plain("On hold"),
        "self_fixed": t.plain("Self-fixed"),
        "false_alarm": t.plain("False alarm"),
        "cancelled": t.plain("Cancelled"),
        "reopened": t.plain("Reopened"),
    }.get(state, state)


def visit_name(t: Words, state: str) -> str:
    """A visit state's name."""
    return {
        "proposed": t.plain("Proposed"),
        "confirmed": t.plain("Confirmed"),
        "dispatched": t.plain("Preparing"),
        "travelling": t.plain("On the way"),
        "on_site": t.plain("Arrived"),
        "done": t.plain("Done"),
        "declined": t.plain("Declined"),
        "moved": t.plain("Moved"),
        "missed": t.plain("Missed"),
        "cancelled": t.plain("Cancelled"),
    }.get(state, state)


def stage_name(t: Words, body: Mapping[str, object]) -> str:
    """What a message was about."""
    stage = str(body.get("stage"))
    return (
        {
            "alert": t.plain("alert with a proposed visit"),
            "alert_no_visit": t.plain("alert, visit to follow"),
            "safety": t.plain("stop using it"),
            "remind": t.plain("reminder"),
            "confirmed": t.plain("visit confirmed"),
            "moved": t.plain("visit moved"),
            "proposed_again": t.plain("a new time"),
            "cancelled": t.plain("visit cancelled"),
            "done": t.plain("repair done"),
            "no_fault": t.plain("no fault found"),
            "proven": t.plain("the repair worked"),
            "reopened": t.plain("we come again"),
            "reopened_no_visit": t.plain("we come again"),
        }.get(stage)
        or level_stage(t, stage)
        or care_stage(t, stage)
        or stage
    )


def _blocking(t: Words, name: str) -> str:
    return pick(text("blocking", name), t.lang) if name in set(Blocking) else name


def _actor(t: Words, actor: str, technicians: Mapping[str, Technician]) -> str:
    kind, _, ident = actor.partition(":")
    if kind == "technician":
        found = technicians.get(ident)
        return found.name if found else t.plain("Technician")
    names = {
        "system": t.plain("System"),
        "owner": t.plain("Owner"),
        "dispatch": t.plain("Dispatch"),
        "supervisor": t.plain("Supervisor"),
    }
    return names.get(kind, actor)


def _join(t: Words, first: str, second: str) -> str:
    return t.plain("{first}: {second}", first=first, second=second) if second else first
