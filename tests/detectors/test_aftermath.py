"""The frost of an open door, and hot weather that nobody measured: what explains a freezer's readings, and how far."""

from __future__ import annotations

import math

import msgspec
import pytest

from detectors.aftermath import Aftermath
from detectors.baseline import models_of
from detectors.diagnosis import signatures_of
from detectors.measured import Measured
from telemetry.catalogue import reference_problems
from telemetry.clock import MICROS
from tests.detectors.streams import catalogue

_HOUR = 3600 * MICROS
_PAGE = catalogue()["freezer"]
_NAMES = list(_PAGE.features)
_SPEC = _PAGE.aftermath[0]
_SIGNATURES = signatures_of(_PAGE, relative=False)
_OTHERS = {"fan_rpm", "start_peaks", "defrost_power", "ambient_mean", "door_time"}


def cycle(*, door: float = 0.0, defrost: bool = False) -> list[float]:
    """A usual cycle; with a defrost in it, which features of the cycle then are unknown does not matter here."""
    told = {"door_time": door, "defrost_time": 1300.0 if defrost else math.nan}
    return [told.get(name, spec.mean) for name, spec in _PAGE.features.items()]


def played(*cycles: tuple[float, list[float]]) -> list[set[str]]:
    """Which features are known of each cycle, `(hours since the start, values)`, the defrost's length not counted."""
    aftermath = Aftermath(_PAGE)
    begun: dict[str, int] = {}
    known = []
    for hours, values in cycles:
        left = aftermath.without(round(hours * _HOUR), values, begun)
        known.append({n for n, x in zip(_NAMES, left, strict=True) if not math.isnan(x)} - {"defrost_time"})
    return known


def test_frost_of_an_open_door_says_nothing_until_a_defrost_has_melted_it() -> None:
    every = set(_NAMES) - {"defrost_time"}
    told = played((0, cycle()), (1, cycle(door=2000)), (3, cycle()), (9, cycle(defrost=True)), (10, cycle()))
    assert told == [every, _OTHERS, _OTHERS, _OTHERS, every]


def test_a_door_that_is_open_while_the_heater_works_counts_from_the_defrost_after_that() -> None:
    told = played((0, cycle(door=2000, defrost=True)), (1, cycle()), (9, cycle(defrost=True)), (10, cycle()))
    assert [known == _OTHERS for known in told] == [True, True, True, False]


def test_an_opening_for_a_few_minutes_hides_nothing() -> None:
    assert played((0, cycle(door=_SPEC.above)), (1, cycle()))[1] > _OTHERS


def test_a_door_that_never_closes_or_a_defrost_that_never_comes_blinds_nobody_for_ever() -> None:
    stuck = played(*((hour, cycle(door=2000, defrost=hour % 20 == 0)) for hour in range(0, 72, 4)))
    assert [known == _OTHERS for known in stuck] == [hour < _SPEC.hours for hour in range(0, 72, 4)]
    never = played((0, cycle(door=2000)), (_SPEC.hours - 1, cycle()), (_SPEC.hours, cycle()))
    assert [known == _OTHERS for known in never] == [True, True, False]


def test_what_a_page_says_of_an_aftermath_names_features_that_there_are() -> None:
    wrong = msgspec.structs.replace(_SPEC, until="thaw", hides=("run_time", "frost"))
    page = msgspec.structs.replace(_PAGE, aftermath=(wrong,))
    assert [key for key, _ in reference_problems(page)] == ["aftermath[0].until", "aftermath[0].hides"]


def explained(ambient: float, measured: float = 1.0) -> dict[str, float]:
    """How much each cause explains of long runs and short rests, at a room so much warmer than usual."""
    page = msgspec.structs.replace(_PAGE, tuning={**_PAGE.tuning, "confounders_measured": measured})
    told = {"ambient_mean": _PAGE.features["ambient_mean"].mean + ambient, "door_time": 0.0}
    values = [told.get(name, spec.mean) for name, spec in _PAGE.features.items()]
    hot = next(one for one in _SIGNATURES if one.cause == "heat_wave")
    sd = [math.hypot(spec.spread, spec.noise) for spec in _PAGE.features.values()]
    # Exactly what a wave of the signature's own size would do, and the sensors at rest as a bad gasket leaves them.
    z = [0.0 if math.isnan(size) else size / by for size, by in zip(hot.size, sd, strict=True)]
    z[_NAMES.index("rest_gap")] = 0.3
    fits = Measured(page, _SIGNATURES).match(z, sd, [model.conditions(values) for model in models_of(page)])
    return {cause: fit.explained for cause, fit in fits.items()}


def test_weather_explains_only_as_far_as_it_was_measured() -> None:
    size = 0.25 * _PAGE.features["ambient_mean"].mean
    none, half, whole, unbound = explained(0.0), explained(size / 2), explained(size), explained(0.0, measured=0.0)
    assert none["heat_wave"] == 0.0 < half["heat_wave"] < whole["heat_wave"]
    assert whole["heat_wave"] == pytest.approx(unbound["heat_wave"])
    assert max(whole, key=whole.__getitem__) == "heat_wave"
    assert max(none, key=none.__getitem__) == "door_gasket_leak"
    faults = [one.cause for one in _SIGNATURES if one.family is not None]
    assert all(none[fault] == whole[fault] for fault in faults)
