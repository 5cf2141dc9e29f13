"""Shapes of tickets. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from client.types.shared import BillOut


class ComplaintIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the owner is not content with."""

    words: str


class FittedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A part with a serial number, and the one that came out."""

    replaced: str
    serial: str
    sku: str


class HandsIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Into whose hands a case goes: `dispatch`, `dispatch:<login>` or `supervisor`."""

    to: str


class MergeIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The ticket that stays."""

    into: UUID


class NotAProblemIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why the owner says that nothing is wrong."""

    reason: str


class NotFixedIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is still wrong after a repair."""

    words: str


class NoteIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words for people of ours alone."""

    words: str


class RepairReportOut(msgspec.Struct, frozen=True, kw_only=True):
    """What was found and done, until when it is answered for, and whether the readings prove it."""

    bills: list[BillOut]
    fitted: list[FittedOut]
    photos: list[UUID]
    state: str
    ticket: UUID
    total: str
    visits: list[ReportVisitOut]
    done: datetime | None = None
    guarantee_until: datetime | None = None
    rating: int | None = None
    verified: datetime | None = None


class ReportVisitOut(msgspec.Struct, frozen=True, kw_only=True):
    """A visit of the repair."""

    parts: list[str]
    technician: str
    visit: UUID
    arrived: datetime | None = None
    cause: str | None = None
    finished: datetime | None = None
    outcome: str | None = None


class SuggestionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A technician and a window, with the reasons for it."""

    detour_min: int
    end: datetime
    name: str
    parts: dict[str, str]
    same_area: bool
    start: datetime
    technician: UUID
    visits: int
    life_left_h: float | None = None
    skill_until: date | None = None


class SuggestionsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The best three, or the constraint that leaves none; with some: they come after the remaining life."""

    best: list[SuggestionOut]
    blocking: str | None = None


class TicketOut(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with its responsible person, next action and the moves a person may make."""

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
    blocking: str | None = None
    closed: datetime | None = None
    done: datetime | None = None
    fault: str | None = None
    finding_id: UUID | None = None
    firmware: str | None = None
    household: UUID | None = None
    lot: str | None = None
    next_due: datetime | None = None
    planned: datetime | None = None
    reason: str | None = None
    verified: datetime | None = None
    visit: UUID | None = None


class WayCaseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A repair in another way, and the steps that may follow."""

    back: datetime
    begins: datetime
    id: UUID
    kind: str
    legal: list[str]
    mended: bool
    name: str
    note: str
    state: str
    way: UUID
    cause: str | None = None
    returned: datetime | None = None


class WayIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The way that the owner takes."""

    way: UUID


class WayMoveIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The next step of a repair in another way; `cause`, `mended`, `parts` and `charged` belong to `mended`."""

    to: Literal["picked_up", "received", "on_bench", "mended", "returned", "cancelled"]
    cause: str | None = None
    charged: float | str | None = None
    mended: bool | None = None
    note: str | None = None
    parts: list[str] | None = None


class WayOfferOut(msgspec.Struct, frozen=True, kw_only=True):
    """A workshop, a service point or a partner that serves the ticket, with its dates."""

    address: str
    back: datetime
    begins: datetime
    hours: str
    id: UUID
    kind: str
    name: str
    phone: str


class WaysOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered instead of a visit, and what was taken."""

    cases: list[WayCaseOut]
    offers: list[WayOfferOut]
    ticket: UUID
