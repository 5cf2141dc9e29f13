"""A technician's day as a planner takes it: the shift in seconds, with breaks, absences, skills and free days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from servicedesk.calendars import Calendar, UnpublishedYearError
from servicedesk.model import Technician, Window
from servicedesk.routing.problem import Pause, Shift, Span

_DAY_MINUTES = 24 * 60


class Workdays(Protocol):
    """Which days visits take place on; a business calendar is one."""

    def is_workday(self, day: date) -> bool:
        """Whether anybody works on a local day."""
        ...


@dataclass(frozen=True, slots=True)
class Everyday:
    """Every day on which somebody has a shift."""

    def is_workday(self, day: date) -> bool:  # noqa: ARG002  (all alike)
        """Yes."""
        return True


@dataclass(frozen=True, slots=True)
class Announced:
    """The workdays of a business calendar; past the last year whose holidays are known, those of its weekdays."""

    calendar: Calendar

    def is_workday(self, day: date) -> bool:
        """Whether anybody works on a local day, as far as that has been announced."""
        try:
            return self.calendar.is_workday(day)
        except UnpublishedYearError:
            return self.calendar.plain().is_workday(day)


def shift_of(
    technician: Technician,
    day: date,
    absences: Iterable[Window],
    workdays: Workdays,
    home: int | None,
    *,
    extra: str = "",
) -> Shift | None:
    """The shift of a local day of the technician, or None without one.

    An absence that reaches into the shift from its begin or to its end makes it shorter; one within it is a pause.

    Args:
        technician: who.
        day: in the technician's zone.
        absences: holidays, illness, appointments.
        workdays: the organisation's calendar.
        home: row of the home in the matrix of travel times.
        extra: a further skill, of a planner's own.
    """
    hours = technician.hours[day.weekday()]
    if hours is None or not workdays.is_workday(day):
        return None
    start, end = _moment(day, hours[0], technician.tz), _moment(day, hours[1], technician.tz)
    away = sorted(Span(round(each.start.timestamp()), round(each.end.timestamp())) for each in absences)
    within: list[Span] = []
    for span in away:
        if span.start <= start:
            start = max(start, span.end)
        elif span.end >= end:
            end = min(end, span.start)
        elif span.start < end and span.end > start:
            within.append(span)
    if start >= end:
        return None
    pauses = [Pause(earliest=span.start, latest=span.start, seconds=span.end - span.start) for span in _joined(within)]
    rest = technician.breaks[day.weekday()] if technician.breaks else None
    if rest is not None:
        earliest = max(_moment(day, rest[0], technician.tz), start)
        latest = min(_moment(day, rest[1], technician.tz), end - rest[2] * 60)
        # Away through the whole time of the break: it was taken there.
        if earliest <= latest and not any(span.start <= earliest and latest < span.end for span in within):
            pauses.append(Pause(earliest=earliest, latest=latest, seconds=rest[2] * 60))
    return Shift(
        id=f"{technician.id}/{day.isoformat()}",
        technician=str(technician.id),
        start=start,
        end=end,
        home=home,
        skills=technician.skills_on(day) | ({extra} if extra else set()),
        pauses=tuple(sorted(pauses, key=lambda pause: (pause.earliest, pause.latest))),
    )


@lru_cache(maxsize=4096)
def _moment(day: date, minute: int, tz: str) -> int:
    """A minute after local midnight by the wall's clock, as seconds since 1970."""
    days, rest = divmod(minute, _DAY_MINUTES)
    local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), ZoneInfo(tz))
    return round(local.timestamp())


def _joined(spans: list[Span]) -> list[Span]:
    """Overlapping ones as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
