"""What innocent causes explain is nobody's fault."""

from __future__ import annotations

import math

import pytest

from detectors.baseline import centre_and_spread
from detectors.diagnosis import signatures_of
from detectors.innocent import Innocent
from tests.detectors.streams import catalogue

_KIND = catalogue()["smart_plug"]
_NAMES = list(_KIND.features)
_SD = [0.05] * len(_NAMES)


def leading(least: float = 1.0, **z: float) -> str | None:
    deviations = [z.get(name, 0.0) for name in _NAMES]
    return Innocent(signatures_of(_KIND, relative=True)).leading(deviations, _SD, least)


@pytest.mark.parametrize("amount", [1.0, 3.0, -2.0])
@pytest.mark.parametrize("cause", ["hot_spell", "hot_spell_deep", "busy_use"])
def test_whatever_an_innocent_cause_explains_is_no_fault(cause: str, amount: float) -> None:
    signatures = signatures_of(_KIND, relative=True)
    one = next(s for s in signatures if s.cause == cause)
    z = [0.0 if math.isnan(size) else amount * size / sd for size, sd in zip(one.size, _SD, strict=True)]
    assert Innocent(signatures).leading(z, _SD, 0.1) is None


def test_a_fault_in_a_hot_spell_is_still_one() -> None:
    hot = {"run_time": 3.5, "off_time": -1.8, "plateau_power": 0.5}
    assert leading(**hot) is None
    assert leading(**{**hot, "plateau_power": 3.0, "peak_power": 2.0}) == "appliance_load"


@pytest.mark.parametrize(
    ("z", "family"),
    [
        ({"plateau_power": 2.8, "peak_power": 2.8}, "appliance_load"),
        ({"rest_power": 4.0, "plateau_power": 0.6}, "plug_unit"),
        ({"rest_flicker": 5.0}, "plug_unit"),
        ({"power_flicker": 5.0, "peak_power": -3.0}, "appliance_output"),
        ({"plateau_power": -6.0, "run_time": 1.5}, "appliance_output"),
    ],
)
def test_the_family_that_stands_out_leads(z: dict[str, float], family: str) -> None:
    assert leading(**z) == family


def test_a_shift_below_the_tolerance_leads_nowhere() -> None:
    assert leading(plateau_power=0.5, peak_power=0.5) is None


def test_features_that_are_unknown_say_nothing() -> None:
    assert leading(plateau_power=2.8, peak_power=2.8, off_time=math.nan, rest_power=math.nan) == "appliance_load"
    assert leading(**dict.fromkeys(_NAMES, math.nan)) is None


def test_what_was_worked_out_for_other_spreads_is_not_used() -> None:
    """A plateau 4 % up is nothing beside a spread of 5 %, and something beside one of 1 %."""
    innocent = Innocent(signatures_of(_KIND, relative=True))
    narrow = [0.01 if name == "plateau_power" else 0.5 for name in _NAMES]
    hot = {"run_time": 4.0, "off_time": -3.0, "plateau_power": 1.0}
    z = [hot.get(name, 0.0) for name in _NAMES]
    found = [innocent.leading(z, sd, 0.5) for sd in (_SD, narrow, _SD)]
    fresh = [Innocent(signatures_of(_KIND, relative=True)).leading(z, sd, 0.5) for sd in (_SD, narrow, _SD)]
    assert found == fresh
    assert found[0] != found[1]


def test_a_feature_with_two_values_has_their_spread() -> None:
    """An inrush that two readings in five miss; a median's absolute deviation would be 0.05."""
    centre, spread = centre_and_spread([0.0] * 24 + [1.0] * 16, 0.05)
    assert centre == pytest.approx(0.375)
    assert spread > 0.35
    assert centre_and_spread([], 0.05)[1] == 0.05


def test_few_outliers_do_not_move_what_is_usual() -> None:
    values = [1.0 + 0.01 * (i % 5) for i in range(40)]
    centre, spread = centre_and_spread([*values, 9.0, 9.0, -9.0], 0.001)
    assert centre == pytest.approx(1.02, abs=0.01)
    assert spread < 0.05


def test_a_freezer_in_hot_weather_is_no_load_change_and_a_fridge_with_dust_is() -> None:
    """Both run longer at more power; the freezer's rests shorten as much, and what shortens no rest is no weather."""
    assert leading(run_time=2.9, off_time=-4.0, duty=4.4, plateau_power=1.6, peak_power=1.2) is None
    assert leading(run_time=5.6, off_time=-0.6, duty=3.6, plateau_power=1.8, peak_power=1.4) == "appliance_load"


def test_a_cause_is_asked_of_what_the_weather_does_not_explain() -> None:
    signatures = signatures_of(_KIND, relative=True)
    hot = next(s for s in signatures if s.cause == "hot_spell")
    worn = next(s for s in signatures if s.cause == "relay_contact_wear")
    parts = zip(hot.size, worn.size, strict=True)
    z = [sum(x for x in (0.8 * h, 0.2 * w) if not math.isnan(x)) / 0.05 for h, w in parts]
    rest = Innocent(signatures).without(z, _SD, "plug_unit")
    assert rest[_NAMES.index("run_time")] == pytest.approx(0.0, abs=0.2)
    assert rest[_NAMES.index("rest_flicker")] == pytest.approx(z[_NAMES.index("rest_flicker")], abs=0.2)
