"""Shapes of lab. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec


class BenchOut(msgspec.Struct, frozen=True, kw_only=True):
    """The newest run of a thing and the newest result of one that is done; both null before anybody asked."""

    result: dict[str, Any] | None = None
    run: RunOut | None = None


class ColumnsOut(msgspec.Struct, frozen=True, kw_only=True):
    """A channel in steps; null where a step said nothing of it."""

    high: list[float | None]
    low: list[float | None]
    mean: list[float | None]


class EpochOut(msgspec.Struct, frozen=True, kw_only=True):
    """Receipts of an epoch; `waiting` are missing below one that came."""

    epoch: int
    upto: int
    waiting: int


Form = Literal["csv", "parquet"]


class LetterOut(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter without its bytes."""

    arrival: datetime
    bytes: int
    detail: str
    id: int
    reason: str
    epoch: int | None = None
    replayed: datetime | None = None
    seq: int | None = None


class ObservedOut(msgspec.Struct, frozen=True, kw_only=True):
    """How far the detectors have come."""

    epoch: int
    health: str
    seq: int
    last_reading: datetime | None = None


class RunOut(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the bench."""

    asked: datetime
    asked_by: str
    id: UUID
    share: float
    state: Literal["waiting", "running", "done", "failed"]
    ended: datetime | None = None
    error: str | None = None


class ShadowOut(msgspec.Struct, frozen=True, kw_only=True):
    """A detector in the shadow beside the live one, as `wellkept shadow compare` prints it."""

    compared: dict[str, Any]
    devices: int
    failed: int
    name: str
    version: str


class ShadowsOut(msgspec.Struct, frozen=True, kw_only=True):
    """All shadows."""

    items: list[ShadowOut]


class SignalsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Channels of a device over a stretch of event time, in steps of one width."""

    active: list[SpanOut]
    channels: dict[str, ColumnsOut]
    end: datetime
    gaps: list[SpanOut]
    n: list[int]
    start: datetime
    step_s: float
    t: list[datetime]


class SpanOut(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when; of a phase also which."""

    end: datetime
    start: datetime
    phase: str | None = None


class WayOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what a device sent."""

    dead_letters: int
    detector_errors: int
    epochs: list[EpochOut]
    gaps: list[tuple[int, int]]
    late_2d: int
    lost_7d: int
    arrival_after_event_s: float | None = None
    observed: ObservedOut | None = None
