"""The JSON of what a household does with itself, of an appliance's condition, and of a repair's report."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.v1.models import Body, GivenMoment, Moment
from api.v1.money_models import BillOut, WordsOut

_HOUSEHOLD = "019a9547-3c00-7a11-8b6f-2f1f0f5d0004"


class LearningOut(BaseModel):
    """How far an appliance's own usual range is known."""

    day: int
    of: int


class LifeOut(BaseModel):
    """Remaining life from now: a range, never one date."""

    low_s: float
    high_s: float


class MuteOut(BaseModel):
    """Messages of the appliance wait until then; those about safety do not."""

    until: Moment
    kept_back: int


class ConditionOut(BaseModel):
    """How an appliance is, in one word, with what it rests on."""

    device: str
    health: str = Field(description="healthy, developing, no_data, learning, proving or proven")
    silent_since: Moment | None = Field(description="its last reading, where it says nothing for longer than is usual")
    learning: LearningOut | None
    remaining_life: LifeOut | None
    muted: MuteOut | None
    tickets: list[UUID] = Field(description="open ones")


class TrendPointOut(BaseModel):
    """A day."""

    t: Moment
    value: float | None
    low: float | None
    high: float | None


class TrendOut(BaseModel):
    """A signal of the last four weeks with its usual range; empty where nothing can be shown."""

    device: str
    title: WordsOut | None
    unit: str
    finding: UUID | None = Field(description="whose evidence it is; null: the range is the appliance's own past")
    points: list[TrendPointOut]


class MuteIn(Body):
    """Until when messages are kept back: three months at most."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": "2026-12-01T08:00:00Z"}]})

    until: GivenMoment


class RemovalIn(Body):
    """Why an appliance is taken out of its household."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "sold"}]})

    why: Literal["sold", "broken", "moved", "unwanted"]


class RemovalOut(BaseModel):
    """An appliance that belongs to no household any more, and the cases that ended with it."""

    device: str
    removed: Moment
    ended: list[UUID]


class AddressIn(Body):
    """An e-mail address, or an Apprise URL of a service that owners may name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mail": "grandma@example.org"}]})

    mail: str | None = Field(default=None, max_length=300)
    url: str | None = Field(default=None, max_length=1000)

    @model_validator(mode="after")
    def _one(self) -> AddressIn:
        if (self.mail is None) == (self.url is None):
            raise ValueError("give one of mail and url")
        return self


class WhichAddressIn(Body):
    """One of a household's addresses."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"address": _HOUSEHOLD}]})

    address: UUID


class AddressOut(BaseModel):
    """A way to a household; the address itself is not told."""

    id: UUID
    kind: str = Field(description="mail or chat")
    shown: str = Field(description="`o***@example.org`, or the service's name")
    bounced: Moment | None
    own: bool = Field(description="the household's; else its organisation's")


class AddressesOut(BaseModel):
    """In the order in which they are tried."""

    household: UUID
    items: list[AddressOut]


class WishesIn(Body):
    """Language and quiet hours; what is absent stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"lang": "zh", "quiet_from": "22:00:00", "quiet_to": "07:30:00"}]}
    )

    lang: Literal["zh", "en"] | None = None
    quiet_from: time | None = None
    quiet_to: time | None = None

    @model_validator(mode="after")
    def _both(self) -> WishesIn:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("quiet hours have a begin and an end")
        return self


class WishesOut(BaseModel):
    """Language, quiet hours in the household's zone, and that zone."""

    household: UUID
    lang: str
    quiet_from: time
    quiet_to: time
    tz: str


class HomeLinkOut(BaseModel):
    """A household's link, without its secret."""

    id: UUID
    created: Moment
    expires: Moment | None
    revoked: Moment | None


class HomeLinksOut(BaseModel):
    """Oldest first."""

    household: UUID
    items: list[HomeLinkOut]


class NewLinkOut(BaseModel):
    """A fresh link; whoever holds it opens all of the household's pages."""

    household: UUID
    url: str


class SentLinkOut(BaseModel):
    """Whether the household was sent its own link: at most one an hour, to the addresses that are known."""

    sent: bool


class NotFixedIn(Body):
    """What is still wrong after a repair."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"words": "It hums as before."}]})

    words: str = Field(min_length=1, max_length=2000)


class FittedOut(BaseModel):
    """A part with a serial number, and the one that came out."""

    sku: str
    serial: str
    replaced: str


class ReportVisitOut(BaseModel):
    """A visit of the repair."""

    visit: UUID
    technician: str
    arrived: Moment | None
    finished: Moment | None
    outcome: str | None
    cause: str | None
    parts: list[str]


class RepairReportOut(BaseModel):
    """What was found and done, until when it is answered for, and whether the readings prove it."""

    ticket: UUID
    state: str
    visits: list[ReportVisitOut]
    fitted: list[FittedOut]
    photos: list[UUID]
    done: Moment | None
    verified: Moment | None
    guarantee_until: Moment | None
    bills: list[BillOut]
    total: Decimal
    rating: int | None


class ReceiptOut(BaseModel):
    """How far a quote got; null where it is not known."""

    quote: UUID
    made: Moment
    channel: str | None
    sent: Moment | None
    delivered: Moment | None
    seen: Moment | None
    bounced: Moment | None
    decided: Moment | None
