"""The compiled loops against their textbook forms, and on any memory that numpy may hand over."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from river.drift import ADWIN

from detectors import rowloop
from detectors.decision import shifted
from detectors.engine import Observation
from detectors.evidence import Bins
from detectors.multichannel import MultichannelDetector, binomial_tail
from detectors.plant import commission
from detectors.plants import Plants
from telemetry.clock import MICROS
from tests.detectors.streams import START, catalogue, fresh, messages_joined, plug, pump

LAG, NEED = 5, 400


@pytest.fixture(scope="module")
def rows() -> NDArray[np.float32]:
    return np.concatenate([m.values for m in pump(rows=1500, change=1100)])


def observed(rows: NDArray[np.float32], step: int = MICROS) -> tuple[Plants, int, MultichannelDetector]:
    detector = fresh("pump")
    assert isinstance(detector, MultichannelDetector)
    t = START + np.arange(len(rows), dtype=np.int64) * step
    detector.observe(Observation(1, len(rows), t, "running", rows))
    return detector.plants, detector.slot, detector


def smoothed(x: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    level = x.copy()
    for row in range(1, len(x)):
        level[row] += (1 - rate) * (level[row - 1] - x[row])
    return level


def residuals(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the projection on the kept components leaves of each stack; temperatures without their slow reference."""
    x = rows.astype(np.float64)
    slow = [4, 5]
    x[1:, slow] -= smoothed(x, 1 / 60)[:-1, slow]
    x[0, slow] = 0
    early = x[:NEED]
    z = (x - early.mean(axis=0)) / early.std(axis=0)
    stacks = np.hstack([z[i : len(z) - LAG + 1 + i] for i in range(LAG)])
    weights, loadings = np.linalg.eigh(np.cov(stacks[: NEED - LAG + 1].T))
    weights, loadings = weights[::-1], loadings[:, ::-1]
    kept = loadings[:, : int(np.searchsorted(np.cumsum(weights) / weights.sum(), 0.9)) + 1]
    rest: NDArray[np.float64] = stacks - stacks @ kept @ kept.T
    return rest


