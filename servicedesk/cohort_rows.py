"""Rows of the comparison of devices with their peers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from telemetry.cohort import CohortReference, CohortSummary


@dataclass(frozen=True, slots=True)
class Member:
    """A device that may be compared.

    Attributes:
        device: its number.
        org: organisation; peers are of one.
        kind: of the catalogue.
        model: or None.
        summary: the newest that it told, when that is fresh; else None.
        told: what it was told last of its peers, if ever.
        told_at: when.
    """

    device: int
    org: str
    kind: str
    model: str | None
    summary: CohortSummary | None
    told: CohortReference | None = None
    told_at: datetime | None = None
