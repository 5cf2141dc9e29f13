"""What planning needs of the outside beside visits, people and parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from servicedesk.model import Hold, Ticket, Visit, Window
from servicedesk.moves import BoardMove
from servicedesk.plan_rows import PlanLine, VisitPlan


class Plans(Protocol):
    """Held windows, and plans."""

    def hold(self, hold: Hold) -> None:
        """Keep a window for a ticket instead of the one it held before.

        Raises:
            WindowGoneError: another visit or hold has it; nothing was written.
        """
        ...

    def held(self, technicians: Collection[UUID], span: Window, now: datetime) -> Sequence[Hold]:
        """Windows that are held now."""
        ...

    def release(self, ticket: UUID) -> None:
        """Give back the window that a ticket holds, if any."""
        ...

    def waiting(self, org: str) -> list[tuple[Ticket, Visit | None]]:
        """Tickets that wait for a visit, with the one that is proposed if there is one; by priority, then age.

        One whose visit somebody locked does not wait.
        """
        ...

    def add(self, plan: VisitPlan, lines: Sequence[PlanLine]) -> None:
        """Enter a plan."""
        ...

    def known(self, plan: UUID) -> bool:
        """Whether there is such a plan."""
        ...

    def get(self, plan: UUID) -> tuple[VisitPlan, list[PlanLine]]:
        """A plan and its lines by number. Raises UnknownError."""
        ...

    def tickets(self, plan: UUID) -> Mapping[UUID, tuple[str, int]]:
        """Reference and present version of a plan's tickets."""
        ...

    def line(self, plan: UUID, no: int) -> PlanLine:
        """A line, held for change. Raises UnknownError."""
        ...

    def save(self, line: PlanLine) -> None:
        """Write what became of a line."""
        ...


class Moves(Protocol):
    """Visits placed by hand."""

    def add(self, move: BoardMove) -> None:
        """Enter a move."""
        ...

    def get(self, move: UUID) -> BoardMove:
        """The move, held for change. Raises UnknownError."""
        ...

    def ticket_of(self, move: UUID) -> UUID:
        """The ticket of a move; nothing is held. Raises UnknownError."""
        ...

    def open_of(self, ticket: UUID) -> list[BoardMove]:
        """The moves of a ticket that nobody has been told of, held for change."""
        ...

    def save(self, move: BoardMove) -> None:
        """Write what became of a move."""
        ...

    def of_visit(self, visit: UUID) -> BoardMove | None:
        """The move that made a visit, if one did; nothing is held."""
        ...

    def latest(self, actor: str, wall: datetime) -> BoardMove | None:
        """The newest move of a person that can still be taken back."""
        ...
