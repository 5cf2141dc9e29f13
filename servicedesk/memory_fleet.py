"""Findings of whole fleets in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from servicedesk.fleet_rows import FleetFinding, Peer, Shared, Why
from servicedesk.states import TicketState
from telemetry.clock import to_datetime

if TYPE_CHECKING:
    from servicedesk.memory import MemoryAgenda, MemoryPeople, MemoryTickets
    from servicedesk.model import Appliance
    from telemetry.finding import Finding


@dataclass(slots=True)
class _Wait:
    why: Why
    until: datetime
    ended: datetime | None = None


class MemoryFleet:
    """See `FleetBook`.

    Args:
        people: knows devices.
        agenda: knows findings.
        tickets: know false alarms.
    """

    def __init__(self, people: MemoryPeople, agenda: MemoryAgenda, tickets: MemoryTickets) -> None:
        self._people = people
        self._agenda = agenda
        self._tickets = tickets
        self.firmware: dict[int, list[tuple[datetime, str]]] = {}
        self.common: dict[UUID, Shared] = {}
        self.fleets: dict[UUID, FleetFinding] = {}
        self.members: dict[UUID, tuple[UUID, int, datetime]] = {}
        self.waits: dict[UUID, _Wait] = {}

    def devices(self, org: str, kind: str) -> int:
        """How many."""
        return sum((each.org, each.kind) == (org, kind) for each in self._people.appliances.values())

    def recent(self, org: str, kind: str, family: str, since: datetime) -> dict[int, UUID]:
        """Newest by device."""
        found: dict[int, tuple[int, UUID]] = {}
        for device, first in self._firsts(org, kind, family, since):
            found[device] = max(found.get(device, (0, UUID(int=0))), (first.opened, UUID(first.id)))
        return {device: ident for device, (_, ident) in found.items()}

    def _firsts(self, org: str, kind: str, family: str, since: datetime) -> Iterator[tuple[int, Finding]]:
        """Findings that opened since then as they were first told, with the numbers of their devices."""
        firsts = (revisions[0] for revisions in self._agenda.findings.values() if revisions)
        for first in firsts:
            if first.family != family or first.history or to_datetime(first.opened) < since:
                continue
            device = self._agenda.devices.get(first.device)
            appliance = None if device is None else self._people.appliances.get(device)
            if appliance is not None and device is not None and (appliance.org, appliance.kind) == (org, kind):
                yield device, first

    def standing(self, org: str, kind: str, family: str, since: datetime) -> FleetFinding | None:
        """The newest that still grows."""
        fresh = {fleet for fleet, _, joined in self.members.values() if joined >= since}
        found = [
            each
            for each in self.fleets.values()
            if (each.org, each.kind, each.family) == (org, kind, family) and each.id in fresh
        ]
        return max(found, key=lambda each: (each.opened, each.id), default=None)

    def enter(self, fleet: FleetFinding) -> None:
        """Enter."""
        self.fleets[fleet.id] = fleet

    def join(self, fleet: UUID, finding: UUID, device: int, at: datetime) -> None:
        """Once."""
        self.members.setdefault(finding, (fleet, device, at))

    def member_of(self, finding: UUID) -> UUID | None:
        """Its fleet finding."""
        return self.members[finding][0] if finding in self.members else None

    def peers_of_fleet(self, fleet: UUID, now: datetime) -> list[Peer]:
        """Of its kind."""
        known = self.fleets[fleet]
        joined: dict[int, datetime] = {}
        for of, device, at in self.members.values():
            if of == fleet:
                joined[device] = min(joined.get(device, at), at)
        return self._peers(known.org, known.kind, joined, now)

    def peers(self, org: str, kind: str, family: str, since: datetime, now: datetime) -> list[Peer]:
        """Of a kind."""
        false = {t.finding for t in self._tickets.rows.values() if t.state is TicketState.FALSE_ALARM}
        opened: dict[int, datetime] = {}
        for device, first in self._firsts(org, kind, family, since):
            at = to_datetime(first.opened)
            if UUID(first.id) not in false:
                opened[device] = min(opened.get(device, at), at)
        return self._peers(org, kind, opened, now)

    def _peers(self, org: str, kind: str, members: dict[int, datetime], now: datetime) -> list[Peer]:
        return [
            Peer(each.no, each.no in members, self._firmware(each, members.get(each.no, now)), each.lot or "")
            for each in sorted(self._people.appliances.values(), key=lambda each: each.no)
            if (each.org, each.kind) == (org, kind) and (each.removed is None or each.no in members)
        ]

    def _firmware(self, appliance: Appliance, at: datetime) -> str:
        told = self.firmware.get(appliance.no, [])
        before = [version for since, version in told if since <= at]
        return (before[-1:] or [version for _, version in told[:1]] or [""])[0]

    def share(self, fleet: UUID, shared: Shared | None, at: datetime) -> None:  # noqa: ARG002  (rows have it)
        """Note."""
        self.common.pop(fleet, None)
        if shared is not None:
            self.common[fleet] = shared

    def shared(self, fleet: UUID) -> Shared | None:
        """What was noted."""
        return self.common.get(fleet)

    def wait(self, finding: UUID, device: int, why: Why, since: datetime, until: datetime) -> None:  # noqa: ARG002  (rows have them)
        """Note."""
        self.waits[finding] = _Wait(why, until)

    def waiting(self, finding: UUID) -> Why | None:
        """Now."""
        known = self.waits.get(finding)
        return None if known is None or known.ended is not None else known.why

    def waits_until(self, finding: UUID) -> datetime | None:
        """Then."""
        known = self.waits.get(finding)
        return None if known is None or known.ended is not None else known.until

    def waited(self, finding: UUID) -> bool:
        """To the end."""
        return finding in self.waits and self.waits[finding].ended is not None

    def end_wait(self, finding: UUID, at: datetime) -> bool:
        """Once."""
        if self.waiting(finding) is None:
            return False
        self.waits[finding].ended = at
        return True
