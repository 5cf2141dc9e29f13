"""Promises as pages show them: how much time is left, why a clock stands, and whether the plan will keep it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.context import Tx
from api.i18n import Words
from servicedesk.level_rows import LevelClock, Pause
from servicedesk.levels import consumed, planned_late

_SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ClockLine:
    """A promise in words.

    Attributes:
        state: what is left, or how it ended.
        tone: class of the state's colour.
        icon: of the detail; the words say it too.
        share: 0 to 1, of the time that is used up.
        open: whether it is still to be kept.
    """

    title: str
    state: str
    tone: str
    icon: str
    details: list[str]
    share: float
    open: bool


def clock_lines(tx: Tx, t: Words, clocks: Sequence[LevelClock], pauses: Sequence[Pause]) -> list[ClockLine]:
    """The promises of a ticket, those still to be kept first."""
    lines = [_line(tx, t, each, [p for p in pauses if p.clock == each.id]) for each in clocks]
    return sorted(lines, key=lambda line: not line.open)


def pause_name(t: Words, reason: str) -> str:
    """Why a clock stands."""
    return {
        "owner": t.plain("waiting for the owner"),
        "parts": t.plain("waiting for a part"),
        "hold": t.plain("on hold"),
    }.get(reason, reason)


def _line(tx: Tx, t: Words, clock: LevelClock, pauses: list[Pause]) -> ClockLine:
    policy = tx.office.levels.policies.get(clock.policy)
    title = t.pick(policy.title) if policy is not None else clock.policy
    used = consumed(tx.office.levels, clock, tx.now)
    left = clock.allowed - used
    state, tone, icon = _state(t, clock, used, left, tx.now)
    details = [t.plain("Limit {span}", span=t.span(clock.allowed)) + _hours(tx, t, clock)]
    stood = [p for p in pauses if p.until is not None]
    if clock.open and clock.reasons:
        since = min((p.begun for p in pauses if p.until is None), default=clock.started)
        why = ", ".join(pause_name(t, each) for each in clock.reasons)
        details.append(t.plain("Stands since {when}: {why}", when=t.stamp(since), why=why))
        icon = "pause"
    elif stood:
        total = sum(((p.until or tx.now) - p.begun for p in stood), timedelta())
        why = ", ".join(dict.fromkeys(pause_name(t, p.reason) for p in stood))
        details.append(t.plain("Stood for {span}: {why}", span=t.span(total), why=why))
    if clock.open and clock.expected is not None:
        if planned_late(tx.office, clock, tx.now):
            details.append(t.plain("The planned visit breaks it: {when}", when=t.stamp(clock.expected)))
            tone = "is-stop"
        else:
            details.append(t.plain("The planned visit keeps it: {when}", when=t.stamp(clock.expected)))
    elif clock.open and clock.warned is not None and clock.breached is None:
        details.append(t.plain("Will be broken unless somebody acts"))
        tone = tone or "is-warn"
    share = min(1.0, used / clock.allowed) if clock.allowed else 1.0
    return ClockLine(title, state, tone, icon, details, share, clock.open)


def _state(t: Words, clock: LevelClock, used: timedelta, left: timedelta, now: datetime) -> tuple[str, str, str]:
    match clock.state:
        case "met":
            return t.plain("kept, {span}", span=t.span(used)), "is-ok", "check"
        case "met_late":
            return t.plain("kept late, {span}", span=t.span(used)), "is-stop", "tri"
        case "breached":
            late = now - (clock.breached or now)
            return t.plain("broken {span} ago", span=t.span(late)), "is-stop", "tri"
        case "ended":
            return t.plain("no longer holds"), "is-unknown", "x"
        case "paused":
            return t.plain("{span} left", span=t.span(left)), "", "pause"
        case _:
            tone = "is-stop" if left <= timedelta() else "is-warn" if left <= _SOON else ""
            return t.plain("{span} left", span=t.span(left)), tone, "clock"


def _hours(tx: Tx, t: Words, clock: LevelClock) -> str:
    spec = tx.office.levels.calendars.get(clock.calendar)
    return "" if spec is None or not spec.hours else " · " + t.pick(spec.title)
