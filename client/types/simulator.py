"""Shapes of simulator. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ClearIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fault or family to undo; all when empty."""

    fault: str | None = None


class FaultIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fault that shall begin now."""

    fault: str
    lead_days: float | None = None


class FleetOut(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated fleet that this server knows; `running` is false where none answers."""

    clock: PaceOut
    running: bool
    connected: bool | None = None
    developing: list[GrowingOut] | None = None
    devices: int | None = None
    fleet: datetime | None = None
    messages: int | None = None
    offline: int | None = None
    scenario: str | None = None
    seed: int | None = None
    unreceipted: int | None = None


class GrowingOut(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that is developing in the simulator: level 0 new, 1 functional failure."""

    device: str
    failure: datetime
    family: str
    fault: str
    level: float
    onset: datetime


class NetworkIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields of the link by name; the scenario's own again when null."""

    values: dict[str, float] | None = None


class PaceIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another ceiling (0 pauses), or so many hours at the ceiling and then a rest."""

    speed: float | None = None
    step_hours: float | None = None


class PaceOut(msgspec.Struct, frozen=True, kw_only=True):
    """How the fleet clock runs. It is held back below its ceiling while something waits."""

    now: datetime
    speed: float
    steerable: bool
    ceiling: float | None = None
    until: datetime | None = None


class RebootIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A restart of the module, with another firmware when one is given."""

    fw: str | None = None
    spool_lost: bool | None = None


class SimulatedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated device."""

    clock_error_s: float
    device: str
    epoch: int
    faults: list[str]
    fw: str
    link: dict[str, float]
    next_seq: int
    offline: bool
    unreceipted: int
