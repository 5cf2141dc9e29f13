"""Shapes of plans. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from client.types.shared import SlotOut


class AcceptIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Lines to accept together: all of them or none."""

    lines: list[int]


class PlanIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to plan; a token of one organisation plans that one."""

    days: int | None = None
    first: datetime | None = None
    org: str | None = None


class PlanLineOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan says of one ticket: where it stands and where it would stand."""

    change: str
    no: int
    ref: str
    state: str
    ticket: UUID
    after: SlotOut | None = None
    before: SlotOut | None = None
    blocking: str | None = None
    visit: UUID | None = None


class PlanOut(msgspec.Struct, frozen=True, kw_only=True):
    """A plan of all visits that wait or are only proposed, as a difference to what is."""

    first: datetime
    id: UUID
    lines: list[PlanLineOut]
    made: datetime
    of: int
    org: str
    served: int
    travel_after_min: int
    travel_before_min: int
    until: datetime
