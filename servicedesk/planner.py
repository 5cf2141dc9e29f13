"""Windows for one visit: skill, shift, way, break, part in hand, no double booking, before the appliance fails."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from servicedesk.model import Booking, PartStock, Technician, Window
from servicedesk.roster import Everyday, Workdays, shift_of
from servicedesk.routing.problem import LEAST, WINDOW, Blocking, Shift, Span, last_start
from servicedesk.routing.schedule import NOWHERE, Day, Halt, feasible
from servicedesk.travel import CITY, Place, TravelTimes

__all__ = ["HOURS", "LENGTH", "Blocking", "Demand", "Offer", "Offers", "Roster", "choose", "offers", "windows"]

HOURS = (8, 10, 12, 14, 16, 18)
"""Local hours at which windows start in the household's time zone."""
LENGTH = timedelta(seconds=WINDOW)
_QUARTER = 900
_DAY = 24 * 3600


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
        place: where it is, if that is known.
        minutes: of work.
    """

    skill: str
    parts: tuple[str, ...]
    earliest: datetime
    latest: datetime | None
    until: datetime
    tz: str
    area: str = ""
    place: Place | None = None
    minutes: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who could come, and what is known of them.

    Attributes:
        technicians: active ones.
        booked: visits, absences and held windows, by technician.
        stock: of the depot, by SKU.
        vans: free pieces in vans, by technician and SKU.
        workdays: the organisation's calendar.
        travel: how long a way takes.
    """

    technicians: Sequence[Technician]
    booked: Mapping[UUID, Sequence[Booking]] = field(default_factory=dict)
    stock: Mapping[str, PartStock] = field(default_factory=dict)
    vans: Mapping[UUID, Mapping[str, int]] = field(default_factory=dict)
    workdays: Workdays = field(default_factory=Everyday)
    travel: TravelTimes = CITY


@dataclass(frozen=True, slots=True)
class Offer:
    """A window and who would come; `detour` is the way it adds to that day, in seconds."""

    window: Window
    technician: UUID
    detour: int = 0


@dataclass(frozen=True, slots=True)
class Offers:
    """Feasible windows in order of time, or the constraint that leaves none.

    When only the remaining life is too short, the windows after it are given all the same, with `blocking` named:
    a late visit is better than none, and dispatch decides.
    """

    found: tuple[Offer, ...]
    blocking: Blocking | None = None


def offers(
    demand: Demand, roster: Roster, limit: int = 200, *, everybody: bool = False, start: datetime | None = None
) -> Offers:
    """All windows that keep every constraint, earliest first.

    Args:
        demand: what the visit needs.
        roster: who could come.
        limit: as many windows at most.
        everybody: every technician who is free in a window, the best first, instead of the best alone.
        start: look at the window that begins then alone.
    """
    able = [each for each in roster.technicians if each.active and demand.skill in each.skills]
    if not able:
        return Offers((), Blocking.SKILL)
    calendars = [_Calendar(each, ready, demand, roster) for each in able if (ready := _ready(demand, roster, each.id))]
    if not calendars:
        return Offers((), Blocking.PART)
    first = min(each.ready for each in calendars)
    found: list[Offer] = []
    asked = (each for each in _all(first, demand) if start is None or each[0].start == start)
    for number, free in enumerate(filter(None, (_free(calendars, each, everybody) for each in asked)), 1):
        found.extend(free)
        if number == limit:
            break
    if not found:
        return Offers((), _reason(demand, calendars, first))
    latest = demand.latest
    if latest is None:
        return Offers(tuple(found))
    in_time = tuple(offer for offer in found if offer.window.end <= latest)
    if in_time:
        return Offers(in_time)
    return Offers(tuple(found), Blocking.PART if first > demand.earliest else Blocking.REMAINING_LIFE)


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


