"""Technicians' days in numbers: shift, load, skills that end, and the figures of their scorecard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from api.context import Tx
from api.i18n import Words
from servicedesk.feasibility import VISITS
from servicedesk.model import Technician, Window
from servicedesk.roster import Announced, Everyday, Workdays, shift_of
from servicedesk.service_report import Share, Summary
from storage.read_technicians import AwayRow, WorkRow

_SOON = timedelta(days=30)
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class DayLoad:
    """A day: the shift in words, empty without one; work of it, 0 to 1 or more."""

    day: date
    shift: str
    visits: int
    load: float | None
    away: bool


@dataclass(frozen=True, slots=True)
class SkillLine:
    """A skill with the end of its training record; tone is empty, is-warn or is-stop."""

    skill: str
    until: str
    trained: str
    course: str
    tone: str


def workdays_of(tx: Tx, tz: str) -> Workdays:
    """The days on which visits take place."""
    calendar = tx.office.levels.calendars.get(VISITS)
    return Everyday() if calendar is None else Announced(calendar.of(tz))


def days_of(  # noqa: PLR0917  (all of them are the day)
    t: Words,
    technician: Technician,
    work: Iterable[WorkRow],
    away: Sequence[AwayRow],
    workdays: Workdays,
    first: date,
    count: int,
) -> list[DayLoad]:
    """The next days of a technician, in their own zone."""
    zone = ZoneInfo(technician.tz)
    mine = [each for each in work if each.technician == technician.id]
    spans = [Window(each.start, each.end) for each in away if each.technician == technician.id]
    found = []
    for day in (first + timedelta(days=n) for n in range(count)):
        there = shift_of(technician, day, spans, workdays, None)
        usual = technician.hours[day.weekday()] is not None and workdays.is_workday(day)
        visits = [each for each in mine if each.start.astimezone(zone).date() == day]
        busy = sum(each.minutes for each in visits)
        whole = 0 if there is None else (there.end - there.start - sum(p.seconds for p in there.pauses)) // _MINUTES
        shift = "" if there is None else t.window(_at(there.start, zone), _at(there.end, zone))
        found.append(DayLoad(day, shift, len(visits), busy / whole if whole else None, usual and there is None))
    return found


def skills_of(t: Words, technician: Technician, today: date) -> list[SkillLine]:
    """A technician's skills, those that end first at the top."""
    records = {each.skill: each for each in technician.certificates}
    lines = []
    for skill in technician.skills:
        record = records.get(skill)
        until = record.valid_until if record else None
        tone = "" if until is None or until > today + _SOON else "is-stop" if until < today else "is-warn"
        lines.append(
            (
                until or date.max,
                SkillLine(
                    skill.replace("_", " "),
                    "" if until is None else t.year_day(until),
                    "" if record is None or record.trained is None else t.year_day(record.trained),
                    record.course if record else "",
                    tone,
                ),
            )
        )
    return [line for _, line in sorted(lines, key=lambda each: (each[0], each[1].skill))]


def figures(t: Words, summary: Summary | None) -> list[tuple[str, str, str]]:
    """Name, value and a second line of each figure of a scorecard."""
    if summary is None:
        return []
    shares = [
        (t.plain("Mended at the first visit"), summary.first_time_fix),
        (t.plain("Came back within 30 days"), summary.repeat),
        (t.plain("No fault found"), summary.no_fault_found),
        (t.plain("On time"), summary.on_time),
    ]
    rows = [(name, *share_words(t, share)) for name, share in shares]
    rating = "–" if summary.rating is None else t.number(summary.rating, 1)
    return [*rows, (t.plain("Owners' rating, 1 to 5"), rating, t.plain("{n} cases", n=summary.cases))]


def share_words(t: Words, share: Share) -> tuple[str, str]:
    """A share, and of how many with its interval; few cases are said to be few."""
    if share.value is None or share.interval is None:
        return "–", t.plain("no case yet")
    low, high = share.interval
    of = t.plain("{hits} of {of}, {low}–{high}", hits=share.hits, of=share.of, low=t.percent(low), high=t.percent(high))
    return t.percent(share.value), t.plain("{of}: few", of=of) if share.few else of


def busiest(rows: Iterable[DayLoad]) -> float:
    """The highest load of some days."""
    return max((each.load or 0.0 for each in rows), default=0.0)


def ids_of(technicians: Iterable[Technician]) -> list[UUID]:
    """Their ids."""
    return [each.id for each in technicians]


def _at(seconds: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(seconds, zone)
