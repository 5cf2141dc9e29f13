"""What is asked of findings of whole fleets, and of findings whose tickets wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from servicedesk.fleet_rows import FleetFinding, Peer, Shared, Why


class FleetBook(Protocol):
    """Fleet findings, their members, and waits."""

    def devices(self, org: str, kind: str) -> int:
        """How many devices of a kind an organisation has."""
        ...

    def recent(self, org: str, kind: str, family: str, since: datetime) -> dict[int, UUID]:
        """Devices of a kind with a finding of a family that opened since then, and was not history; its newest."""
        ...

    def standing(self, org: str, kind: str, family: str, since: datetime) -> FleetFinding | None:
        """The newest fleet finding with a member that joined since then."""
        ...

    def enter(self, fleet: FleetFinding) -> None:
        """Enter a fleet finding."""
        ...

    def join(self, fleet: UUID, finding: UUID, device: int, at: datetime) -> None:
        """Make a finding a member; it stays one of the first that it joined."""
        ...

    def member_of(self, finding: UUID) -> UUID | None:
        """The fleet finding of a finding."""
        ...

    def peers_of_fleet(self, fleet: UUID, now: datetime) -> Sequence[Peer]:
        """Appliances of a fleet finding's kind, members with the firmware they had when they joined."""
        ...

    def peers(self, org: str, kind: str, family: str, since: datetime, now: datetime) -> Sequence[Peer]:
        """Appliances of a kind; those with a finding of the family since then, with its firmware, are members.

        Findings that are history and false alarms make no member.
        """
        ...

    def share(self, fleet: UUID, shared: Shared | None, at: datetime) -> None:
        """Note what the members of a fleet finding have in common; it takes the place of what was noted before."""
        ...

    def shared(self, fleet: UUID) -> Shared | None:
        """What was noted."""
        ...

    def wait(self, finding: UUID, device: int, why: Why, since: datetime, until: datetime) -> None:
        """Note that a finding's ticket waits; a later reason takes the place of an earlier one."""
        ...

    def waiting(self, finding: UUID) -> Why | None:
        """Why it waits now, if it does."""
        ...

    def waits_until(self, finding: UUID) -> datetime | None:
        """When its wait ends; None when it does not wait."""
        ...

    def waited(self, finding: UUID) -> bool:
        """Whether it has waited to the end."""
        ...

    def end_wait(self, finding: UUID, at: datetime) -> bool:
        """It has waited. False when it had ended before, or never waited."""
        ...
