"""The JSON of the engineers' routes."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.simulator import MOST_SPEED, MOST_STEP_HOURS
from api.v1.models import Body, Moment

_RUN: dict[str, Any] = {
    "id": "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
    "state": "done",
    "share": 1.0,
    "asked": "2026-11-18T01:30:00Z",
    "asked_by": "staff:ana",
    "ended": "2026-11-18T01:30:09Z",
    "error": None,
}
_SIGNALS: dict[str, Any] = {
    "start": "2026-11-18T00:30:00Z",
    "end": "2026-11-18T01:30:00Z",
    "step_s": 10.0,
    "t": ["2026-11-18T00:30:00Z"],
    "n": [1],
    "channels": {"power": {"low": [98.2], "high": [98.2], "mean": [98.2]}},
    "gaps": [],
    "active": [{"start": "2026-11-18T00:30:00Z", "end": "2026-11-18T00:52:00Z", "phase": "cooling"}],
}
_WAY: dict[str, Any] = {
    "epochs": [{"epoch": 1, "upto": 812, "waiting": 0}],
    "gaps": [],
    "observed": {"epoch": 1, "seq": 812, "health": "ok", "last_reading": "2026-11-18T01:28:00Z"},
    "lost_7d": 0,
    "late_2d": 0,
    "arrival_after_event_s": 1.2,
    "dead_letters": 0,
    "detector_errors": 0,
}
_LETTER: dict[str, Any] = {
    "id": 4,
    "reason": "syntax",
    "detail": "the payload is not JSON",
    "arrival": "2026-11-18T01:30:00Z",
    "epoch": None,
    "seq": None,
    "bytes": 17,
    "replayed": None,
}
_FLEET: dict[str, Any] = {
    "running": True,
    "scenario": "demo",
    "seed": 7,
    "devices": 120,
    "fleet": "2026-11-18T01:30:00Z",
    "messages": 83653,
    "unreceipted": 0,
    "offline": 0,
    "connected": True,
    "developing": [
        {
            "device": "demo/fridge-001",
            "fault": "condenser_fan_wear",
            "family": "condenser_airflow",
            "onset": "2026-11-10T01:30:00Z",
            "failure": "2026-12-01T01:30:00Z",
            "level": 0.3,
        }
    ],
    "clock": {"now": "2026-11-18T01:30:00Z", "speed": 2400.0, "steerable": True, "ceiling": 7200.0, "until": None},
}
_STATUS: dict[str, Any] = {
    "device": "demo/fridge-1",
    "fw": "2.4.1",
    "offline": False,
    "clock_error_s": 0.0,
    "epoch": 1,
    "next_seq": 744,
    "unreceipted": 0,
    "link": {"loss": 0.0},
    "faults": ["condenser_fan_wear"],
}


class SpanOut(BaseModel):
    """From when to when; of a phase also which."""

    start: Moment
    end: Moment
    phase: str = ""


class ColumnsOut(BaseModel):
    """A channel in steps; null where a step said nothing of it."""

    low: list[float | None]
    high: list[float | None]
    mean: list[float | None]


class SignalsOut(BaseModel):
    """Channels of a device over a stretch of event time, in steps of one width."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SIGNALS]})

    start: Moment
    end: Moment
    step_s: float
    t: list[Moment] = Field(description="where each step begins that holds readings")
    n: list[int] = Field(description="readings in it")
    channels: dict[str, ColumnsOut]
    gaps: list[SpanOut]
    active: list[SpanOut] = Field(description="phases in which the appliance works; of stretches up to eight days")


class EpochOut(BaseModel):
    """Receipts of an epoch; `waiting` are missing below one that came."""

    epoch: int
    upto: int
    waiting: int


class ObservedOut(BaseModel):
    """How far the detectors have come."""

    epoch: int
    seq: int
    health: str
    last_reading: Moment | None


