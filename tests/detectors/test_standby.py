"""What a plug's rests tell of the plug, hour by hour."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.standby import Standby, StandbyState
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS

CATALOGUE = load_catalogue()
PLUG = CATALOGUE["smart_plug"]
HOUR = 3600 * MICROS
MINUTE = 60 * MICROS
WORK = 500.0
POWER, FLICKER = list(PLUG.features).index("rest_power"), list(PLUG.features).index("rest_flicker")


@dataclass
class Told:
    """The two features that rests tell."""

    power: float
    flicker: float


def _rest(hours: float, *, watts: float = 1.0, noise: float = 0.2, seed: int = 1) -> NDArray[np.float32]:
    """A reading a minute of a machine that stands by."""
    rng = np.random.default_rng(seed)
    return np.maximum(rng.normal(watts, noise, round(hours * 60)), 0.0).astype(np.float32)


def _feed(state: StandbyState, power: NDArray[np.float32], first: int = 0, every: int | None = None) -> None:
    """Readings from hour `first` on, in one delivery or `every` so many."""
    t = first * HOUR + np.arange(len(power), dtype=np.int64) * MINUTE
    standby = Standby(PLUG, 300 * MICROS)
    for low in range(0, len(t), every or len(t)):
        high = low + (every or len(t))
        list(standby.parts(state, WORK, t[low:high], power[low:high, None]))


def _told(state: StandbyState) -> Told:
    values = Standby(PLUG, 300 * MICROS).told(state, [math.nan] * len(PLUG.features), [])
    assert [i for i, value in enumerate(values) if not math.isnan(value)] in ([POWER, FLICKER], [POWER])
    return Told(values[POWER], values[FLICKER])


def test_the_meters_zero_is_the_quietest_hour_of_a_day() -> None:
    state = StandbyState()
    # Soaking and cooling down draw a little more than standing by; a run draws much more.
    _feed(
        state, np.concatenate((_rest(10), _rest(2, watts=6.0), _rest(1, watts=WORK), _rest(2, watts=4.0), _rest(1.1)))
    )
    assert _told(state).power == pytest.approx(2.0, abs=0.1)
    _feed(state, _rest(20, watts=3.0), first=17)
    assert _told(state).power == pytest.approx(2.0, abs=0.1), "the day's quiet hours are not over"
    _feed(state, _rest(20, watts=3.0), first=37)
    assert _told(state).power == pytest.approx(4.0, abs=0.1)


def test_an_unsteady_hour_is_told_once() -> None:
    state = StandbyState()
    _feed(state, np.concatenate((_rest(10), _rest(6, noise=8.0, watts=3.0), _rest(10.1))))
    assert _told(state).flicker > 4.0
    _feed(state, _rest(10.1), first=27)
    assert _told(state).flicker == pytest.approx(1.2, abs=0.1)


def test_what_comes_and_goes_is_no_unsteadiness() -> None:
    power = _rest(24.1)
    quiet, lamp = StandbyState(), StandbyState()
    _feed(quiet, power)
    power[30::60] += 9.0
    _feed(lamp, power)
    assert _told(lamp).flicker < 1.1 * _told(quiet).flicker


def test_a_machine_that_never_rests_tells_nothing_of_the_plug() -> None:
    state = StandbyState()
    _feed(state, _rest(30, watts=WORK))
    values = [7.0] * len(PLUG.features)
    told = Standby(PLUG, 300 * MICROS).told(state, values, [])
    assert told[POWER] == 7.0, "the minutes behind the run have to do"
    assert math.isnan(told[FLICKER])


@pytest.mark.parametrize("every", [1, 7, 60, 61])
def test_deliveries_change_nothing(every: int) -> None:
    power = np.concatenate((_rest(5), _rest(1, watts=WORK), _rest(5.4, noise=3.0)))
    power[200:220] = np.nan
    whole, parts = StandbyState(), StandbyState()
    _feed(whole, power)
    _feed(parts, power, every=every)
    assert msgspec.msgpack.encode(whole) == msgspec.msgpack.encode(parts)


def test_readings_are_handed_on_hour_by_hour_and_none_is_left_out() -> None:
    t = np.arange(150, dtype=np.int64) * MINUTE
    power = _rest(2.5)[:, None]
    assert list(Standby(PLUG, 300 * MICROS).parts(StandbyState(), WORK, t, power)) == [(0, 60), (60, 120), (120, 150)]


def test_other_kinds_are_left_as_they_are() -> None:
    standby, state = Standby(CATALOGUE["refrigerator"], 300 * MICROS), StandbyState()
    t = np.arange(150, dtype=np.int64) * MINUTE
    rows = np.zeros((150, len(CATALOGUE["refrigerator"].channels)), np.float32)
    assert list(standby.parts(state, None, t, rows)) == [(0, 150)]
    assert standby.told(state, [1.0, 2.0], []) == [1.0, 2.0]
    assert state.hour == -1


@pytest.mark.parametrize(("noise", "known"), [(0.2, True), (8.0, False)])
def test_an_unsteady_plug_says_nothing_of_its_appliance(noise: float, *, known: bool) -> None:
    state = StandbyState()
    _feed(state, _rest(10.1, watts=3.0, noise=noise))
    usual = [(math.log(1.2), 0.05)] * len(PLUG.features)
    told = Standby(PLUG, 300 * MICROS).told(state, [7.0] * len(PLUG.features), usual)
    run = [name for name, value in zip(PLUG.features, told, strict=True) if value == 7.0]
    assert ("peak_power" in run and "run_time" in run) is known
    assert not any(math.isnan(told[i]) for i in (POWER, FLICKER))
