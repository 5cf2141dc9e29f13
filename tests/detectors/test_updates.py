"""An update moves features at once and is nobody's fault; wear before it, in it and after it is told all the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import pytest

from detectors.baseline import models_of, reach_out
from detectors.cyclic import CyclicDetector
from detectors.decision import Sudden, Track
from detectors.engine import Observation
from detectors.onset import onset_of
from detectors.updates import Shift, UpdateState, learn_shifts, off_lately
from telemetry.finding import Finding
from tests.detectors.streams import DAY, KEY, START, catalogue, fleet_streams

FRIDGE = catalogue()["refrigerator"]
FAN = list(FRIDGE.channels).index("fan_speed")
UPDATE = ("reboot", "firmware:2.5.0")


def played(stream: Sequence[Observation], *, cut: int | None = None) -> list[Finding]:
    detector, found = CyclicDetector(KEY, FRIDGE, "1"), list[Finding]()
    for index, message in enumerate(stream):
        if index == cut:
            state = detector.snapshot()
            detector = CyclicDetector(KEY, FRIDGE, "1")
            detector.restore(state)
            assert detector.snapshot() == state
        found += detector.observe(message)
    return found


def fan(share: Callable[[float], float], *says: tuple[float, tuple[str, ...]]) -> Iterator[Observation]:
    """A healthy refrigerator whose fan turns at a share of its speed by day, and what its module says on which day."""
    events = list(says)
    for message in fleet_streams("refrigerator", 2003, 9.0, worn=False)[0]:
        while events and len(message.t) and message.t[0] >= START + events[0][0] * DAY:
            none = np.empty((0, len(FRIDGE.channels)), np.float32)
            yield Observation(1, message.seq, message.t[:1], None, none, events.pop(0)[1])
        values = message.values.copy()
        for row, t in enumerate(message.t[: len(values)]):
            values[row, FAN] *= share((int(t) - START) / DAY)
        yield msgspec.structs.replace(message, values=values)


def slower(day: float) -> float:
    return 0.9 if day >= 5 else 1.0


def test_a_change_without_an_update_is_a_fault_and_with_one_is_not() -> None:
    assert {one.family for one in played(list(fan(slower)))} == {"condenser_airflow"}
    assert not played(list(fan(slower, (5.0, UPDATE))))


def test_another_event_or_the_same_version_again_is_no_update() -> None:
    assert played(list(fan(slower, (5.0, ("reboot",)))))
    assert played(list(fan(slower, (1.0, UPDATE), (5.0, UPDATE))))


def test_wear_that_begins_after_an_update_is_found() -> None:
    found = played(list(fan(lambda day: slower(day) * (0.85 if day >= 7 else 1.0), (5.0, UPDATE))))
    assert {one.family for one in found} == {"condenser_airflow"}
    assert found[0].causes[0].fault == "condenser_fan_wear"
    assert found[0].opened >= START + 7 * DAY


def test_an_open_episode_is_not_ended_by_an_update() -> None:
    found = played(list(fan(lambda day: 0.8 if day >= 4 else 1.0, (6.5, UPDATE))))
    assert {(one.id, one.state) for one in found} == {(found[0].id, found[0].state)}
    assert found[-1].observed > START + 8 * DAY


def test_a_restart_keeps_what_an_update_did() -> None:
    stream = list(fan(lambda day: slower(day) * (0.85 if day >= 7 else 1.0), (5.0, UPDATE)))
    at = next(i for i, one in enumerate(stream) if one.events)
    whole = played(stream)
    assert whole
    for cut in (at, at + 1, at + 60):
        assert played(stream, cut=cut) == whole


def test_a_shift_is_what_the_first_cycles_show_beyond_what_was_off_before() -> None:
    shift = Shift()
    shift.learn(5.0, 1.0)
    assert shift.mean == 0.0
    shift.begin(2.0, 1.5)
    for _ in range(8):
        shift.learn(4.5 - shift.mean, 1.0)
    assert shift.mean == pytest.approx(3.0, abs=0.1)
    assert shift.variance == pytest.approx(1 / (8 + 1 / 16))
    before = shift.mean
    shift.learn(9.0, 1.0)
    assert shift.mean == before


def test_one_wild_cycle_moves_a_shift_only_so_far() -> None:
    shift = Shift()
    shift.begin(1.0, 0.0)
    learn_shifts([shift], [1e6], [math.sqrt(4.0 + 1.0)])
    assert abs(shift.mean) < 4 * math.sqrt(5.0)
    learn_shifts([shift], [math.nan], [1.0])
    assert shift.left == 7


def test_programmes_are_moved_apart() -> None:
    state = UpdateState()
    assert not state.hear(("programme:eco",), 1)
    assert state.moved() == []
    assert state.hear(("firmware:2",), 1)
    assert not state.hear(("firmware:2",), 2)
    state.begin([(1.0, 0.0)])
    learn_shifts(state.moved(), [3.0], [math.sqrt(5.0)])
    eco = state.moved()[0].mean
    state.hear(("programme:quick",), 3)
    assert state.moved()[0].mean == 0.0 < eco
    state.hear(("programme:eco",), 4)
    assert state.moved()[0].mean == eco


def test_what_was_off_before_counts_beyond_the_tolerance_alone() -> None:
    model = models_of(FRIDGE)[list(FRIDGE.features).index("run_time")]
    own, x = model.fresh(), [1.0] + [0.0] * len(model.spec.slopes)
    usual = model.own(own, x)
    sd = math.sqrt(usual.noise + usual.doubt + (0.3 * model.spec.spread) ** 2)
    assert off_lately(model, own, [], 0.0, 1.0) == (model.spec.spread, 0.0)
    assert off_lately(model, own, x, 0.9 * sd, 1.0)[1] == 0.0
    assert off_lately(model, own, x, -3.0 * sd, 1.0)[1] == pytest.approx(-2.0 * sd)


def test_a_reference_covers_the_weather_that_it_saw_and_reaches_out_by_steps() -> None:
    kind = catalogue()["heat_pump"]
    lift = models_of(kind)[list(kind.features).index("heat_lift")]
    step = kind.tuning["frontier"] * kind.features["outdoor_mean"].noise
    own = lift.fresh()
    for outdoor in (-12.0, -8.0, -10.0, -9.0, -11.0, -10.0, -9.5, -10.5):
        # Seen too seldom, it is learned in any weather and not judged.
        assert lift.young(own)
        assert not lift.covers(own, [1.0, 0.0, outdoor])
        reach_out(lift, own, [1.0, 0.0, outdoor], 16.0)
    assert lift.covers(own, [1.0, 0.0, -8.0 + 0.9 * step])
    cold = [1.0, 0.0, -12.0 - 2.9 * step]
    for _ in range(2):
        assert not lift.covers(own, cold)
        reach_out(lift, own, cold, 12.0)
    assert lift.covers(own, cold)
    assert own.n == 10
    # Of a kind whose page does not ask, all weather is covered.
    door = models_of(catalogue()["freezer"])[0]
    state = door.fresh()
    door.learn(state, [1.0, 0.0, 0.0], 1000.0)
    assert door.covers(state, [1.0, 40.0, 0.0])


def test_an_onset_without_a_rise_is_that_of_the_evidence_or_of_the_first_reading() -> None:
    def onset(track: Track, cohort: float, fast: int | None = None) -> tuple[int, int, int]:
        return onset_of(track, 20 * DAY, 10 * DAY, cohort=cohort, bounds=(14.0, 4.3), lead=30 * DAY, fast=fast)

    assert onset(Track(log_e=15.0, begun=18 * DAY), 0.0) == (18 * DAY, 16 * DAY, 19 * DAY)
    sudden = Track(log_e=9.0, begun=12 * DAY, sudden=Sudden(evidence=120.0, n=2, least=6.0, since=19 * DAY))
    assert onset(sudden, 1.0, DAY // 2) == (19 * DAY, 19 * DAY - DAY // 2, 20 * DAY)
    assert onset(Track(), 5.0) == (10 * DAY, -20 * DAY, 10 * DAY)
    assert onset(Track(), 1.0) == (20 * DAY, 18 * DAY, 20 * DAY)


def test_one_seasons_line_is_no_guide_in_another() -> None:
    kind = catalogue()["heat_pump"]
    lift = models_of(kind)[list(kind.features).index("heat_lift")]
    own = lift.fresh()
    for k in range(40):
        outdoor = -12.0 + 0.2 * (k % 20)
        lift.learn(own, [1.0, 0.0, outdoor], 10.0 + 0.46 * outdoor)
    middle, far = lift.own(own, [1.0, 0.0, -10.1]), lift.own(own, [1.0, 0.0, 9.9])
    moved = abs(far.mean - middle.mean)
    assert moved > 5.0
    # However many cycles told the slope there, a tenth of what it says of another season is in doubt.
    assert middle.doubt < 0.01 < (kind.tuning["bend"] * moved) ** 2 * 0.9 < far.doubt
    assert kind.tuning["bend"] > 0
    fridge = models_of(FRIDGE)[list(FRIDGE.features).index("run_time")]
    learned = fridge.fresh()
    for _ in range(10):
        fridge.learn(learned, [1.0] + [0.0] * len(fridge.spec.slopes), fridge.spec.mean)
    x = [1.0] + [5.0] * len(fridge.spec.slopes)
    assert fridge.own(learned, x).doubt <= fridge.prior(x).doubt
