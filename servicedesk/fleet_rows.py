"""Rows of findings of whole fleets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Why(StrEnum):
    """Why a finding's ticket waits."""

    UNSURE = "unsure"
    COMMON = "common"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFinding:
    """One cause of many findings.

    Attributes:
        devices: of the kind in the organisation when it opened.
        expected: findings among them within `WITHIN`, were they as ever.
    """

    id: UUID
    org: str
    kind: str
    family: str
    opened: datetime
    devices: int
    expected: float