def log_scores(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logarithms of the prediction error after commissioning, in its deviations."""
    error = np.log((residuals(rows) ** 2).sum(axis=1))
    early, late = error[: NEED - LAG + 1], error[NEED - LAG + 1 :]
    scores: NDArray[np.float64] = (late - early.mean()) / early.std()
    return scores


def test_scores_are_those_of_dynamic_pca(rows: NDArray[np.float32]) -> None:
    plants, slot, _ = observed(rows)
    scores = log_scores(rows).reshape(-1, rowloop.EVERY).mean(axis=1)
    times, track = plants.track(slot)
    assert len(scores) > rowloop.TRACK == len(track)
    assert track == pytest.approx(scores[-rowloop.TRACK :].tolist(), rel=1e-4, abs=1e-4)
    assert all(b - a == rowloop.EVERY * MICROS for a, b in pairwise(times))


def over_by_error(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the smoothed score stands a deviation above what follows it at 0.004 a row, while nothing is open."""
    over = np.zeros(len(scores), bool)
    level = usual = 0.0
    for row, score in enumerate(scores.tolist()):
        level += (score - level) / 30
        rise = level - usual
        over[row] = rise > 1
        usual += min(max(rise, -0.004), 0.004)
    return over


def test_rows_are_over_by_the_rise_of_the_error(rows: NDArray[np.float32]) -> None:
    plants, slot, detector = observed(rows[:1200])
    assert detector.snapshot()
    over = over_by_error(log_scores(rows[:1200]))
    assert 50 < over[-170:].sum() < 119
    assert plants.share(slot) == over[-170:].sum() / 170
    assert not plants.by_level(slot)


def test_rows_are_over_by_a_level_that_the_fault_moves() -> None:
    healthy = np.concatenate([m.values for m in pump(rows=1000, change=None)])
    less = healthy.copy()
    less[900:, 7] *= 0.9
    more = healthy.copy()
    more[900:, 7] *= 1.1
    plants, slot, _ = observed(less)
    # A few rows pass until the level has gone down; before, noise alone has it over in one row of ten at most.
    assert 90 <= plants.fields.whole[slot, rowloop.LEVELS] < 110
    _, usual, shift = plants.levels(slot)
    assert shift[7] < -1.25
    assert usual[7] == pytest.approx(60, rel=0.02)
    plants, slot, _ = observed(more)
    assert plants.fields.whole[slot, rowloop.LEVELS] < 10


def test_a_plant_that_slowly_leaves_its_commissioning_raises_nothing() -> None:
    rows = np.concatenate([m.values for m in pump(rows=4200, change=None)]).astype(np.float64)
    drift = np.maximum(np.arange(len(rows)) - NEED, 0) / 3600
    rows[:, 7] *= 1 - 0.04 * drift
    rows[:, 4] += 9 * drift
    rows[:, 0] *= 1 + 0.1 * drift
    t = START + np.arange(len(rows), dtype=np.int64) * MICROS
    assert fresh("pump").observe(Observation(1, 1, t, "running", rows.astype(np.float32))) == []


def test_wear_is_not_followed_for_ever() -> None:
    rows = np.concatenate([m.values for m in pump(rows=7000, change=None)]).astype(np.float64)
    drift = np.maximum(np.arange(len(rows)) - NEED, 0) / 3600
    rows[:, 7] *= 1 - 0.1 * drift
    t = START + np.arange(len(rows), dtype=np.int64) * MICROS
    detector = fresh("pump")
    found = detector.observe(Observation(1, 1, t, "running", rows.astype(np.float32)))
    # A failure takes a fifth of the flow; half of that is what a reference may follow.
    opened = (found[0].opened - START) / MICROS
    assert 0.1 < drift[round(opened)] * 0.1 < 0.16
    assert found[0].evidence[0].feature == "flow"


def test_nothing_is_learned_while_an_episode_is_open(rows: NDArray[np.float32]) -> None:
    plants, slot, detector = observed(rows)
    before = plants.levels(slot)[1]
    assert plants.fields.whole[slot, rowloop.OPEN] == 1
    t = START + np.arange(len(rows), len(rows) + 300, dtype=np.int64) * MICROS
    detector.observe(Observation(1, 9_999, t, "running", rows[-300:]))
    assert plants.levels(slot)[1] == before


def test_contributions_are_the_newest_residuals_of_the_last_stacks(rows: NDArray[np.float32]) -> None:
    plants, slot, _ = observed(rows)
    parts = plants.contributions(slot)
    assert parts == pytest.approx((residuals(rows)[-16:, -8:] ** 2).mean(axis=0).tolist(), rel=1e-4)
    assert {int(i) for i in np.argsort(parts)[-2:]} == {2, 3}


def test_evidence_is_what_bins_hold(rows: NDArray[np.float32]) -> None:
    step = 9 * MICROS
    plants, slot, _ = observed(rows, step)
    channel = plants.fields.channel[slot]
    mean, scale = channel[rowloop.USUAL].tolist(), channel[rowloop.SCALE].tolist()
    expected = Bins(30 * MICROS)
    for at, row in enumerate(rows[NEED:].tolist(), NEED):
        expected.add(START + at * step, row, mean, [s * s for s in scale])
    found = plants.evidence(slot)
    assert found.width > 30 * MICROS
    assert found.last == expected.last
    # The same stretches, but for how often they were doubled: the store is the smaller.
    wide = found.width // expected.width
    sums = np.zeros((len(found.index), 8))
    for index, value in zip(expected.index, expected.value, strict=True):
        sums[found.index.index(index // wide)] += value
    assert np.allclose(found.value, sums, rtol=1e-5)
    assert np.allclose(found.usual, np.array(found.count) * mean, rtol=1e-12)
    assert np.allclose(found.spread, np.array(found.count) * np.square(scale), rtol=1e-12)
    assert sum(count[0] for count in found.count) == len(rows) - NEED


def test_a_pump_that_is_off_is_not_commissioned_and_a_dead_channel_takes_no_part() -> None:
    rows = np.concatenate([m.values for m in pump(rows=1300, change=None)])
    dead = rows.copy()
    dead[:, 6] = 230.0
    off = np.repeat(np.zeros((1, 8), np.float32), 900, axis=0)
    plants, slot, _ = observed(np.concatenate((off, dead)))
    fields = plants.fields
    # One row of standing still, the first, belongs to it.
    assert fields.whole[slot, rowloop.READY] == 1
    assert np.allclose(
        fields.channel[slot, rowloop.MEAN, :6], dead[: NEED - 1, :6].mean(axis=0, dtype=np.float64), rtol=0.01
    )
    jump = dead[800:1000].copy()
    jump[:, 6] = 229.0
    detector = fresh("pump")
    t = START + np.arange(1000, dtype=np.int64) * MICROS
    found = detector.observe(Observation(1, 1, t, "running", np.concatenate((dead[:800], jump))))
    assert found == []
    _, free, _ = observed(dead)
    assert plants.share(free) <= 0.3


def test_a_plant_that_never_moved_has_no_model() -> None:
    with pytest.raises(ValueError, match="no channel moved"):
        commission(np.ones((400, 8)), Plants(catalogue()["pump"])._how)


def test_an_error_of_rounding_is_none() -> None:
    rng = np.random.default_rng(4)
    rows = np.ones((900, 8), np.float32)
    rows[:, 0] = rng.normal(0, 1, 900)
    rows[500:, 0] *= 20
    detector = fresh("pump")
    t = START + np.arange(900, dtype=np.int64) * MICROS
    assert detector.observe(Observation(1, 1, t, "running", rows)) == []


def test_the_track_keeps_the_newest_scores() -> None:
    rows = np.concatenate([m.values for m in pump(rows=2400, change=None)])
    plants, slot, _ = observed(rows)
    assert (len(rows) - NEED) / rowloop.EVERY > rowloop.TRACK
    times, scores = plants.track(slot)
    assert len(times) == len(scores) == rowloop.TRACK
    assert times[-1] == START + (len(rows) - 1) * MICROS
    assert all(b - a == rowloop.EVERY * MICROS for a, b in pairwise(times))


def test_a_rise_is_what_adwin_of_river_sees() -> None:
    rng = np.random.default_rng(8)
    seen = []
    for _ in range(300):
        n = int(rng.integers(5, 128))
        scores = rng.normal(0, 1, n) + np.where(np.arange(n) > rng.integers(1, n), rng.normal(0, 2), 0)
        adwin: Any = ADWIN(delta=0.01, clock=1, min_window_length=3, grace_period=6)  # type: ignore[no-untyped-call]
        expected = False
        for score in scores.tolist():
            before = adwin.estimation
            adwin.update(max(-3.0, min(6.0, score)))
            expected |= bool(adwin.drift_detected and adwin.estimation > before)
        assert shifted(scores.tolist()) == expected
        seen.append(expected)
    assert 30 < sum(seen) < 270


def test_the_binomial_tail() -> None:
    assert binomial_tail(0, 6, 0.01) == pytest.approx(1)
    assert binomial_tail(1, 6, 0.01) == pytest.approx(1 - 0.99**6)
    assert binomial_tail(6, 6, 0.01) == pytest.approx(1e-12)


@pytest.mark.parametrize("kind", [pytest.param("pump", marks=pytest.mark.long), "smart_plug"])
def test_any_layout_of_memory_gives_the_same(kind: str) -> None:
    whole = messages_joined(pump(rows=900, change=600) if kind == "pump" else plug(days=5, change_day=None))
    wide = np.zeros((len(whole.t), 3 * whole.values.shape[1]), np.float32)
    strided = wide[:, ::3]
    strided[:] = whole.values
    packed = whole.values.tobytes()
    layouts = [
        (whole.t, whole.values),
        (np.repeat(whole.t, 2)[::2], strided),
        (np.frombuffer(whole.t.tobytes(), np.int64), np.frombuffer(packed, np.float32).reshape(whole.values.shape)),
        (whole.t, np.frombuffer(b"1" + packed, np.uint8)[1:].view(np.float32).reshape(whole.values.shape)),
        (whole.t, np.asfortranarray(whole.values)),
    ]
    told = set()
    for t, values in layouts:
        detector = fresh(kind)
        detector.observe(Observation(1, 1, t, whole.phase, values))
        told.add(detector.snapshot())
    assert len(told) == 1


def test_no_run_is_kept_alive_by_what_is_remembered_of_it() -> None:
    """A view of a batch in a detector's memory would keep the whole batch."""
    whole = messages_joined(plug(days=2, change_day=None))
    detector: Any = fresh("smart_plug")
    detector.observe(whole)
    run = detector._segmenter._run or detector._segmenter._waiting
    assert run is not None
    for chunk in run.chunks:
        assert not np.shares_memory(chunk.values, whole.values)
        assert not np.shares_memory(chunk.t, whole.t)


def test_loops_run_where_no_cache_can_be_kept() -> None:
    program = (
        "from detectors.compiled import compiled\n"
        "import detectors.pieces as p\n"
        "from detectors.segment import warm\n"
        "warm(); print(type(p.pieces._cache).__name__)"
    )
    # The locator of zipped packages finds no place for ours.
    environment = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}
    told = subprocess.run(  # noqa: S603  (a constant program)
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment, timeout=120
    )
    assert told.stdout.strip() == "NullCache"


def test_a_kind_has_as_many_slots_as_devices() -> None:
    plants = Plants(catalogue()["pump"])

    taken = [plants.take() for _ in range(40)]
    assert sorted(taken) == list(range(40))
    plants.give(7)
    assert plants.take() == 7


def test_room_for_commissioning_is_given_back() -> None:
    crowd = [fresh("pump") for _ in range(60)]
    plants: Plants = crowd[0].plants  # type: ignore[attr-defined]
    assert len(plants.fields.early) >= 60
    late, rows = crowd[:3], messages_joined(pump(rows=600, change=None))
    halves = [
        Observation(1, 1, t, "running", x)
        for t, x in ((rows.t[:200], rows.values[:200]), (rows.t[200:], rows.values[200:]))
    ]
    for detector in late:
        detector.observe(halves[0])
    for detector in crowd[3:]:
        detector.observe(rows)
    assert len(plants.fields.early) < 30
    for detector in late:
        detector.observe(halves[1])
    assert {detector.snapshot() for detector in crowd} == {crowd[0].snapshot()}
