"""Holds an accelerated fleet clock back while the product is behind: a slow machine gives a slower clock.

The decision is pure; `stack.clockwork` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.lab_store import ClockWish

MOST_LAG_S = 0.5
"""Receipts older than this hold the clock back."""

_STOP_LAG_S = 3.0
_GROWTH = 2.0
_SHRINK = 0.5
_FIRST = 600.0
_PATIENCE_S = 0.4
_APPROACH_S = 4.0
_SLOWEST = 60.0


@dataclass(frozen=True, slots=True)
class Pressure:
    """What is open right now.

    Attributes:
        lag: age of the oldest message without its receipt, seconds of wall time.
        due: things past their due time at the desk, jobs included.
        people: simulated people's actions past their time.
    """

    lag: float
    due: int = 0
    people: int = 0

    @property
    def waiting(self) -> bool:
        """Whether somebody or something ought to have acted."""
        return self.due > 0 or self.people > 0


class Governor:
    """Chooses the clock's speed: halves it under pressure, stops it under much, and lets it grow again.

    Args:
        ceiling: fleet seconds a wall second at most.
    """

    def __init__(self, ceiling: float) -> None:
        if ceiling <= 0:
            raise ValueError(f"a ceiling is above 0, not {ceiling}")
        self.ceiling = ceiling
        self._waiting_since: float | None = None

    def decide(self, speed: float, pressure: Pressure, now: float) -> float:
        """The speed from now on.

        Args:
            speed: as it is.
            pressure: what is open.
            now: monotonic seconds; a thing that is open for a moment only is work going on, not a delay.
        """
        if not pressure.waiting:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now
        overdue = self._waiting_since is not None and now - self._waiting_since >= _PATIENCE_S
        if pressure.lag >= _STOP_LAG_S or (overdue and speed <= _FIRST):
            return 0.0
        if pressure.lag > MOST_LAG_S or overdue:
            slower = speed * _SHRINK
            return slower if slower >= min(_FIRST, self.ceiling) else 0.0
        return min(self.ceiling, max(_FIRST, speed * _GROWTH))


def ceiling_of(wish: ClockWish | None, highest: float, now: datetime) -> float:
    """The greatest speed now: as started or as wished; slow before a moment at which the clock is to stand, then 0.

    Args:
        wish: what a person asked last, if anybody did.
        highest: what the clock was started with.
        now: fleet time.
    """
    if wish is None:
        return highest
    if wish.until is None:
        return wish.ceiling
    ahead = (wish.until - now).total_seconds()
    # A change takes effect a moment later than it is decided: the last stretch is driven slowly.
    return 0.0 if ahead <= 0 else min(wish.ceiling, max(_SLOWEST, ahead / _APPROACH_S))
