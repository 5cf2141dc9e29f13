from __future__ import annotations

import numpy as np

from firmware_sim.attempts import OPENING, RETRY, Attempts


def attempts(count: int, *, spread: bool = True) -> Attempts:
    return Attempts(count, np.random.default_rng(1), 0, spread=spread)


def test_all_are_due_at_the_beginning_and_few_are_under_way_at_once() -> None:
    crowd = attempts(200)
    taken = []
    while (number := crowd.take(0)) is not None:
        crowd.opening(number)
        taken.append(number)
    assert len(taken) == OPENING
    assert crowd.next_due() is None
    crowd.came_up(taken[0])
    assert crowd.take(0) == OPENING


def test_a_crowd_that_lost_its_broker_comes_back_over_two_seconds() -> None:
    crowd = attempts(500)
    while (number := crowd.take(0)) is not None:
        crowd.came_up(number)
    for number in range(500):
        crowd.lost(number, 0)
    early = list(iter(lambda: crowd.take(RETRY[1] // 2), None))
    assert 200 < len(early) < 300
    assert len(list(iter(lambda: crowd.take(RETRY[1]), None))) == 500 - len(early)


def test_one_alone_comes_back_quickly_and_then_waits_longer() -> None:
    alone = attempts(1, spread=False)
    now, waits = 0, []
    assert alone.take(0) == 0
    for _ in range(6):
        alone.lost(0, now)
        due = alone.next_due()
        assert due is not None
        waits.append(due - now)
        now = due
        assert alone.take(now) == 0
    assert RETRY[0] / 2 <= waits[0] <= RETRY[0]
    assert RETRY[1] / 2 <= waits[-1] <= RETRY[1]
    alone.came_up(0)
    alone.lost(0, now)
    assert alone.next_due() is not None
    assert (alone.next_due() or 0) - now <= RETRY[0]


def test_a_broker_that_nobody_reaches_is_tried_by_one() -> None:
    crowd = attempts(100)
    tries, now = 0, 0
    while now < 20_000_000:
        number = crowd.take(now)
        if number is None:
            due = crowd.next_due()
            assert due is not None
            assert due > now
            now = due
            continue
        tries += 1
        crowd.unreachable(now)
        crowd.lost(number, now)
    assert 10 <= tries <= 25
