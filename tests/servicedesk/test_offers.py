"""What an owner is offered: skills with their dates, breaks, absences, ways, vans, free days, changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicedesk.calendars import Calendar, last_published
from servicedesk.model import Booking, Certificate, PartStock, Technician, Window
from servicedesk.planner import HOURS, LENGTH, Blocking, Demand, Offers, Roster, offers
from servicedesk.roster import Announced, Everyday, shift_of
from servicedesk.routing.check import violations
from servicedesk.routing.problem import Job, Plan, Problem, Route, Span, Stop
from servicedesk.travel import CITY, Place

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEK = ((480, 1200),) * 7
NEAR, FAR = Place(31.23, 121.47), Place(31.23, 122.0)
OFFICE_WEEK = (((480, 1080),),) * 5 + ((), ())


def technician(number: int = 1, **changes: object) -> Technician:
    given: dict[str, object] = {"skills": ("cooling",), "tz": "Asia/Shanghai", "hours": WEEK} | changes
    return Technician(id=UUID(int=number), org="demo", name=f"T{number}", **given)  # type: ignore[arg-type]


def demand(**changes: object) -> Demand:
    given: dict[str, object] = {
        "skill": "cooling",
        "parts": (),
        "earliest": NOW + timedelta(hours=20),
        "latest": None,
        "until": NOW + timedelta(days=6),
        "tz": "Asia/Shanghai",
    } | changes
    return Demand(**given)  # type: ignore[arg-type]


def ask(asked: Demand, *people: Technician, **known: object) -> Offers:
    return offers(asked, Roster(technicians=people, **known))  # type: ignore[arg-type]


def days(found: Offers, zone: ZoneInfo = SHANGHAI) -> set[date]:
    return {each.window.start.astimezone(zone).date() for each in found.found}


def visit(day: int, hour: int, place: Place | None = None, minutes: int = 60) -> Booking:
    start = datetime(2026, 3, day, hour, tzinfo=SHANGHAI).astimezone(UTC)
    return Booking(window=Window(start, start + LENGTH), ticket=UUID(int=99), place=place, minutes=minutes)


def test_a_skill_counts_to_its_last_day() -> None:
    own = Certificate(skill="cooling", valid_until=date(2026, 3, 4), trained=date(2024, 3, 4), course="F-gas")
    assert days(ask(demand(), technician(certificates=(own,)))) == {date(2026, 3, 3), date(2026, 3, 4)}
    over = Certificate(skill="cooling", valid_until=date(2026, 3, 1))
    assert ask(demand(), technician(certificates=(over,))).blocking is Blocking.SKILL


def test_an_absence_of_a_day_and_of_some_hours() -> None:
    away = Window(datetime(2026, 3, 3, tzinfo=SHANGHAI), datetime(2026, 3, 4, tzinfo=SHANGHAI))
    dentist = Window(datetime(2026, 3, 5, 9, tzinfo=SHANGHAI), datetime(2026, 3, 5, 12, 30, tzinfo=SHANGHAI))
    busy = {UUID(int=1): [Booking(window=away), Booking(window=dentist)]}
    found = ask(demand(), technician(), booked=busy)
    assert date(2026, 3, 3) not in days(found)
    of_day = [each.window.start.astimezone(SHANGHAI) for each in found.found]
    assert [each.hour for each in of_day if each.day == 5] == [8, 12, 14, 16, 18]


def test_a_break_leaves_no_row_of_long_visits() -> None:
    """Between two long visits there is time for half an hour of break beside an hour of work, not beside two."""
    rests = ((12 * 60, 14 * 60, 30),) * 7
    row = {UUID(int=1): [visit(4, 10, minutes=120), visit(4, 14, minutes=120)]}
    hours = {60: True, 120: False}
    for minutes, fits in hours.items():
        found = ask(demand(minutes=minutes), technician(breaks=rests), booked=row)
        starts = {each.window.start.astimezone(SHANGHAI) for each in found.found}
        assert (datetime(2026, 3, 4, 12, tzinfo=SHANGHAI) in starts) is fits


def test_a_window_is_offered_only_if_the_technician_can_get_there() -> None:
    """More than two hours of road: the window after the next one is in reach, the next one is not."""
    assert 2 * 3600 < CITY.between(NEAR, FAR) < 3 * 3600
    who = technician(home_latitude=NEAR.latitude, home_longitude=NEAR.longitude)
    busy = {who.id: [visit(4, 12, FAR)]}
    of_day = {e.window.start.astimezone(SHANGHAI) for e in ask(demand(place=NEAR), who, booked=busy).found}
    assert sorted(each.hour for each in of_day if each.day == 4) == [8, 16, 18]
    beside = {who.id: [visit(4, 10, NEAR)]}
    starts = {each.window.start for each in ask(demand(place=NEAR), who, booked=beside).found}
    assert datetime(2026, 3, 4, 8, tzinfo=SHANGHAI) in starts
    away = Place(34.3, 108.9)
    assert ask(demand(place=away), who).blocking is Blocking.TRAVEL


def test_little_more_way_comes_first() -> None:
    near = technician(2, home_latitude=NEAR.latitude, home_longitude=NEAR.longitude)
    far = technician(1, home_latitude=FAR.latitude, home_longitude=FAR.longitude)
    assert ask(demand(place=NEAR), far, near).found[0].technician == near.id


def test_a_piece_in_a_van_is_as_good_as_one_in_the_depot() -> None:
    arrives = NOW + timedelta(days=4)
    stock = {"X": PartStock(org="demo", sku="X", on_hand=0, arrives=arrives)}
    vans = {UUID(int=2): {"X": 1}}
    found = ask(demand(parts=("X",)), technician(1), technician(2), stock=stock, vans=vans).found
    assert {each.technician for each in found if each.window.start < arrives} == {UUID(int=2)}
    assert found[0].window.start < arrives
    assert ask(demand(parts=("X",)), technician(1), vans=vans).blocking is Blocking.PART


@pytest.mark.parametrize(
    ("tz", "country", "around", "free", "worked"),
    [
        ("Asia/Shanghai", "CN", date(2026, 9, 30), date(2026, 10, 1), date(2026, 9, 30)),
        ("Europe/Berlin", "DE", date(2026, 12, 23), date(2026, 12, 25), date(2026, 12, 24)),
    ],
)
def test_no_visit_on_a_holiday(tz: str, country: str, around: date, free: date, worked: date) -> None:
    zone = ZoneInfo(tz)
    start = datetime.combine(around, time(6), zone)
    calendar = Calendar(hours=OFFICE_WEEK, zone=tz, country=country, name="office")
    asked = demand(earliest=start, until=start + timedelta(days=7), tz=tz)
    without = days(ask(asked, technician(tz=tz)), zone)
    with_it = days(ask(asked, technician(tz=tz), workdays=calendar), zone)
    assert free in without
    assert free not in with_it
    assert worked in with_it


def test_a_made_up_workday_is_one() -> None:
    """The Saturday of 10 October 2026 is worked in China for the National Day's week."""
    start = datetime(2026, 10, 9, 6, tzinfo=SHANGHAI)
    calendar = Calendar(hours=OFFICE_WEEK, zone="Asia/Shanghai", country="CN", name="office")
    asked = demand(earliest=start, until=start + timedelta(days=3))
    assert days(ask(asked, technician(), workdays=calendar)) == {date(2026, 10, 9), date(2026, 10, 10)}


