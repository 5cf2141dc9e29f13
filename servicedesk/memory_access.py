"""Answers to the questions of a visit in memory."""

from __future__ import annotations

from uuid import UUID

from servicedesk.access_rows import Access, Presence


class MemoryAccess:
    """See `servicedesk.ports_access.AccessBook`."""

    def __init__(self) -> None:
        self.homes: dict[UUID, Access] = {}
        self.presences: dict[UUID, Presence] = {}

    def of_household(self, household: UUID) -> Access | None:
        """The last word."""
        return self.homes.get(household)

    def tell(self, access: Access) -> None:
        """The last word counts."""
        self.homes[access.household] = access

    def presence(self, visit: UUID) -> Presence | None:
        """For one visit."""
        return self.presences.get(visit)

    def at_home(self, presence: Presence) -> None:
        """The last word counts."""
        self.presences[presence.visit] = presence
