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


class Trait(StrEnum):
    """What appliances of one kind may have in common."""

    FIRMWARE = "firmware"
    LOT = "lot"


@dataclass(frozen=True, slots=True)
class Peer:
    """An appliance of a kind, held against the others.

    Attributes:
        device: its number.
        member: whether it has the finding in question.
        firmware: when it got the finding, else now; empty where it is not known.
        lot: likewise empty.
    """

    device: int
    member: bool
    firmware: str
    lot: str

    def trait(self, what: Trait) -> str:
        """Its firmware or lot."""
        return self.firmware if what is Trait.FIRMWARE else self.lot


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What appliances with one finding have in common; appliances whose firmware or lot is not known are left out.

    Attributes:
        name: the version, or the lot.
        members: with the finding.
        members_having: of these, with the trait.
        others: of the kind, without the finding.
        others_having: of these, with the trait.
        chance: how likely at least so many members have it, were the finding spread by chance.
    """

    what: Trait
    name: str
    members: int
    members_having: int
    others: int
    others_having: int
    chance: float
