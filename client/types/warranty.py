"""Shapes of warranty. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from client.types.shared import CoverOut


class AppealIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why the owner does not agree with a denial."""

    words: str


class DecisionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A person's denial and the owner's appeal."""

    actor: str
    at: datetime
    cover: str
    evidence: list[str]
    id: UUID
    rule: str
    step: str
    words: str
    due: datetime | None = None
    reason: str | None = None
    reviewer: str | None = None
    settled: datetime | None = None


class DenialIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rule of the table that denies; the evidence it rests on was recorded before."""

    rule: str


class EvidenceIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something found at the appliance; the note says where its picture is kept."""

    code: str
    note: str


class EvidenceOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something found at the appliance."""

    actor: str
    at: datetime
    code: str
    note: str


class SettlementIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A third person's answer to an appeal."""

    decision: UUID
    reason: str
    upheld: bool


class WarrantyOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the warranty says of a ticket now, what was recorded, and what people decided."""

    decisions: list[DecisionOut]
    now: CoverOut
    recorded: list[EvidenceOut]
    ticket: UUID
