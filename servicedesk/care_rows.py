"""Rows of self-help, surveys, consent and the audit log as values: frozen, times aware. Columns have the same names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """What was answered to a step of a guide, counted from 1; the last word on it.

    Attributes:
        episode: of the ticket: a fault that came back is looked at anew.
        fault: whose guide it is, a fault id of the catalogue.
        leads: `wait`, `visit`, or the number of the step it led to.
    """

    ticket: UUID
    episode: int
    fault: str
    step: int
    answer: str
    leads: str
    actor: str
    at: datetime
    note: str = ""


class SelfTestStatus(StrEnum):
    """How a self-test ended."""

    OK = "ok"
    BUSY = "busy"
    ERROR = "error"
    SILENT = "silent"
    """The device did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """A self-test that a device was asked for.

    Attributes:
        sent: when the stream took the command.
        values: what was measured, names with their unit as suffix.
    """

    id: UUID
    ticket: UUID
    device: int
    actor: str
    asked: datetime
    sent: datetime | None = None
    answered: datetime | None = None
    status: SelfTestStatus | None = None
    values: dict[str, float] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture of a ticket, without what the camera wrote about itself. `content` is empty in lists."""

    id: UUID
    ticket: UUID
    at: datetime
    actor: str
    media: str
    sha256: str
    content: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How content an owner was: asked once a case.

    Attributes:
        score: 1 to 5, None until it is answered.
        follow_up: whether the owner may be called about it; None: nothing was said.
    """

    ticket: UUID
    asked: datetime
    score: int | None = None
    words: str = ""
    follow_up: bool | None = None
    answered: datetime | None = None


class Purpose(StrEnum):
    """What a household agrees to, each by itself."""

    ALERTS = "alerts"
    """It is told what the readings show."""
    SERVICE = "service"
    """Findings become tickets that service sees."""
    ANALYTICS = "analytics"
    """Its cases count in reports."""
    FOLLOW_UP = "follow_up"
    """It is asked afterwards how it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """A household's yes or no to a purpose."""

    id: UUID
    household: UUID
    purpose: Purpose
    granted: bool
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """That a household asked to be forgotten; `report` says what was removed and what was kept, and why."""

    household: UUID
    requested: datetime
    actor: str
    done: datetime | None = None
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the audit log as it stands.

    Attributes:
        seq: from 1 without gaps.
        content: JSON with sorted keys.
        prev: hash of the row before.
        hash: SHA-256 of `prev` and `content`.
    """

    seq: int
    content: str
    prev: bytes
    hash: bytes
