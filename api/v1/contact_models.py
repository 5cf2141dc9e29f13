"""The JSON of contact, service levels and channels."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, GivenMoment, Moment

_TICKET = "019a9547-3c00-7a11-8b6f-2f1f0f5d0001"
_HOUSEHOLD = "019a9547-3c00-7a11-8b6f-2f1f0f5d0004"


class MessageIn(Body):
    """Words: an owner's question, or a person's answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"words": "Can you come in the morning?"}]})

    words: str = Field(min_length=1, max_length=4000)


class CallIn(Body):
    """A call as a person notes it. `missed`: the owner called and nobody took it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "reached", "words": "Tuesday suits."}]})

    outcome: Literal["reached", "no_answer", "wrong_number", "missed"]
    words: str = Field(default="", max_length=2000)
    number: str | None = Field(
        default=None, max_length=40, description="as dialled; a wrong one is taken from the household at once"
    )


class MailIn(Body):
    """A mail as it came in: its bytes (RFC 5322) in base64."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"message": "RnJvbTogbGlAZXhhbXBsZS5vcmcKCkhlbGxvCg=="}]})

    message: str = Field(min_length=1, max_length=900_000)


class MailTakenOut(BaseModel):
    """What became of a mail."""

    kind: str = Field(description="reply, auto, bounce, delay or receipt")
    ticket: UUID | None = Field(description="null where none was found: it waits in the list of unmatched mails")
    repeated: bool = Field(description="its Message-ID was here before: nothing was done")


class UnmatchedOut(BaseModel):
    """A mail that belongs to no ticket we know."""

    message_id: str
    at: Moment
    kind: str
    sender: str
    subject: str
    words: str


class UnmatchedListOut(BaseModel):
    """The newest hundred."""

    items: list[UnmatchedOut]


class PauseOut(BaseModel):
    """A span in which a clock stood, and why."""

    reason: str = Field(description="owner, parts or hold")
    begun: Moment
    until: Moment | None


class LevelClockOut(BaseModel):
    """A promise and how far it is. Times are working time of its calendar."""

    policy: str
    title: str
    calendar: str
    state: str = Field(description="running, paused, met, met_late, breached or ended")
    started: Moment
    due: Moment | None = Field(description="null while it is paused")
    target_s: float
    consumed_s: float
    warned: Moment | None
    breached: Moment | None
    met: Moment | None
    expected: Moment | None = Field(description="when the plan would keep it")
    pauses: list[PauseOut]


class CompensationOut(BaseModel):
    """What the owner gets for a broken promise."""

    policy: str
    amount: Decimal
    currency: str
    reason: str
    issued: Moment


class CallOut(BaseModel):
    """A call that a person is to make."""

    id: UUID
    ticket: UUID
    ref: str
    severity: int
    safety: bool
    tier: str
    reason: str
    opened: Moment
    due: Moment
    assignee: str
    escalated: Moment | None
    contacted: Moment | None
    state: str


class CallsOut(BaseModel):
    """Open calls in the order of work: safety, severity, and among equals the tier."""

    items: list[CallOut]


class TicketLevelsOut(BaseModel):
    """The service levels of a ticket."""

    ticket: UUID
    tier: str
    downtime_s: float = Field(description="how long the household has been, or was, without the appliance")
    clocks: list[LevelClockOut]
    compensations: list[CompensationOut]
    calls: list[CallOut]


class FirstContactOut(BaseModel):
    """Time to the first human contact after severity 1 or a complaint. Who still waits counts with the time waited."""

    start: Moment
    end: Moment
    tasks: int
    contacted: int
    within_five_minutes: int
    waiting: int
    p50_s: float | None
    p95_s: float | None


class WarningOut(BaseModel):
    """A channel that does not work."""

    channel: str
    since: Moment
    failures: int
    why: str
    warned: Moment | None


class WarningsOut(BaseModel):
    """Channels that do not work now."""

    items: list[WarningOut]


class SilenceIn(Body):
    """Keep messages back: of a ticket, a household, or a whole organisation. Safety is never kept back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "snooze", "until": "2026-11-20T08:00:00Z", "ticket": _TICKET, "reason": "on holiday"}]
        }
    )

    kind: Literal["maintenance", "snooze", "mute"]
    reason: str = Field(min_length=1, max_length=500)
    org: str | None = Field(
        default=None, max_length=64, description="needed where neither ticket nor household is given"
    )
    household: UUID | None = None
    ticket: UUID | None = None
    start: GivenMoment | None = None
    until: GivenMoment | None = Field(default=None, description="needed, except to mute")


class SilenceEndIn(Body):
    """Which silence is to end now."""

    silence: UUID


class SilenceOut(BaseModel):
    """A silence in force, and what it has kept back."""

    id: UUID
    org: str
    kind: str
    start: Moment
    until: Moment | None
    made_by: str
    reason: str
    household: UUID | None
    ticket: UUID | None
    suppressed: list[SuppressedOut]


class SuppressedOut(BaseModel):
    """A message that was kept back, until when, or for good."""

    ticket: UUID
    stage: str
    at: Moment
    until: Moment | None


class SilencesOut(BaseModel):
    """Silences in force."""

    items: list[SilenceOut]


class OnCallIn(Body):
    """A person on the roster; step 1 is told first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "org": "demo",
                    "step": 1,
                    "name": "Ana",
                    "address": "ana@example.org",
                    "start": "2026-11-20T08:00:00Z",
                    "until": "2026-11-27T08:00:00Z",
                }
            ]
        }
    )

    org: str = Field(max_length=64)
    step: int = Field(ge=1, le=20)
    name: str = Field(min_length=1, max_length=100)
    address: str = Field(min_length=3, max_length=1000, description="an e-mail address or an Apprise URL")
    start: GivenMoment
    until: GivenMoment


class OnCallOut(BaseModel):
    """A person on call now; the address is a secret and not told."""

    org: str
    step: int
    name: str
    start: Moment
    until: Moment


class RosterOut(BaseModel):
    """Who is on call now."""

    items: list[OnCallOut]


class ChannelIn(Body):
    """Another way to a household: an Apprise URL, e.g. `ntfy://…`, `wecombot://…`, `dingtalk://…`, `feishu://…`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "ntfy://ntfy.sh/li-family", "rank": 0}]})

    url: str = Field(max_length=1000, pattern=r"^[a-z][a-z0-9+.-]*://\S+$")
    rank: int = Field(default=0, ge=-100, le=100, description="lower is tried earlier; below 0 before e-mail")


class ChannelOut(BaseModel):
    """A channel; its URL is a secret and not told."""

    id: UUID
    household: UUID
    service: str
    rank: int


class TierIn(Body):
    """A household's tier, with the person of ours who is its contact."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tier": "vip", "named_contact": "Ana"}]})

    tier: Literal["standard", "vip"]
    named_contact: str = Field(default="", max_length=100)


class TierOut(BaseModel):
    """A household's tier."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"household": _HOUSEHOLD, "tier": "vip"}]})

    household: UUID
    tier: str


SilenceOut.model_rebuild()
