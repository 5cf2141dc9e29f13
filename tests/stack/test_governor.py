from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.governor import Governor, Pressure, ceiling_of
from storage.lab_store import ClockWish

CALM = Pressure(0.0)


def test_grows_smoothly_to_the_ceiling() -> None:
    governor = Governor(7_200.0)
    speed, steps = 0.0, []
    for second in range(20):
        speed = governor.decide(speed, CALM, float(second))
        steps.append(speed)
    assert steps[0] == 600.0
    assert steps[-1] == 7_200.0
    assert all(later <= earlier * 2.01 for earlier, later in pairwise(steps))


def test_late_receipts_halve_and_very_late_ones_stop() -> None:
    governor = Governor(7_200.0)
    assert governor.decide(7_200.0, Pressure(0.6), 0.0) == 3_600.0
    assert governor.decide(7_200.0, Pressure(3.5), 1.0) == 0.0


def test_an_open_due_thing_holds_the_clock_until_it_is_done() -> None:
    governor = Governor(7_200.0)
    assert governor.decide(7_200.0, Pressure(0.0, due=1), 0.0) == 7_200.0  # just being worked on
    speed = 7_200.0
    for second in range(1, 12):
        speed = governor.decide(speed, Pressure(0.0, due=1), float(second))
    assert speed == 0.0
    assert governor.decide(speed, CALM, 13.0) > 0.0


def test_people_count_as_due_things() -> None:
    governor = Governor(100.0)
    governor.decide(100.0, Pressure(0.0, people=1), 0.0)
    assert governor.decide(100.0, Pressure(0.0, people=1), 1.0) < 100.0


def test_refuses_a_ceiling_of_nothing() -> None:
    with pytest.raises(ValueError, match="ceiling"):
        Governor(0.0)


@given(
    st.lists(
        st.tuples(st.floats(0, 10), st.integers(0, 3), st.integers(0, 3)).map(lambda t: Pressure(*t)), max_size=60
    ),
    st.sampled_from([1.0, 60.0, 7_200.0]),
)
def test_never_outside_its_range_and_always_recovers(pressures: list[Pressure], ceiling: float) -> None:
    governor, speed, now = Governor(ceiling), 0.0, 0.0
    for pressure in pressures:
        now += 1.0
        speed = governor.decide(speed, pressure, now)
        assert 0.0 <= speed <= ceiling
    for _ in range(30):
        now += 1.0
        speed = governor.decide(speed, CALM, now)
    assert speed == ceiling


def test_a_wish_is_a_ceiling_and_a_step_ends_near_its_moment() -> None:
    now = datetime(2026, 11, 18, tzinfo=UTC)
    assert ceiling_of(None, 7_200.0, now) == 7_200.0
    assert ceiling_of(ClockWish(1, 0.0, None, now, "ana"), 7_200.0, now) == 0.0
    assert ceiling_of(ClockWish(1, 600.0, None, now, "ana"), 7_200.0, now) == 600.0
    until, at, seconds = now + timedelta(hours=6), now, 0
    step = ClockWish(1, 7_200.0, until, now, "ana")
    while (speed := ceiling_of(step, 7_200.0, at)) > 0:
        # As the demo does it: a decision holds for a second and a half.
        at += timedelta(seconds=1.5 * speed)
        seconds += 1
        assert seconds < 60
    assert timedelta() <= at - until < timedelta(minutes=2)
