"""The comparison of devices with their peers in memory."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from servicedesk.cohort_rows import Member
from telemetry.cohort import CohortReference, CohortSummary

if TYPE_CHECKING:
    from servicedesk.memory import MemoryPeople


class MemoryCohorts:
    """See `CohortBook`.

    Args:
        people: knows devices.
    """

    def __init__(self, people: MemoryPeople) -> None:
        self._people = people
        self.summaries: dict[int, dict[int, CohortSummary]] = {}
        self.told: dict[int, tuple[CohortReference, datetime]] = {}

    def enter(self, device: int, summary: CohortSummary) -> None:
        """Once a day."""
        self.summaries.setdefault(device, {}).setdefault(summary.day, summary)

    def members(self, since: int) -> list[Member]:
        """By number."""
        found: list[Member] = []
        for device in sorted({*self.summaries, *self.told}):
            fresh = [each for day, each in self.summaries.get(device, {}).items() if day >= since]
            if not fresh and device not in self.told:
                continue
            row = self._people.appliance(device)
            newest = max(fresh, key=lambda each: each.day, default=None)
            told, at = self.told.get(device, (None, None))
            found.append(Member(device, row.org, row.kind, row.model, newest, told, at))
        return found

    def tell(self, device: int, reference: CohortReference, at: datetime) -> None:
        """The last."""
        self.told[device] = reference, at

    def forget(self, before: int) -> int:
        """By day."""
        old = [(device, day) for device, days in self.summaries.items() for day in days if day < before]
        for device, day in old:
            del self.summaries[device][day]
        return len(old)
