"""Shapes of devices. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from client.types.shared import BillOut, EstimateOut, EventOut, QuoteOut, WindowOut, WordsOut


class CaseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the bearer of a serial number may follow it."""

    bills: list[BillOut]
    next_action: str
    parts: list[str]
    quotes: list[QuoteOut]
    ref: str
    state: str
    ticket: UUID
    timeline: list[EventOut]
    estimate: EstimateOut | None = None
    next_due: datetime | None = None
    window: WindowOut | None = None


class ConditionOut(msgspec.Struct, frozen=True, kw_only=True):
    """How an appliance is, in one word, with what it rests on."""

    device: str
    health: str
    tickets: list[UUID]
    learning: LearningOut | None = None
    muted: MuteOut | None = None
    remaining_life: LifeOut | None = None
    silent_since: datetime | None = None


class DeviceOut(msgspec.Struct, frozen=True, kw_only=True):
    """A device and its health; silence is unknown, never healthy."""

    device: str
    health: str
    id: str
    kind: str
    org: str
    registered: datetime
    firmware: str | None = None
    firmware_since: datetime | None = None
    health_since: datetime | None = None
    household: UUID | None = None
    installed: datetime | None = None
    last_reading: datetime | None = None
    lot: str | None = None
    model: str | None = None
    room: str | None = None
    serial: str | None = None
    warranty_until: date | None = None


class LearningOut(msgspec.Struct, frozen=True, kw_only=True):
    """How far an appliance's own usual range is known."""

    day: int
    of: int


class LifeOut(msgspec.Struct, frozen=True, kw_only=True):
    """Remaining life from now: a range, never one date."""

    high_s: float
    low_s: float


class MuteIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Until when messages are kept back: three months at most."""

    until: datetime


class MuteOut(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of the appliance wait until then; those about safety do not."""

    kept_back: int
    until: datetime


class ReadingOut(msgspec.Struct, frozen=True, kw_only=True):
    """One reading; absent channels are null."""

    arrival: datetime
    epoch: int
    late: bool
    q: dict[str, float | None]
    seq: int
    sub: int
    t: datetime
    phase: str | None = None


class RemovalIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why an appliance is taken out of its household."""

    why: Literal["sold", "broken", "moved", "unwanted"]


class RemovalOut(msgspec.Struct, frozen=True, kw_only=True):
    """An appliance that belongs to no household any more, and the cases that ended with it."""

    device: str
    ended: list[UUID]
    removed: datetime


class ReportIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an owner says of an appliance that has failed; `family` where the words point to one."""

    words: str
    family: str | None = None


class SerialOut(msgspec.Struct, frozen=True, kw_only=True):
    """An appliance by its serial number, with its newest cases."""

    cases: list[CaseOut]
    device: str
    kind: str
    serial: str
    model: str | None = None
    sold: date | None = None
    warranty_until: date | None = None


class TrendOut(msgspec.Struct, frozen=True, kw_only=True):
    """A signal of the last four weeks with its usual range; empty where nothing can be shown."""

    device: str
    points: list[TrendPointOut]
    unit: str
    finding: UUID | None = None
    title: WordsOut | None = None


class TrendPointOut(msgspec.Struct, frozen=True, kw_only=True):
    """A day."""

    t: datetime
    high: float | None = None
    low: float | None = None
    value: float | None = None
