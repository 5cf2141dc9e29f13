"""A technician's day in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from servicedesk.day_rows import Delay, Position, Tick


@dataclass
class MemoryDay:
    """Implements `DayBook`.

    Attributes:
        travels: whether a visit is being travelled to.
    """

    travels: Callable[[UUID], bool]
    rows: dict[tuple[UUID, str], Tick] = field(default_factory=dict)
    delays: dict[UUID, Delay] = field(default_factory=dict)
    positions: dict[UUID, Position] = field(default_factory=dict)

    def tick(self, tick: Tick) -> None:
        """The last word."""
        self.rows[tick.visit, tick.step] = tick

    def ticks(self, visit: UUID) -> list[Tick]:
        """By step."""
        found = [each for each in self.rows.values() if each.visit == visit]
        return sorted(found, key=lambda each: each.step)

    def delay(self, delay: Delay) -> Delay:
        """Replace and count."""
        before = self.delays.get(delay.visit)
        self.delays[delay.visit] = replace(delay, times=1 if before is None else before.times + 1)
        return self.delays[delay.visit]

    def delay_of(self, visit: UUID) -> Delay | None:
        """Said last."""
        return self.delays.get(visit)

    def place(self, position: Position) -> bool:
        """The newest, while somebody travels."""
        if not self.travels(position.visit):
            return False
        known = self.positions.get(position.visit)
        if known is None or known.at <= position.at:
            self.positions[position.visit] = position
        return True

    def position(self, visit: UUID) -> Position | None:
        """Now."""
        return self.positions.get(visit)

    def forget(self, visit: UUID) -> None:
        """Gone."""
        self.positions.pop(visit, None)