class WayOut(BaseModel):
    """What became of what a device sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [_WAY]})

    epochs: list[EpochOut]
    gaps: list[tuple[int, int]] = Field(description="missing seqs of the newest epoch, both ends included")
    observed: ObservedOut | None
    lost_7d: int
    late_2d: int
    arrival_after_event_s: float | None = Field(
        description="least of the last two days; below zero the device's clock is fast"
    )
    dead_letters: int
    detector_errors: int


class LetterOut(BaseModel):
    """A dead letter without its bytes."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LETTER]})

    id: int
    reason: str
    detail: str
    arrival: Moment
    epoch: int | None
    seq: int | None
    bytes: int
    replayed: Moment | None


class RunOut(BaseModel):
    """A run of the bench."""

    id: UUID
    state: Literal["waiting", "running", "done", "failed"]
    share: float = Field(description="how far it has come, 0 to 1")
    asked: Moment
    asked_by: str
    ended: Moment | None
    error: str | None


class BenchOut(BaseModel):
    """The newest run of a thing and the newest result of one that is done; both null before anybody asked."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"run": _RUN, "result": None}]})

    run: RunOut | None
    result: dict[str, Any] | None = Field(description="see docs/pages.md; times are microseconds since 1970")


class ShadowOut(BaseModel):
    """A detector in the shadow beside the live one, as `wellkept shadow compare` prints it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "strict", "version": "1ee6e43ab2e2", "devices": 120, "failed": 0, "compared": {}}]
        }
    )

    name: str
    version: str
    devices: int
    failed: int
    compared: dict[str, Any]


class ShadowsOut(BaseModel):
    """All shadows."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": []}]})

    items: list[ShadowOut]


class GrowingOut(BaseModel):
    """A fault that is developing in the simulator: level 0 new, 1 functional failure."""

    device: str
    fault: str
    family: str
    onset: Moment
    failure: Moment
    level: float


class PaceOut(BaseModel):
    """How the fleet clock runs. It is held back below its ceiling while something waits."""

    now: Moment
    speed: float
    steerable: bool = Field(description="somebody paces it and takes what is asked here")
    ceiling: float | None
    until: Moment | None = Field(description="fleet time at which it stands again")


class FleetOut(BaseModel):
    """The simulated fleet that this server knows; `running` is false where none answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FLEET]})

    running: bool
    scenario: str | None = None
    seed: int | None = None
    devices: int | None = None
    fleet: Moment | None = None
    messages: int | None = None
    unreceipted: int | None = None
    offline: int | None = None
    connected: bool | None = None
    developing: list[GrowingOut] = []
    clock: PaceOut


class SimulatedOut(BaseModel):
    """A simulated device."""

    model_config = ConfigDict(json_schema_extra={"examples": [_STATUS]})

    device: str
    fw: str
    offline: bool
    clock_error_s: float
    epoch: int
    next_seq: int
    unreceipted: int
    link: dict[str, float]
    faults: list[str] = Field(description="ids of the faults that it has")


class FaultIn(Body):
    """A fault that shall begin now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"fault": "condenser_fan_wear", "lead_days": 3}]})

    fault: str = Field(min_length=1, max_length=64)
    lead_days: float | None = Field(
        default=None, gt=0, le=3650, description="until functional failure; the catalogue's middle when absent"
    )


class ClearIn(Body):
    """A fault or family to undo; all when empty."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"fault": "condenser_fan_wear"}]})

    fault: str = Field(default="", max_length=64)


class NetworkIn(Body):
    """Fields of the link by name; the scenario's own again when null."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"values": {"offline_hours": 6, "loss": 0.05}}]})

    values: dict[Annotated[str, Field(max_length=64)], float] | None = None


class RebootIn(Body):
    """A restart of the module, with another firmware when one is given."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"fw": "2.5.0", "spool_lost": False}]})

    fw: str = Field(default="", max_length=64, pattern=r"^[ -~]*$")
    spool_lost: bool = False


class PaceIn(Body):
    """Another ceiling (0 pauses), or so many hours at the ceiling and then a rest."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"speed": 600}]})

    speed: float | None = Field(default=None, ge=0, le=MOST_SPEED)
    step_hours: float | None = Field(default=None, gt=0, le=MOST_STEP_HOURS)
