"""Shapes of board. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from client.types.shared import SlotOut, WindowOut


class AssignIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A technician and the begin of a window."""

    start: datetime
    technician: UUID
    owner: Literal["ask", "agreed"] | None = None
    reason: str | None = None
    version: int | None = None


class AssignmentOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes when for a ticket, and how far the last placing by hand is."""

    ref: str
    ticket: UUID
    version: int
    breaches: list[BreachOut] | None = None
    locked: bool | None = None
    move: str | None = None
    slot: SlotOut | None = None
    state: str | None = None
    undo_until: datetime | None = None
    visit: UUID | None = None


class BlockOut(msgspec.Struct, frozen=True, kw_only=True):
    """A visit of a day; of other areas' visits only the times are told."""

    begin: datetime
    breaches: list[BreachOut]
    end: datetime
    late_min: int
    way_min: int
    window: WindowOut
    area: str | None = None
    household: str | None = None
    kind: str | None = None
    locked: bool | None = None
    ref: str | None = None
    state: str | None = None
    ticket: UUID | None = None
    visit: UUID | None = None


class BoardOut(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the dispatch board, and the tray."""

    alerts: TrayOut
    date: date
    hold: TrayOut
    now: datetime
    technicians: list[LaneOut]
    unassigned: TrayOut
    zone: str


class BreachOut(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a technician and a window break."""

    hard: bool
    rule: str
    minutes: int | None = None
    skill: str | None = None
    sku: str | None = None
    until: datetime | None = None


class CardOut(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of the tray."""

    absent: bool
    area: str
    family: str
    household: str
    kind: str
    next_action: str
    ref: str
    severity: int
    state: str
    ticket: UUID
    version: int
    blocking: str | None = None
    next_due: datetime | None = None
    visit: UUID | None = None


Consent = Literal["ask", "agreed", "tell"]


class LaneOut(msgspec.Struct, frozen=True, kw_only=True):
    """A technician's day."""

    absent: bool
    area: str
    load: float
    name: str
    pauses: list[WindowOut]
    skills: list[str]
    technician: UUID
    travel_min: int
    visits: list[BlockOut]
    shift: WindowOut | None = None


class LockIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the visit stays where it is."""

    locked: bool


class TrayOut(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets of one sort, by time left; `count` counts those too that are not listed."""

    count: int
    items: list[CardOut]
