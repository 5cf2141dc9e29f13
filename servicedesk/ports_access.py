"""What getting into a home needs of the outside. Both forms pass the same contract suite."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from servicedesk.access_rows import Access, Presence


class AccessBook(Protocol):
    """Answers to the questions of a visit."""

    def of_household(self, household: UUID) -> Access | None:
        """What a household said last, or None."""
        ...

    def tell(self, access: Access) -> None:
        """Enter what a household says; what it said before is replaced."""
        ...

    def presence(self, visit: UUID) -> Presence | None:
        """What was said for a visit, or None."""
        ...

    def at_home(self, presence: Presence) -> None:
        """Enter whether somebody of age is at home; the last word counts."""
        ...
