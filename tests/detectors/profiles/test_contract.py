"""What every registered profile promises, whatever its method: rows in, a score and an alarm a row out.

A profile is enrolled by entering it in `detectors.profiles.registry`.
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from detectors.profiles.base import Scores
from detectors.profiles.registry import PROFILES

Array = NDArray[np.float64]

_ROWS = 1500
_EVERY = {"univariate": 300.0, "multichannel": 1.0, "cycles": 60.0}

pytestmark = pytest.mark.skipif(not PROFILES, reason="no profile is registered")


def times(name: str, rows: int = _ROWS) -> Array:
    return np.asarray(1.6e9 + _EVERY.get(name, 60.0) * np.arange(rows), dtype=np.float64)


def series(name: str, rows: int = _ROWS, seed: int = 1) -> Array:
    """A series that a profile is made for, with a change at four fifths."""
    rng = np.random.default_rng(seed)
    at = np.arange(rows)
    changed = at >= rows * 4 // 5
    if name == "multichannel":
        hidden = rng.normal(size=(rows, 2)).cumsum(axis=0) * 0.05 + np.sin(at / 40)[:, None]
        x = hidden @ rng.normal(size=(2, 5)) + 0.1 * rng.normal(size=(rows, 5)) + 3.0
        x[changed, 1] += 1.5
        return np.asarray(x, dtype=np.float64)
    if name == "cycles":
        length = np.where(changed, 22, 15)
        phase = np.cumsum(1 / length) % 1
        power = np.where(phase < 0.4, np.where(changed, 120.0, 90.0), 2.0) + rng.normal(size=rows)
        return np.maximum(power, 0.0)[:, None]
    x = 10 + 3 * np.sin(at * 2 * np.pi / 288) + rng.normal(size=rows)
    x[changed] += 6
    return np.asarray(x[:, None], dtype=np.float64)


def run(name: str, t: Array, x: Array, cuts: tuple[int, ...] = (), train: int | None = None) -> Scores:
    """Scores of a fresh profile that is told the rows in pieces."""
    profile = PROFILES[name](x.shape[1], train)
    pieces = [profile.observe(*part) for part in zip(np.split(t, cuts), np.split(x, cuts), strict=True)]
    found = Scores(np.concatenate([p.score for p in pieces]), np.concatenate([p.alarm for p in pieces]))
    assert found.score.shape == found.alarm.shape == t.shape
    assert found.score.dtype == np.float64
    assert found.alarm.dtype == np.bool_
    assert np.isfinite(found.score).all()
    assert ((found.score >= 0) & (found.score <= 1)).all()
    return found


def assert_same(one: Scores, other: Scores) -> None:
    assert_array_equal(one.score, other.score)
    assert_array_equal(one.alarm, other.alarm)


each_profile = pytest.mark.parametrize("name", sorted(PROFILES))
each_training = pytest.mark.parametrize("train", [None, 400], ids=["own choice", "400 rows"])


@each_profile
@each_training
def test_what_is_said_of_a_row_rests_on_the_rows_before_it(name: str, train: int | None) -> None:
    t, x = times(name), series(name)
    whole = run(name, t, x, train=train)
    for n in (1, 2, 37, 399, 401, 1150, 1300):
        part = run(name, t[:n], x[:n], train=train)
        assert_same(part, Scores(whole.score[:n], whole.alarm[:n]))


@each_profile
def test_an_unseen_future_of_another_kind_changes_nothing(name: str) -> None:
    t, x = times(name), series(name)
    other = x.copy()
    other[1000:] = 1e6
    one, two = run(name, t, x), run(name, t, other)
    assert_same(Scores(one.score[:1000], one.alarm[:1000]), Scores(two.score[:1000], two.alarm[:1000]))


@each_profile
@each_training
def test_how_rows_are_divided_into_calls_does_not_show(name: str, train: int | None) -> None:
    t, x = times(name), series(name)
    x[700:720] = np.nan
    whole = run(name, t, x, train=train)
    rng = np.random.default_rng(2)
    for cuts in (
        (1, 2, 3, 400, 401, 999),
        (0, 0, _ROWS),
        tuple(sorted(rng.integers(0, _ROWS, 60).tolist())),
    ):
        assert_same(run(name, t, x, cuts, train), whole)
    assert_same(run(name, t[:500], x[:500], tuple(range(1, 500)), train), Scores(whole.score[:500], whole.alarm[:500]))


@each_profile
def test_two_profiles_share_nothing(name: str) -> None:
    t, x = times(name), series(name)
    alone = run(name, t, x)
    one, two = PROFILES[name](x.shape[1], None), PROFILES[name](x.shape[1], None)
    for low in range(0, _ROWS, 250):
        span = slice(low, low + 250)
        assert_same(one.observe(t[span], x[span]), Scores(alone.score[span], alone.alarm[span]))
        two.observe(t[span], x[span][::-1] * 3)


@each_profile
def test_what_is_given_is_not_changed(name: str) -> None:
    t, x = times(name), series(name)
    x[100:110] = np.nan
    kept_t, kept_x = t.copy(), x.copy()
    run(name, t, x)
    assert_array_equal(t, kept_t)
    assert_array_equal(x, kept_x)


@each_profile
@pytest.mark.parametrize(
    ("factor", "offset"), [(1000.0, 0.0), (0.001, 0.0), (1.0, 50.0)], ids=["larger", "smaller", "raised"]
)
def test_the_unit_hardly_matters(name: str, factor: float, offset: float) -> None:
    if name == "cycles" and offset:
        pytest.skip("the zero of a duty cycle means something: the appliance is off")
    t, x = times(name), series(name)
    plain, scaled = run(name, t, x), run(name, t, x * factor + offset)
    assert np.abs(plain.score - scaled.score).mean() < 0.05
    assert (plain.alarm != scaled.alarm).mean() < 0.03


@each_profile
@pytest.mark.parametrize("shift", [86_400 * 7, 86_400 * 7 * 520, 1.0], ids=["a week", "ten years", "a second"])
def test_the_date_hardly_matters(name: str, shift: float) -> None:
    t, x = times(name), series(name)
    plain, moved = run(name, t, x), run(name, t + shift, x)
    assert np.abs(plain.score - moved.score).mean() < 0.05
    assert (plain.alarm != moved.alarm).mean() < 0.03


@each_profile
@pytest.mark.parametrize("case", ["absent rows", "an absent channel", "scattered", "from the start", "all"])
def test_absent_numbers_are_scored_all_the_same(name: str, case: str) -> None:
    t, x = times(name, 900), series(name, 900)
    if case == "absent rows":
        x[300:420] = np.nan
    elif case == "an absent channel":
        x = np.column_stack([x, np.full(len(x), np.nan)])
    elif case == "scattered":
        x[np.random.default_rng(3).random(x.shape) < 0.1] = np.nan
    elif case == "from the start":
        x[:250] = np.nan
    else:
        x[:] = np.nan
    found = run(name, t, x)
    if case == "all":
        assert not found.alarm.any()


@each_profile
@each_training
@pytest.mark.parametrize("value", [0.0, 5.0, -1e9, 1e-300])
def test_what_never_moves_is_usual(name: str, train: int | None, value: float) -> None:
    t = times(name, 800)
    found = run(name, t, np.full((800, series(name, 5).shape[1]), value), train=train)
    assert not found.alarm.any()


@each_profile
@each_training
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 10])
def test_a_table_may_be_tiny(name: str, train: int | None, rows: int) -> None:
    x = series(name, 20)[:rows]
    found = run(name, times(name, rows), x, train=train)
    assert not found.alarm.any()


@each_profile
@pytest.mark.parametrize("channels", [1, 2, 12])
def test_any_number_of_columns_is_taken(name: str, channels: int) -> None:
    rng = np.random.default_rng(4)
    run(
        name, times(name, 700), rng.normal(size=(700, channels)).cumsum(axis=0) * 0.1 + rng.normal(size=(700, channels))
    )


@each_profile
@pytest.mark.parametrize("case", ["a gap", "no time", "some without", "repeated", "fallen", "a clock set back", "rows"])
def test_time_may_be_anything(name: str, case: str) -> None:
    t, x = times(name), series(name)
    rng = np.random.default_rng(5)
    if case == "a gap":
        t[600:] += 86_400 * 30
    elif case == "no time":
        t[:] = np.nan
    elif case == "some without":
        t[rng.random(_ROWS) < 0.05] = np.nan
    elif case == "repeated":
        t[1::2] = t[::2]
    elif case == "fallen":
        chosen = rng.choice(_ROWS - 1, 15, replace=False)
        t[chosen], t[chosen + 1] = t[chosen + 1], t[chosen]
    elif case == "a clock set back":
        t[600:] -= 86_400 * 365
    else:
        t = np.arange(_ROWS, dtype=np.float64)
    run(name, t, x)


@each_profile
def test_extremes_are_scored(name: str) -> None:
    t, x = times(name), series(name)
    x[1000], x[1100], x[1200] = 1e300, -1e300, 1e-300
    run(name, t, x)


@each_profile
def test_the_change_scores_higher_than_what_came_before(name: str) -> None:
    t, x = times(name), series(name)
    found = run(name, t, x)
    settled = found.score[_ROWS // 2 : _ROWS * 4 // 5]
    assert found.score[_ROWS * 4 // 5 :].max() > np.quantile(settled, 0.99)


def growth(name: str, rows: int) -> int:
    """Bytes that a profile holds more after twice as many rows."""
    t, x = times(name, 2 * rows), series(name, 2 * rows)
    tracemalloc.start()
    profile = PROFILES[name](x.shape[1], None)
    profile.observe(t[:rows], x[:rows])
    before = tracemalloc.get_traced_memory()[0]
    profile.observe(t[rows:], x[rows:])
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


@pytest.mark.long
@each_profile
def test_memory_is_bounded(name: str) -> None:
    assert growth(name, 60_000) < 400_000
