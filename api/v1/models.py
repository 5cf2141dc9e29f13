"""The JSON of `/v1`. Times are fleet times in RFC 3339 with `Z`; ids are opaque."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.v1 import examples

T = TypeVar("T")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _spelled(value: object) -> object:
    if not isinstance(value, datetime) and not (isinstance(value, str) and _RFC3339.fullmatch(value)):
        raise ValueError("a time is written as in RFC 3339, with its offset: 2026-11-20T08:00:00Z")
    return value


Moment = Annotated[datetime, AfterValidator(_utc)]
"""A time that is told: always in UTC, written with `Z`."""
GivenMoment = Annotated[AwareDatetime, BeforeValidator(_spelled), AfterValidator(_utc)]
"""A time that is given to us: RFC 3339 and nothing else, with any offset."""


class Body(BaseModel):
    """What clients send: no members that we do not know, no text that cannot be stored."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:  # noqa: ANN401  (JSON values)
        texts = value.values() if isinstance(value, dict) else ()
        flat = [t for each in texts for t in (each if isinstance(each, list) else [each])]
        if any(isinstance(text, str) and "\0" in text for text in flat):
            raise ValueError("text holds no NUL")
        return value


class Page(BaseModel, Generic[T]):
    """A piece of a list; `next` goes into `cursor` for the following piece, null at the end."""

    items: list[T]
    next: str | None = None


class ClockOut(BaseModel):
    """The fleet clock: fleet time at `wall` was `fleet`, and runs `speed` times as fast as wall time."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CLOCK_OUT]})

    rev: int
    wall: Moment
    fleet: Moment
    speed: float
    now: Moment


class DeviceOut(BaseModel):
    """A device and its health; silence is unknown, never healthy."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DEVICE_OUT]})

    id: str
    org: str
    device: str
    kind: str
    model: str | None
    serial: str | None
    room: str | None
    household: UUID | None
    installed: Moment | None
    warranty_until: date | None
    registered: Moment
    lot: str | None = Field(description="production lot, where it is known")
    firmware: str | None = Field(description="the version that the device said last")
    firmware_since: Moment | None = Field(description="event time of its first message from that version")
    health: str = Field(description="ok, faulty or unknown")
    health_since: Moment | None
    last_reading: Moment | None


class ReadingOut(BaseModel):
    """One reading; absent channels are null."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.READING_OUT]})

    t: Moment
    arrival: Moment
    epoch: int
    seq: int
    sub: int
    phase: str | None
    late: bool
    q: dict[str, float | None]


class FindingOut(BaseModel):
    """The newest revision of a finding; `finding` holds causes, evidence and what was ruled out."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.FINDING_OUT]})

    id: UUID
    device: str
    family: str
    state: str = Field(description="open or ended")
    severity: int
    opened: Moment
    onset: Moment
    onset_low: Moment
    onset_high: Moment
    observed: Moment
    score: float
    revision: int
    history: bool
    life: tuple[float, float] | None = Field(description="remaining life from `observed`, seconds, low and high")
    detector: str
    version: str
    suggested: Moment | None = Field(
        default=None,
        description="when it was only suggested, its detector being below the bar; it opened no ticket then",
    )
    correlation: str | None = Field(
        default=None, description="`org/device/epoch/seq` of the message that brought it about, as in the logs"
    )
    finding: dict[str, Any]


class WindowOut(BaseModel):
    """Two hours in which a technician comes."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.WINDOW_OUT]})

    start: Moment
    end: Moment


class VisitOut(BaseModel):
    """A technician's appointment."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.VISIT_OUT]})

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
    hold_until: Moment
    readable: Moment | None = Field(description="When the owner's notice of it may be read: quiet hours are kept.")
    legal: list[str]
    outcome: str | None
    cause: str | None
    locked: Annotated[bool, Field(description="planning leaves it with its technician and window")] = False


