"""Models of the desk's own: notes, hands, technicians and absences, the roster, the wall, fleet faults."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, GivenMoment, Moment

_TECHNICIAN = "0192f0c1-7a2b-7c3d-8e4f-5a6b7c8d9e0f"
_TOUCHED: dict[str, Any] = {
    "visit": "0192f0c1-7a2b-7c3d-8e4f-5a6b7c8d9e0f",
    "ref": "WK-1001",
    "start": "2026-11-20T01:00:00Z",
    "end": "2026-11-20T03:00:00Z",
    "movable": True,
    "new": None,
}


class NoteIn(Body):
    """Words for people of ours alone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"words": "Cat at home: keep the kitchen door closed."}]})

    words: str = Field(min_length=1, max_length=2000, pattern=r"\S")


class HandsIn(Body):
    """Into whose hands a case goes: `dispatch`, `dispatch:<login>` or `supervisor`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "dispatch:ana"}]})

    to: str = Field(max_length=80, pattern=r"^(dispatch(:[^\s:]+)?|supervisor)$")


class SkillOut(BaseModel):
    """A skill with the last day of its training record, if it has one."""

    skill: str
    valid_until: date | None
    trained: date | None
    course: str


class AbsenceOut(BaseModel):
    """When a technician is away."""

    start: Moment
    end: Moment
    reason: str


class TechnicianDayOut(BaseModel):
    """A day: visits, and their work as a share of the shift; null without a shift."""

    day: date
    visits: int
    load: float | None
    away: bool


class TechnicianOut(BaseModel):
    """A technician with the next seven days."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _TECHNICIAN,
                    "org": "demo",
                    "name": "Jonas Weber",
                    "area": "North",
                    "skills": [{"skill": "cooling", "valid_until": "2027-03-31", "trained": None, "course": ""}],
                    "days": [{"day": "2026-11-19", "visits": 4, "load": 0.71, "away": False}],
                    "absences": [],
                }
            ]
        }
    )

    id: UUID
    org: str
    name: str
    area: str
    skills: list[SkillOut]
    days: list[TechnicianDayOut]
    absences: list[AbsenceOut]


class TechniciansOut(BaseModel):
    """Active technicians, by name."""

    items: list[TechnicianOut]


class TouchedOut(BaseModel):
    """A visit that falls into an absence, and the start of the one proposed instead, if there is one."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TOUCHED]})

    visit: UUID
    ref: str
    start: Moment
    end: Moment
    movable: bool
    new: Moment | None


class TouchedListOut(BaseModel):
    """The visits that an absence touches."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_TOUCHED]}]})

    items: list[TouchedOut]


class AbsenceIn(Body):
    """An absence, and what becomes of the visits in it: other times for their owners, or dispatch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"start": "2026-12-01T00:00:00Z", "end": "2026-12-02T00:00:00Z", "reason": "ill", "then": "replan"}
            ]
        }
    )

    start: GivenMoment
    end: GivenMoment
    reason: str = Field(default="", max_length=200)
    then: Literal["replan", "dispatch"] = "dispatch"


class RosterEntryOut(BaseModel):
    """A person on the roster, now or later; the address is a secret and not told."""

    id: UUID
    org: str
    step: int
    name: str
    start: Moment
    until: Moment


class RosterEntriesOut(BaseModel):
    """Who is on call now, by step, then who will be."""

    items: list[RosterEntryOut]


class OnCallEndIn(Body):
    """Whom to take off the roster."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"entry": _TECHNICIAN}]})

    entry: UUID


class WallCaseOut(BaseModel):
    """A case whose promise is broken, in danger or standing."""

    ref: str
    severity: int
    policy: str
    due: Moment | None
    breached: Moment | None
    reasons: list[str]
    responsible: str


class WallOut(BaseModel):
    """Promises now: how many cases, and those that come first."""

    broken: int
    within_1h: int
    within_4h: int
    waiting_owner: int
    waiting_parts: int
    on_hold: int
    cases: list[WallCaseOut]


class FaultGroupOut(BaseModel):
    """Appliances that share a model, a region, both, a lot or a firmware, and have the same finding open."""

    kind: str
    family: str
    by: Literal["model", "region", "both", "firmware", "lot"]
    name: str
    devices: int
    findings: int
    expected: float = Field(description="findings that the group would have if it were like the rest of its kind")
    chance: float = Field(description="how likely so many or more are by chance")
    stands_out: bool
    first: Moment


class SharedOut(BaseModel):
    """What those with a finding have in common, and the other appliances of the kind have not, by an exact test."""

    what: Literal["firmware", "lot"]
    name: str
    members: int = Field(description="with the finding, as far as their firmware or lot is known")
    members_having: int = Field(description="of these, with the trait")
    others: int = Field(description="of the kind, without the finding")
    others_having: int
    chance: float = Field(description="how likely so many members have it by chance")


class FleetFindingOut(BaseModel):
    """Findings that began together: one cause, which is not the appliances' own. Their tickets wait for it to pass."""

    id: UUID
    kind: str
    family: str
    opened: Moment
    devices: int = Field(description="of the kind, when it opened")
    findings: int = Field(description="members so far")
    expected: float = Field(description="findings within three days, were the fleet as ever")
    newest: Moment = Field(description="when the last member joined")
    shared: SharedOut | None = Field(description="the firmware or lot that most members share and the rest has not")


class FaultGroupsOut(BaseModel):
    """Groups with open findings, those least likely by chance first; and what began together, the newest first."""

    items: list[FaultGroupOut]
    together: list[FleetFindingOut]
