"""Shapes of self help. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from client.types.shared import WordsOut


class AnswerOut(msgspec.Struct, frozen=True, kw_only=True):
    """What may be answered to a step."""

    id: str
    title: WordsOut


class CareReportOut(msgspec.Struct, frozen=True, kw_only=True):
    """Visits that self-help has saved, and how content owners were, in a span."""

    after_a_guide: int
    by_score: dict[str, int]
    end: datetime
    guides_tried: int
    start: datetime
    surveys: int
    visits_avoided: int
    withdrawn: int
    mean_score: float | None = None


class GivenOut(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered."""

    actor: str
    answer: str
    at: datetime
    note: str


class PhotoContentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A photo with its content in base64."""

    actor: str
    at: datetime
    content: str
    id: UUID
    media: str
    sha256: str
    ticket: UUID


class PhotoIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A JPEG, PNG or WebP in base64, at most 700,000 bytes. What the camera wrote about itself is taken out."""

    content: str


class PhotoOut(msgspec.Struct, frozen=True, kw_only=True):
    """A photo of a ticket."""

    actor: str
    at: datetime
    id: UUID
    media: str
    sha256: str
    ticket: UUID


class PhotosOut(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket's photos, oldest first."""

    items: list[PhotoOut]


class SelfCheckOut(msgspec.Struct, frozen=True, kw_only=True):
    """A guide and how far it is. `step` is asked next; null when nothing is."""

    recovered: bool
    steps: list[StepOut]
    ticket: UUID
    withdrawable: bool
    fault: str | None = None
    leads: str | None = None
    step: int | None = None


class SelfTestOut(msgspec.Struct, frozen=True, kw_only=True):
    """A self-test that a device was asked for; `status` is ok, busy, error or silent, null while it runs."""

    asked: datetime
    error: str
    id: UUID
    values: dict[str, float]
    answered: datetime | None = None
    sent: datetime | None = None
    status: str | None = None


class SelfTestsOut(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket's self-tests, oldest first."""

    items: list[SelfTestOut]


class StepIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer to a step of the guide."""

    answer: str
    step: int
    note: str | None = None


class StepOut(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a guide."""

    answers: list[AnswerOut]
    step: int
    text: WordsOut
    given: GivenOut | None = None
    picture: str | None = None
    question: WordsOut | None = None
