"""How an appliance is, in one word for its owner: from what was observed, what is open, and how long it is silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from servicedesk.states import TICKET_ENDED, TicketState
from telemetry.catalogue import KindSpec

_LEAST_SILENCE = timedelta(hours=3)
_MISSED = 3
_PROVEN_FOR = timedelta(days=30)
_DAY = timedelta(days=1)


class Health(StrEnum):
    """The word."""

    HEALTHY = "healthy"
    DEVELOPING = "developing"
    NO_DATA = "no_data"
    LEARNING = "learning"
    PROVING = "proving"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """What matters of one of an appliance's cases."""

    state: TicketState
    verified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How an appliance is.

    Attributes:
        health: in one word.
        silent_since: its last reading, where it has been silent for longer than is usual; its registration where it
            has never spoken; else None.
        day: while it is being learned: which day it is, from 1.
        of: of so many.
    """

    health: Health
    silent_since: datetime | None = None
    day: int | None = None
    of: int | None = None


def condition(
    *,
    observed: str,
    last: datetime | None,
    registered: datetime,
    kind: KindSpec | None,
    cases: Sequence[CaseState],
    learning: timedelta,
    now: datetime,
) -> Condition:
    """Weigh what is known of an appliance.

    An open case counts more than silence: what was found does not go away because nothing comes. Silence counts more
    than everything that only readings can say.

    Args:
        observed: the telemetry's word: ok, faulty or unknown.
        last: event time of the last reading.
        registered: when the appliance was entered.
        kind: tells how often it speaks.
        cases: of this appliance.
        learning: how long its own usual range takes to be known.
        now: the moment.
    """
    silent = last is None or now - last > silent_after(kind)
    since = (registered if last is None else last) if silent else None
    open_ = [each for each in cases if each.state not in TICKET_ENDED]
    proven = any(each.verified is not None and now - each.verified <= _PROVEN_FOR for each in cases)
    words = [
        (any(each.state not in (TicketState.DONE, TicketState.VERIFIED) for each in open_), Health.DEVELOPING),
        (any(each.state is TicketState.DONE for each in open_), Health.PROVING),
        (silent, Health.NO_DATA),
        (observed == "faulty", Health.DEVELOPING),
        (proven, Health.PROVEN),
        (now - registered < learning, Health.LEARNING),
        (observed == "ok", Health.HEALTHY),
    ]
    # Without any: a gap waits to be filled, and nothing can be said from there on.
    health = next((word for holds, word in words if holds), Health.NO_DATA)
    if health is Health.NO_DATA:
        return Condition(health=health, silent_since=since or last)
    if health is Health.LEARNING:
        day = (now - registered) // _DAY + 1
        return Condition(health=health, day=day, of=max(day, learning // _DAY))
    return Condition(health=health, silent_since=since)


def silent_after(kind: KindSpec | None) -> timedelta:
    """How long an appliance may say nothing: three of its longest intervals between messages, at least three hours."""
    phases = kind.phases.values() if kind is not None else ()
    longest = max((each.every * each.batch for each in phases), default=0)
    return max(_LEAST_SILENCE, _MISSED * timedelta(seconds=longest))
