"""What a household says about getting in, as values: frozen, times aware. Columns have the same names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to get into a home; the last word of its household.

    Attributes:
        entry: door code, bell, floor, or whom to call.
        parking: where a van may stand.
        pets: who else is at home.
    """

    household: UUID
    at: datetime
    entry: str = ""
    parking: str = ""
    pets: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether somebody of age is at home in the window of a visit."""

    visit: UUID
    adult: bool
    at: datetime
