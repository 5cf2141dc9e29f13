"""Shapes of webhooks. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec


class DeliveryOut(msgspec.Struct, frozen=True, kw_only=True):
    """A message to an endpoint: how far it got."""

    answer: str
    body: dict[str, Any]
    cause: str
    due: datetime
    id: UUID
    made: datetime
    message: str
    no: int
    state: str
    subject: str
    tries: int
    type: str
    webhook: UUID
    why: str
    status: int | None = None
    took_ms: int | None = None
    tried: datetime | None = None


DeliveryState = Literal["pending", "delivered", "failed", "skipped"]


class ReplayIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From where to send again: behind a number of the feed, or from a time. One of them."""

    after: int | None = None
    since: datetime | None = None


class ReplayOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent again."""

    after: int
    count: int
    gap: bool


class WebhookChangeIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be another; what is absent stays. `enabled` pauses, or has it go on from where it stopped."""

    areas: list[str] | None = None
    enabled: bool | None = None
    note: str | None = None
    types: list[Literal["ticket", "visit", "quote", "notice", "finding", "device"]] | None = None
    url: str | None = None


class WebhookIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where changes shall be sent. `org` where the token is not of one organisation."""

    url: str
    areas: list[str] | None = None
    note: str | None = None
    org: str | None = None
    types: list[Literal["ticket", "visit", "quote", "notice", "finding", "device"]] | None = None


class WebhookMadeOut(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with its secret, which is told this once."""

    areas: list[str]
    id: UUID
    made: datetime
    note: str
    org: str
    secret: str
    state: str
    types: list[str]
    url: str
    waiting: int
    why: str
    failing: datetime | None = None
    overlap_until: datetime | None = None


class WebhookOut(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint and how it does."""

    areas: list[str]
    id: UUID
    made: datetime
    note: str
    org: str
    state: str
    types: list[str]
    url: str
    waiting: int
    why: str
    failing: datetime | None = None
    overlap_until: datetime | None = None


class WebhooksOut(msgspec.Struct, frozen=True, kw_only=True):
    """Endpoints, oldest first."""

    items: list[WebhookOut]
