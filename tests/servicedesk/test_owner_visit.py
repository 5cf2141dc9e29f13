"""The owner's visit without database or page: when somebody arrives, until when it may change, what may be picked."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from servicedesk.arrival import arrival
from servicedesk.changing import change_until, may_change
from servicedesk.day_rows import Delay, Position
from servicedesk.model import Household, Visit
from servicedesk.states import VisitState
from servicedesk.travel import CITY, Place

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai, a Tuesday
HOME, AWAY = Place(31.23, 121.47), Place(31.32, 121.47)
HOUR = timedelta(hours=1)
HOUSEHOLD = Household(
    id=uuid.UUID(int=1), org="demo", name="Lin", lang="zh", tz="Asia/Shanghai", registered=START - 400 * 24 * HOUR
)
VISIT = Visit(
    id=uuid.UUID(int=2),
    ticket=uuid.UUID(int=3),
    technician=uuid.UUID(int=4),
    skill="cooling",
    start=START,
    end=START + 2 * HOUR,
    state=VisitState.CONFIRMED,
    hold_until=START - 6 * HOUR,
    calendar=uuid.UUID(int=2),
    proposed=START - 100 * HOUR,
    confirmed=START - 90 * HOUR,
)
ON_THE_WAY = replace(VISIT, state=VisitState.TRAVELLING)


def seen(at: datetime) -> Position:
    return Position(visit=VISIT.id, at=at, place=AWAY)


def word(expected: datetime, at: datetime) -> Delay:
    return Delay(visit=VISIT.id, expected=expected, at=at, actor="technician")


def test_a_position_gives_the_time_to_the_next_five_minutes() -> None:
    now = START + timedelta(minutes=1)
    known = arrival(ON_THE_WAY, HOME, now, CITY, position=seen(now))
    way = timedelta(seconds=CITY.between(AWAY, HOME))
    assert known.expected is not None
    assert timedelta() <= known.expected - (now + way) < timedelta(minutes=5)
    assert known.expected.minute % 5 == 0
    assert (known.late, known.by) == (False, "position")


def test_the_last_word_counts_until_it_is_older_than_a_position_or_over() -> None:
    now = START + HOUR
    said = word(START + 3 * HOUR, at=now)
    told = arrival(ON_THE_WAY, HOME, now, CITY, position=seen(now - HOUR / 2), delay=said)
    assert (told.expected, told.late, told.by) == (START + 3 * HOUR, True, "technician")
    newer = arrival(ON_THE_WAY, HOME, now + HOUR / 2, CITY, position=seen(now + HOUR / 2), delay=said)
    assert newer.by == "position"
    over = arrival(VISIT, HOME, START + 4 * HOUR, CITY, delay=said)
    assert (over.expected, over.late) == (None, True)


def test_nobody_is_late_who_is_there_or_whose_window_lasts() -> None:
    long_after = START + 9 * HOUR
    for state in (VisitState.ON_SITE, VisitState.DONE, VisitState.CANCELLED, VisitState.PROPOSED):
        assert not arrival(replace(VISIT, state=state), HOME, long_after, CITY).late
    assert not arrival(VISIT, HOME, VISIT.end, CITY).late
    assert arrival(VISIT, HOME, VISIT.end + timedelta(seconds=1), CITY).late
    # Without a home of its own nothing is made up.
    assert arrival(ON_THE_WAY, None, START, CITY, position=seen(START)).expected is None


def test_six_in_the_evening_where_the_household_lives_is_the_cut_off() -> None:
    evening = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 18:00 on Monday in Shanghai
    assert change_until(VISIT, HOUSEHOLD) == evening
    assert may_change(VISIT, HOUSEHOLD, evening - timedelta(seconds=1))
    assert not may_change(VISIT, HOUSEHOLD, evening)
    assert change_until(VISIT, replace(HOUSEHOLD, tz="Europe/Berlin")) == datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "until"), [(timedelta(hours=3), -2 * HOUR), (timedelta(minutes=30), timedelta()), (9 * HOUR, -8 * HOUR)]
)
def test_who_confirms_late_has_an_hour_for_second_thoughts(before: timedelta, until: timedelta) -> None:
    late = replace(VISIT, confirmed=START - before)
    assert change_until(late, HOUSEHOLD) == START + until


def test_what_is_proposed_may_change_until_it_begins_and_what_is_loaded_no_more() -> None:
    proposed = replace(VISIT, state=VisitState.PROPOSED, confirmed=None)
    assert may_change(proposed, HOUSEHOLD, START - timedelta(seconds=1))
    assert not may_change(proposed, HOUSEHOLD, START)
    assert not may_change(replace(VISIT, state=VisitState.DISPATCHED), HOUSEHOLD, START - 48 * HOUR)
