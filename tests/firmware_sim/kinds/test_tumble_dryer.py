from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.physics.tumble_dryer import PROGRAMMES
from tests.firmware_sim.kinds.programmes import Run, run

KIND, CUPBOARD = "tumble_dryer", "cotton_cupboard"


def usual_of(one: Run, channel: str) -> float:
    return float(np.median(one.of(channel, "drying")))


def lift(one: Run) -> float:
    return usual_of(one, "temp_in") - usual_of(one, "temp_out")


def water(one: Run) -> float:
    """Litres that left the laundry."""
    return float(one.channels["moisture"][0] - one.channels["moisture"][-1]) * float(one.channels["load"][0])


# EU 392/2012: a class A++ dryer of 8 kg uses 177 to 236 kWh in 160 runs, three full and four half ones: 1.1 to 1.5 kWh.
@pytest.mark.parametrize(("load", "low", "high"), [(8.0, 1.3, 2.2), (4.0, 0.7, 1.25)])
def test_a_run_uses_a_plausible_amount_of_energy(load: float, low: float, high: float) -> None:
    one = run(KIND, CUPBOARD, load=load)
    assert low < one.kwh < high
    assert 60 < one.minutes() < 260
    assert one.error == ""


@pytest.mark.parametrize("programme", sorted(PROGRAMMES))
def test_drying_ends_when_the_laundry_is_as_dry_as_asked(programme: str) -> None:
    one = run(KIND, programme)
    assert one.of("moisture", "cool_down")[0] == pytest.approx(PROGRAMMES[programme].settings["target"], abs=0.01)


def test_temperatures_are_those_of_a_heat_pump() -> None:
    one = run(KIND, CUPBOARD)
    assert 50.0 < usual_of(one, "temp_in") < 68.0
    assert 35.0 < usual_of(one, "temp_out") < 50.0
    assert one.channels["temp_in"].max() < 75.0
    assert one.channels["temp_out"][-1] < 40.0


def test_the_heat_pump_dries_with_less_energy_than_evaporation_takes() -> None:
    one = run(KIND, CUPBOARD)
    evaporation = water(one) * 2.43e6 / 3.6e6
    assert 0.4 * evaporation < one.kwh < 0.9 * evaporation


def test_wet_cloth_dries_at_a_steady_rate_and_nearly_dry_cloth_slowly() -> None:
    moisture = run(KIND, CUPBOARD).of("moisture", "drying")
    rate = -np.diff(moisture)
    assert np.all(rate >= 0.0)
    early, late = rate[len(rate) // 4], rate[-10:].mean()
    assert late < 0.75 * early


def test_lint_and_a_weak_fan_starve_the_drum_and_the_fan_tells_them_apart() -> None:
    sound = run(KIND, CUPBOARD)
    lint, fan = run(KIND, CUPBOARD, "lint_clogged", 0.8), run(KIND, CUPBOARD, "blower_wear", 0.8)
    for starved in (lint, fan):
        assert lift(starved) > 1.2 * lift(sound)
        assert starved.minutes() > 1.03 * sound.minutes()
    assert 1.01 < usual_of(lint, "fan_speed") / usual_of(sound, "fan_speed") < 1.05
    assert usual_of(fan, "fan_speed") < 0.8 * usual_of(sound, "fan_speed")
    assert np.median(lint.of("power", "cool_down")) < np.median(sound.of("power", "cool_down"))


def test_a_blocked_filter_ends_the_run_with_an_error() -> None:
    assert run(KIND, CUPBOARD, "lint_clogged", 1.0).error == "error:airflow"


def test_a_leak_cools_the_air_and_in_the_end_nothing_gets_dry() -> None:
    sound, leaking = run(KIND, CUPBOARD), run(KIND, CUPBOARD, "refrigerant_leak", 0.8)
    assert usual_of(leaking, "temp_in") < usual_of(sound, "temp_in") - 3.0
    assert usual_of(leaking, "power") < 0.95 * usual_of(sound, "power")
    assert leaking.minutes() > 1.2 * sound.minutes()
    empty = run(KIND, CUPBOARD, "refrigerant_leak", 1.0, load=8.0)
    assert empty.error == "error:drying_too_long"
    assert empty.channels["moisture"][-1] > 0.05


def test_a_slipping_belt_slows_the_drum_alone() -> None:
    sound, slipping = run(KIND, CUPBOARD), run(KIND, CUPBOARD, "belt_slip")
    assert usual_of(slipping, "drum_speed") == pytest.approx(0.6 * usual_of(sound, "drum_speed"), rel=0.01)
    assert usual_of(slipping, "fan_speed") == pytest.approx(usual_of(sound, "fan_speed"))
    assert slipping.minutes() > 1.02 * sound.minutes()


def test_a_dry_bearing_draws_power_and_a_seized_one_stops_the_drum() -> None:
    sound, dry, seized = run(KIND, CUPBOARD), *(run(KIND, CUPBOARD, "drum_bearing_wear", x) for x in (0.9, 1.0))
    more = np.median(dry.of("power", "cool_down")) - np.median(sound.of("power", "cool_down"))
    assert 60.0 < more < 200.0
    assert seized.error == "error:drum_blocked"
    assert seized.minutes() < 3.0


def test_dirty_electrodes_leave_the_laundry_damp_and_a_short_circuit_dries_for_ever() -> None:
    sound = run(KIND, CUPBOARD)
    fouled, short = run(KIND, CUPBOARD, "moisture_sensor_fouled"), run(KIND, CUPBOARD, "moisture_sensor_short")
    assert fouled.channels["moisture"][0] == pytest.approx(0.4 * sound.channels["moisture"][0])
    assert fouled.minutes() < sound.minutes()
    end = -3
    wetter = fouled.of("temp_in", "drying")[end] - fouled.of("temp_out", "drying")[end]
    assert wetter > 1.3 * (sound.of("temp_in", "drying")[end] - sound.of("temp_out", "drying")[end])
    assert short.error == "error:drying_too_long"
    assert short.kwh > 1.5 * sound.kwh


def test_a_heavy_or_wet_load_takes_longer_but_fan_and_drum_do_not_change() -> None:
    usual = run(KIND, CUPBOARD)
    for changed in (run(KIND, CUPBOARD, load=7.0), run(KIND, CUPBOARD, imbalance=1.3)):
        assert changed.minutes() > 1.2 * usual.minutes()
        assert usual_of(changed, "fan_speed") == usual_of(usual, "fan_speed")
        assert usual_of(changed, "drum_speed") == usual_of(usual, "drum_speed")
