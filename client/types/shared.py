"""Shapes of shared. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec


class BillOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is charged for a visit, or for the case of another way; never above `most`, which was agreed."""

    currency: str
    id: UUID
    lines: list[LineOut]
    made: datetime
    most: str
    tax: str
    ticket: UUID
    total: str
    visit: UUID
    quote: UUID | None = None
    way: UUID | None = None


class ChangeOut(msgspec.Struct, frozen=True, kw_only=True):
    """The data of an event: what changed, and where to read it."""

    id: str
    state: str
    type: str
    what: str
    href: str | None = None
    ticket: UUID | None = None
    was: str | None = None


class CoverOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the warranty says, by which rule and why; `share` is what the maker pays of the bill, 0 to 1."""

    cover: str
    evidence: list[str]
    reason: WordsOut
    rule: str
    share: str


class EstimateOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner would pay, from and to, told before anybody books; `quoted`: a quote makes it exact first."""

    currency: str
    high: str
    low: str
    minutes: int
    quoted: bool
    warranty: CoverOut


class EventOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a timeline."""

    actor: str
    at: datetime
    body: dict[str, Any]
    kind: str


class FindingOut(msgspec.Struct, frozen=True, kw_only=True):
    """The newest revision of a finding; `finding` holds causes, evidence and what was ruled out."""

    detector: str
    device: str
    family: str
    finding: dict[str, Any]
    history: bool
    id: UUID
    observed: datetime
    onset: datetime
    onset_high: datetime
    onset_low: datetime
    opened: datetime
    revision: int
    score: float
    severity: int
    state: str
    version: str
    correlation: str | None = None
    life: tuple[float, float] | None = None
    suggested: datetime | None = None


class HoldOut(msgspec.Struct, frozen=True, kw_only=True):
    """A window that is kept for a ticket."""

    end: datetime
    start: datetime
    until: datetime


class LineOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line: call_out, labour, part, warranty (what the maker pays) or promise (taken off to keep the agreed sum)."""

    amount: str
    kind: str
    minutes: int
    sku: str


class MoveIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where to move a ticket or a visit."""

    to: str
    reason: str | None = None


class OffersOut(msgspec.Struct, frozen=True, kw_only=True):
    """Other windows of a visit: the best three, then all by time; or the constraint that leaves none."""

    all: list[WindowOut]
    best: list[WindowOut]
    blocking: str | None = None


class QuoteOut(msgspec.Struct, frozen=True, kw_only=True):
    """A price put to the owner."""

    currency: str
    device: str
    family: str
    id: UUID
    legal: list[str]
    lines: list[LineOut]
    made: datetime
    ref: str
    state: str
    tax: str
    ticket: UUID
    total: str
    valid_until: datetime
    warranty_rule: str
    decided: datetime | None = None
    household: UUID | None = None
    reason: str | None = None


class SlotOut(msgspec.Struct, frozen=True, kw_only=True):
    """A technician and two hours."""

    end: datetime
    name: str
    start: datetime
    technician: UUID


class TicketDetailOut(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with everything on it."""

    device: str
    family: str
    id: UUID
    kind: str
    legal: list[str]
    next_action: str
    opened: datetime
    ref: str
    responsible: str
    safety: bool
    severity: int
    state: str
    timeline: list[EventOut]
    visits: list[VisitOut]
    blocking: str | None = None
    closed: datetime | None = None
    done: datetime | None = None
    fault: str | None = None
    finding: FindingOut | None = None
    finding_id: UUID | None = None
    firmware: str | None = None
    household: UUID | None = None
    lot: str | None = None
    next_due: datetime | None = None
    planned: datetime | None = None
    reason: str | None = None
    verified: datetime | None = None
    visit: UUID | None = None


class VisitOut(msgspec.Struct, frozen=True, kw_only=True):
    """A technician's appointment."""

    device: str
    family: str
    hold_until: datetime
    id: UUID
    legal: list[str]
    parts: list[str]
    ref: str
    skill: str
    state: str
    technician: str
    technician_id: UUID
    ticket: UUID
    window: WindowOut
    cause: str | None = None
    fault: str | None = None
    household: UUID | None = None
    locked: bool | None = None
    outcome: str | None = None
    readable: datetime | None = None
    reason: str | None = None


class WindowIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The start of another window, one of those offered."""

    start: datetime


class WindowOut(msgspec.Struct, frozen=True, kw_only=True):
    """Two hours in which a technician comes."""

    end: datetime
    start: datetime


class WordsOut(msgspec.Struct, frozen=True, kw_only=True):
    """A text in both languages."""

    en: str
    zh: str