def test_past_the_last_announced_year_weekdays_count() -> None:
    calendar = Calendar(hours=OFFICE_WEEK, zone="Asia/Shanghai", country="CN", name="office")
    year = (last_published("CN") or 0) + 1
    days_of_may = [date(year, 5, day) for day in range(1, 8)]
    known = Announced(calendar)
    assert [known.is_workday(day) for day in days_of_may] == [day.weekday() < 5 for day in days_of_may]
    assert not known.is_workday(date(2026, 10, 1))


@pytest.mark.parametrize(
    ("tz", "around"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("Asia/Shanghai", date(2026, 3, 29)),
        ("America/New_York", date(2026, 11, 1)),
    ],
)
def test_two_hours_by_the_clock_on_the_wall_over_a_change_of_time(tz: str, around: date) -> None:
    zone = ZoneInfo(tz)
    start = datetime.combine(around - timedelta(days=1), time(6), zone)
    who = technician(tz=tz, breaks=((11 * 60, 13 * 60, 30),) * 7)
    found = ask(demand(earliest=start, until=start + timedelta(days=3), tz=tz), who)
    assert days(found, zone) >= {around - timedelta(days=1), around, around + timedelta(days=1)}
    for offer in found.found:
        assert offer.window.end - offer.window.start == LENGTH
        assert offer.window.start.astimezone(zone).hour in HOURS
        assert offer.window.start.astimezone(zone).minute == 0
    for day in (around - timedelta(days=1), around, around + timedelta(days=1)):
        shift = shift_of(who, day, (), Everyday(), None)
        assert shift is not None
        assert shift.start == datetime.combine(day, time(8), zone).timestamp()
        assert shift.end - shift.start == 12 * 3600


