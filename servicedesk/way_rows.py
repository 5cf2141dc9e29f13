"""Other ways of repair than a visit of our own, as values, and the state table of a repair away from home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class WayKind(StrEnum):
    """How an appliance is mended when not by a visit of our own."""

    MAIL_IN = "mail_in"
    """It is fetched at the door, mended in a workshop, and brought back."""
    SERVICE_POINT = "service_point"
    """The owner brings it."""
    PARTNER = "partner"
    """Another firm comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A workshop, a service point or a partner.

    Attributes:
        kinds: appliance kinds it takes; all when empty.
        areas: of households it serves; all when empty.
        skills: what it can mend; all when empty.
        lead_days: workdays until it can begin.
        work_days: workdays that it takes, ways there and back included.
        hours: when it is open, for people.
    """

    id: UUID
    org: str
    kind: WayKind
    name: str
    kinds: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    address: str = ""
    phone: str = ""
    hours: str = ""
    lead_days: int = 1
    work_days: int = 5
    active: bool = True

    def serves(self, kind: str, area: str, skill: str) -> bool:
        """Whether it mends an appliance kind with a skill for a household of an area."""
        wanted = ((kind, self.kinds), (area, self.areas), (skill, self.skills))
        return self.active and all(not known or one in known for one, known in wanted)


@dataclass(frozen=True, slots=True)
class WayOffer:
    """A way with its dates: when it begins, and when the appliance is back."""

    way: Way
    begins: datetime
    back: datetime


class WayState(StrEnum):
    """Where a repair away from home stands."""

    BOOKED = "booked"
    PICKED_UP = "picked_up"
    RECEIVED = "received"
    ON_BENCH = "on_bench"
    MENDED = "mended"
    RETURNED = "returned"
    CANCELLED = "cancelled"


W = WayState
WAY: Mapping[WayState, tuple[WayState, ...]] = {
    W.BOOKED: (W.PICKED_UP, W.RECEIVED, W.ON_BENCH, W.CANCELLED),
    W.PICKED_UP: (W.RECEIVED,),
    W.RECEIVED: (W.ON_BENCH,),
    W.ON_BENCH: (W.MENDED,),
    W.MENDED: (W.RETURNED,),
    W.RETURNED: (),
    W.CANCELLED: (),
}
"""A partner begins on the bench at once; what an owner brings is received."""
WAY_LIVE = frozenset({W.BOOKED, W.PICKED_UP, W.RECEIVED, W.ON_BENCH, W.MENDED})
"""A ticket has at most one case in these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayCase:
    """A ticket that is mended in another way."""

    id: UUID
    ticket: UUID
    way: UUID
    state: WayState
    begins: datetime
    back: datetime
    made: datetime
    cause: str | None = None
    mended: bool = False
    note: str = ""
    returned: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCase:
    """What became of a case that was given back.

    Attributes:
        mended: whether it was.
        reopened: when the ticket was first taken up again after that.
        rating: the owner's, 1 to 5.
    """

    returned: datetime
    mended: bool
    reopened: datetime | None = None
    rating: int | None = None
