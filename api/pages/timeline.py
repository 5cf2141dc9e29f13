"""Timeline lines in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api.i18n import Words
from api.pages.board_lines import board_line
from api.pages.care import care_line, care_stage
from api.pages.fleet_lines import fleet_line
from api.pages.level_lines import level_line, level_stage
from api.pages.money_lines import money_line
from api.pages.reasons import reason_words
from servicedesk.model import Technician
from servicedesk.planner import Blocking
from servicedesk.texts import pick, text
from storage.read_desk import EventView
from telemetry.catalogue import KindSpec


@dataclass(frozen=True, slots=True)
class Line:
    """One line: icon, sentence, and a smaller second one.

    Attributes:
        who: did or said it.
        said: words of a person: a note, or a message from or to the owner.
        tone: `note`, `owner` or `desk` where somebody said something, else empty.
        id: of the event, in the order of writing.
    """

    at: datetime
    icon: str
    text: str
    more: str = ""
    who: str = ""
    said: str = ""
    tone: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What lines need: technicians by id, desk people by login, how far our answers got, the appliance's kind."""

    technicians: Mapping[str, Technician] = field(default_factory=dict)
    staff: Mapping[str, str] = field(default_factory=dict)
    answers: Sequence[str] = ()
    kind: KindSpec | None = None


def lines_of(t: Words, events: Iterable[EventView], known: Known) -> list[Line]:
    """All lines, oldest first."""
    answers = iter(known.answers)
    # An answer stands as it was written: that a message left with it says nothing more.
    shown = (event for event in events if event.kind != "notice" or event.body.get("stage") != "answer")
    return [_line(t, event, known, answers) for event in shown]


def _line(t: Words, event: EventView, known: Known, answers: Iterator[str]) -> Line:
    body, who = event.body, actor_name(t, event.actor, known)
    spoken = _spoken(t, event, who, answers)
    if spoken is not None:
        return spoken
    more = _join(t, who, reason_words(t, body))
    match event.kind:
        case "moved":
            icon, text = "right", t.plain("Ticket is now: {state}", state=state_name(t, str(body.get("new"))))
        case "visit":
            icon, text = "cal", t.plain("Visit is now: {state}", state=visit_name(t, str(body.get("new"))))
        case "proposed":
            technician = known.technicians.get(str(body.get("technician")))
            start = datetime.fromisoformat(str(body["start"]))
            when = f"{t.weekday(start)}{', ' if t.lang == 'en' else ' '}{t.time(start)}"
            icon, text = "cal", t.plain("Visit proposed: {when}", when=when)
            more = technician.name if technician else who
        case "notice":
            icon, text = "mail", t.plain("Message to the owner: {stage}", stage=stage_name(t, body))
            waits = body.get("waits")
            more = ""
            if waits:
                when = t.stamp(datetime.fromisoformat(str(waits)))
                more = t.plain("goes out after the quiet hours, {when}", when=when)
        case "blocked":
            icon, text = "tri", t.plain("No visit can be planned")
            more = _blocking(t, str(body.get("blocking")))
        case _:
            icon, text = (
                _changed(t, event.kind, body, known)
                or level_line(t, event.kind, body)
                or care_line(t, event.kind, body, known.kind)
                or money_line(t, event.kind, body)
                or board_line(t, event.kind, body, known.technicians)
                or fleet_line(t, event.kind, body)
                or _plain(t, event.kind)
            )
    return Line(event.at, icon, text, more, who=who, id=event.id)


def _changed(t: Words, kind: str, body: Mapping[str, Any], known: Known) -> tuple[str, str] | None:
    """Lines that say what became of the ticket."""
    match kind:
        case "outcome":
            return "wrench", t.plain("Outcome: {code}", code=outcome_name(t, str(body.get("code"))))
        case "severity":
            return "leave", t.plain("Severity {old} is now {new}", old=body.get("old"), new=body.get("new"))
        case "handed_over":
            return "user", t.plain("Handed over to {who}", who=actor_name(t, str(body.get("new")), known))
        case _:
            return None


def _spoken(t: Words, event: EventView, who: str, answers: Iterator[str]) -> Line | None:
    """A note, or a message from or to the owner, with its words as they were written."""
    said = str(event.body.get("words", ""))
    match event.kind:
        case "note":
            head, tone, icon = t.plain("Internal note, {who}", who=who), "note", "note"
        case "answer":
            head, tone, icon = t.plain("{who} to the owner", who=who), "desk", "chat"
        case "message":
            by_mail = event.body.get("channel") == "mail"
            head = t.plain("Owner, by mail") if by_mail else t.plain("Owner, by the link")
            tone, icon = "owner", "chat"
        case _:
            return None
    more = next(answers, "") if event.kind == "answer" else ""
    stranger = event.body.get("unknown_sender")
    if stranger:
        more = t.plain("from {address}, who is no contact of the household", address=stranger)
    return Line(event.at, icon, head, more, who=who, said=said, tone=tone, id=event.id)


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
        "running_late": ("clock", t.plain("The technician runs late and told the household")),
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
            "running_late": t.plain("the technician is late"),
            "proposed_again": t.plain("a new time"),
            "moved_by_us": t.plain("we moved the visit"),
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


def actor_name(t: Words, actor: str, known: Known) -> str:
    """Who it was: a technician or a person of the desk by name, else the part they play."""
    kind, _, ident = actor.partition(":")
    if kind == "technician":
        found = known.technicians.get(ident)
        return found.name if found else t.plain("Technician")
    if kind == "way":
        return ident
    names = {
        "system": t.plain("System"),
        "owner": t.plain("Owner"),
        "dispatch": t.plain("Dispatch"),
        "supervisor": t.plain("Supervisor"),
    }
    return known.staff.get(ident) or names.get(kind, actor)


def _join(t: Words, first: str, second: str) -> str:
    return t.plain("{first}: {second}", first=first, second=second) if second else first
