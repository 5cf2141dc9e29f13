from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_sim.mechanism import Acting, effective
from firmware_sim.physics import freezer
from firmware_sim.physics.base import Floats, gather
from telemetry.catalogue import load_catalogue

KIND = load_catalogue()["freezer"]
MODELS = {name: model.parameters for name, model in KIND.models.items()}
DT = freezer.PHYSICS.step
DAY = round(86_400 / DT)
POWER, AIR, EVAPORATOR, FAN = 0, 1, 2, 4
CASES = {
    "healthy": ("", 0.0),
    "fan worn": ("evaporator_fan_wear", 0.8),
    "fan seized": ("evaporator_fan_wear", 1.0),
    "leak": ("refrigerant_leak", 0.7),
    "gasket": ("door_gasket_leak", 0.7),
    "heater": ("defrost_heater_open", 0.5),
    "drift": ("thermistor_drift", 0.8),
    "relay": ("compressor_start_relay", 1.0),
    "no starts": ("compressor_start_relay", 1.5),
}


@dataclass(frozen=True)
class Life:
    """Rows are the cases: true channels (steps, rows, channels), phase codes and the food, frost and condenser."""

    values: Floats
    phase: NDArray[np.int64]
    food: Floats
    frost: Floats
    condenser: Floats
    stalls: NDArray[np.bool_]
    failed: NDArray[np.bool_]

    def of(self, case: str) -> int:
        return list(CASES).index(case)

    def runs(self, case: str) -> NDArray[np.bool_]:
        """Steps of ordinary runs, the first two minutes of each left out."""
        cooling = self.phase[:, self.of(case)] == 0
        return np.convolve(cooling, np.ones(5), "full")[: len(cooling)] >= 5


def parameters(case: str, model: str = "nv210") -> dict[str, Floats]:
    fault, level = CASES[case]
    unit = gather(freezer.PHYSICS, [MODELS[model]])
    mechanism = KIND.faults[fault].mechanism.items() if fault else ()
    return effective(unit, [Acting(0, target, what, level) for target, what in mechanism])


def live(
    p: freezer.Parameters, days: float, drive: Mapping[str, float] | None = None, place: float = 0.5
) -> tuple[Life, freezer.State]:
    n = len(p.carnot)
    usual = {"ambient": 23.0, "door": 0.005, "supply": 1.0, **(drive or {})}
    d = {name: np.full(n, value) for name, value in usual.items()}
    s = freezer.initial(p, d, np.full(n, place))
    rows: list[tuple[NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_], ...]] = []
    failed = np.zeros(n, dtype=bool)
    for _ in range(round(days * DAY)):
        s = freezer.next_state(p, s, d, DT)
        failed |= freezer.failed(p, s)
        stalls = s.mode == freezer.STALLED
        rows.append((freezer.output(p, s, d), freezer.phase(p, s), s.food, s.frost, s.condenser, stalls))
    values, codes, food, frost, condenser, stalled = (np.array(column) for column in zip(*rows, strict=True))
    return Life(values, codes, food, frost, condenser, stalled, failed), s


@cache
def lives() -> Life:
    """All cases side by side for six days, of which the first is left out."""
    some = [parameters(case) for case in CASES]
    p = freezer.Parameters(**{name: np.concatenate([one[name] for one in some]) for name in some[0]})
    life, _ = live(p, 6.0)
    return replace(
        life,
        values=life.values[DAY:],
        phase=life.phase[DAY:],
        food=life.food[DAY:],
        frost=life.frost[DAY:],
        condenser=life.condenser[DAY:],
        stalls=life.stalls[DAY:],
    )


def mean(case: str, channel: int) -> float:
    life = lives()
    return float(life.values[life.runs(case), life.of(case), channel].mean())


def gap(case: str) -> float:
    return mean(case, AIR) - mean(case, EVAPORATOR)


def lengths(case: str, *codes: int) -> NDArray[np.int64]:
    """Seconds of each whole stretch of some phases."""
    life = lives()
    inside = np.isin(life.phase[:, life.of(case)], codes)
    edges = np.flatnonzero(np.diff(inside)) + 1
    whole = [(a, b) for a, b in itertools.pairwise(edges) if inside[a]]
    return np.array([round((b - a) * DT) for a, b in whole])