class _Calendar:
    """A technician's days, each made when it is first asked for."""

    def __init__(self, technician: Technician, ready: datetime, demand: Demand, roster: Roster) -> None:
        self.technician = technician
        self.ready = ready
        self._demand = demand
        self._roster = roster
        self._zone = ZoneInfo(technician.tz)
        self._seconds = max(demand.minutes * 60, LEAST)
        booked = roster.booked.get(technician.id, ())
        self._away = [each.window for each in booked if each.ticket is None]
        visits = sorted((each for each in booked if each.ticket is not None), key=lambda each: each.window)
        self._begins = [round(each.window.start.timestamp()) for each in visits]
        self._ends = [round(each.window.end.timestamp()) for each in visits]
        # Place 0 is the household, 1 the technician's home, then the visits.
        self._places = [demand.place, technician.home, *(each.place for each in visits)]
        self._halts = [
            Halt(number, begin, last_start(Span(begin, end), seconds), seconds)
            for number, (each, begin, end) in enumerate(zip(visits, self._begins, self._ends, strict=True), 2)
            for seconds in [max(each.minutes * 60, LEAST)]
        ]
        self._legs: dict[tuple[int, int], int] = {}
        self._days: dict[date, Shift | None] = {}

    def shift(self, day: date) -> Shift | None:
        """The shift of a local day on which the skill is valid, or None."""
        if day not in self._days:
            home = 1 if self.technician.home is not None else None
            shift = shift_of(self.technician, day, self._away, self._roster.workdays, home)
            self._days[day] = shift if shift is not None and self._demand.skill in shift.skills else None
        return self._days[day]

    def room(self, window: Window, span: Span) -> tuple[int, Day, list[Halt]] | None:
        """The way that the visit would add to its day, in seconds, and that day with it.

        None where nothing but other visits would show that it cannot be kept: outside the shift, or over another one.
        """
        halt = Halt(0, span.start, last_start(span, self._seconds), self._seconds)
        shift = self.shift(window.start.astimezone(self._zone).date())
        if shift is None or halt.last < shift.start or max(halt.first, shift.start) + halt.seconds > shift.end:
            return None
        at = bisect_left(self._begins, span.end)
        if at and self._ends[at - 1] > span.start:
            return None
        low = bisect_right(self._ends, shift.start, 0, at)
        high = bisect_left(self._begins, shift.end, at)
        frame = Day(shift.start, shift.end, NOWHERE if shift.home is None else shift.home, shift.pauses)
        halts = [*self._halts[low:at], halt, *self._halts[at:high]]
        before = self._halts[at - 1].place if at > low else frame.home
        after = self._halts[at].place if at < high else frame.home
        way = 0 if before == NOWHERE else self._leg(before, 0)
        back = 0 if after == NOWHERE else self._leg(0, after)
        straight = 0 if NOWHERE in (before, after) or before == after else self._leg(before, after)
        return max(way + back - straight, 0), frame, halts

    def keeps(self, frame: Day, halts: Sequence[Halt]) -> bool:
        """Whether a day can be kept, with its ways and pauses."""
        return feasible(frame, halts, self._leg)

    def alone(self, window: Window, span: Span) -> tuple[bool, bool]:
        """Whether the window lies in a shift; and whether it could be reached if there were no other visits."""
        halt = Halt(0, span.start, last_start(span, self._seconds), self._seconds)
        shift = self.shift(window.start.astimezone(self._zone).date())
        if shift is None or halt.last < shift.start or max(halt.first, shift.start) + halt.seconds > shift.end:
            return False, False
        frame = Day(shift.start, shift.end, NOWHERE if shift.home is None else shift.home, shift.pauses)
        return True, feasible(frame, [halt], self._leg)

    def rank(self, span: Span, detour: int) -> tuple[bool, int, int, str, UUID]:
        """Same area first, then little more way by the quarter of an hour, the lighter day, the name."""
        load = bisect_left(self._begins, span.start + _DAY) - bisect_right(self._begins, span.start - _DAY)
        return self.technician.area != self._demand.area, detour // _QUARTER, load, self.technician.name, self._id

    @property
    def _id(self) -> UUID:
        return self.technician.id

    def _leg(self, start: int, end: int) -> int:
        found = self._legs.get((start, end))
        if found is None:
            found = self._roster.travel.between(self._places[start], self._places[end])
            self._legs[start, end] = found
        return found


def _all(first: datetime, demand: Demand) -> Iterator[tuple[Window, Span]]:
    """Windows of the horizon, as moments and in seconds."""
    for window in windows(first, demand.until, demand.tz):
        yield window, Span(round(window.start.timestamp()), round(window.end.timestamp()))


def _free(calendars: Sequence[_Calendar], when: tuple[Window, Span], everybody: bool) -> list[Offer]:  # noqa: FBT001
    """Who can come in a window, the best first, or the best alone: whole days are looked at in the order of liking."""
    window, span = when
    liked = sorted(
        (each.rank(span, room[0]), number, room)
        for number, each in enumerate(calendars)
        if window.start >= each.ready and (room := each.room(window, span)) is not None
    )
    free = []
    for _, number, (detour, frame, halts) in liked:
        if calendars[number].keeps(frame, halts):
            free.append(Offer(window, calendars[number].technician.id, detour))
            if not everybody:
                break
    return free


def _reason(demand: Demand, calendars: Sequence[_Calendar], first: datetime) -> Blocking:
    """What leaves no window at all."""
    skilled, worked = False, False
    for window, span in _all(first, demand):
        for each in calendars:
            day = window.start.astimezone(ZoneInfo(each.technician.tz)).date()
            skilled = skilled or demand.skill in each.technician.skills_on(day)
            there, reached = each.alone(window, span)
            worked = worked or there
            if reached:
                return Blocking.DOUBLE_BOOKING
    if worked:
        return Blocking.TRAVEL
    return Blocking.WORKING_HOURS if skilled else Blocking.SKILL


def _ready(demand: Demand, roster: Roster, technician: UUID) -> datetime | None:
    """When all parts are in hand for a technician; None when one is neither there nor ordered within the horizon."""
    ready = demand.earliest
    van = roster.vans.get(technician, {})
    for sku in demand.parts:
        part = roster.stock.get(sku)
        if van.get(sku, 0) > 0 or (part is not None and part.free > 0):
            continue
        if part is None or part.arrives is None:
            return None
        ready = max(ready, part.arrives)
    return ready if ready + LENGTH <= demand.until else None
