"""The profile of several channels: what it calls a fault, what it forgives, and when an alarm ends."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from detectors.profiles.base import Scores
from detectors.profiles.multichannel import Multichannel
from detectors.profiles.redundancy import residual_weights, watched
from detectors.profiles.wander import allan_variance, learn

Array = NDArray[np.float64]

TRAIN = 400
ROWS = 2_000


def quiet(seed: int, rows: int = ROWS, channels: int = 3) -> Array:
    """Channels that stay where they are, with noise of 1."""
    return 50 + np.random.default_rng(seed).normal(size=(rows, channels))


def wandering(seed: int, rows: int = ROWS) -> Array:
    """One channel that goes where it likes, 0.1 a row, with hardly any noise."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.normal(0, 0.1, rows).cumsum() + rng.normal(0, 0.05, rows))


def run(x: Array, train: int | None = TRAIN) -> Scores:
    return Multichannel(x.shape[1], train).observe(np.arange(len(x), dtype=np.float64), x)


def stretches(alarm: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First row of each alarm and the row behind its last."""
    edges = np.flatnonzero(np.diff(alarm.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def test_a_shift_of_a_quiet_channel_is_an_alarm_from_its_onset_to_its_end() -> None:
    for seed in range(5):
        x = quiet(seed)
        x[1000:1400, 1] += 3
        found = stretches(run(x).alarm)
        assert len(found) == 1
        first, end = found[0]
        assert 1000 <= first <= 1020
        assert 1400 <= end <= 1460


def test_healthy_machines_are_left_alone() -> None:
    alarmed = [run(np.column_stack([quiet(seed), wandering(seed)])).alarm.mean() for seed in range(20)]
    assert np.mean(alarmed) < 0.02


def test_the_same_shift_says_much_of_a_quiet_channel_and_nothing_of_one_that_wanders() -> None:
    for seed in range(5):
        x = np.column_stack([quiet(seed, channels=2), wandering(seed)])
        size = 1.5 * float(np.std(x[:TRAIN, 2]))
        wanders, rests = x.copy(), x.copy()
        wanders[1200:, 2] += size
        rests[1200:, 0] += 3
        assert run(rests).alarm[1200:].mean() > 0.9
        assert run(wanders).alarm[1200:1500].mean() < 0.2


def test_what_is_called_a_fault_never_becomes_usual() -> None:
    x = quiet(1, 12_000)
    x[1000:, 0] += 4
    assert run(x).alarm[1030:].all()


def test_slow_drift_is_followed() -> None:
    x = quiet(2, 12_000)
    x[:, 0] += np.linspace(0, 15, len(x))
    assert not run(x).alarm.any()


def test_an_alarm_ends_where_most_of_its_distance_is_gone() -> None:
    x = quiet(3)
    x[800:1100, 0] += 12
    x[1100:, 0] += 1
    found = stretches(run(x).alarm)
    assert len(found) == 1
    assert 1100 < found[0][1] < 1200


def test_one_wild_row_is_no_fault_and_teaches_nothing() -> None:
    x = quiet(4)
    wild = x.copy()
    wild[[100, 250], :] = 1e6
    wild[900, :] = -1e6
    wild[1500, 1] = 1e12
    assert not run(wild).alarm.any()
    wild[1700:, 2] += 4
    assert run(wild).alarm[1720:].all()


def test_channels_that_part_are_found_though_each_is_within_its_own_wander() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        common = 5 * np.sin(np.arange(ROWS) / 30 + rng.random()) + wandering(seed)
        x = np.column_stack([common, 2 * common]) + rng.normal(0, 0.2, (ROWS, 2))
        x[1300:, 1] += 3
        found = run(x).alarm
        assert found[400:1300].mean() < 0.05
        assert found[1330:].mean() > 0.9


def test_rows_that_stood_the_test_widen_the_scale_and_the_onset_of_a_fault_does_not() -> None:
    restless = quiet(5, 6_000, 1)
    restless[TRAIN:, 0] += 1.2 * np.sin(np.arange(6_000 - TRAIN) / 60)
    seen = restless.copy()
    seen[5_000:, 0] += 2.2
    unseen = np.concatenate([restless[:600], seen[5_000:]])
    assert not run(restless).alarm.any()
    assert run(unseen).alarm[600:].any()
    assert run(seen).score[5_000:5_200].max() < run(unseen).score[600:800].max()
    ramp = quiet(6, 1_500, 1)
    ramp[900:, 0] += np.minimum(np.arange(600) / 20, 10)
    assert run(ramp).alarm[1_000:].all()


def test_a_machine_that_is_sampled_twice_as_often_gives_the_same_alarms() -> None:
    x = quiet(7)
    x[1000:1300, 0] += 3
    once = stretches(run(x).alarm)
    twice = stretches(run(np.repeat(x, 2, axis=0), 2 * TRAIN).alarm)
    assert len(once) == len(twice) == 1
    assert_allclose(np.array(twice) / 2, once, atol=12)


def test_the_score_says_what_the_alarm_says() -> None:
    x = quiet(8)
    x[1000:1200, 0] += np.linspace(0, 6, 200)
    found = run(x)
    assert_array_equal(found.score >= 0.5, found.alarm)
    assert not found.score[:TRAIN].any()
    assert found.score[1150:1200].min() > found.score[TRAIN:1000].max()


def test_few_healthy_rows_are_taken_as_forty() -> None:
    x = quiet(9, 300, 2)
    x[200:] += 8
    found = run(x, 5)
    assert not found.score[:40].any()
    assert found.score[40:].all()
    assert found.alarm[210:].all()


def test_allan_variance_of_noise_and_of_a_walk() -> None:
    rng = np.random.default_rng(10)
    x = np.column_stack([rng.normal(0, 2, 200_000), rng.normal(0, 0.5, 200_000).cumsum()])
    for k in (1, 10, 50):
        white, walk = allan_variance(x, k)
        assert white == pytest.approx(2**2 / k, rel=0.1)
        # Of sums of steps with variance q: q (2 k^2 + 1) / (6 k).
        assert walk == pytest.approx(0.5**2 * (2 * k**2 + 1) / (6 * k), rel=0.1)


def test_the_scale_knows_wander_from_noise() -> None:
    rng = np.random.default_rng(11)
    x = np.column_stack([rng.normal(size=TRAIN), wandering(11, TRAIN), np.full(TRAIN, 3.0), np.full(TRAIN, np.nan)])
    usual = learn(x, 0.15)
    assert usual.scale[0] < usual.noise[0] < usual.scale[1] / usual.noise[1] * usual.noise[0]
    assert_array_equal(usual.scale[2:], [0.0, 0.0])


def test_drifts_that_have_nothing_to_do_with_each_other_are_not_compared() -> None:
    kept = [
        len(residual_weights(np.column_stack([wandering(s, TRAIN), wandering(s + 100, TRAIN)]), 0.01))
        for s in range(20)
    ]
    assert sum(kept) <= 2


def test_a_residual_is_absent_where_its_channels_are() -> None:
    x = quiet(12, TRAIN, 1)
    both = np.column_stack([x, 3 * x + np.random.default_rng(12).normal(0, 0.1, x.shape)])
    weights = residual_weights(both, 0.01)
    assert weights.shape == (2, 2)
    rows = both[:3].copy()
    rows[1, 0] = np.nan
    found = watched(rows, weights)
    assert_array_equal(found[:, :2], rows)
    assert_array_equal(np.isfinite(found[:, 2:]), [[True, True], [False, False], [True, True]])
