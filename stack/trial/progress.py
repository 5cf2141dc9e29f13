"""How far a trial is, as its engine tells whoever watches. None of it enters the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A trial on its way.

    Attributes:
        now: fleet time reached, microseconds.
        day: days of the trial that have passed, fractions included.
        days: of the whole trial.
        devices: in the fleet.
        tickets: opened so far.
        visits: finished so far.
    """

    now: int
    day: float
    days: int
    devices: int
    tickets: int = 0
    visits: int = 0


Listener = Callable[[Progress], None]


def nobody(_: Progress) -> None:
    """Listens to nothing."""
