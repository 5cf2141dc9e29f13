"""Shapes of survey. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class SurveyIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How it was, 1 (bad) to 5. Two or less opens the case again."""

    score: int
    follow_up: bool | None = None
    words: str | None = None


class SurveyOut(msgspec.Struct, frozen=True, kw_only=True):
    """The survey of a case; there is one."""

    ticket: UUID
    words: str
    answered: datetime | None = None
    asked: datetime | None = None
    follow_up: bool | None = None
    score: int | None = None