@pytest.mark.parametrize("model", MODELS)
def test_it_uses_a_plausible_amount_of_energy_and_keeps_its_temperature(model: str) -> None:
    life, _ = live(freezer.Parameters(**parameters("healthy", model)), 3.0)
    assert 0.5 < float(life.values[:, 0, POWER].mean()) * 24 / 1000 < 1.1
    assert -19.5 < float(life.values[DAY:, 0, AIR].mean()) < -17.5
    assert -20.0 < float(life.food[DAY:, 0].mean()) < -17.0
    assert 28.0 < float(life.condenser[life.values[:, 0, POWER] > 40.0, 0].mean()) < 50.0


def test_the_circuit_obeys_carnot_and_does_less_the_greater_the_lift() -> None:
    p = freezer.Parameters(**parameters("healthy"))
    _, s = live(p, 0.5)
    usual = None
    for evaporator, condenser in ((-20.0, 35.0), (-25.0, 40.0), (-30.0, 45.0), (-35.0, 50.0)):
        at = freezer.State(
            **{
                **{name: getattr(s, name) for name in freezer.State.__dataclass_fields__},
                "evaporator": np.array([evaporator]),
                "condenser": np.array([condenser]),
            }
        )
        cold, power = (float(x[0]) for x in freezer.circuit(p, at, np.ones(1)))
        carnot = (evaporator + 273.15) / (condenser - evaporator)
        assert 0.3 * carnot < cold / power < carnot
        if usual is not None:
            assert cold < usual[0]
            assert cold / power < usual[0] / usual[1]
        usual = (cold, power)


def test_it_defrosts_after_eight_hours_of_running_and_recovers() -> None:
    life = lives()
    row = life.of("healthy")
    heats = lengths("healthy", 2)
    assert 2 <= len(heats) <= 6
    assert (heats > 600).all()
    assert (heats < 2400).all()
    begins = np.flatnonzero(np.diff((life.phase[:, row] == 2).astype(int)) == 1)
    runs = np.isin(life.phase[:, row], (0, 3))
    for first, second in itertools.pairwise(begins):
        assert float(runs[first:second].sum()) * DT == pytest.approx(28_800.0, abs=2 * DT)
    ends = np.flatnonzero(np.diff((life.phase[:, row] == 2).astype(int)) == -1)
    assert life.frost[ends, row].max() < 0.02
    assert life.frost[begins[begins > ends[0]], row].min() > 0.03
    assert life.values[:, row, AIR].max() < -8.0
    assert np.median(lengths("healthy", 3)) > 1.3 * np.median(lengths("healthy", 0))


def test_most_of_the_heater_warms_metal_and_cabinet() -> None:
    """As Bansal, Fothergill and Fernandes (2010) measured: about a third melts frost."""
    life = lives()
    row = life.of("healthy")
    heating = life.values[:, row, POWER] > 150.0
    melted = -np.diff(life.frost[:, row])[heating[1:] & (np.diff(life.frost[:, row]) < 0)].sum() * 3.34e5
    assert 0.05 < melted / (float(life.values[heating, row, POWER].sum()) * DT) < 0.45


def test_a_worn_fan_makes_the_evaporator_colder_and_the_runs_longer() -> None:
    assert mean("fan worn", FAN) < 0.4 * mean("healthy", FAN)
    assert gap("fan worn") > 1.4 * gap("healthy")
    assert mean("fan worn", POWER) < mean("healthy", POWER)
    assert np.median(lengths("fan worn", 0)) > 1.3 * np.median(lengths("healthy", 0))
    assert not lives().failed[lives().of("fan worn")]


def test_behind_a_seized_fan_the_cold_stays_and_food_thaws() -> None:
    life = lives()
    assert life.values[:, life.of("fan seized"), FAN].max() == 0.0
    assert life.failed[life.of("fan seized")]
    assert (
        life.values[:, life.of("fan seized"), EVAPORATOR].min()
        < life.values[:, life.of("healthy"), EVAPORATOR].min() - 8
    )


def test_a_leak_makes_runs_longer_at_less_power() -> None:
    assert mean("leak", POWER) < 0.85 * mean("healthy", POWER)
    assert gap("leak") < 0.85 * gap("healthy")
    assert np.median(lengths("leak", 0)) > 1.4 * np.median(lengths("healthy", 0))
    assert mean("leak", FAN) == pytest.approx(mean("healthy", FAN))


def test_a_bad_gasket_lets_heat_and_moisture_in() -> None:
    life = lives()
    assert np.median(lengths("gasket", 1)) < 0.7 * np.median(lengths("healthy", 1))
    assert life.frost[:, life.of("gasket")].max() > 1.5 * life.frost[:, life.of("healthy")].max()
    assert mean("gasket", POWER) == pytest.approx(mean("healthy", POWER), rel=0.05)


