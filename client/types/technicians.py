"""Shapes of technicians. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec


class AbsenceIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An absence, and what becomes of the visits in it: other times for their owners, or dispatch."""

    end: datetime
    start: datetime
    reason: str | None = None
    then: Literal["replan", "dispatch"] | None = None


class AbsenceOut(msgspec.Struct, frozen=True, kw_only=True):
    """When a technician is away."""

    end: datetime
    reason: str
    start: datetime


class SkillOut(msgspec.Struct, frozen=True, kw_only=True):
    """A skill with the last day of its training record, if it has one."""

    course: str
    skill: str
    trained: date | None = None
    valid_until: date | None = None


class TechnicianDayOut(msgspec.Struct, frozen=True, kw_only=True):
    """A day: visits, and their work as a share of the shift; null without a shift."""

    away: bool
    day: date
    visits: int
    load: float | None = None


class TechnicianOut(msgspec.Struct, frozen=True, kw_only=True):
    """A technician with the next seven days."""

    absences: list[AbsenceOut]
    area: str
    days: list[TechnicianDayOut]
    id: UUID
    name: str
    org: str
    skills: list[SkillOut]


class TechniciansOut(msgspec.Struct, frozen=True, kw_only=True):
    """Active technicians, by name."""

    items: list[TechnicianOut]


class TouchedListOut(msgspec.Struct, frozen=True, kw_only=True):
    """The visits that an absence touches."""

    items: list[TouchedOut]


class TouchedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that falls into an absence, and the start of the one proposed instead, if there is one."""

    end: datetime
    movable: bool
    ref: str
    start: datetime
    visit: UUID
    new: datetime | None = None
