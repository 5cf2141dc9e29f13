"""Signatures as shares of what is usual: one fault at top speed is not another one."""

from __future__ import annotations

import math

import msgspec
import pytest

from detectors.baseline import models_of
from detectors.diagnosis import signatures_of
from detectors.measured import Measured
from telemetry.catalogue import load_catalogue

_PAGE = load_catalogue()["heat_pump"]
_NAMES = list(_PAGE.features)
_SIGNATURES = signatures_of(_PAGE, relative=False)
_SPEEDS = (1500.0, 2500.0, 4500.0)


def led(fault: str, rpm: float, scale: float, part: float = 1.0) -> tuple[str, float]:
    """What explains most of a fault's shares at a compressor speed while heating, and how far that has come."""
    page = msgspec.structs.replace(_PAGE, tuning={**_PAGE.tuning, "sizes_scale": scale})
    told = {"compressor_rpm": rpm, "outdoor_mean": 0.0}
    values = [told.get(name, spec.mean) for name, spec in page.features.items()]
    models = models_of(page)
    conditions = [model.conditions(values) for model in models]
    shares = {one.feature: one.direction * one.size for one in page.faults[fault].signature}
    z, sd = [math.nan] * len(_NAMES), [1.0] * len(_NAMES)
    for i, name in enumerate(_NAMES):
        if name in ("heat_lift", "heating_watts", "heat_coil_gap"):
            sd[i] = math.hypot(0.3 * models[i].spec.spread, models[i].spec.noise)
            z[i] = part * shares[name] * models[i].prior(conditions[i]).mean / sd[i]
    measured = Measured(page, _SIGNATURES)
    fits = measured.match(z, measured.scaled(sd, conditions), conditions)
    cause = max((one for one in _SIGNATURES if one.family), key=lambda one: fits[one.cause].explained).cause
    return cause, fits[cause].amount


@pytest.mark.parametrize("rpm", _SPEEDS)
@pytest.mark.parametrize("fault", ["reversing_valve_stuck", "refrigerant_leak"])
def test_a_fault_is_as_far_along_at_any_speed(fault: str, rpm: float) -> None:
    for part in (0.5, 1.0):
        cause, amount = led(fault, rpm, 1.0, part)
        assert cause == fault
        assert amount == pytest.approx(part)


def test_sizes_that_stand_still_make_more_of_a_fault_at_top_speed() -> None:
    assert led("refrigerant_leak", _SPEEDS[-1], 0.0)[1] > 1.2


def test_only_features_with_conditions_scale_and_none_without_the_page_asking() -> None:
    values = [spec.mean for spec in _PAGE.features.values()]
    values[_NAMES.index("compressor_rpm")] = 1e6
    conditions = [model.conditions(values) for model in models_of(_PAGE)]
    sd = [1.0] * len(_NAMES)
    scaled = dict(zip(_NAMES, Measured(_PAGE, _SIGNATURES).scaled(sd, conditions), strict=True))
    assert scaled["coil_rest_gap"] == 1.0
    assert scaled["heat_lift"] == scaled["heating_watts"] == 0.25
    assert Measured(_PAGE, _SIGNATURES).scaled(sd, [[] for _ in sd]) == sd
    assert Measured(load_catalogue()["freezer"], []).scaled(sd, conditions) is sd
