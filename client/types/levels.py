"""Shapes of levels. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec


class CallOut(msgspec.Struct, frozen=True, kw_only=True):
    """A call that a person is to make."""

    assignee: str
    due: datetime
    id: UUID
    opened: datetime
    reason: str
    ref: str
    safety: bool
    severity: int
    state: str
    ticket: UUID
    tier: str
    contacted: datetime | None = None
    escalated: datetime | None = None


class CallsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Open calls in the order of work: safety, severity, and among equals the tier."""

    items: list[CallOut]


class ChannelIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another way to a household: an Apprise URL, e.g. `ntfy://…`, `wecombot://…`, `dingtalk://…`, `feishu://…`."""

    url: str
    rank: int | None = None


class ChannelOut(msgspec.Struct, frozen=True, kw_only=True):
    """A channel; its URL is a secret and not told."""

    household: UUID
    id: UUID
    rank: int
    service: str


class CompensationOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner gets for a broken promise."""

    amount: str
    currency: str
    issued: datetime
    policy: str
    reason: str


class FirstContactOut(msgspec.Struct, frozen=True, kw_only=True):
    """Time to the first human contact after severity 1 or a complaint. Who still waits counts with the time waited."""

    contacted: int
    end: datetime
    start: datetime
    tasks: int
    waiting: int
    within_five_minutes: int
    p50_s: float | None = None
    p95_s: float | None = None


class LevelClockOut(msgspec.Struct, frozen=True, kw_only=True):
    """A promise and how far it is. Times are working time of its calendar."""

    calendar: str
    consumed_s: float
    pauses: list[PauseOut]
    policy: str
    started: datetime
    state: str
    target_s: float
    title: str
    breached: datetime | None = None
    due: datetime | None = None
    expected: datetime | None = None
    met: datetime | None = None
    warned: datetime | None = None


class OnCallEndIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom to take off the roster."""

    entry: UUID


class OnCallIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person on the roster; step 1 is told first."""

    address: str
    name: str
    org: str
    start: datetime
    step: int
    until: datetime


class OnCallOut(msgspec.Struct, frozen=True, kw_only=True):
    """A person on call now; the address is a secret and not told."""

    name: str
    org: str
    start: datetime
    step: int
    until: datetime


class PauseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A span in which a clock stood, and why."""

    begun: datetime
    reason: str
    until: datetime | None = None


class RosterEntriesOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on call now, by step, then who will be."""

    items: list[RosterEntryOut]


class RosterEntryOut(msgspec.Struct, frozen=True, kw_only=True):
    """A person on the roster, now or later; the address is a secret and not told."""

    id: UUID
    name: str
    org: str
    start: datetime
    step: int
    until: datetime


class RosterOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on call now."""

    items: list[OnCallOut]


class SilenceEndIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which silence is to end now."""

    silence: UUID


class SilenceIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Keep messages back: of a ticket, a household, or a whole organisation. Safety is never kept back."""

    kind: Literal["maintenance", "snooze", "mute"]
    reason: str
    household: UUID | None = None
    org: str | None = None
    start: datetime | None = None
    ticket: UUID | None = None
    until: datetime | None = None


class SilenceOut(msgspec.Struct, frozen=True, kw_only=True):
    """A silence in force, and what it has kept back."""

    id: UUID
    kind: str
    made_by: str
    org: str
    reason: str
    start: datetime
    suppressed: list[SuppressedOut]
    household: UUID | None = None
    ticket: UUID | None = None
    until: datetime | None = None


class SilencesOut(msgspec.Struct, frozen=True, kw_only=True):
    """Silences in force."""

    items: list[SilenceOut]


class SuppressedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was kept back, until when, or for good."""

    at: datetime
    stage: str
    ticket: UUID
    until: datetime | None = None


class TicketLevelsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The service levels of a ticket."""

    calls: list[CallOut]
    clocks: list[LevelClockOut]
    compensations: list[CompensationOut]
    downtime_s: float
    ticket: UUID
    tier: str


class TierIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A household's tier, with the person of ours who is its contact."""

    tier: Literal["standard", "vip"]
    named_contact: str | None = None


class TierOut(msgspec.Struct, frozen=True, kw_only=True):
    """A household's tier."""

    household: UUID
    tier: str


class WallCaseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A case whose promise is broken, in danger or standing."""

    policy: str
    reasons: list[str]
    ref: str
    responsible: str
    severity: int
    breached: datetime | None = None
    due: datetime | None = None


class WallOut(msgspec.Struct, frozen=True, kw_only=True):
    """Promises now: how many cases, and those that come first."""

    broken: int
    cases: list[WallCaseOut]
    on_hold: int
    waiting_owner: int
    waiting_parts: int
    within_1h: int
    within_4h: int


class WarningOut(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that does not work."""

    channel: str
    failures: int
    since: datetime
    why: str
    warned: datetime | None = None


class WarningsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Channels that do not work now."""

    items: list[WarningOut]
