"""Time: microseconds since the Unix epoch, and the fleet clock as a pure mapping of wall time.

Three words are kept apart everywhere: *event time* (said by the device), *arrival* (stamped by
ingest, in fleet time) and *now* (asked of a clock that was passed in as an argument).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MICROS = 1_000_000
"""Microseconds in a second."""

WallClock = Callable[[], int]
"""Gives wall time in microseconds since the Unix epoch."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system_wall() -> int:
    """Wall time of this machine, in microseconds. The only place that asks the machine."""
    return time.time_ns() // 1_000


def to_datetime(micros: int) -> datetime:
    """Return the aware UTC datetime of a time in microseconds."""
    return _EPOCH + timedelta(microseconds=micros)


def to_micros(moment: datetime) -> int:
    """Return the microseconds of an aware datetime.

    Raises:
        ValueError: the datetime has no zone.
    """
    if moment.tzinfo is None:
        msg = f"{moment!r} has no time zone; give an aware datetime"
        raise ValueError(msg)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def seconds_to_micros(seconds: float) -> int:
    """Round Unix seconds to microseconds, the resolution of the database."""
    return round(seconds * MICROS)


@dataclass(frozen=True, slots=True)
class FleetClock:
    """Fleet time runs from an anchor at a speed: `fleet + (wall_now - wall) * speed`.

    Attributes:
        rev: revision; a higher one replaces a lower one.
        wall: wall time of the anchor, microseconds. May lie ahead: until then the clock stands.
        fleet: fleet time at the anchor, microseconds.
        speed: fleet seconds a wall second; 0 pauses.
    """

    rev: int
    wall: int
    fleet: int
    speed: float

    def fleet_at(self, wall: int) -> int:
        """Fleet time at a wall time. Before the anchor it stands at the anchor's fleet time."""
        return self.fleet + max(0, round((wall - self.wall) * self.speed))

    def wall_at(self, fleet: int) -> int | None:
        """Earliest wall time at which the fleet time is reached, or None when it never is."""
        if fleet <= self.fleet:
            return self.wall
        if self.speed <= 0:
            return None
        return self.wall + int((fleet - self.fleet) / self.speed) + 1

    def change(self, wall: int, speed: float) -> FleetClock:
        """The next revision: the same fleet time at `wall`, from there on at `speed`."""
        return FleetClock(self.rev + 1, wall, self.fleet_at(wall), speed)


class ClockTrack:
    """The clocks as they are heard: a change takes effect at its own wall time, until then the one before goes on.

    Args:
        clock: in force before any is heard, if there is one.
    """

    def __init__(self, clock: FleetClock | None = None) -> None:
        self._clock = clock
        self._next: FleetClock | None = None

    @property
    def next(self) -> FleetClock | None:
        """The change that was heard and is not yet in force, as of the last question."""
        return self._next

    def hear(self, clock: FleetClock, wall: int) -> bool:
        """Take a clock. Returns False, and passes it over, when a later revision was heard before."""
        newest = self._next or self._clock
        if newest is not None and clock.rev <= newest.rev:
            return False
        if self.in_force(wall) is None:
            self._clock = clock
        else:
            self._next = clock
        return True

    def in_force(self, wall: int) -> FleetClock | None:
        """The clock that counts at a wall time, or None before the first was heard."""
        if self._next is not None and self._next.wall <= wall:
            self._clock, self._next = self._next, None
        return self._clock


def production_clock() -> FleetClock:
    """Fleet time that is wall time, as in production."""
    return FleetClock(rev=0, wall=0, fleet=0, speed=1.0)
