"""Segmentation, calibration, dating and diagnosis, each alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from detectors.baseline import models_of
from detectors.decision import Track, date_shift, p_value
from detectors.diagnosis import UNKNOWN, Deviations, bounded, diagnose, match, signatures_of
from detectors.episodes import HOUR
from detectors.evidence import Bins
from detectors.recovery import telling_of, waits_of
from detectors.segment import Cycle, Segmenter
from telemetry.clock import MICROS
from tests.detectors.streams import START, catalogue

MINUTE = 60 * MICROS


def fridge_segmenter() -> Segmenter:
    return Segmenter(catalogue()["refrigerator"], rest_counts=True, keep_rest=True)


def feed(segmenter: Segmenter, power: Sequence[float], first: int = 0, size: int = 7) -> list[Cycle]:
    """Power a minute, in messages of `size` readings."""
    width = len(catalogue()["refrigerator"].channels)
    cycles: list[Cycle] = []
    for low in range(0, len(power), size):
        part = power[low : low + size]
        values = np.full((len(part), width), np.nan, np.float32)
        values[:, 0] = part
        t = START + (first + low + np.arange(len(part), dtype=np.int64)) * MINUTE
        cycles += segmenter.feed(t, "cooling", values)
    return cycles


def test_a_cycle_is_a_run_and_its_rest() -> None:
    cycles = feed(fridge_segmenter(), [0] * 5 + [90] * 20 + [0] * 30 + [90] * 20 + [0] * 5)
    assert len(cycles) == 1
    cycle = cycles[0]
    assert (cycle.end - cycle.start) // MINUTE == 20
    assert cycle.following is not None
    assert (cycle.following - cycle.start) // MINUTE == 50


@pytest.mark.parametrize("size", [1, 3, 11, 80])
def test_cycles_do_not_depend_on_message_borders(size: int) -> None:
    power = ([0.0] * 5 + [90.0] * 20) * 4 + [0.0] * 9
    expected = feed(fridge_segmenter(), power)
    found = feed(fridge_segmenter(), power, size=size)
    assert [(c.start, c.end, c.following) for c in found] == [(c.start, c.end, c.following) for c in expected]


@pytest.mark.parametrize("size", [1, 3, 300, 700, 5000])
def test_a_long_cycle_is_thinned_alike_whatever_the_message_borders(size: int) -> None:
    power = [0.0] * 5 + [90.0 + minute % 7 for minute in range(1700)] + [0.0] * 400 + [90.0] * 9
    (expected,) = feed(fridge_segmenter(), power)
    (found,) = feed(fridge_segmenter(), power, size=size)
    assert 256 < len(expected.rows.t) <= 512
    assert found.rows.t.tolist() == expected.rows.t.tolist()
    assert np.array_equal(found.rows.values, expected.rows.values, equal_nan=True)


def test_a_cycle_that_a_gap_touches_is_dropped() -> None:
    segmenter = fridge_segmenter()
    power = [0.0] * 5 + [90.0] * 20 + [0.0] * 30
    cycles = feed(segmenter, power + [90.0] * 5)
    cycles += feed(segmenter, [90.0] * 15 + [0.0] * 30 + [90.0] * 20 + [0.0] * 30 + [90.0] * 5, first=400)
    assert [(c.start - START) // MINUTE for c in cycles] == [5, 445]


def test_p_values_are_conformal_with_enough_reference() -> None:
    clean = sorted(np.random.default_rng(1).normal(size=99).tolist())
    assert p_value(50.0, clean) == pytest.approx(1 / 100)
    assert p_value(-50.0, clean) == pytest.approx(1.0)
    assert p_value(2.0, []) == pytest.approx(0.02275, rel=1e-3)


def test_false_alarms_of_the_cusum_are_within_its_budget() -> None:
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(40):
        track = Track(clean=sorted(rng.normal(size=60).tolist()))
        for t, score in enumerate(rng.normal(size=1000).tolist()):
            track.step(t, score, tolerance=0.0, threshold=10.0, forget=0.1)
            alarms += track.log_e >= 10.0
    # exp(10) = 22,000 cycles between alarms at least; 40,000 were judged, and one alarm lasts some cycles.
    assert alarms <= 40


def test_a_shift_is_dated_within_its_interval() -> None:
    rng = np.random.default_rng(3)
    scores = np.concatenate((rng.normal(0, 1, 60), rng.normal(3, 1, 30))).tolist()
    found = date_shift(list(range(90)), scores)
    assert found is not None
    onset, low, high = found
    assert low <= onset <= high
    assert abs(onset - 60) <= 3
    assert date_shift(list(range(90)), rng.normal(0, 1, 90).tolist()) is None


def test_the_signature_that_fits_is_named_and_the_others_are_ruled_out() -> None:
    kind = catalogue()["refrigerator"]
    names = list(kind.features)
    signatures = signatures_of(kind, relative=False)
    models = models_of(kind)
    sd = [model.spec.spread for model in models]
    worn = next(s for s in signatures if s.cause == "condenser_fan_wear")
    usual = [model.spec.mean for model in models]
    change = [0.4 * size if not math.isnan(size) else 0.0 for size in worn.size]
    z = [c / s for c, s in zip(change, sd, strict=True)]
    for i, name in enumerate(names):
        if name in ("ambient_mean", "door_time"):
            z[i] = math.nan
    value = [u + c for u, c in zip(usual, change, strict=True)]
    told = diagnose(names, signatures, "condenser_airflow", Deviations(z, sd, value, usual))
    assert told.causes[0].fault == "condenser_fan_wear"
    assert told.causes[0].probability > 0.7
    assert UNKNOWN in {cause.fault for cause in told.causes}
    assert told.amount == pytest.approx(0.4, abs=0.05)
    assert {"heat_wave", "refrigerant_leak"} <= {rejected.cause for rejected in told.rejected}


def test_what_no_signature_explains_is_unknown() -> None:
    kind = catalogue()["refrigerator"]
    names = list(kind.features)
    size = len(names)
    z = [math.nan] * size
    for name, deviation in (("fan_rpm", 8.0), ("condenser_rise", 5.0), ("run_time", -6.0), ("plateau_power", 7.0)):
        z[names.index(name)] = deviation
    seen = Deviations(z, [1.0] * size, [0.0] * size, [0.0] * size)
    told = diagnose(names, signatures_of(kind, relative=False), "condenser_airflow", seen)
    assert told.causes[0].fault == UNKNOWN


def test_what_has_no_value_in_a_cycle_is_no_reason() -> None:
    kind = catalogue()["refrigerator"]
    names = list(kind.features)
    usual = [spec.mean for spec in kind.features.values()]
    signatures = signatures_of(kind, relative=False)
    worn = next(s for s in signatures if s.cause == "condenser_fan_wear")
    z = [8.0 * math.copysign(1, size) if size else 0.0 for size in worn.size]
    value = [math.nan if name in ("fan_rpm", "door_time") else u for name, u in zip(names, usual, strict=True)]
    told = diagnose(names, signatures, "condenser_airflow", Deviations(z, [1.0] * len(z), value, usual))
    said = [number for cause in told.causes for _, *numbers in cause.reasons for number in numbers]
    said += [number for one in told.rejected for number in (one.value, one.expected)]
    assert said
    assert all(math.isfinite(number) for number in said)


def test_conditions_are_allowed_for() -> None:
    kind = catalogue()["refrigerator"]
    names = list(kind.features)
    model = models_of(kind)[names.index("run_time")]
    values = [spec.mean for spec in kind.features.values()]
    cool = model.prior(model.conditions(values))
    values[names.index("ambient_mean")] += 6
    warm = model.prior(model.conditions(values))
    assert warm.mean - cool.mean == pytest.approx(6 * kind.features["run_time"].slopes[0])
    assert warm.doubt > cool.doubt


def test_the_reference_shrinks_towards_the_cohort() -> None:
    kind = catalogue()["refrigerator"]
    model = models_of(kind)[list(kind.features).index("fan_rpm")]
    state = model.fresh()
    x = [1.0]
    far = model.spec.mean + 2 * model.spec.spread
    model.learn(state, x, far)
    early = model.own(state, x)
    for _ in range(40):
        model.learn(state, x, far)
    late = model.own(state, x)
    assert model.spec.mean < early.mean < late.mean < far
    assert late.doubt < early.doubt


def test_evidence_stays_bounded() -> None:
    bins = Bins(MINUTE)
    for minute in range(5000):
        bins.add(minute * MINUTE, [float(minute), math.nan], [1.0, 1.0], [1.0, 1.0])
    signal = bins.signal("run_time", 0, relative=False)
    assert signal is not None
    assert 30 <= len(signal.t) <= 60
    assert bins.signal("run_time", 1, relative=False) is None


def test_a_sensor_that_stands_still_is_not_what_moves_its_other_features() -> None:
    """A dead pressure gauge is far off in what only it can move; the pump's power says that the pump is well."""
    kind = catalogue()["dishwasher"]
    signatures = signatures_of(kind, relative=False)
    moved = {"pressure_span": -68.0, "spray_pressure": -17.0, "pump_power": 0.0}
    z = [moved.get(name, math.nan) for name in kind.features]
    own = {"pressure_span": 0.47, "spray_pressure": 0.47, "pump_power": 1.3}
    sd = [own.get(name, 1.0) for name in kind.features]

    def leading(deviations: list[float]) -> str:
        return max(signatures, key=lambda s: match(s, deviations, sd).explained).cause

    assert leading(bounded(z, 6.0)) == "pressure_sensor_stuck"
    assert leading([x if math.isnan(x) else max(-6.0, min(6.0, x)) for x in z]) == "circulation_pump_wear"
    assert max(abs(x) for x in bounded(z, 6.0) if not math.isnan(x)) == 6.0
    assert bounded([0.5, math.nan, -6.0], 6.0)[::2] == [0.5, -6.0]


def test_a_repair_is_judged_by_the_feature_that_tells_of_the_part() -> None:
    kind = catalogue()["freezer"]
    telling = telling_of(kind, signatures_of(kind, relative=False))
    assert list(kind.features)[telling["defrost"]] == "defrost_power"
    assert waits_of(kind)["defrost"] == 72 * HOUR
    by_cycles = catalogue()["dishwasher"]
    assert telling_of(by_cycles, signatures_of(by_cycles, relative=False)) == {}
