"""Shapes of planning in `/v1`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, GivenMoment, Moment

_PLAN = "019a9547-3c00-7a11-8b6f-2f1f0f5d0101"
_TICKET = "019a9547-3c00-7a11-8b6f-2f1f0f5d0001"
_VISIT = "019a9547-3c00-7a11-8b6f-2f1f0f5d0002"
_LI, _CHEN = "4b6f2a52-50f5-5b3a-8d3c-3e3cf16a9d01", "4b6f2a52-50f5-5b3a-8d3c-3e3cf16a9d02"
_BEFORE: dict[str, Any] = {
    "technician": _LI,
    "name": "Li Qiang",
    "start": "2026-11-19T06:00:00Z",
    "end": "2026-11-19T08:00:00Z",
}
_AFTER: dict[str, Any] = {
    "technician": _CHEN,
    "name": "Chen Mei",
    "start": "2026-11-19T00:00:00Z",
    "end": "2026-11-19T02:00:00Z",
}
_LINE: dict[str, Any] = {
    "no": 1,
    "ticket": _TICKET,
    "ref": "WK-1001",
    "visit": _VISIT,
    "before": _BEFORE,
    "after": _AFTER,
    "change": "moved",
    "state": "open",
}
_SUGGESTION: dict[str, Any] = {
    **_AFTER,
    "detour_min": 12,
    "same_area": True,
    "visits": 3,
    "skill_until": "2026-12-31",
    "parts": {"RF-FAN-120": "van"},
    "life_left_h": 310.5,
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class SlotOut(BaseModel):
    """A technician and two hours."""

    model_config = _example(_AFTER)

    technician: UUID
    name: str
    start: Moment
    end: Moment


class PlanLineOut(BaseModel):
    """What a plan says of one ticket: where it stands and where it would stand."""

    model_config = _example(_LINE)

    no: int
    ticket: UUID
    ref: str
    visit: UUID | None = None
    before: SlotOut | None = None
    after: SlotOut | None = None
    change: Annotated[str, Field(description="`new`, `moved`, `same`, or `none`: without a window, see `blocking`")]
    blocking: Annotated[str | None, Field(description="the constraint that leaves it without a window")] = None
    state: Annotated[str, Field(description="`open`, `accepted`, `refused`, or `outdated`: its ticket has changed")]


class PlanOut(BaseModel):
    """A plan of all visits that wait or are only proposed, as a difference to what is."""

    model_config = _example(
        {
            "id": _PLAN,
            "org": "demo",
            "made": "2026-11-18T01:30:00Z",
            "first": "2026-11-18T01:30:00Z",
            "until": "2026-11-25T01:30:00Z",
            "served": 1,
            "of": 1,
            "travel_before_min": 95,
            "travel_after_min": 71,
            "lines": [_LINE],
        }
    )

    id: UUID
    org: str
    made: Moment
    first: Moment
    until: Moment
    served: int
    of: int
    travel_before_min: int
    travel_after_min: int
    lines: list[PlanLineOut]


class PlanIn(Body):
    """What to plan; a token of one organisation plans that one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"org": "demo", "days": 5}]})

    org: str | None = Field(default=None, max_length=64)
    first: GivenMoment | None = Field(default=None, description="no window starts before; now without it")
    days: int = Field(default=5, ge=1, le=14)


class AcceptIn(Body):
    """Lines to accept together: all of them or none."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"lines": [1, 2]}]})

    lines: list[Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=1000)


class SuggestionOut(SlotOut):
    """A technician and a window, with the reasons for it."""

    model_config = _example(_SUGGESTION)

    detour_min: Annotated[int, Field(description="way that it adds to that day")]
    same_area: bool
    visits: Annotated[int, Field(description="that the technician has on that day")]
    skill_until: Annotated[date | None, Field(description="last day of the skill, when that is near")] = None
    parts: Annotated[dict[str, str], Field(description="where each part is: `van`, `depot` or `ordered`")]
    life_left_h: Annotated[
        float | None, Field(description="hours from the window to the pessimistic end of the remaining life")
    ] = None


class SuggestionsOut(BaseModel):
    """The best three, or the constraint that leaves none; with some: they come after the remaining life."""

    model_config = _example({"best": [_SUGGESTION]})

    best: list[SuggestionOut]
    blocking: str | None = None


class HoldOut(BaseModel):
    """A window that is kept for a ticket."""

    model_config = _example(
        {"start": "2026-11-19T00:00:00Z", "end": "2026-11-19T02:00:00Z", "until": "2026-11-18T01:40:00Z"}
    )

    start: Moment
    end: Moment
    until: Moment
