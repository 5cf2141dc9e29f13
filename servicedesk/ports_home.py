"""What a household's own pages need of the outside. Both forms pass the same contract suite."""

from __future__ import annotations

from datetime import datetime, time
from typing import Protocol
from uuid import UUID

from servicedesk.home_rows import HomeLink, RemovalReason
from servicedesk.model import Contact


class Homes(Protocol):
    """Wishes, ways, links and appliances of households."""

    def set_wishes(self, household: UUID, *, lang: str, quiet_from: time, quiet_to: time) -> None:
        """Write a household's language and quiet hours."""
        ...

    def add_contact(self, contact: Contact) -> None:
        """Enter a contact."""
        ...

    def rank_contact(self, contact: UUID, rank: int) -> None:
        """Put a contact into another place of the order."""
        ...

    def drop_mail(self, contact: UUID) -> None:
        """Take a contact's e-mail address away; a contact without a number goes with it."""
        ...

    def rank_channel(self, channel: UUID, rank: int) -> None:
        """Put a channel into another place of the order."""
        ...

    def forget_channel(self, channel: UUID, at: datetime) -> None:
        """Take a channel away with its address."""
        ...

    def remove_appliance(self, device: int, at: datetime, why: RemovalReason) -> None:
        """Take an appliance out of its household; its room is forgotten."""
        ...

    def link(self, household: UUID, now: datetime) -> str:
        """A new unguessable address of a household's pages."""
        ...

    def links(self, household: UUID) -> list[HomeLink]:
        """A household's links, oldest first."""
        ...

    def revoke_links(self, household: UUID, at: datetime) -> int:
        """End a household's links; returns how many were in use."""
        ...
