"""Business calendars: working hours by weekday in a time zone, public holidays, and the workdays made up for them.

Public holidays come from the `holidays` library, and so do China's make-up workdays (its `weekend_workdays`, taken from
the State Council's yearly notices). Where a country announces each year anew, nothing is known past the last year that
was announced: asking says so. Pure: no clock, and the same answer everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from servicedesk.errors import DeskError

Span = tuple[int, int]
"""Minutes after local midnight, from and to; 1440 is the next midnight."""

_DAY_MINUTES = 1440
_WEEK = 7
_LONGEST = timedelta(days=3 * 366)
_SATURDAY = 5
_SWAP = 4
# Whose government moves workdays by a decree for each single year.
_BY_DECREE = frozenset({"CN", "HU", "RU"})


class CalendarError(DeskError):
    """A country, subdivision or working hours that do not exist."""


class UnpublishedYearError(CalendarError):
    """A country announces its holidays year by year, and has not announced this one.

    Attributes:
        country: its ISO 3166 code.
        year: the year that was asked for.
        last: the last one announced.
    """

    def __init__(self, country: str, year: int, last: int) -> None:
        super().__init__(
            f"the holidays and make-up workdays of {country} are published up to {last}, not for {year}: "
            "update the library `holidays`"
        )
        self.country = country
        self.year = year
        self.last = last


@dataclass(frozen=True, slots=True)
class Calendar:
    """When work is done.

    Attributes:
        hours: working spans of Monday to Sunday, in order; none at all means day and night.
        zone: the time zone the hours are in.
        country: whose public holidays are free, by ISO 3166 code; empty for none.
        subdivision: part of the country, as the library names it.
        name: as policies call it.
    """

    hours: tuple[tuple[Span, ...], ...] = ()
    zone: str = "UTC"
    country: str = ""
    subdivision: str = ""
    name: str = "always"
    _made_up: tuple[Span, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.hours and len(self.hours) != _WEEK:
            raise CalendarError(f"calendar {self.name}: hours are needed for seven weekdays, not {len(self.hours)}")
        for spans in self.hours:
            ends = [edge for span in spans for edge in span]
            if ends != sorted(set(ends)) or (ends and not 0 <= ends[0] < ends[-1] <= _DAY_MINUTES):
                raise CalendarError(f"calendar {self.name}: {spans} are not spans of one day, one after the other")
        if self.hours and not any(self.hours):
            raise CalendarError(f"calendar {self.name}: no weekday has working hours")
        # A weekend day that is made up is worked like the first working weekday.
        made_up = next((spans for spans in self.hours if spans), ())
        object.__setattr__(self, "_made_up", made_up)

    @property
    def always(self) -> bool:
        """Whether it knows no pause."""
        return not self.hours

    def plain(self) -> Calendar:
        """The same hours without public holidays: what is left past the last published year."""
        return replace(self, country="", subdivision="")

    def is_workday(self, day: date) -> bool:
        """Whether anybody works on a local day.

        Raises:
            UnpublishedYearError: nobody knows yet.
            CalendarError: there is no such country.
        """
        return self.always or bool(self._spans(day))

    def is_open(self, moment: datetime) -> bool:
        """Whether a moment lies in working hours. Raises as `is_workday`."""
        if self.always:
            return True
        day = moment.astimezone(ZoneInfo(self.zone)).date()
        return any(start <= moment < end for start, end in self._moments(day))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time between two moments; nothing when the second is not later.

        Time is what passes, not what the clock on the wall shows: a span over the change to summer time is an hour
        shorter.

        Raises:
            UnpublishedYearError: part of it lies in a year nobody knows yet.
            CalendarError: there is no such country.
        """
        if end <= start:
            return timedelta()
        if self.always:
            return end - start
        total = timedelta()
        for opens, closes in self._from(start):
            if opens >= end:
                break
            total += min(closes, end) - max(opens, start)
        return total

    def add(self, start: datetime, work: timedelta) -> datetime:
        """The moment at which so much working time has passed; with none left, the next moment of work.

        Raises:
            UnpublishedYearError: it would lie in a year nobody knows yet.
            CalendarError: there is no such country, or nobody works for three years.
        """
        if self.always:
            return start + max(work, timedelta())
        left = max(work, timedelta())
        for opens, closes in self._from(start):
            begin = max(opens, start)
            if left <= closes - begin:
                return begin + left
            left -= closes - begin
        raise CalendarError(f"calendar {self.name}: no end of {work} after {start.isoformat()}")

    def _from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working spans that end after a moment, in order."""
        day = start.astimezone(ZoneInfo(self.zone)).date() - timedelta(days=1)
        last = day + _LONGEST
        while day <= last:
            # The day before is looked at only for a span that reaches over midnight in another zone's eyes.
            yield from ((opens, closes) for opens, closes in self._moments(day) if closes > start)
            day += timedelta(days=1)

    def _moments(self, day: date) -> list[tuple[datetime, datetime]]:
        found = [(_at(day, begin, self.zone), _at(day, end, self.zone)) for begin, end in self._spans(day)]
        # A span that the change to summer time swallows is empty.
        return [(opens, closes) for opens, closes in found if opens < closes]

    def _spans(self, day: date) -> tuple[Span, ...]:
        usual = self.hours[day.weekday()]
        if not self.country:
            return usual
        free, made_up = days_of(self.country, self.subdivision, day.year)
        if day in made_up:
            return self._made_up
        return () if day in free else usual


@lru_cache(maxsize=256)
def days_of(country: str, subdivision: str, year: int) -> tuple[frozenset[date], frozenset[date]]:
    """A year's public holidays, and the weekend days on which is worked instead.

    Raises:
        UnpublishedYearError: the country has not announced the year.
        CalendarError: there is no such country or subdivision.
    """
    last = last_published(country)
    if last is not None and year > last:
        raise UnpublishedYearError(country, year, last)
    # A day of December may be made up for the next January.
    table = _table(country, subdivision, (year, year + 1))
    made_up = frozenset(day for day in getattr(table, "weekend_workdays", ()) if day.year == year)
    free = {day for day in table if day.year == year} - made_up
    if country in _BY_DECREE:
        # A decree frees whole runs of days; the library does not list the weekend days in them.
        free |= {day for holiday in set(free) for day in _run(holiday, made_up) if day.year == year}
    return frozenset(free), made_up


@lru_cache(maxsize=64)
def last_published(country: str) -> int | None:
    """The last year a country has announced, or None when its holidays follow from a rule.

    The last year for which the library lists days with the workday that they are exchanged for.

    Raises:
        CalendarError: there is no such country.
    """
    special = getattr(_table(country, "", ()), "special_public_holidays", None)
    if country not in _BY_DECREE or not isinstance(special, Mapping):
        return None
    years = [int(year) for year, entries in special.items() if any(len(each) >= _SWAP for each in _entries(entries))]
    return max(years, default=None)


def _run(holiday: date, made_up: frozenset[date]) -> Iterator[date]:
    """The weekend days that join a holiday, before and after it."""
    for step in (timedelta(days=-1), timedelta(days=1)):
        day = holiday + step
        while day.weekday() >= _SATURDAY and day not in made_up:
            yield day
            day += step


def _entries(entries: object) -> list[tuple[object, ...]]:
    if not isinstance(entries, tuple):
        return []
    return [each for each in entries if isinstance(each, tuple)] or [entries]


def _table(country: str, subdivision: str, years: tuple[int, ...]) -> holidays.HolidayBase:
    try:
        return holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    except NotImplementedError as cause:
        raise CalendarError(f"no public holidays are known of {country} {subdivision}".rstrip()) from cause


def _at(day: date, minute: int, zone: str) -> datetime:
    """A local time of a day as a moment in UTC; one that summer time skips is the moment of the change or after."""
    if minute == _DAY_MINUTES:
        day, minute = day + timedelta(days=1), 0
    return datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone)).astimezone(UTC)