class EventOut(BaseModel):
    """A line of a timeline."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.EVENT_OUT]})

    at: Moment
    kind: str
    actor: str
    body: dict[str, Any]


class TicketOut(BaseModel):
    """A ticket with its responsible person, next action and the moves a person may make."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.TICKET_OUT]})

    id: UUID
    ref: str
    device: str
    kind: str
    lot: str | None = Field(description="production lot of the appliance")
    firmware: str | None = Field(description="the version that it ran when the trouble began")
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
    next_due: Moment | None
    blocking: str | None
    opened: Moment
    planned: Moment | None
    done: Moment | None
    verified: Moment | None
    closed: Moment | None
    legal: list[str]
    visit: UUID | None


class TicketDetailOut(TicketOut):
    """A ticket with everything on it."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.TICKET_DETAIL_OUT]})

    visits: list[VisitOut]
    timeline: list[EventOut]
    finding: FindingOut | None


class NoticeOut(BaseModel):
    """A message to a household."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.NOTICE_OUT]})

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
    queued: Moment
    sent: Moment | None
    delivered: Moment | None
    opened: Moment | None


class OffersOut(BaseModel):
    """Other windows of a visit: the best three, then all by time; or the constraint that leaves none."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.OFFERS_OUT]})

    best: list[WindowOut]
    all: list[WindowOut]
    blocking: str | None


class MoveIn(Body):
    """Where to move a ticket or a visit."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.MOVE_IN]})

    to: str = Field(max_length=40)
    reason: str | None = Field(default=None, max_length=500)


class ComplaintIn(Body):
    """What the owner is not content with."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.COMPLAINT_IN]})

    words: str = Field(min_length=1, max_length=2000)


class MergeIn(Body):
    """The ticket that stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.MERGE_IN]})

    into: UUID


class ReportIn(Body):
    """What an owner says of an appliance that has failed; `family` where the words point to one."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.REPORT_IN]})

    words: str = Field(min_length=1, max_length=2000)
    family: str | None = Field(default=None, max_length=100)


class WindowIn(Body):
    """The start of another window, one of those offered."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.WINDOW_IN]})

    start: GivenMoment


class FittedIn(Body):
    """A part with a serial number that was put in, and the number of the one that came out."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.FITTED_IN]})

    sku: str = Field(min_length=1, max_length=100)
    serial: str = Field(min_length=1, max_length=100)
    replaced: str = Field(default="", max_length=100)


class OutcomeIn(Body):
    """The technician's report. `cause` is a fault of the catalogue, null when none was found.

    `charged` is the sum asked where it is another than the reckoned one; above what was agreed it is refused.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.OUTCOME_IN]})

    code: Literal["repaired", "no_fault_found", "part_missing", "not_repaired"]
    cause: str | None = Field(default=None, max_length=100)
    parts: list[Annotated[str, Field(max_length=100)]] = Field(default=[], max_length=50)
    note: str = Field(default="", max_length=2000)
    charged: Decimal | None = Field(default=None, ge=0, max_digits=12, decimal_places=2)
    fitted: list[FittedIn] = Field(default=[], max_length=50)


class ChangeOut(BaseModel):
    """The data of an event: what changed, and where to read it."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHANGE_OUT]})

    type: str = Field(description="ticket, visit, quote, notice, finding or device")
    id: str = Field(description="of what changed; org/device of a device")
    what: str = Field(description="created or changed")
    state: str = Field(description="after the change; a device's health")
    was: str | None = Field(description="before it")
    href: str | None = Field(description="where it is read; notices are read in their list")
    ticket: UUID | None = Field(description="of tickets, visits, quotes and notices")


class ProblemOut(BaseModel):
    """An error (RFC 9457). Some kinds have further members."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [examples.PROBLEM_OUT]})

    type: str = Field(description="names the kind of problem; stable")
    title: str
    status: int
    detail: str = Field(description="what it is this time, and one way on")
    instance: str = Field(description="the address that was asked")
