from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicedesk.calendars import Calendar, CalendarError, UnpublishedYearError, days_of, last_published

_WORK = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
CHINA = Calendar(hours=(_WORK,) * 5 + ((), ()), zone="Asia/Shanghai", country="CN", name="office")
BERLIN = Calendar(hours=(_WORK,) * 5 + ((), ()), zone="Europe/Berlin", country="DE", subdivision="BY", name="office")
NIGHTS = Calendar(hours=(((0, 6 * 60), (22 * 60, 24 * 60)),) * 7, zone="America/New_York", name="nights")
HOUR = timedelta(hours=1)


def at(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("begin", "end"),
    [((1, 1), (1, 3)), ((2, 15), (2, 23)), ((4, 4), (4, 6)), ((5, 1), (5, 5)), ((6, 19), (6, 21)), ((9, 25), (9, 27))],
)
def test_chinas_free_days_of_2026_are_those_of_the_notice(begin: tuple[int, int], end: tuple[int, int]) -> None:
    """The runs of days that the State Council's notice of November 2025 names, weekends in them included."""
    day, last = date(2026, *begin), date(2026, *end)
    saturday_too = Calendar(hours=(_WORK,) * 6 + ((),), zone="Asia/Shanghai", country="CN", name="six days")
    while day <= last:
        assert not saturday_too.is_workday(day), day
        day += timedelta(days=1)


def test_chinas_make_up_workdays_of_2026_are_worked() -> None:
    for month, day in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)):
        assert date(2026, month, day).weekday() >= 5
        assert CHINA.is_workday(date(2026, month, day))
        assert CHINA.between(at("Asia/Shanghai", 2026, month, day, 0), at("Asia/Shanghai", 2026, month, day, 23)) == (
            8 * HOUR
        )
    assert not CHINA.is_workday(date(2026, 1, 10))


def test_past_the_last_published_year_the_error_says_so() -> None:
    last = last_published("CN")
    assert last is not None
    with pytest.raises(UnpublishedYearError, match=f"published up to {last}, not for {last + 1}") as caught:
        CHINA.is_workday(date(last + 1, 3, 1))
    assert (caught.value.country, caught.value.year, caught.value.last) == ("CN", last + 1, last)
    with pytest.raises(UnpublishedYearError):
        CHINA.add(at("Asia/Shanghai", last, 12, 30, 9), 60 * HOUR)
    assert CHINA.plain().is_workday(date(last + 1, 3, 1)) or date(last + 1, 3, 1).weekday() >= 5


def test_a_rule_needs_no_publication() -> None:
    assert last_published("DE") is None
    assert not BERLIN.is_workday(date(2045, 12, 25))


def test_a_subdivision_has_its_own_days() -> None:
    assert not BERLIN.is_workday(date(2026, 1, 6))
    hamburg = Calendar(hours=BERLIN.hours, zone="Europe/Berlin", country="DE", subdivision="HH", name="office")
    assert hamburg.is_workday(date(2026, 1, 6))


def test_a_country_that_is_none_is_named() -> None:
    with pytest.raises(CalendarError, match="QQ"):
        days_of("QQ", "", 2026)


@pytest.mark.parametrize(
    "hours",
    [
        (_WORK,) * 6,
        ((),) * 7,
        (((600, 500),),) + ((),) * 6,
        (((0, 2000),),) + ((),) * 6,
        (((0, 600), (500, 700)),) + ((),) * 6,
    ],
)
def test_hours_that_are_none_are_refused(hours: tuple[tuple[tuple[int, int], ...], ...]) -> None:
    with pytest.raises(CalendarError):
        Calendar(hours=hours, name="bad")


def test_a_night_that_summer_time_shortens_is_an_hour_shorter() -> None:
    """New York, 8 March 2026: two o'clock becomes three. 1 November: the hour from one to two comes twice."""
    spring = at("America/New_York", 2026, 3, 7, 22)
    assert NIGHTS.between(spring, at("America/New_York", 2026, 3, 8, 6)) == 7 * HOUR
    assert NIGHTS.add(spring, 7 * HOUR) == at("America/New_York", 2026, 3, 8, 6)
    autumn = at("America/New_York", 2026, 10, 31, 22)
    assert NIGHTS.between(autumn, at("America/New_York", 2026, 11, 1, 6)) == 9 * HOUR


def test_office_hours_keep_to_the_wall_over_the_change() -> None:
    """Berlin, 29 March 2026: nine o'clock stays nine o'clock, an hour earlier in UTC."""
    friday = at("Europe/Berlin", 2026, 3, 27, 17)
    assert BERLIN.add(friday, 2 * HOUR) == at("Europe/Berlin", 2026, 3, 30, 10)
    assert at("Europe/Berlin", 2026, 3, 30, 9).hour == 7


def test_no_time_left_is_the_next_moment_of_work() -> None:
    saturday = at("Europe/Berlin", 2026, 3, 28, 12)
    assert BERLIN.add(saturday, timedelta()) == at("Europe/Berlin", 2026, 3, 30, 9)
    assert not BERLIN.is_open(saturday)
    assert BERLIN.is_open(at("Europe/Berlin", 2026, 3, 30, 9))
    assert not BERLIN.is_open(at("Europe/Berlin", 2026, 3, 30, 12))


_MOMENTS = st.datetimes(datetime(2025, 1, 2), datetime(2026, 10, 1), timezones=st.just(UTC))  # noqa: DTZ001  (bounds)
_SPANS = st.timedeltas(timedelta(), timedelta(hours=60))


@settings(max_examples=60, deadline=None)
@given(calendar=st.sampled_from([CHINA, BERLIN, NIGHTS, Calendar()]), start=_MOMENTS, work=_SPANS)
def test_what_is_added_has_passed(calendar: Calendar, start: datetime, work: timedelta) -> None:
    end = calendar.add(start, work)
    assert end >= start
    assert calendar.between(start, end) == work
    # Nothing was skipped: just before it, less has passed.
    if work:
        assert calendar.between(start, end - timedelta(microseconds=1)) < work


@settings(max_examples=60, deadline=None)
@given(calendar=st.sampled_from([CHINA, BERLIN, NIGHTS]), moments=st.tuples(_MOMENTS, _MOMENTS, _MOMENTS).map(sorted))
def test_spans_add_up(calendar: Calendar, moments: list[datetime]) -> None:
    first, second, third = moments
    if third - first < timedelta(days=90):
        assert calendar.between(first, third) == calendar.between(first, second) + calendar.between(second, third)
        assert calendar.between(third, first) == timedelta()
