"""Shapes of the dispatch board in `/v1`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, GivenMoment, Moment, WindowOut
from api.v1.plan_models import SlotOut

_TICKET = "019a9547-3c00-7a11-8b6f-2f1f0f5d0001"
_VISIT = "019a9547-3c00-7a11-8b6f-2f1f0f5d0002"
_CHEN = "4b6f2a52-50f5-5b3a-8d3c-3e3cf16a9d02"
_WINDOW: dict[str, Any] = {"start": "2026-11-19T00:00:00Z", "end": "2026-11-19T02:00:00Z"}
_BREACH: dict[str, Any] = {"rule": "travel", "hard": False, "minutes": 12}
_BLOCK: dict[str, Any] = {
    "visit": _VISIT,
    "ticket": _TICKET,
    "ref": "WK-1001",
    "kind": "refrigerator",
    "household": "Lin",
    "area": "North",
    "state": "confirmed",
    "locked": False,
    "window": _WINDOW,
    "begin": "2026-11-19T00:14:00Z",
    "end": "2026-11-19T01:14:00Z",
    "way_min": 14,
    "late_min": 0,
    "breaches": [],
}
_LANE: dict[str, Any] = {
    "technician": _CHEN,
    "name": "Chen Mei",
    "area": "North",
    "skills": ["cooling", "appliances"],
    "shift": {"start": "2026-11-19T00:00:00Z", "end": "2026-11-19T12:00:00Z"},
    "absent": False,
    "pauses": [],
    "travel_min": 41,
    "load": 0.24,
    "visits": [_BLOCK],
}
_CARD: dict[str, Any] = {
    "ticket": _TICKET,
    "ref": "WK-1001",
    "severity": 3,
    "kind": "refrigerator",
    "family": "condenser_airflow",
    "household": "Lin",
    "area": "North",
    "state": "open",
    "next_action": "plan_visit",
    "next_due": "2026-11-18T05:30:00Z",
    "blocking": None,
    "visit": None,
    "absent": False,
    "version": 4,
}
_TRAY: dict[str, Any] = {"count": 1, "items": [_CARD]}
_EMPTY: dict[str, Any] = {"count": 0, "items": []}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class BreachOut(BaseModel):
    """A rule that a technician and a window break."""

    model_config = _example(_BREACH)

    rule: str
    hard: Annotated[bool, Field(description="nobody goes past it; past the others a `reason` leads")]
    minutes: int | None = None
    sku: str | None = None
    skill: str | None = None
    until: Annotated[Moment | None, Field(description="of a part's arrival, or of the remaining life")] = None


class BlockOut(BaseModel):
    """A visit of a day; of other areas' visits only the times are told."""

    model_config = _example(_BLOCK)

    visit: UUID | None = None
    ticket: UUID | None = None
    ref: str | None = None
    kind: str | None = None
    household: str | None = None
    area: str | None = None
    state: str | None = None
    locked: bool = False
    window: WindowOut
    begin: Annotated[Moment, Field(description="when it is worked on: as it was, or as is expected now")]
    end: Moment
    way_min: Annotated[int, Field(description="from what is before it")]
    late_min: Annotated[int, Field(description="after the promised window")]
    breaches: list[BreachOut]


class LaneOut(BaseModel):
    """A technician's day."""

    model_config = _example(_LANE)

    technician: UUID
    name: str
    area: str
    skills: list[str]
    shift: WindowOut | None = None
    absent: bool
    pauses: list[WindowOut]
    travel_min: int
    load: Annotated[float, Field(description="share of the shift that is worked or driven")]
    visits: list[BlockOut]


class CardOut(BaseModel):
    """A ticket of the tray."""

    model_config = _example(_CARD)

    ticket: UUID
    ref: str
    severity: int
    kind: str
    family: str
    household: str
    area: str
    state: str
    next_action: str
    next_due: Moment | None
    blocking: str | None
    visit: UUID | None
    absent: Annotated[bool, Field(description="its visit's technician is away")]
    version: int


class TrayOut(BaseModel):
    """Tickets of one sort, by time left; `count` counts those too that are not listed."""

    model_config = _example(_TRAY)

    count: int
    items: list[CardOut]


class BoardOut(BaseModel):
    """One day of the dispatch board, and the tray."""

    model_config = _example(
        {
            "date": "2026-11-19",
            "zone": "Asia/Shanghai",
            "now": "2026-11-18T01:30:00Z",
            "technicians": [_LANE],
            "unassigned": _TRAY,
            "alerts": _EMPTY,
            "hold": _EMPTY,
        }
    )

    date: date
    zone: str
    now: Moment
    technicians: list[LaneOut]
    unassigned: TrayOut
    alerts: TrayOut
    hold: TrayOut


_ASSIGNMENT: dict[str, Any] = {
    "ticket": _TICKET,
    "ref": "WK-1001",
    "version": 5,
    "visit": _VISIT,
    "state": "proposed",
    "locked": False,
    "slot": {"technician": _CHEN, "name": "Chen Mei", **_WINDOW},
    "move": "open",
    "undo_until": "2026-11-22T05:00:10Z",
    "breaches": [],
}


class AssignmentOut(BaseModel):
    """Who comes when for a ticket, and how far the last placing by hand is."""

    model_config = _example(_ASSIGNMENT)

    ticket: UUID
    ref: str
    version: Annotated[int, Field(description="of the ticket")]
    visit: UUID | None = None
    state: str | None = None
    locked: bool = False
    slot: SlotOut | None = None
    move: Annotated[
        str | None, Field(description="`open`: the owner is told at `undo_until`; `undone`, `released`, `overtaken`")
    ] = None
    undo_until: Annotated[Moment | None, Field(description="wall time")] = None
    breaches: Annotated[list[BreachOut], Field(description="of the place that was asked for")] = []


class AssignIn(Body):
    """A technician and the begin of a window."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"technician": _CHEN, "start": "2026-11-19T00:00:00Z", "reason": "the owner has the part", "version": 4}
            ]
        },
    )

    technician: UUID
    start: GivenMoment
    owner: Annotated[
        Literal["ask", "agreed"] | None,
        Field(description="another window than the owner has confirmed: is it asked, or has it agreed on the phone?"),
    ] = None
    reason: Annotated[str, Field(max_length=500, description="why rules are broken that a person may go past")] = ""
    version: Annotated[int | None, Field(description="of the ticket that you looked at; another one is a 409")] = None


class LockIn(Body):
    """Whether the visit stays where it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"locked": True}]})

    locked: bool
