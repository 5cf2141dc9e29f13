"""What is asked of the comparison of devices with their peers."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from servicedesk.cohort_rows import Member
from telemetry.cohort import CohortReference, CohortSummary


class CohortBook(Protocol):
    """What devices tell of themselves, and what they were told."""

    def enter(self, device: int, summary: CohortSummary) -> None:
        """Keep a summary; the first of a device and day stands."""
        ...

    def members(self, since: int) -> list[Member]:
        """Devices with a summary of that day (days since 1970) or later, or ever told something; by number."""
        ...

    def tell(self, device: int, reference: CohortReference, at: datetime) -> None:
        """Note what a device was told last."""
        ...

    def forget(self, before: int) -> int:
        """Drop summaries of days before that one; returns how many."""
        ...
