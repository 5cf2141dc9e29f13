"""Shapes of notices. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class NoticeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a household."""

    body: str
    channel: str
    household: UUID
    id: UUID
    lang: str
    link: str
    queued: datetime
    stage: str
    state: str
    subject: str
    ticket: UUID
    delivered: datetime | None = None
    opened: datetime | None = None
    sent: datetime | None = None
