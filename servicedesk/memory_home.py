"""A household's wishes, ways, links and appliances in memory; the same contract as PostgreSQL."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import TYPE_CHECKING
from uuid import UUID

from servicedesk.home_rows import HomeLink, RemovalReason
from servicedesk.model import Contact

if TYPE_CHECKING:
    from servicedesk.memory import MemoryPeople
    from servicedesk.memory_levels import MemoryReach


@dataclass
class MemoryHomes:
    """Wishes, ways, links and appliances of households."""

    people: MemoryPeople
    reach: MemoryReach
    link_rows: list[HomeLink] = field(default_factory=list)

    def set_wishes(self, household: UUID, *, lang: str, quiet_from: time, quiet_to: time) -> None:
        """Write."""
        rows = self.people.households
        rows[household] = replace(rows[household], lang=lang, quiet_from=quiet_from, quiet_to=quiet_to)

    def add_contact(self, contact: Contact) -> None:
        """Enter."""
        self.people.contact_rows.append(contact)

    def rank_contact(self, contact: UUID, rank: int) -> None:
        """Order."""
        rows = self.people.contact_rows
        self.people.contact_rows = [replace(each, rank=rank) if each.id == contact else each for each in rows]

    def drop_mail(self, contact: UUID) -> None:
        """Take it away."""
        rows = [
            replace(each, email=None, bounced=None) if each.id == contact else each for each in self.people.contact_rows
        ]
        self.people.contact_rows = [each for each in rows if each.id != contact or each.phone]

    def rank_channel(self, channel: UUID, rank: int) -> None:
        """Order."""
        self.reach.channel_rows[channel] = replace(self.reach.channel(channel), rank=rank)

    def forget_channel(self, channel: UUID, at: datetime) -> None:
        """Take it away."""
        self.reach.channel_rows[channel] = replace(self.reach.channel(channel), stale=at, url="")

    def remove_appliance(self, device: int, at: datetime, why: RemovalReason) -> None:  # noqa: ARG002  (a column of the database)
        """Out of its household."""
        rows = self.people.appliances
        rows[device] = replace(rows[device], household=None, room=None, removed=at)

    def link(self, household: UUID, now: datetime) -> str:
        """A new one."""
        row = HomeLink(id=uuid.uuid4(), household=household, created=now)
        self.link_rows.append(row)
        return f"/o/{row.id.hex}"

    def links(self, household: UUID) -> list[HomeLink]:
        """Oldest first."""
        return [each for each in self.link_rows if each.household == household]

    def revoke_links(self, household: UUID, at: datetime) -> int:
        """End them."""
        live = [each.id for each in self.links(household) if each.revoked is None]
        self.link_rows = [replace(each, revoked=at) if each.id in live else each for each in self.link_rows]
        return len(live)
