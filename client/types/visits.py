"""Shapes of visits. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from client.types.shared import WindowOut, WordsOut


class AccessIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to get in; what is left out is empty. `adult`: whether somebody of age is at home for this visit."""

    adult: bool | None = None
    entry: str | None = None
    parking: str | None = None
    pets: str | None = None


class AccessOut(msgspec.Struct, frozen=True, kw_only=True):
    """How to get in. A technician reads it on the day of the visit only: before, `shown` is false and all is empty."""

    shown: bool
    visit: UUID
    adult: bool | None = None
    entry: str | None = None
    parking: str | None = None
    pets: str | None = None


class ArrivalOut(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody is expected at the door. Where they are stands in `/v1/visits/{id}/position`."""

    change_until: datetime
    changeable: bool
    late: bool
    promised: datetime
    state: str
    visit: UUID
    expected: datetime | None = None


class CancelIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why the owner calls a visit off."""

    reason: str


class ChecklistOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a technician does at an appliance, step by step, and what is done."""

    steps: list[ListStepOut]
    visit: UUID


class DelayIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a technician who runs late expects to be there."""

    expected: datetime


class DelayOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the household was told; `times` counts how often."""

    at: datetime
    expected: datetime
    times: int
    visit: UUID


class FittedIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part with a serial number that was put in, and the number of the one that came out."""

    serial: str
    sku: str
    replaced: str | None = None


class JourneyDayOut(msgspec.Struct, frozen=True, kw_only=True):
    """A technician's day, in the order of its visits. The date is one of their time zone."""

    date: date
    name: str
    stops: list[StopOut]
    technician: UUID
    tz: str


class ListStepOut(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a checklist; `phase` is van, safety, test, repair or proof."""

    done: bool
    id: str
    phase: str
    text: WordsOut
    actor: str | None = None
    at: datetime | None = None


class OutcomeIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The technician's report. `cause` is a fault of the catalogue, null when none was found."""

    code: Literal["repaired", "no_fault_found", "part_missing", "not_repaired"]
    cause: str | None = None
    charged: float | str | None = None
    fitted: list[FittedIn] | None = None
    note: str | None = None
    parts: list[str] | None = None


class PartOut(msgspec.Struct, frozen=True, kw_only=True):
    """A part that a visit brings; `packed` when it is in the van."""

    packed: bool
    sku: str
    title: WordsOut


class PositionIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the technician is (WGS 84)."""

    lat: float
    lon: float


class PositionOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where the technician of a visit is, while travelling to it."""

    visit: UUID
    at: datetime | None = None
    lat: float | None = None
    lon: float | None = None


class StopOut(msgspec.Struct, frozen=True, kw_only=True):
    """A visit of a day."""

    address: str
    code: str
    device: str
    household: str
    kind: str
    minutes: int
    parts: list[PartOut]
    ref: str
    safety: bool
    state: str
    visit: UUID
    window: WindowOut
    expected: datetime | None = None
    fault: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    phone: str | None = None
    room: str | None = None
    serial: str | None = None
    travel_minutes: int | None = None


class TickIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step that is done, or is not done after all."""

    step: str
    done: bool | None = None
