"""The profile of one series: what it finds, what it leaves alone, and its parts against plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from detectors.profiles.base import Scores
from detectors.profiles.discord import Discord
from detectors.profiles.pace import Pace
from detectors.profiles.seasons import Season
from detectors.profiles.tails import MOST, Tail
from detectors.profiles.univariate import Univariate

Array = NDArray[np.float64]

DAY = 288
ROWS = 14 * DAY
HAPPENS = 10 * DAY + 108
"""Row of the event: the morning of the eleventh day."""


def clock(rows: int, every: float = 300.0, start: float = 1.4e9) -> Array:
    return np.linspace(start, start + every * (rows - 1), rows)


def run(x: Array, every: float = 300.0, train: int | None = None) -> Scores:
    return Univariate(1, train).observe(clock(len(x), every), x[:, None])


def days(seed: int = 0, noise: float = 1.0) -> Array:
    """Busy from nine to six, quiet at night, every day; a row each five minutes."""
    at = np.arange(ROWS) % DAY
    busy = (at >= 108) & (at < 216)
    return np.where(busy, 80.0, 20.0) + noise * np.random.default_rng(seed).normal(size=ROWS)


def counts(seed: int = 0) -> Array:
    """Events per five minutes, more by day."""
    rate = 6.0 + 5.0 * np.sin(2 * np.pi * np.arange(ROWS) / DAY)
    return np.random.default_rng(seed).poisson(rate).astype(np.float64)


def spike(x: Array) -> None:
    x[HAPPENS] += 12 * x.std()


def level(x: Array) -> None:
    x[HAPPENS:] += 2.5 * x.std()


def day_off(x: Array) -> None:
    x[HAPPENS : HAPPENS + 108] = x[HAPPENS - 108 : HAPPENS]


def frozen(x: Array) -> None:
    x[HAPPENS : HAPPENS + 200] = 50.0


def burst(x: Array) -> None:
    x[HAPPENS : HAPPENS + 24] *= 4.0


@pytest.mark.parametrize("event", [spike, level, frozen, day_off], ids=lambda event: event.__name__)
@pytest.mark.parametrize("seed", [1])
def test_events_in_a_daily_course_are_found_soon(event: object, seed: int) -> None:
    x = days(seed)
    assert callable(event)
    event(x)
    alarms = np.flatnonzero(run(x).alarm)
    assert ((alarms >= HAPPENS) & (alarms <= HAPPENS + 48)).any()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_burst_of_counts_is_found_at_once(seed: int) -> None:
    x = counts(seed)
    burst(x)
    alarms = np.flatnonzero(run(x).alarm)
    assert ((alarms >= HAPPENS) & (alarms <= HAPPENS + 12)).any()


@pytest.mark.parametrize("make", [days, counts], ids=["daily course", "counts"])
def test_healthy_series_alarm_seldom(make: object) -> None:
    assert callable(make)
    assert sum(int(run(make(seed)).alarm.sum()) for seed in range(2)) <= 4


def test_noise_alarms_seldom_whatever_its_shape() -> None:
    rng = np.random.default_rng(5)
    shapes = [
        rng.normal(size=3_000),
        rng.uniform(size=3_000),
        rng.exponential(size=3_000),
        rng.standard_t(4, size=3_000),
    ]
    assert max(int(run(x).alarm.sum()) for x in shapes) <= 6


def test_one_event_is_one_alarm() -> None:
    x = days(4)
    spike(x)
    x[HAPPENS + 5] += 500.0
    alarms = np.flatnonzero(run(x).alarm)
    assert len(alarms[(alarms >= HAPPENS) & (alarms < HAPPENS + 300)]) == 1


def test_the_alarm_is_the_score_from_a_half_on() -> None:
    x = days(6)
    spike(x)
    found = run(x)
    assert found.alarm.any()
    assert_array_equal(found.alarm, found.score >= 0.5)


def test_training_rows_raise_no_alarm() -> None:
    x = days(7)
    spike(x)
    assert not run(x, train=HAPPENS + 50).alarm[: HAPPENS + 50].any()


@pytest.mark.parametrize("factor", [0.25, 1024.0, -1.0])
def test_unit_and_sign_do_not_matter_at_all(factor: float) -> None:
    x = counts(8)
    burst(x)
    assert_array_equal(run(x).score, run(factor * x).score)


def test_other_sampling_works_too() -> None:
    for every in (60.0, 3_600.0):
        x = np.random.default_rng(9).normal(size=3_000)
        x[2_000] += 15.0
        assert 2_000 in np.flatnonzero(run(x, every).alarm)


def test_a_row_sent_twice_counts_once() -> None:
    x = days(10)
    spike(x)
    t = clock(ROWS)
    plain = Univariate(1, None).observe(t, x[:, None])
    again = np.sort(np.concatenate([np.arange(ROWS), np.arange(500, ROWS, 97)]))
    doubled = Univariate(1, None).observe(t[again], x[again, None])
    first = np.append(True, np.diff(again) > 0)
    assert not doubled.alarm[~first].any()
    assert (doubled.alarm[first] != plain.alarm).mean() < 0.001


def test_of_several_columns_the_most_unusual_counts() -> None:
    x = np.column_stack([days(11), days(12)])
    x[HAPPENS, 1] += 400.0
    found = Univariate(2, None).observe(clock(ROWS), x)
    assert found.alarm[HAPPENS]


def ranks(values: Array) -> Array:
    """-log10 of (1 + how many before are as great) / (1 + how many before), by counting."""
    return np.array([np.log10((row + 1) / (1 + (values[:row] >= value).sum())) for row, value in enumerate(values)])


def test_the_tail_is_the_rank_below_its_start() -> None:
    values = np.random.default_rng(1).integers(0, 30, 300).astype(np.float64)
    found = Tail().observe(values, np.zeros(300))
    below = [row for row in range(20, 300) if (values[:row] > values[row]).sum() >= 12]
    assert len(below) > 100
    assert_allclose(found[below], ranks(values)[below])


def test_the_tail_reaches_beyond_what_was_seen_and_never_ends() -> None:
    slightly, far = (Tail() for _ in range(2))
    for one in (slightly, far):
        one.observe(np.random.default_rng(2).uniform(size=2_000), np.zeros(2_000))
    assert 2.0 < slightly.observe(np.array([1.001]), np.zeros(1))[0] < 5.0
    assert far.observe(np.array([100.0]), np.zeros(1))[0] == MOST


def test_tail_probabilities_are_as_often_as_they_say() -> None:
    found = np.concatenate(
        [
            Tail().observe(np.random.default_rng(seed).exponential(size=4_000), np.zeros(4_000))[400:]
            for seed in range(5)
        ]
    )
    for power in (1.0, 2.0):
        assert (found >= power).mean() == pytest.approx(10.0**-power, rel=0.25)
    assert (found >= 4.0).mean() < 1e-3


def test_a_heavier_tail_is_less_surprised() -> None:
    rng = np.random.default_rng(3)
    light, heavy = Tail(), Tail()
    light.observe(np.abs(rng.normal(size=3_000)), np.zeros(3_000))
    heavy.observe(np.abs(rng.standard_t(2, size=3_000)), np.zeros(3_000))
    ten = np.array([10.0])
    assert light.observe(ten, np.zeros(1))[0] > heavy.observe(ten, np.zeros(1))[0] + 2


def test_the_tail_forgets_half_of_a_long_past_and_stays_right() -> None:
    values = np.random.default_rng(4).exponential(size=90_000)
    found = Tail().observe(values, np.zeros(90_000))
    for power in (2.5, 3.0):
        assert (found[50_000:] >= power).mean() == pytest.approx(10.0**-power, rel=0.35)


def test_equal_values_are_no_news() -> None:
    assert not Tail().observe(np.full(5_000, 3.0), np.zeros(5_000)).any()


def test_what_is_within_rounding_is_no_news() -> None:
    values = np.zeros(400)
    values[300] = 1e-13
    assert Tail().observe(values, np.full(400, 1e-12))[300] < 3.0
    assert Tail().observe(values, np.zeros(400))[300] == MOST


@pytest.mark.parametrize(("length", "neighbours"), [(4, 5), (19, 10)])
def test_the_discord_is_the_mean_distance_to_the_nearest(length: int, neighbours: int) -> None:
    x = np.random.default_rng(6).normal(size=260).cumsum()
    found = Discord(length, neighbours).observe(x, x)
    windows = np.lib.stride_tricks.sliding_window_view(x, length)
    for row in (4 * length, 150, 259):
        now = windows[row - length + 1]
        before = windows[: row - 2 * length + 2]
        apart = np.sort(np.linalg.norm(before - now, axis=1))[:neighbours]
        assert found[row] == pytest.approx(apart.mean())
    assert np.isnan(found[: 4 * length]).all()


def test_the_discord_keeps_a_bounded_past() -> None:
    x = np.random.default_rng(7).normal(size=9_000)
    whole = Discord(4, 5).observe(x, x)
    recent = Discord(4, 5).observe(x[4_000:], x[4_000:])
    assert_allclose(whole[-500:], recent[-500:])


def test_the_season_is_what_is_left_of_the_day() -> None:
    t = clock(ROWS, start=0.0)
    x = np.sin(2 * np.pi * np.arange(ROWS) / DAY)
    found = Season().observe(t, x)
    assert np.isnan(found[:11]).all()
    assert found[5 * DAY :].max() < 0.15
    x[HAPPENS : HAPPENS + 12] += 3.0
    assert Season().observe(t, x)[HAPPENS + 11] == pytest.approx(3.0, abs=0.15)


def test_the_season_knows_no_zone() -> None:
    rng = np.random.default_rng(8)
    t, x = clock(ROWS), rng.normal(size=ROWS)
    assert_array_equal(Season().observe(t, x), Season().observe(t + 8 * 3_600.0 + 86_400.0 * 1_000, x))


def test_the_pace_is_that_of_most_steps() -> None:
    t = clock(500)
    t[200:] += 30 * 86_400.0
    t[300] = np.nan
    assert Pace().observe(t)[-1] == pytest.approx(0.0, abs=0.02)
    assert Pace().observe(clock(500, 3_600.0))[-1] == pytest.approx(np.log10(12.0))
    assert Pace().observe(np.full(5, np.nan)).tolist() == [0.0] * 5
    # Rows that are numbered, not dated, count as one a minute.
    assert Pace().observe(clock(500, 1.0, 0.0))[-1] == pytest.approx(np.log10(0.2))


def test_every_other_row_says_the_same_of_a_lasting_change() -> None:
    x = days(13)
    level(x)
    half = Univariate(1, None).observe(clock(ROWS)[::2], x[::2, None])
    alarms = 2 * np.flatnonzero(half.alarm)
    assert ((alarms >= HAPPENS) & (alarms <= HAPPENS + 48)).any()
