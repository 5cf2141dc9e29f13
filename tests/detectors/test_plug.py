"""What hangs on how often an appliance behind a plug runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from detectors.cyclic_state import CyclicState, Lesson
from detectors.decision import p_value
from detectors.diagnosis import signatures_of
from detectors.evidence import Bins
from detectors.innocent import Innocent
from detectors.plug import chances, enough, forget, gather, least_spread, threshold
from detectors.segment import SegmentState
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS

DAY = 86400 * MICROS
PLUG = load_catalogue()["smart_plug"]
CLEAN = [1.05 + 0.05 * n for n in range(40)]


def _seen(**moved: float) -> Sequence[float]:
    """Deviations of a plug's features in spreads."""
    return [moved.get(name, 0.0) for name in PLUG.features]


@pytest.mark.parametrize(
    ("runs", "days", "stands"), [(40, 3, True), (39, 3, False), (40, 2, False), (24, 28, True), (23, 60, False)]
)
def test_a_reference_takes_many_runs_or_fewer_over_weeks(runs: int, days: int, *, stands: bool) -> None:
    assert enough(runs, days * DAY, PLUG.tuning) is stands


def test_many_runs_are_thinned_and_all_are_counted() -> None:
    state = CyclicState(
        SegmentState(lost=True, on_now=False, last_t=None, last_phase=-1, run=None, waiting=None), Bins(1)
    )
    for n in range(500):
        gather(state, n * DAY, [float(n)])
    assert state.learned == 500
    assert len(state.reference) == len(state.reference_times) <= 120
    assert state.reference_times == sorted(state.reference_times)


def test_what_runs_seldom_is_averaged_over_fewer_runs_and_needs_less_evidence() -> None:
    assert forget(30.0, PLUG.tuning) == PLUG.tuning["forget"]
    assert forget(0.5, PLUG.tuning) > forget(2.0, PLUG.tuning) > forget(30.0, PLUG.tuning)
    assert threshold(60.0, PLUG.tuning) == threshold(30.0, PLUG.tuning) == PLUG.tuning["threshold"]
    # As many healthy runs a false alarm as a year has less of them.
    assert threshold(30.0, PLUG.tuning) - threshold(3.0, PLUG.tuning) == pytest.approx(math.log(10))


def test_weather_moves_no_appliance_that_people_start() -> None:
    innocent = Innocent(signatures_of(PLUG, relative=True))
    # A dryer: its power is steady, how long and how often it runs is as people like it.
    sd = [{"run_time": 0.3, "energy": 0.3, "off_time": 1.5, "duty": 1.5}.get(name, 0.05) for name in PLUG.features]
    strained = list(_seen(plateau_power=2.3, peak_power=3.0))
    assert innocent.leading(strained, sd, 1.5) is None
    innocent.weather = False
    assert innocent.leading(strained, sd, 1.5) == "appliance_load"


def test_beyond_the_reference_the_tail_goes_on() -> None:
    inside = p_value(CLEAN[10], CLEAN, beyond=True)
    assert inside == p_value(CLEAN[10], CLEAN)
    top, far, further = (p_value(score, CLEAN, beyond=True) for score in (CLEAN[-1] + 0.01, 3.5, 5.0))
    assert 1 / 41 >= top > far > further >= 1e-4
    assert p_value(5.0, CLEAN) == 1 / 41


def test_what_runs_seldom_may_tell_a_smaller_change() -> None:
    assert least_spread(30.0, PLUG.tuning) == PLUG.tuning["least_spread"]
    assert least_spread(1.0, PLUG.tuning) < PLUG.tuning["least_spread"]


def test_what_people_start_strains_a_motor() -> None:
    lesson = Lesson("appliance_load", 1.0, {"motor_strain": 0.5, "load_change": 0.25})
    assert chances(None, 0.0, PLUG.tuning) == chances(None, 30.0, PLUG.tuning) == {}
    assert chances(lesson, 30.0, PLUG.tuning) == lesson.causes
    factor = chances(None, 1.0, PLUG.tuning)["motor_strain"]
    assert factor > 1.0
    assert chances(lesson, 1.0, PLUG.tuning) == {"motor_strain": 0.5 * factor, "load_change": 0.25}
