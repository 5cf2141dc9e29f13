"""The JSON of `/v1`. Times are fleet times in RFC 3339; ids are opaque."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A piece of a list; `next` goes into `cursor` for the following piece, null at the end."""

    items: list[T]
    next: str | None = None


class ClockOut(BaseModel):
    """The fleet clock: fleet time at `wall` was `fleet`, and runs `speed` times as fast as wall time."""

    rev: int
    wall: datetime
    fleet: datetime
    speed: float
    now: datetime


class DeviceOut(BaseModel):
    """A device and its health; silence is unknown, never healthy."""

    id: str
    org: str
    device: str
    kind: str
    model: str | None
    serial: str | None
    room: str | None
    household: UUID | None
    installed: datetime | None
    warranty_until: date | None
    registered: datetime
    health: str = Field(description="ok, faulty or unknown")
    health_since: datetime | None
    last_reading: datetime | None


class ReadingOut(BaseModel):
    """One reading; absent channels are null."""

    t: datetime
    arrival: datetime
    epoch: int
    seq: int
    sub: int
    phase: str | None
    late: bool
    q: dict[str, float | None]


class FindingOut(BaseModel):
    """The newest revision of a finding; `finding` holds causes, evidence and what was ruled out."""

    id: UUID
    device: str
    family: str
    state: str = Field(description="open or ended")
    severity: int
    opened: datetime
    onset: datetime
    onset_low: datetime
    onset_high: datetime
    observed: datetime
    score: float
    revision: int
    history: bool
    life: tuple[float, float] | None = Field(description="remaining life from `observed`, seconds, low and high")
    detector: str
    version: str
    finding: dict[str, Any]


class WindowOut(BaseModel):
    """Two hours in which a technician comes."""

    start: datetime
    end: datetime


class VisitOut(BaseModel):
    """A technician's appointment."""

    id: UUID
    ticket: UUID
    ref: str
    device: str
    household: UUID | None
    family: str
    fault: str | None
    technician: str
    technician_id: UUID
    skill: str
    parts: list[str]
    window: WindowOut
    state: str
    reason: str | None
    hold_until: datetime
    readable: datetime | None = Field(description="When the owner's notice of it may be read: quiet hours are kept.")
    legal: list[str]
    outcome: str | None
    cause: str | None


class EventOut(BaseModel):
    """A line of a timeline."""

    at: datetime
    kind: str
    actor: str
    body: dict[str, Any]


class TicketOut(BaseModel):
    """A ticket with its responsible person, next action and the moves a person may make."""

    id: UUID
    ref: str
    device: str
    kind: str
    household: UUID | None
    family: str
    fault: str | None
    finding_id: UUID | None
    severity: int
    safety: bool
    state: str
    reason: str | None
    responsible: str
    next_action: str
    next_due: datetime | None
    blocking: str | None
    opened: datetime
    planned: datetime | None
    done: datetime | None
    verified: datetime | None
    closed: datetime | None
    legal: list[str]
    visit: UUID | None


class TicketDetailOut(TicketOut):
    """A ticket with everything on it."""

    visits: list[VisitOut]
    timeline: list[EventOut]
    finding: FindingOut | None


class NoticeOut(BaseModel):
    """A message to a household."""

    id: UUID
    ticket: UUID
    household: UUID
    stage: str
    lang: str
    channel: str
    subject: str
    body: str
    link: str
    state: str
    queued: datetime
    sent: datetime | None
    delivered: datetime | None
    opened: datetime | None


class OffersOut(BaseModel):
    """Other windows of a visit: the best three, then all by time; or the constraint that leaves none."""

    best: list[WindowOut]
    all: list[WindowOut]
    blocking: str | None


class MoveIn(BaseModel):
    """Where to move a ticket or a visit."""

    to: str
    reason: str | None = Field(default=None, max_length=500)


class WindowIn(BaseModel):
    """The start of another window, one of those offered."""

    start: datetime


class OutcomeIn(BaseModel):
    """The technician's report. `cause` is a fault of the catalogue, null when none was found."""

    code: Literal["repaired", "no_fault_found", "part_missing", "not_repaired"]
    cause: str | None = None
    parts: list[str] = []
    note: str = Field(default="", max_length=2000)
