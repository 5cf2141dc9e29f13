"""Shapes of privacy. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec


class AddressIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An e-mail address, or an Apprise URL of a service that owners may name."""

    mail: str | None = None
    url: str | None = None


class AddressOut(msgspec.Struct, frozen=True, kw_only=True):
    """A way to a household; the address itself is not told."""

    id: UUID
    kind: str
    own: bool
    shown: str
    bounced: datetime | None = None


class AddressesOut(msgspec.Struct, frozen=True, kw_only=True):
    """In the order in which they are tried."""

    household: UUID
    items: list[AddressOut]


class AuditOut(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the audit log."""

    action: str
    actor: str
    at: datetime
    body: dict[str, Any]
    hash: str
    seq: int
    what: str
    household: UUID | None = None


class CaseLinkOut(msgspec.Struct, frozen=True, kw_only=True):
    """A link of a single case, without its secret."""

    created: datetime
    id: UUID
    expires: datetime | None = None
    revoked: datetime | None = None


class CaseLinksOut(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first; the links of the whole household stand under the household."""

    items: list[CaseLinkOut]
    ticket: UUID


class ConsentChangeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A yes or no and who said it."""

    actor: str
    at: datetime
    granted: bool
    purpose: str


class ConsentIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A yes or no to one purpose."""

    granted: bool
    purpose: Literal["alerts", "service", "analytics", "follow_up"]


class ConsentsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a household agrees to, and how that came about."""

    history: list[ConsentChangeOut]
    household: UUID
    now: dict[str, bool]


class ContactOut(msgspec.Struct, frozen=True, kw_only=True):
    """A person of a household."""

    name: str
    rank: int
    role: str
    bounced: datetime | None = None
    email: str | None = None
    phone: str | None = None


class ErasureOut(msgspec.Struct, frozen=True, kw_only=True):
    """A household's wish to be forgotten, and what became of it."""

    household: UUID
    kept: dict[str, str]
    removed: dict[str, int]
    done: datetime | None = None
    requested: datetime | None = None


class ExportOut(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is stored of a household but readings, which have a route of their own."""

    appliances: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    consent_history: list[dict[str, Any]]
    consents: dict[str, bool]
    contacts: list[dict[str, Any]]
    household: dict[str, Any]
    made: datetime
    access: dict[str, Any] | None = None
    erasure: dict[str, Any] | None = None


class HomeLinkOut(msgspec.Struct, frozen=True, kw_only=True):
    """A household's link, without its secret."""

    created: datetime
    id: UUID
    expires: datetime | None = None
    revoked: datetime | None = None


class HomeLinksOut(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first."""

    household: UUID
    items: list[HomeLinkOut]


class HouseholdOut(msgspec.Struct, frozen=True, kw_only=True):
    """A household with its contacts. Each look of staff is logged."""

    address: str
    area: str
    contacts: list[ContactOut]
    id: UUID
    lang: str
    name: str
    org: str
    registered: datetime
    tz: str


class NewLinkOut(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh link; whoever holds it opens all of the household's pages."""

    household: UUID
    url: str


class SentLinkOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the household was sent its own link: at most one an hour, to the addresses that are known."""

    sent: bool


class WhichAddressIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of a household's addresses."""

    address: UUID


class WishesIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Language and quiet hours; what is absent stays as it is."""

    lang: Literal["zh", "en"] | None = None
    quiet_from: str | None = None
    quiet_to: str | None = None


class WishesOut(msgspec.Struct, frozen=True, kw_only=True):
    """Language, quiet hours in the household's zone, and that zone."""

    household: UUID
    lang: str
    quiet_from: str
    quiet_to: str
    tz: str
