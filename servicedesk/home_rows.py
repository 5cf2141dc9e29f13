"""Rows of what owners do with their own household, as values: frozen, times aware."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class RemovalReason(StrEnum):
    """Why an appliance is taken out of its household."""

    SOLD = "sold"
    BROKEN = "broken"
    MOVED = "moved"
    UNWANTED = "unwanted"
    """It is to be watched no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeLink:
    """A link that opens a household's own pages; its secret is kept nowhere."""

    id: UUID
    household: UUID
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A way to a household as it may be shown: the address itself is masked.

    Attributes:
        id: of the contact, or of the channel.
        kind: `mail` or `chat`.
        shown: `o***@example.org`, or the service's name.
        bounced: since when it takes no messages.
        own: the household's; otherwise its organisation's, which it cannot change.
    """

    id: UUID
    kind: str
    shown: str
    bounced: datetime | None = None
    own: bool = True