def test_without_the_heater_frost_grows_until_it_blocks_the_air() -> None:
    life = lives()
    row = life.of("heater")
    assert life.values[life.phase[:, row] == 2, row, POWER].max() < 10.0
    assert (np.diff(life.frost[:, row]) >= 0.0).all()
    first, last = (life.values[part, row] for part in (slice(0, DAY), slice(-DAY, None)))
    colder = [float((day[:, AIR] - day[:, EVAPORATOR])[day[:, POWER] > 40.0].mean()) for day in (first, last)]
    assert colder[1] > 1.3 * colder[0]
    assert lengths("heater", 2).min() > lengths("healthy", 2).max()


def test_a_drifted_sensor_reads_as_ever_and_the_food_is_warmer() -> None:
    life = lives()
    bias = KIND.faults["thermistor_drift"].mechanism["sensor.temp_air"].bias
    assert bias is not None
    row = life.of("drift")
    shift = float(life.values[:, row, AIR].mean() - life.values[:, life.of("healthy"), AIR].mean())
    assert shift == pytest.approx(-0.8 * bias, rel=0.1)
    assert float(life.food[-1, row]) > -14.0
    resting = life.phase[:, row] == 1
    late = resting & np.roll(resting, 20)
    read = life.values[late, row, AIR] + 0.8 * bias - life.values[late, row, EVAPORATOR]
    assert -7.0 < float(np.median(read)) < -4.0


def test_a_weak_relay_stalls_a_share_of_the_starts() -> None:
    life = lives()
    row = life.of("relay")
    stalls = int(life.stalls[:, row].sum())
    starts = int((np.diff((life.phase[:, row] == 0).astype(int)) == 1).sum())
    assert stalls / starts == pytest.approx(0.7, abs=0.03)
    assert life.values[life.stalls[:, row], row, POWER].min() > 250.0
    assert lengths("relay", 1).min() >= 300
    assert not life.stalls[:, life.of("healthy")].any()
    dead = life.of("no starts")
    assert life.stalls[:, dead].any()
    assert life.failed[dead]


def test_the_mains_move_heater_and_fan() -> None:
    p = freezer.Parameters(**parameters("healthy"))
    d = {"ambient": np.full(1, 23.0), "door": np.zeros(1), "supply": np.array([0.9])}
    _, s = live(p, 0.1)
    heating = freezer.State(
        **{
            **{name: getattr(s, name) for name in freezer.State.__dataclass_fields__},
            "mode": np.array([freezer.HEATING]),
            "since": np.array([60.0]),
        }
    )
    watts = float(freezer.output(p, heating, d)[0, POWER])
    assert watts == pytest.approx(2.0 + 0.81 * MODELS["nv210"]["heater_power"])
    cooling = freezer.State(
        **{
            **{name: getattr(s, name) for name in freezer.State.__dataclass_fields__},
            "mode": np.array([freezer.COOLING]),
        }
    )
    assert float(freezer.fan_speed(p, cooling, d)[0]) == pytest.approx(0.96 * MODELS["nv210"]["fan_rpm"])


def test_a_hot_room_means_more_running_and_an_open_door_more_frost() -> None:
    p = freezer.Parameters(**parameters("healthy"))
    usual, hot, open_door = (live(p, 2.0, drive)[0] for drive in ({}, {"ambient": 30.0}, {"door": 0.05}))
    duty = [float((one.values[:, 0, POWER] > 40.0).mean()) for one in (usual, hot, open_door)]
    assert duty[1] > 1.15 * duty[0]
    assert duty[2] > 1.05 * duty[0]
    assert open_door.frost.max() > 1.3 * usual.frost.max()


def test_the_self_test_tells_the_causes_apart() -> None:
    answers = {
        case: {name: float(x[0]) for name, x in freezer.self_test(freezer.Parameters(**parameters(case))).items()}
        for case in CASES
    }
    usual = answers["healthy"]
    assert answers["fan worn"]["fan_speed_rpm"] < 0.5 * usual["fan_speed_rpm"]
    assert answers["heater"]["heater_power_w"] == 0.0
    assert answers["leak"]["cooling_power_w"] < 0.8 * usual["cooling_power_w"]
    assert answers["gasket"]["door_leak_w_k"] > 3.0 * usual["door_leak_w_k"]
    assert answers["relay"]["starts_of_ten"] < usual["starts_of_ten"] == 10.0
