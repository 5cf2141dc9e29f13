"""Rows of a technician's day: ticked steps, a delay that was told, and where somebody is while travelling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicedesk.travel import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The last word on a step of a visit's list.

    Attributes:
        step: its id; see `servicedesk.checklists`.
    """

    visit: UUID
    step: str
    done: bool
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """When a technician who runs late expects to be there.

    Attributes:
        times: how often it was told for this visit.
    """

    visit: UUID
    expected: datetime
    at: datetime
    actor: str
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a technician is, on the way to one visit."""

    visit: UUID
    at: datetime
    place: Place
