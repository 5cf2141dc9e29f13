"""Ways of repair in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.states import TicketState
from servicedesk.way_rows import WAY_LIVE, PastCase, Way, WayCase

if TYPE_CHECKING:
    from servicedesk.memory import MemoryTickets


class MemoryWays:
    """Implements `Ways`.

    Args:
        tickets: whose timelines tell what was taken up again.
        rating: of a ticket's owner.
    """

    def __init__(
        self,
        tickets: MemoryTickets,
        rating: Callable[[UUID], int | None],
        counted: Callable[[Collection[UUID]], set[UUID]],
    ) -> None:
        self._tickets = tickets
        self._rating = rating
        self._counted = counted
        self.rows: dict[UUID, Way] = {}
        self.cases: dict[UUID, WayCase] = {}

    def of_org(self, org: str) -> list[Way]:
        """Active ones by name."""
        found = [each for each in self.rows.values() if each.org == org and each.active]
        return sorted(found, key=lambda each: (each.name, each.id))

    def get(self, way: UUID) -> Way:
        """A way."""
        if way not in self.rows:
            raise UnknownError(f"there is no way of repair {way}")
        return self.rows[way]

    def register(self, way: Way) -> None:
        """Enter or change."""
        self.rows[way.id] = way

    def book(self, case: WayCase) -> None:
        """Enter a case."""
        if any(each.state in WAY_LIVE for each in self.of_ticket(case.ticket)):
            raise ConflictError(f"ticket {case.ticket} is being mended in another way already")
        self.cases[case.id] = case

    def case(self, case: UUID) -> WayCase:
        """The case."""
        if case not in self.cases:
            raise UnknownError(f"there is no repair {case}")
        return self.cases[case]

    def save(self, case: WayCase) -> WayCase:
        """Write, version by version."""
        if self.case(case.id).version != case.version:
            raise ConflictError(f"repair {case.id} was changed by someone else; read it again")
        self.cases[case.id] = replace(case, version=case.version + 1)
        return self.cases[case.id]

    def of_ticket(self, ticket: UUID) -> list[WayCase]:
        """Oldest first."""
        found = [each for each in self.cases.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.made, each.id))

    def past(self, way: UUID, since: datetime) -> list[PastCase]:
        """Oldest first."""
        found = [
            self._past(each, each.returned)
            for each in self.cases.values()
            if each.way == way and each.returned is not None and each.returned >= since and self._counted({each.ticket})
        ]
        return sorted(found, key=lambda each: each.returned)

    def _past(self, case: WayCase, returned: datetime) -> PastCase:
        again = (
            each.at
            for each in self._tickets.timeline(case.ticket)
            if each.kind == "moved" and each.body.get("new") == TicketState.REOPENED and each.at > returned
        )
        reopened, rating = min(again, default=None), self._rating(case.ticket)
        return PastCase(returned=returned, mended=case.mended, reopened=reopened, rating=rating)
