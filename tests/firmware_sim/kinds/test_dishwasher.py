from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.physics.dishwasher import PROGRAMMES
from tests.firmware_sim.kinds.programmes import Run, run

KIND = "dishwasher"


def pressure(one: Run) -> float:
    return float(np.median(one.of("spray_pressure", "rinse", 2)))


def drain_seconds(one: Run) -> float:
    drains = sum(a != "drain" and b == "drain" for a, b in zip(one.stages, one.stages[1:], strict=False))
    return 60.0 * one.minutes("drain") / drains


# EU 2019/2017 calls 1.65 kWh standard for 12 place settings; classes A to E, which are on sale, lie below 0.92 kWh.
@pytest.mark.parametrize(
    ("programme", "low", "high"),
    [("eco50", 0.45, 0.92), ("auto60", 0.6, 1.25), ("intensive70", 0.85, 1.7), ("quick45", 0.35, 0.9)],
)
def test_a_programme_uses_a_plausible_amount_of_energy(programme: str, low: float, high: float) -> None:
    one = run(KIND, programme, load=12.0)
    assert low < one.kwh < high
    assert one.error == ""


def test_the_hot_programmes_use_more_energy_and_eco_takes_longest() -> None:
    runs = {name: run(KIND, name) for name in PROGRAMMES}
    assert runs["eco50"].kwh < runs["auto60"].kwh < runs["intensive70"].kwh
    assert max(runs, key=lambda name: runs[name].minutes()) == "eco50"
    assert 170 < runs["eco50"].minutes() < 240
    assert 20 < runs["quick45"].minutes() < 45


@pytest.mark.parametrize("programme", sorted(PROGRAMMES))
def test_the_wash_gets_as_warm_as_its_programme_says(programme: str) -> None:
    warmest = float(run(KIND, programme).of("water_temp", "wash").max())
    assert warmest == pytest.approx(PROGRAMMES[programme].settings["target"], abs=1.0)


def test_eco_takes_about_ten_litres() -> None:
    level = run(KIND, "eco50").channels["water_level"]
    assert 8.0 < float(np.maximum(np.diff(level), 0.0).sum()) < 12.0


def test_the_heater_warms_water_and_dishes_by_no_more_than_its_energy() -> None:
    one = run(KIND, "intensive70")
    heating = one.of("power", "wash") > 1000.0
    heat = float(one.of("power", "wash")[heating].sum()) * one.step
    warmed = one.of("water_temp", "wash")[heating]
    water = 4186.0 * 3.8 * float(warmed[-1] - warmed[0])
    assert 0.25 * heat < water < heat


def test_a_worn_pump_sprays_weakly_and_a_blocked_arm_dams_the_water_up() -> None:
    sound, worn, blocked = (run(KIND, "quick45", name) for name in (None, "circulation_pump_wear", "spray_arm_blocked"))
    late = run(KIND, "quick45", "circulation_pump_wear", 0.9)
    assert pressure(late) == pytest.approx(0.55 * pressure(sound), rel=0.03)
    assert pressure(worn) < 0.1 * pressure(sound)
    assert worn.error == "error:no_spray"
    assert pressure(blocked) > 1.2 * pressure(sound)
    for faulty in (worn, blocked):
        assert np.median(faulty.of("power", "rinse", 2)) < 0.7 * np.median(sound.of("power", "rinse", 2))


def test_scale_takes_power_from_the_heater_the_warmer_the_water_is() -> None:
    sound, scaled = run(KIND, "auto60"), run(KIND, "auto60", "heater_scale", 0.6)
    assert np.ptp(sound.of("power", "wash")[sound.of("power", "wash") > 300.0]) < 1.0
    power = scaled.of("power", "wash")
    heating = np.flatnonzero(power > 300.0)
    assert power[heating[-1]] < 0.75 * power[heating[0]]
    assert len(heating) > 1.4 * (sound.of("power", "wash") > 300.0).sum()


def test_a_heater_in_thick_scale_never_gets_the_water_hot() -> None:
    assert run(KIND, "intensive70", "heater_scale", 1.2).error == "error:heating_timeout"


def test_a_clogging_drain_takes_longer_and_in_the_end_the_control_gives_up() -> None:
    sound, slow, dead = run(KIND, "quick45"), *(run(KIND, "quick45", "drain_pump_clogged", x) for x in (0.8, 1.0))
    assert drain_seconds(slow) > 1.8 * drain_seconds(sound)
    assert slow.error == ""
    assert dead.error == "error:drain_timeout"
    assert dead.stages[-1] == "drain"
    assert dead.channels["water_level"][-1] > 2.0


def test_a_slow_valve_fills_longer_and_a_dead_one_ends_the_run() -> None:
    sound, slow, dead = run(KIND, "quick45"), *(run(KIND, "quick45", "inlet_valve_slow", x) for x in (0.8, 1.0))
    assert slow.minutes("fill") > 1.6 * sound.minutes("fill")
    assert slow.error == ""
    assert dead.error == "error:inlet_timeout"
    assert set(dead.stages) == {"fill"}


def test_a_sensor_that_reads_too_warm_leaves_the_water_too_cool() -> None:
    sound, drifted = run(KIND, "auto60"), run(KIND, "auto60", "temp_sensor_drift")
    assert drifted.channels["water_temp"][0] == pytest.approx(sound.channels["water_temp"][0] + 11.0)
    assert drifted.of("water_temp", "wash").max() == pytest.approx(sound.of("water_temp", "wash").max(), abs=0.5)
    assert drifted.kwh < 0.85 * sound.kwh


def test_a_loose_latch_stops_the_programme_again_and_again() -> None:
    sound, loose = run(KIND, "quick45"), run(KIND, "quick45", "door_latch_loose")
    assert loose.minutes() == pytest.approx(sound.minutes() / (1.0 - 0.28), rel=0.05)
    still = loose.of("spray_pressure", "wash", 5) == 0.0
    assert still.mean() == pytest.approx(0.28, abs=0.03)
    assert loose.error == ""
    assert run(KIND, "eco50", "door_latch_loose", 1.5).error == "error:door_open"


def test_cold_water_and_full_racks_cost_energy_but_leave_the_spray_alone() -> None:
    usual = run(KIND, "quick45")
    for changed in (run(KIND, "quick45", inlet=6.0), run(KIND, "quick45", load=12.0)):
        assert changed.kwh > 1.04 * usual.kwh
        assert pressure(changed) == pytest.approx(pressure(usual))


def test_a_voltage_sag_weakens_the_heater_from_the_start() -> None:
    usual, sagged = run(KIND, "quick45"), run(KIND, "quick45", supply=0.9)
    assert sagged.channels["power"].max() == pytest.approx(0.81 * usual.channels["power"].max(), rel=0.02)
    heating = sagged.of("power", "wash")[sagged.of("power", "wash") > 300.0]
    assert np.ptp(heating) < 1.0
