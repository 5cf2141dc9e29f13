"""Shapes of clock. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ClockOut(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet clock: fleet time at `wall` was `fleet`, and runs `speed` times as fast as wall time."""

    fleet: datetime
    now: datetime
    rev: int
    speed: float
    wall: datetime
