"""Shapes of parts. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class OrderIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Pieces of a part to be ordered."""

    quantity: int
    sku: str
    arrives: datetime | None = None
    org: str | None = None


class OrderOut(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of a part on their way."""

    actor: str
    arrives: datetime
    id: UUID
    ordered: datetime
    org: str
    quantity: int
    sku: str
    received: datetime | None = None
