"""Proposes windows for a visit: skill, working hours, no double booking, part in hand, before the appliance fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.model import PartStock, Technician, Window

HOURS = (8, 10, 12, 14, 16, 18)
"""Local hours at which windows start in the household's time zone."""
LENGTH = timedelta(hours=2)


class Blocking(StrEnum):
    """Why no window fits; named to dispatch."""

    HOUSEHOLD = "household"
    SKILL = "skill"
    PART = "part"
    WORKING_HOURS = "working_hours"
    DOUBLE_BOOKING = "double_booking"
    REMAINING_LIFE = "remaining_life"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a visit needs.

    Attributes:
        skill: what the technician must know.
        parts: SKUs it brings.
        earliest: no window starts before.
        latest: no window ends after (pessimistic end of remaining life), or None.
        until: end of the planning horizon.
        tz: the household's time zone.
        area: the household's area; a technician of the same area comes first.
    """

    skill: str
    parts: tuple[str, ...]
    earliest: datetime
    latest: datetime | None
    until: datetime
    tz: str
    area: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A window and who would come."""

    window: Window
    technician: UUID


@dataclass(frozen=True, slots=True)
class Offers:
    """Feasible windows in order of time, or the constraint that leaves none.

    When only the remaining life is too short, the windows after it are given all the same, with `blocking` named:
    a late visit is better than none, and dispatch decides.
    """

    found: tuple[Offer, ...]
    blocking: Blocking | None = None


def offers(
    demand: Demand,
    technicians: Sequence[Technician],
    booked: Mapping[UUID, Sequence[Window]],
    stock: Mapping[str, PartStock],
    limit: int = 200,
) -> Offers:
    """All windows that keep every constraint, one technician each, earliest first."""
    able = [each for each in technicians if each.active and demand.skill in each.skills]
    if not able:
        return Offers((), Blocking.SKILL)
    ready = _parts_ready(demand, stock)
    if ready is None or ready + LENGTH > demand.until:
        return Offers((), Blocking.PART)
    working = False
    found: list[Offer] = []
    for window in windows(max(demand.earliest, ready), demand.until, demand.tz):
        there = [each for each in able if works(each, window)]
        working = working or bool(there)
        free = [each for each in there if not any(window.overlaps(other) for other in booked.get(each.id, ()))]
        if free:
            found.append(Offer(window, _best(free, demand, booked, window).id))
            if len(found) >= limit:
                break
    if not found:
        return Offers((), Blocking.DOUBLE_BOOKING if working else Blocking.WORKING_HOURS)
    latest = demand.latest
    if latest is None:
        return Offers(tuple(found))
    in_time = tuple(offer for offer in found if offer.window.end <= latest)
    if in_time:
        return Offers(in_time)
    return Offers(tuple(found), Blocking.PART if ready > demand.earliest else Blocking.REMAINING_LIFE)


def windows(earliest: datetime, until: datetime, tz: str) -> Iterator[Window]:
    """The two-hour windows of a time zone between two moments, in order.

    A window that daylight saving would stretch or shorten is two hours long all the same: its end follows its start.
    """
    zone = ZoneInfo(tz)
    day = earliest.astimezone(zone).date()
    while True:
        for hour in HOURS:
            start = datetime.combine(day, time(hour), zone).astimezone(UTC)
            if start + LENGTH > until:
                return
            if start >= earliest:
                yield Window(start, start + LENGTH)
        day += timedelta(days=1)


def works(technician: Technician, window: Window) -> bool:
    """Whether the window lies in the technician's working hours of that day, in the technician's own zone."""
    zone = ZoneInfo(technician.tz)
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    hours = technician.hours[start.weekday()]
    if hours is None or (start.date() != end.date() and end.time() != time(0)):
        return False
    first = start.hour * 60 + start.minute
    last = first + int((window.end - window.start).total_seconds() // 60)
    return hours[0] <= first and last <= hours[1]


def choose(found: Sequence[Offer], tz: str, count: int = 3) -> tuple[Offer, ...]:
    """The best few to show first: the earliest, then others that differ in day or half of the day of a time zone."""
    zone = ZoneInfo(tz)
    best: list[Offer] = []
    seen: set[tuple[int, int]] = set()
    for offer in found:
        local = offer.window.start.astimezone(zone)
        half = (local.toordinal(), 0 if local.hour < 12 else 1)  # noqa: PLR2004  (noon)
        if half not in seen:
            seen.add(half)
            best.append(offer)
        if len(best) == count:
            break
    return tuple(best)


def _parts_ready(demand: Demand, stock: Mapping[str, PartStock]) -> datetime | None:
    """When all parts are in hand; None when one is neither there nor ordered."""
    ready = demand.earliest
    for sku in demand.parts:
        part = stock.get(sku)
        if part is not None and part.free > 0:
            continue
        if part is None or part.arrives is None:
            return None
        ready = max(ready, part.arrives)
    return ready


def _best(
    free: Iterable[Technician], demand: Demand, booked: Mapping[UUID, Sequence[Window]], window: Window
) -> Technician:
    """Same area first, then the lightest day, then the name: the same input gives the same answer."""
    day = timedelta(hours=24)

    def load(each: Technician) -> int:
        return sum(1 for other in booked.get(each.id, ()) if abs(other.start - window.start) < day)

    return min(free, key=lambda each: (each.area != demand.area, load(each), each.name, each.id))
