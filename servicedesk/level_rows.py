"""Rows of service levels, contact and channels as values: frozen, times aware. Columns have the same names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelClock:
    """A promise to one case: working time that passes until it is kept.

    Attributes:
        occasion: counts the clocks of one policy on one ticket.
        calendar: name of the policy's calendar, in `zone`.
        allowed: working time in all.
        consumed: working time up to `since`.
        since: from when time runs; None while it is paused, and after the end.
        due: when it will be broken if nothing changes; None while it is paused.
        reasons: why it is paused.
        expected: when the plan would keep it (the start of the planned visit).
        warned: when breaking it was predicted.
        breached: when it was broken.
        met: when it was kept, in time or late.
        ended: the ticket ended, or the promise no longer holds.
    """

    id: UUID
    ticket: UUID
    policy: str
    occasion: int
    calendar: str
    zone: str
    started: datetime
    allowed: timedelta
    consumed: timedelta = timedelta()
    since: datetime | None = None
    due: datetime | None = None
    reasons: tuple[str, ...] = ()
    expected: datetime | None = None
    warned: datetime | None = None
    breached: datetime | None = None
    met: datetime | None = None
    ended: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it is neither kept nor over."""
        return self.met is None and self.ended is None

    @property
    def state(self) -> str:
        """In a word: running, paused, met, met_late, breached or ended."""
        if self.met is not None:
            return "met" if self.breached is None else "met_late"
        if self.breached is not None:
            return "breached"
        if self.ended is not None:
            return "ended"
        return "paused" if self.since is None else "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A span in which a clock stood, and why; `until` is None while it does."""

    clock: UUID
    reason: str
    begun: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """What an owner gets for a broken promise."""

    id: UUID
    ticket: UUID
    clock: UUID
    policy: str
    amount: Decimal
    currency: str
    reason: str
    issued: datetime


class CallState(StrEnum):
    """How a call task stands."""

    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTask:
    """A person is to call an owner. `contacted` is the first time that a person of ours reached or answered them."""

    id: UUID
    ticket: UUID
    reason: str
    severity: int
    opened: datetime
    due: datetime
    assignee: str
    state: CallState = CallState.OPEN
    escalated: datetime | None = None
    contacted: datetime | None = None
    closed: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """A person on the roster of an organisation: step 1 is called first, the next when nobody acknowledges.

    Attributes:
        address: where the person is told: an e-mail address or an Apprise URL.
    """

    id: UUID
    org: str
    step: int
    name: str
    address: str
    start: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A person on call was told of a case; `sent` when a channel took it."""

    id: UUID
    ticket: UUID
    episode: int
    step: int
    name: str
    address: str
    text: str
    at: datetime
    sent: datetime | None = None
    acknowledged: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChannel:
    """Another way to a household than the e-mail of its contacts: an Apprise URL.

    Of a household, or of an organisation: then `{phone}` in the URL stands for a contact's number, and it is tried
    after the household's own.

    Attributes:
        rank: lower is tried earlier; below 0 before e-mail.
        stale: it does not take messages, or belongs to somebody else.
    """

    id: UUID
    org: str
    url: str
    household: UUID | None = None
    rank: int = 0
    stale: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A notice was put on a channel; `address` never holds a secret: of chat it is the channel's id."""

    notice: UUID
    rung: int
    channel: str
    address: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A channel does not work: since when, how often it was tried, and when dispatch was warned."""

    id: UUID
    channel: str
    since: datetime
    failures: int
    why: str
    warned: datetime | None = None
    ended: datetime | None = None


class SilenceKind(StrEnum):
    """How messages are kept back."""

    MAINTENANCE = "maintenance"
    """Work is going on: messages wait for its end, and what has settled by then is not said."""
    SNOOZE = "snooze"
    """Not now: messages wait for its end."""
    MUTE = "mute"
    """Not at all: messages are not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Messages are kept back, never those about safety; narrowest of ticket, device, household, organisation."""

    id: UUID
    org: str
    kind: SilenceKind
    start: datetime
    until: datetime | None
    made_by: str
    reason: str
    household: UUID | None = None
    device: int | None = None
    ticket: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """A message that a silence kept back, until when, or for good."""

    silence: UUID
    ticket: UUID
    stage: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailIn:
    """A mail that came in, once: by its Message-ID."""

    message_id: str
    at: datetime
    kind: str
    sender: str
    subject: str
    words: str
    ticket: UUID | None = None
