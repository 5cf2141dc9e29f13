"""The JSON of technicians' days: visits in order, checklists, delays, positions."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, GivenMoment, Moment, WindowOut
from api.v1.money_models import WordsOut

_VISIT = "019a9547-3c00-7a11-8b6f-2f1f0f5d0002"
_WHO = "0b6d2a52-6c3e-5f3a-9d8b-2a0a6f6b1c11"
_STOP: dict[str, Any] = {
    "visit": _VISIT,
    "ref": "WK-1001",
    "state": "confirmed",
    "window": {"start": "2026-11-19T00:00:00Z", "end": "2026-11-19T02:00:00Z"},
    "expected": None,
    "travel_minutes": 16,
    "minutes": 45,
    "household": "Lin",
    "address": "12 Wuning Road, flat 301",
    "latitude": 31.236,
    "longitude": 121.47,
    "phone": "+862155501234",
    "device": "demo/fridge-1",
    "kind": "refrigerator",
    "room": "kitchen",
    "serial": "LX260-004217",
    "fault": "condenser_fan_wear",
    "safety": False,
    "parts": [{"sku": "RF-FAN-120", "title": {"zh": "散热风扇", "en": "Condenser fan"}, "packed": False}],
    "code": "4827",
}


class PartOut(BaseModel):
    """A part that a visit brings; `packed` when it is in the van."""

    sku: str
    title: WordsOut
    packed: bool


class StopOut(BaseModel):
    """A visit of a day.

    `travel_minutes` leads from the stop before, or from home, and is null when nobody has to go there any more.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_STOP]})

    visit: UUID
    ref: str
    state: str
    window: WindowOut
    expected: Moment | None = Field(description="when the technician said to be there, who runs late")
    travel_minutes: int | None
    minutes: int = Field(description="of work")
    household: str
    address: str
    latitude: float | None
    longitude: float | None
    phone: str | None
    device: str
    kind: str
    room: str | None
    serial: str | None
    fault: str | None
    safety: bool
    parts: list[PartOut]
    code: str = Field(description="the technician says it first at the door")


class JourneyDayOut(BaseModel):
    """A technician's day, in the order of its visits. The date is one of their time zone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"technician": _WHO, "name": "Chen Wei", "tz": "Asia/Shanghai", "date": "2026-11-19", "stops": [_STOP]}
            ]
        }
    )

    technician: UUID
    name: str
    tz: str
    date: date
    stops: list[StopOut]


class ListStepOut(BaseModel):
    """A step of a checklist; `phase` is van, safety, test, repair or proof."""

    id: str
    phase: str
    text: WordsOut
    done: bool
    at: Moment | None
    actor: str | None


class ChecklistOut(BaseModel):
    """What a technician does at an appliance, step by step, and what is done."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "visit": _VISIT,
                    "steps": [
                        {
                            "id": "safety-1",
                            "phase": "safety",
                            "text": {"zh": "拔下电源插头", "en": "Pull the plug"},
                            "done": True,
                            "at": "2026-11-19T00:20:00Z",
                            "actor": f"technician:{_WHO}",
                        }
                    ],
                }
            ]
        }
    )

    visit: UUID
    steps: list[ListStepOut]


class TickIn(Body):
    """A step that is done, or is not done after all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"step": "safety-1", "done": True}]})

    step: str = Field(min_length=1, max_length=80)
    done: bool = True


class DelayIn(Body):
    """When a technician who runs late expects to be there."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expected": "2026-11-19T02:30:00Z"}]})

    expected: GivenMoment


class DelayOut(BaseModel):
    """What the household was told; `times` counts how often."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"visit": _VISIT, "expected": "2026-11-19T02:30:00Z", "at": "2026-11-19T01:10:00Z", "times": 1}
            ]
        }
    )

    visit: UUID
    expected: Moment
    at: Moment
    times: int


class PositionIn(Body):
    """Where the technician is (WGS 84)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lat": 31.2304, "lon": 121.4737}]})

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class PositionOut(BaseModel):
    """Where the technician of a visit is, while travelling to it.

    All null before and after the journey, and for everybody but the visit's household and its technician.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"visit": _VISIT, "at": "2026-11-19T00:05:30Z", "lat": 31.2304, "lon": 121.4737}]
        }
    )

    visit: UUID
    at: Moment | None
    lat: float | None
    lon: float | None
