"""Shapes of findings. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime

import msgspec


class RateOut(msgspec.Struct, frozen=True, kw_only=True):
    """Wrong findings per device-year with the exact 95 % interval of a Poisson count."""

    high: float
    low: float
    rate: float


class ScoreOut(msgspec.Struct, frozen=True, kw_only=True):
    """One detector on one fault family of one model."""

    detector: str
    device_years: float
    family: str
    high: float
    kind: str
    latest: datetime
    low: float
    missed: int
    model: str
    named: int
    named_right: int
    org: str
    precision: float
    repaired: int
    repaired_in_time: int
    right: int
    suggest_only: bool
    suggestions: int
    told_life: int
    verdicts: int
    wrong: int
    false_per_device_year: RateOut | None = None
    repair_days: float | None = None


class ScoreboardOut(msgspec.Struct, frozen=True, kw_only=True):
    """All detectors that have a verdict."""

    bar: float
    level: float
    scores: list[ScoreOut]
