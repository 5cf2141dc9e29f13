"""One contract for the roll-ups of both lanes, and the same again by plain arithmetic."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.rollup_levels import LEVELS
from tests.timescale.lane import CATALOGUE, DAY0, Lane, every

pytestmark = pytest.mark.stack

HOUR = timedelta(hours=1)


def test_buckets_are_complete_up_to_the_bound_and_no_further(lane: Lane) -> None:
    for device in lane.devices:
        lane.put(device, every(107, 1300), first_seq=1)
    for bound in (DAY0 + 30 * HOUR, DAY0 + 30 * HOUR + timedelta(seconds=90), DAY0 + 60 * HOUR):
        assert all(done.complete for done in lane.refresh(bound))
        lane.assert_rolled_up(bound)


def test_late_readings_are_rolled_up_by_the_next_refresh(lane: Lane) -> None:
    rng = random.Random(7)
    bound = DAY0 + 72 * HOUR
    times = every(121, 2000)
    offline = lane.devices[2]
    for device in lane.devices[:2]:
        lane.put(device, times, first_seq=1)
    lane.refresh(bound)
    # One device was offline and sends shuffled; another repeats itself and adds an epoch of its own.
    order = list(range(0, 2000, 100))
    rng.shuffle(order)
    for number, at in enumerate(order):
        lane.put(offline, times[at : at + 100], first_seq=at + 1)
        if number % 13 == 0:
            lane.refresh(bound + number * timedelta(minutes=7))
    lane.put(lane.devices[0], times[500:600], first_seq=501)
    lane.put(lane.devices[0], every(3, 200, DAY0 + 10 * HOUR), first_seq=1, epoch=2, scale=-3)
    lane.refresh(bound + 5 * HOUR)
    lane.assert_rolled_up(bound + 5 * HOUR)


def test_a_refresh_that_has_nothing_to_do_changes_nothing(lane: Lane) -> None:
    bound = DAY0 + 30 * HOUR
    lane.refresh(bound)
    assert [lane.rows(level.name) for level in LEVELS] == [[], [], []]
    lane.put(lane.devices[0], every(60, 100), first_seq=1)
    lane.refresh(bound)
    lane.assert_rolled_up(bound)
    before = [lane.rows(level.name) for level in LEVELS]
    lane.refresh(bound)
    # A bound that goes back takes nothing back.
    lane.refresh(DAY0 + HOUR)
    assert [lane.rows(level.name) for level in LEVELS] == before


def test_both_lanes_hold_the_same(plain: Lane, timescale: Lane) -> None:
    rng = random.Random(3)
    times = every(171, 2000)
    steps = [(device, at) for device in range(3) for at in range(0, 2000, 250)]
    rng.shuffle(steps)
    for number, (device, at) in enumerate(steps):
        for form in (plain, timescale):
            form.put(form.devices[device], times[at : at + 250], first_seq=at + 1)
            if number % 5 == 0:
                form.refresh(DAY0 + number * 3 * HOUR)
    for form in (plain, timescale):
        form.refresh(DAY0 + 96 * HOUR)
    assert plain.readings() == timescale.readings()
    for level in LEVELS:
        assert plain.rows(level.name) == timescale.rows(level.name)
        assert plain.rows(level.name)


def asked_more_than(limit: int) -> Callable[[], bool]:
    questions = itertools.count()
    return lambda: next(questions) >= limit


def test_a_round_that_is_stopped_is_ended_by_the_next(lane: Lane) -> None:
    for device in lane.devices:
        lane.put(device, every(300, 2000), first_seq=1)
    bound = DAY0 + 170 * HOUR
    for limit in range(0, 40, 4):
        stopped = type(lane.rollups)(lane.conn, CATALOGUE, stopping=asked_more_than(limit)).refresh(bound)
        if limit == 0:
            assert not any(done.complete for done in stopped)
            assert lane.rows("minute") == []
    lane.refresh(bound)
    lane.assert_rolled_up(bound)
