"""What other ways of repair need of the outside. Both forms pass the same contract suite."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from servicedesk.way_rows import PastCase, Way, WayCase


class Ways(Protocol):
    """Workshops, service points and partners, and what is mended there."""

    def of_org(self, org: str) -> list[Way]:
        """The active ways of an organisation, by name."""
        ...

    def get(self, way: UUID) -> Way:
        """A way. Raises UnknownError."""
        ...

    def register(self, way: Way) -> None:
        """Enter a way, or change the one of the same id."""
        ...

    def book(self, case: WayCase) -> None:
        """Enter a case.

        Raises:
            ConflictError: the ticket has a live one; nothing was written.
        """
        ...

    def case(self, case: UUID) -> WayCase:
        """The case, held for change. Raises UnknownError."""
        ...

    def save(self, case: WayCase) -> WayCase:
        """Write a changed case. Raises ConflictError."""
        ...

    def of_ticket(self, ticket: UUID) -> list[WayCase]:
        """A ticket's cases, oldest first."""
        ...

    def past(self, way: UUID, since: datetime) -> list[PastCase]:
        """What became of a way's cases that were given back since then, oldest first.

        Those of households that do not agree to analytics are left out.
        """
        ...
