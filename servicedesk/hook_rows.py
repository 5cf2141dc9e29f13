"""Webhooks as values: where an organisation wants changes sent, and what was sent. All times are wall times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

KINDS = ("ticket", "visit", "quote", "notice", "finding", "device")
"""What changes are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A numbered change of the feed, as other systems are told of it: ids and states, nobody's name.

    Attributes:
        no: its place in the feed.
        org: whose.
        kind: one of `KINDS`; `feed` and `test` of messages about the sending itself.
        subject: id of what changed; `org/device` of a device.
        what: created or changed.
        state: after the change.
        was: before it.
        ticket: the ticket it belongs to.
        at: when it was numbered.
    """

    no: int
    org: str
    kind: str
    subject: str
    what: str
    state: str
    at: datetime
    was: str | None = None
    ticket: UUID | None = None


class HookState(StrEnum):
    """Whether an endpoint is sent to."""

    ENABLED = "enabled"
    PAUSED = "paused"
    """By a person."""
    DISABLED = "disabled"
    """By the product: it said that it is gone, or nothing got through for too long."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


class Cause(StrEnum):
    """Why something is sent."""

    CHANGE = "change"
    REPLAY = "replay"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint.

    Attributes:
        note: for people.
        types: kinds of changes; all when empty.
        areas: of households; all when empty.
        secret: signs what is sent.
        old_secret: signs, too, until `old_until`.
        why: it is paused or disabled.
        failing: since when nothing has got through; None after a success.
        stopped: while it is not enabled, the last number of the feed that was entered for it.
    """

    id: UUID
    org: str
    url: str
    secret: bytes
    made: datetime
    note: str = ""
    types: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    old_secret: bytes | None = None
    old_until: datetime | None = None
    state: HookState = HookState.ENABLED
    why: str = ""
    failing: datetime | None = None
    stopped: int | None = None
    version: int = 0

    def secrets_at(self, now: datetime) -> tuple[bytes, ...]:
        """With which it is signed at a moment, the newest first."""
        overlap = self.old_secret is not None and self.old_until is not None and now < self.old_until
        return (self.secret, self.old_secret) if overlap and self.old_secret is not None else (self.secret,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one endpoint, sent until it is taken.

    Attributes:
        place: its place in the endpoint's line; 0 before it is entered.
        event: what is told.
        due: not tried before.
        tries: how often it was tried.
        round: tries since it was entered or the endpoint was enabled: where it stands in the schedule.
        tried: the last time.
        status: HTTP status of the last answer.
        took_ms: until the last answer.
        answer: the beginning of the last answer.
        why: the last try failed.
    """

    id: UUID
    webhook: UUID
    cause: Cause
    event: Change
    made: datetime
    due: datetime
    place: int = 0
    state: DeliveryState = DeliveryState.PENDING
    tries: int = 0
    round: int = 0
    tried: datetime | None = None
    status: int | None = None
    took_ms: int | None = None
    answer: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a try gave.

    Attributes:
        status: None where no answer came.
        body: its beginning.
        why: no answer came, or it was not taken.
        later: what a `Retry-After` asked for.
    """

    status: int | None
    took_ms: int
    body: str = ""
    why: str = ""
    later: timedelta | None = None
