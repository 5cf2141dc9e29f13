"""What a technician's day needs of the outside. Both forms pass the same contract suite."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from servicedesk.day_rows import Delay, Position, Tick


class DayBook(Protocol):
    """Ticked steps, delays, positions."""

    def tick(self, tick: Tick) -> None:
        """Enter the last word on a step."""
        ...

    def ticks(self, visit: UUID) -> list[Tick]:
        """A visit's, by step."""
        ...

    def delay(self, delay: Delay) -> Delay:
        """Enter when somebody expects to be there; what was said before is replaced and counted."""
        ...

    def delay_of(self, visit: UUID) -> Delay | None:
        """What was said last, or None."""
        ...

    def place(self, position: Position) -> bool:
        """Enter where somebody is; an older position than the known one changes nothing.

        False when the visit is not being travelled to: nothing was written.
        """
        ...

    def position(self, visit: UUID) -> Position | None:
        """Where somebody is now, or None."""
        ...

    def forget(self, visit: UUID) -> None:
        """The journey is over: its position is gone."""
        ...