moments = st.integers(0, 14 * 24 * 4).map(lambda quarter: NOW + timedelta(minutes=15 * quarter))
spans = st.tuples(moments, st.integers(1, 12)).map(lambda pair: Window(pair[0], pair[0] + timedelta(hours=pair[1])))
places = st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)).map(lambda p: Place(NEAR[0] + p[0], NEAR[1] + p[1]))
weekdays = st.one_of(st.none(), st.tuples(st.integers(0, 720), st.integers(721, 1440)))


@settings(max_examples=25, deadline=None)
@given(
    hours=st.lists(weekdays, min_size=7, max_size=7),
    away=st.lists(spans, max_size=4),
    earliest=moments,
    latest=st.one_of(st.none(), moments),
    tz=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
    where=places,
    homes=st.one_of(st.none(), places),
    rest=st.booleans(),
    minutes=st.sampled_from([15, 60, 90, 180]),
)
def test_every_offer_stands_the_independent_check(  # noqa: PLR0917  (named by hypothesis)
    hours: list[tuple[int, int] | None],
    away: list[Window],
    earliest: datetime,
    latest: datetime | None,
    tz: str,
    where: Place,
    homes: Place | None,
    *,
    rest: bool,
    minutes: int,
) -> None:
    who = technician(
        hours=tuple(hours),
        tz=tz,
        breaks=((720, 840, 30),) * 7 if rest else (),
        home_latitude=homes.latitude if homes else None,
        home_longitude=homes.longitude if homes else None,
    )
    asked = demand(earliest=earliest, latest=latest, tz="Europe/Berlin", place=where, minutes=minutes)
    found = ask(asked, who, booked={who.id: [Booking(window=each) for each in away]})
    assert bool(found.found) or found.blocking is not None
    legs = CITY.matrix([where, homes])
    seconds = max(minutes, 60) * 60
    for offer in found.found[:6]:
        assert offer.window.start >= earliest
        assert latest is None or offer.window.end <= latest or found.blocking is Blocking.REMAINING_LIFE
        day = offer.window.start.astimezone(ZoneInfo(tz)).date()
        shift = shift_of(who, day, away, Everyday(), 1 if homes else None)
        assert shift is not None
        span = Span(int(offer.window.start.timestamp()), int(offer.window.end.timestamp()))
        job = Job(id="a", place=0, seconds=seconds, skill="cooling", weight=1, windows=(span,))
        problem = Problem(jobs=(job,), shifts=(shift,), legs=legs)
        begin = max(span.start, shift.start + (legs[1][0] if homes else 0))
        # Some begin within the window leaves time for every pause; the check says so of one.
        travel = 2 * legs[0][1] if homes else 0
        tries = range(begin, span.end, 300)
        assert any(_stands(problem, shift.id, Stop("a", span, at, at + seconds), travel) for at in tries)


def _stands(problem: Problem, shift: str, stop: Stop, travel: int) -> bool:
    """Whether the check passes with the pauses before or after the work, each as early as it may be."""
    own = problem.shifts[0]
    options: list[list[Span]] = [[]]
    for pause in own.pauses:
        begins = {
            pause.earliest,
            pause.latest,
            max(pause.earliest, stop.end),
            min(pause.latest, stop.begin - pause.seconds),
        }
        valid = [at for at in sorted(begins) if pause.earliest <= at <= pause.latest]
        options = [[*row, Span(at, at + pause.seconds)] for row in options for at in valid]
    routes = (Route(shift, own.technician, (stop,), tuple(row), travel) for row in options)
    return any(not violations(problem, Plan((route,))) for route in routes)
