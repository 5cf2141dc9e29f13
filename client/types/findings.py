"""Shapes of findings. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ScoreOut(msgspec.Struct, frozen=True, kw_only=True):
    """One detector on one fault family of one model."""

    detector: str
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
    right: int
    suggest_only: bool
    suggestions: int
    verdicts: int
    wrong: int


class ScoreboardOut(msgspec.Struct, frozen=True, kw_only=True):
    """All detectors that have a verdict."""

    bar: float
    level: float
    scores: list[ScoreOut]
