"""Shapes of prices. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class DeclineIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why the owner does not agree."""

    reason: str


class QuoteIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A quote to be made and sent; other parts than the diagnosis names, or more than the band, need a reason."""

    parts: list[str] | None = None
    reason: str | None = None


class ReceiptOut(msgspec.Struct, frozen=True, kw_only=True):
    """How far a quote got; null where it is not known."""

    made: datetime
    quote: UUID
    bounced: datetime | None = None
    channel: str | None = None
    decided: datetime | None = None
    delivered: datetime | None = None
    seen: datetime | None = None
    sent: datetime | None = None
