"""The profile of appliances that work in cycles: what is a run, what is usual, what is said of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.profiles.base import Scores
from detectors.profiles.cycles import Cycles
from detectors.profiles.runs import Load, Run, fresh, learn_load, level_of, runs_of
from detectors.profiles.usual import Reference

Array = NDArray[np.float64]

_MINUTE = 60.0
_DAY = 1440


@dataclass(frozen=True, slots=True)
class Fridge:
    """A compressor by the minute: runs of about `run` minutes at 80 W after rests of about 30, with an inrush."""

    run: float = 15.0
    power: float = 80.0
    seed: int = 1

    def days(self, days: float) -> Array:
        rng = np.random.default_rng(self.seed)
        parts: list[Array] = []
        rows = 0
        while rows < days * _DAY:
            length = max(2, round(self.run * math.exp(0.06 * rng.normal())))
            rest = max(2, round(30 * math.exp(0.08 * rng.normal())))
            run = self.power * (1.0 + 0.01 * rng.normal(size=length))
            run[0] *= 3.0
            parts += [run, np.full(rest, 1.0)]
            rows += length + rest
        return np.concatenate(parts)[: round(days * _DAY)]


def at(rows: int) -> Array:
    return _MINUTE * np.arange(rows, dtype=np.float64)


def scored(x: Array, train: int | None, t: Array | None = None) -> Scores:
    return Cycles(1, train).observe(at(len(x)) if t is None else t, x[:, None])


def load_of(x: Array) -> Load:
    load = learn_load(at(len(x)), x)
    assert load is not None
    return load


def test_runs_of_the_load_are_found_with_their_length_level_and_rest() -> None:
    x = np.concatenate([np.ones(10), np.full(20, 80.0), np.ones(40), np.full(30, 82.0), np.ones(10)])
    load = load_of(np.tile(x, 3))
    first, second = runs_of(at(len(x)), x, load, fresh())
    assert (first.length, second.length) == (20 * _MINUTE, 30 * _MINUTE)
    assert (first.level, second.level) == pytest.approx((79.0, 81.0))
    assert math.isnan(first.rest)
    assert second.rest == 40 * _MINUTE


def test_a_short_dip_is_part_of_a_run_and_a_blip_is_none() -> None:
    run = np.full(40, 80.0)
    run[20] = 1.0
    x = np.concatenate([np.ones(10), run, np.ones(30), np.full(2, 80.0), np.ones(30), np.full(40, 80.0), np.ones(30)])
    load = load_of(np.tile(x, 3))
    assert [found.length / _MINUTE for found in runs_of(at(len(x)), x, load, fresh())] == [40, 40]


def test_a_run_with_a_hole_in_it_is_no_run() -> None:
    x = Fridge().days(1.0)
    t = at(len(x))
    load = load_of(x)
    whole = runs_of(t, x, load, fresh())
    starts = np.flatnonzero((x[1:] > 40) & (x[:-1] < 40)) + 1
    hole = int(starts[5]) + 4
    cut = np.concatenate([np.arange(hole), np.arange(hole + 60, len(x))])
    holed = runs_of(t[cut], x[cut], load, fresh())
    assert len(whole) - 3 <= len(holed) < len(whole)
    assert max(run.length for run in holed) <= max(run.length for run in whole)


def test_power_that_never_moves_has_no_load() -> None:
    assert learn_load(at(500), np.full(500, 7.0)) is None
    assert learn_load(at(500), np.full(500, np.nan)) is None
    assert learn_load(np.zeros(_DAY), Fridge().days(1.0)) is None


def test_what_is_usual_depends_on_the_rest_before() -> None:
    """A dishwasher heats for 11 minutes first and for 15 an hour later."""
    rng = np.random.default_rng(3)
    runs = []
    for _ in range(10):
        runs.append(Run(11 * math.exp(0.03 * rng.normal()), 2000.0, 1300 * math.exp(0.1 * rng.normal())))
        runs.append(Run(15 * math.exp(0.03 * rng.normal()), 2000.0, 62 * math.exp(0.05 * rng.normal())))
    reference = Reference(runs)
    first, second, unknown = reference.length(1250.0), reference.length(60.0), reference.length(math.nan)
    assert math.exp(first.centre) == pytest.approx(11, rel=0.05)
    assert math.exp(second.centre) == pytest.approx(15, rel=0.05)
    assert first.deviation(13.5) > 3
    assert second.deviation(13.5) < 0
    assert unknown.spread > 2 * first.spread


def test_a_few_reference_runs_leave_more_doubt_than_many() -> None:
    few, many = ([Run(900.0 + i % 3, 80.0, 1800.0) for i in range(n)] for n in (3, 300))
    assert Reference(few).length(1800.0).spread > 1.2 * Reference(many).length(1800.0).spread


@pytest.mark.parametrize("fault", [Fridge(run=19.0, seed=2), Fridge(power=95.0, seed=2)], ids=["longer", "stronger"])
def test_a_changed_day_scores_higher_than_a_healthy_one_by_mean_and_by_maximum(fault: Fridge) -> None:
    healthy = Fridge().days(5.0)
    usual, changed = (
        scored(np.concatenate([healthy, day]), len(healthy)).score[len(healthy) :]
        for day in (Fridge(seed=3).days(1.0), fault.days(1.0))
    )
    assert changed.mean() > usual.mean() + 0.3
    assert changed.max() > usual.max() + 0.3


def test_the_alarm_needs_several_runs_and_ends_when_the_appliance_is_well_again() -> None:
    healthy, worn, mended = Fridge().days(5.0), Fridge(run=22.0, seed=2).days(2.0), Fridge(seed=4).days(2.0)
    found = scored(np.concatenate([healthy, worn, mended]), len(healthy))
    begun, well = len(healthy), len(healthy) + len(worn)
    first = int(np.flatnonzero(found.alarm)[0])
    assert begun + 3 * 45 < first < begun + _DAY
    assert found.alarm[first:well].all()
    assert not found.alarm[well + _DAY :].any()


def test_a_healthy_month_raises_no_alarm_whether_or_not_it_is_told_what_is_healthy() -> None:
    x = Fridge().days(30.0)
    for train in (None, 3 * _DAY):
        assert not scored(x, train).alarm.any()


def test_a_run_that_does_not_end_is_believed_before_it_ends() -> None:
    healthy = Fridge().days(3.0)
    stuck = np.concatenate([healthy, np.ones(30), np.full(_DAY // 2, 80.0)])
    score = scored(stuck, len(healthy)).score
    begun = len(healthy) + 30
    assert score[begun + 5] < 0.3
    assert score[-1] > 0.9
    assert (np.diff(score[begun + 20 :]) >= 0).all()


def test_one_long_draw_of_water_is_no_fault() -> None:
    healthy = Fridge().days(3.0)
    day = Fridge(seed=5).days(1.0)
    bath = np.concatenate([day[:600], np.ones(10), np.full(120, 80.0), np.ones(30), day[600:]])
    found = scored(np.concatenate([healthy, bath]), len(healthy))
    assert not found.alarm.any()
    assert found.score[-300:].max() < 0.5


@pytest.mark.parametrize("factor", [0.01, 1.0, 230.0])
def test_the_unit_of_power_does_not_matter(factor: float) -> None:
    x = np.concatenate([Fridge().days(3.0), Fridge(run=19.0, seed=2).days(1.0)])
    np.testing.assert_allclose(scored(factor * x, 3 * _DAY).score, scored(x, 3 * _DAY).score, atol=1e-9)


def test_days_of_other_dates_can_be_joined() -> None:
    """Healthy days in any order before the day that is asked about: a step of the clock ends a run, no more."""
    days = [Fridge(seed=seed).days(1.0) for seed in range(5)]
    worn = Fridge(run=19.0, seed=9).days(1.0)
    stamps = np.concatenate([at(_DAY) + 86_400.0 * date for date in (40, 7, 90, 3, 41, 12)])
    x = np.concatenate([*days, worn])
    found = scored(x, 5 * _DAY, stamps)
    assert found.score[5 * _DAY :].mean() > 0.5


def test_before_there_is_a_reference_nothing_is_said() -> None:
    x = Fridge().days(2.0)
    assert not scored(x, _DAY).score[:_DAY].any()
    assert scored(x, _DAY).score[_DAY:].any()
    assert not scored(x, None).alarm.any()


def test_a_series_has_a_channel() -> None:
    with pytest.raises(ValueError, match="channel"):
        Cycles(0, None)


def test_dips_do_not_lower_the_level() -> None:
    load = load_of(Fridge().days(1.0))
    assert level_of(np.array([80.0, 80.0, 1.0, 1.0, 1.0, 82.0]), load) == pytest.approx(79.0, abs=0.5)


def test_what_was_believed_fades_while_nothing_runs_but_not_where_rows_are_only_numbered() -> None:
    healthy = Fridge().days(3.0)
    x = np.concatenate([healthy, Fridge(run=22.0, seed=2).days(0.5), np.ones(2 * _DAY)])
    timed, numbered = scored(x, len(healthy)).score, scored(x, len(healthy), np.arange(len(x), dtype=np.float64)).score
    after = len(x) - 2 * _DAY + 60
    assert timed[after] > 0.5
    assert timed[-1] < 0.15
    assert numbered[-1] > 0.5
