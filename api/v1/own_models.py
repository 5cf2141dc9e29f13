"""Shapes of what owners do with their visit in `/v1`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, Moment

_ACCESS: dict[str, Any] = {
    "entry": "bell Lin, 3rd floor, code 4711",
    "parking": "in the yard",
    "pets": "a shy cat",
    "adult": True,
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class AccessIn(Body):
    """How to get in; what is left out is empty. `adult`: whether somebody of age is at home for this visit."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_ACCESS]})

    entry: str = Field(default="", max_length=500)
    parking: str = Field(default="", max_length=500)
    pets: str = Field(default="", max_length=500)
    adult: bool | None = None


class AccessOut(BaseModel):
    """How to get in. A technician reads it on the day of the visit only: before, `shown` is false and all is empty."""

    model_config = _example({"visit": "019a9547-3c00-7a11-8b6f-2f1f0f5d0002", "shown": True, **_ACCESS})

    visit: UUID
    shown: bool
    entry: str = ""
    parking: str = ""
    pets: str = ""
    adult: bool | None = None


class CancelIn(Body):
    """Why the owner calls a visit off."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "we are away"}]})

    reason: str = Field(min_length=1, max_length=500)


class NotAProblemIn(Body):
    """Why the owner says that nothing is wrong."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "we moved it last month"}]})

    reason: str = Field(min_length=1, max_length=200)


class ArrivalOut(BaseModel):
    """When somebody is expected at the door. Where they are stands in `/v1/visits/{id}/position`."""

    model_config = _example(
        {
            "visit": "019a9547-3c00-7a11-8b6f-2f1f0f5d0002",
            "state": "travelling",
            "expected": "2026-11-19T01:25:00Z",
            "promised": "2026-11-19T02:00:00Z",
            "late": False,
            "change_until": "2026-11-18T10:00:00Z",
            "changeable": False,
        }
    )

    visit: UUID
    state: str
    expected: Moment | None = Field(description="about when; null where nothing but the window is known")
    promised: Moment = Field(description="the end of the window")
    late: bool
    change_until: Moment = Field(description="until then the owner changes or cancels without asking anybody")
    changeable: bool


class SaidOut(BaseModel):
    """A message between owner and service."""

    model_config = _example(
        {"at": "2026-11-18T01:30:00Z", "by": "owner", "words": "Do you bring a new fan?", "channel": "page"}
    )

    at: Moment
    by: str = Field(description="owner or service")
    words: str
    channel: str = Field(description="where it came from, as far as it is known: page, mail")


class TalkOut(BaseModel):
    """What owner and service wrote to each other, oldest first; never notes among people of ours."""

    model_config = _example(
        {
            "items": [
                {"at": "2026-11-18T01:30:00Z", "by": "owner", "words": "Do you bring a new fan?", "channel": "page"},
                {"at": "2026-11-18T01:31:00Z", "by": "service", "words": "Yes.", "channel": ""},
            ]
        }
    )

    items: list[SaidOut]
