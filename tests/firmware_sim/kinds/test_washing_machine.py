from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.physics.washing_machine import PROGRAMMES
from tests.firmware_sim.kinds.programmes import Run, run

KIND, COTTON = "washing_machine", "cotton40"


def top_vibration(one: Run) -> float:
    speed = one.channels["drum_speed"]
    return float(np.median(one.channels["vibration"][speed >= 0.95 * speed.max()]))


def resonance(one: Run) -> float:
    speed, vibration = one.of("drum_speed", "spin"), one.of("vibration", "spin")
    slow = (speed > 80.0) & (speed < 0.5 * speed.max())
    return float((vibration[slow] / speed[slow]).max())


# EU 2019/2014: washing at 40 to 60 degrees takes about 0.5 to 1.1 kWh with half a load to a whole one.
@pytest.mark.parametrize(
    ("programme", "low", "high"),
    [("cotton40", 0.4, 1.0), ("cotton60", 0.8, 1.6), ("eco50", 0.5, 1.2), ("quick30", 0.1, 0.6)],
)
def test_a_wash_uses_a_plausible_amount_of_energy(programme: str, low: float, high: float) -> None:
    one = run(KIND, programme)
    assert low < one.kwh < high
    assert one.error == ""


@pytest.mark.parametrize("programme", sorted(PROGRAMMES))
def test_the_wash_gets_as_warm_as_its_programme_says(programme: str) -> None:
    warmest = float(run(KIND, programme).of("water_temp", "wash").max())
    assert warmest == pytest.approx(PROGRAMMES[programme].settings["target"], abs=1.0)


def test_water_comes_in_three_times_and_leaves() -> None:
    level = run(KIND, COTTON).channels["water_level"]
    assert 35.0 < float(np.maximum(np.diff(level), 0.0).sum()) < 65.0
    assert level[-1] < 1.0


def test_a_weak_pump_drains_longer_and_a_dead_one_leaves_the_water() -> None:
    sound, weak, dead = run(KIND, COTTON), *(run(KIND, COTTON, "drain_pump_wear", x) for x in (0.8, 1.0))
    assert weak.minutes("drain") > 1.6 * sound.minutes("drain")
    assert weak.error == ""
    assert dead.error == "error:drain_timeout"
    assert dead.channels["water_level"][-1] > 5.0


def test_play_shakes_at_every_speed_and_soft_dampers_only_at_the_resonance() -> None:
    sound = run(KIND, COTTON)
    bearing, dampers = run(KIND, COTTON, "bearing_wear", 0.8), run(KIND, COTTON, "shock_absorber_wear", 0.8)
    assert top_vibration(bearing) > 2.0 * top_vibration(sound)
    assert top_vibration(dampers) == pytest.approx(top_vibration(sound), rel=0.03)
    assert resonance(dampers) > 1.7 * resonance(sound)


def test_scale_takes_power_from_the_heater_the_warmer_the_water_is() -> None:
    sound, scaled = run(KIND, "cotton60"), run(KIND, "cotton60", "heater_scale", 0.6)
    assert np.ptp(sound.of("power", "wash")[sound.of("power", "wash") > 400.0]) < 1.0
    power = scaled.of("power", "wash")
    heating = power[power > 400.0]
    assert heating[-1] < 0.75 * heating[0]
    assert run(KIND, "cotton60", "heater_scale", 1.0).error == "error:heating_timeout"


def test_a_slow_valve_fills_longer_and_a_dead_one_ends_the_run() -> None:
    sound, slow, dead = run(KIND, COTTON), *(run(KIND, COTTON, "inlet_valve_slow", x) for x in (0.8, 1.0))
    first = 12
    assert slow.channels["water_level"][first] < 0.6 * sound.channels["water_level"][first]
    assert slow.error == ""
    assert dead.error == "error:inlet_timeout"


def test_worn_brushes_slow_the_drum() -> None:
    sound, worn = run(KIND, COTTON), run(KIND, COTTON, "brush_wear")
    assert worn.channels["drum_speed"].max() == pytest.approx(0.62 * sound.channels["drum_speed"].max(), rel=0.02)
    assert np.median(worn.of("drum_speed", "wash")) < 0.85 * np.median(sound.of("drum_speed", "wash"))
    assert worn.minutes() == pytest.approx(sound.minutes(), rel=0.02)


def test_cold_water_costs_energy_and_a_low_voltage_heating_power() -> None:
    usual = run(KIND, COTTON)
    assert run(KIND, COTTON, inlet=6.0).kwh > 1.1 * usual.kwh
    sagged = run(KIND, COTTON, supply=0.9)
    assert sagged.of("power", "wash").max() == pytest.approx(0.81 * usual.of("power", "wash").max(), rel=0.03)
