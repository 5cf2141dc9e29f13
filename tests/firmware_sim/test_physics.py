from __future__ import annotations

import itertools
from statistics import median

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_sim.mechanism import Acting, effective
from firmware_sim.physics import physics_of
from firmware_sim.physics import refrigerator as fridge
from firmware_sim.physics import washing_machine as washer
from firmware_sim.physics.base import Job, gather, stage_of
from telemetry.catalogue import load_catalogue

CATALOGUE = load_catalogue()
DT = 30.0
WEAR = 0.6
Rows = NDArray[np.float64]
Levels = dict[str, float]


def worn(kind: str, model: str, levels: Levels) -> dict[str, NDArray[np.float64]]:
    """Parameters of one unit with faults at some levels."""
    acting = [
        Acting(0, target, what, level)
        for fault, level in levels.items()
        for target, what in CATALOGUE[kind].faults[fault].mechanism.items()
    ]
    return effective(gather(physics_of(kind), [CATALOGUE[kind].models[model].parameters]), acting)


def run_fridge(levels: Levels, hours: float = 36.0, ambient: float = 23.0, model: str = "lx260") -> Rows:
    """Channels of one refrigerator without sensors, the first twelve hours left out."""
    p = fridge.Parameters(**worn("refrigerator", model, levels))
    drive = {"ambient": np.array([ambient]), "door": np.zeros(1)}
    state = fridge.initial(p, drive, np.array([0.5]))
    rows = []
    for _ in range(round(hours * 3600 / DT)):
        state = fridge.next_state(p, state, drive, DT)
        rows.append(fridge.output(p, state, drive)[0])
    return np.array(rows)[round(12 * 3600 / DT) :]


def fridge_features(rows: Rows) -> dict[str, float]:
    on = rows[:, 0] > 40.0
    edges = np.flatnonzero(on[1:] != on[:-1]) + 1
    starts = [e for e in edges if on[e]]
    runs = [(s, next((e for e in edges if e > s), None)) for s in starts[:-1]]
    whole = [(s, e, t) for (s, e), t in zip(runs, starts[1:], strict=True) if e is not None]
    return {
        "run_time": median((e - s) * DT for s, e, _ in whole),
        "duty": median((e - s) / (t - s) for s, e, t in whole),
        "plateau_power": median(float(np.median(rows[s + 2 : e, 0])) for s, e, _ in whole),
        "fan_rpm": median(float(rows[s + 2 : e, 5].mean()) for s, e, _ in whole),
        "condenser_rise": median(float((rows[e - 3 : e, 4] - rows[e - 3 : e, 3]).mean()) for s, e, _ in whole),
        "ambient_mean": float(rows[:, 3].mean()),
    }


def run_washer(levels: Levels, load: float = 3.8, programme: str = "cotton40") -> tuple[Rows, list[int]]:
    p = washer.Parameters(**worn("washing_machine", "vela7", levels))
    spec = washer.PROGRAMMES[programme]
    job = Job(
        stages=np.array([[*spec.stages, washer.Stage.END]]),
        settings={name: np.array([value]) for name, value in spec.settings.items()},
        load=np.array([load]),
        imbalance=np.ones(1),
        inlet=np.array([16.0]),
        ambient=np.array([22.0]),
        supply=np.ones(1),
    )
    state = washer.initial(p, job)
    rows, stages = [], []
    while (stage := int(stage_of(job, state.place)[0])) != washer.Stage.END:
        rows.append(washer.output(p, job, state)[0])
        stages.append(stage)
        state = washer.next_state(p, job, state, washer.STEP)
    return np.array(rows), stages


def washer_features(rows: Rows, stages: list[int]) -> dict[str, float]:
    codes = np.array(stages)
    edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    drains = [(b - a) * washer.STEP for a, b in itertools.pairwise(edges) if codes[a] == washer.Stage.DRAIN]
    top = rows[:, 1] >= 0.95 * rows[:, 1].max()
    wash = codes == washer.Stage.WASH
    heating = np.flatnonzero(wash & (rows[:, 0] > 1000.0))
    minutes = (heating[-1] - heating[0]) * washer.STEP / 60.0
    return {
        "drain_time": sum(drains) / len(drains),
        "spin_vibration": float(np.median(rows[top, 4])),
        "heat_rate": float(rows[heating[-1], 3] - rows[heating[0], 3]) / minutes,
        "load_mass": float(np.median(rows[wash, 5])),
        "cycle_time": len(rows) * washer.STEP,
        "wash_energy": float(rows[wash, 0].sum()) * washer.STEP / 1000.0,
    }


@pytest.mark.parametrize("fault", ["condenser_fan_wear", "refrigerant_leak"])
def test_fridge_faults_move_the_named_features_in_the_named_direction(fault: str) -> None:
    check(fridge_features(run_fridge({})), fridge_features(run_fridge({fault: WEAR})), "refrigerator", fault)


@pytest.mark.parametrize("fault", ["drain_pump_wear", "bearing_wear"])
def test_washer_faults_move_the_named_features_in_the_named_direction(fault: str) -> None:
    check(washer_features(*run_washer({})), washer_features(*run_washer({fault: WEAR})), "washing_machine", fault)


def check(healthy: dict[str, float], worn: dict[str, float], kind: str, fault: str) -> None:
    seen = [effect for effect in CATALOGUE[kind].faults[fault].signature if effect.feature in healthy]
    assert any(effect.direction for effect in seen)
    for effect in seen:
        change = worn[effect.feature] / healthy[effect.feature] - 1.0
        if effect.direction == 0:
            assert abs(change) < 0.02, effect
        else:
            assert change * effect.direction > 0.2 * effect.size, (effect, change)


def test_heat_moves_what_the_confounder_says() -> None:
    usual, hot = fridge_features(run_fridge({})), fridge_features(run_fridge({}, ambient=29.0))
    assert hot["run_time"] > 1.15 * usual["run_time"]
    assert hot["duty"] > 1.15 * usual["duty"]
    assert hot["fan_rpm"] == pytest.approx(usual["fan_rpm"])
    assert hot["condenser_rise"] == pytest.approx(usual["condenser_rise"], rel=0.06)


def test_heavy_loads_move_what_the_confounder_says() -> None:
    usual, heavy = washer_features(*run_washer({})), washer_features(*run_washer({}, load=5.7))
    for effect in CATALOGUE["washing_machine"].confounders["heavy_loads"].signature:
        assert (heavy[effect.feature] - usual[effect.feature]) * effect.direction > 0, effect


@pytest.mark.parametrize("model", ["lx260", "lx310"])
def test_a_fridge_uses_a_plausible_amount_of_energy(model: str) -> None:
    rows = run_fridge({}, model=model)
    kwh_a_day = float(rows[:, 0].mean()) * 24 / 1000
    assert 0.5 < kwh_a_day < 1.5
    assert 3.0 < rows[:, 1].mean() < 6.0
    assert -20.5 < rows[:, 2].mean() < -16.5


def test_the_circuit_moves_less_heat_than_carnot_allows() -> None:
    rows = run_fridge({})
    p = CATALOGUE["refrigerator"].models["lx260"].parameters
    gain = p["ua_fridge"] * (23.0 - rows[:, 1].mean()) + p["ua_freezer"] * (23.0 - rows[:, 2].mean())
    power = float(rows[:, 0].mean())
    cold, hot = rows[:, 2].mean() + 273.15, 23.0 + 273.15
    assert 0.8 < gain / power < cold / (hot - cold)


@pytest.mark.parametrize(
    ("programme", "low", "high"), [("cotton60", 0.8, 1.6), ("cotton40", 0.4, 1.1), ("quick30", 0.1, 0.7)]
)
def test_a_wash_uses_a_plausible_amount_of_energy(programme: str, low: float, high: float) -> None:
    rows, _ = run_washer({}, programme=programme)
    assert low < float(rows[:, 0].sum()) * washer.STEP / 3.6e6 < high


def test_the_heater_warms_the_water_by_no_more_than_its_energy() -> None:
    rows, stages = run_washer({})
    heating = rows[:, 0] > 1000.0
    energy = 1950.0 * float(heating.sum()) * washer.STEP
    warmed = float(rows[heating, 3][-1] - rows[heating, 3][0]) * 4186.0 * float(rows[heating, 2].mean())
    assert 0.6 * energy < warmed < energy
    assert stages[-1] == washer.Stage.SPIN


def test_a_seized_fan_trips_the_protector_and_food_thaws() -> None:
    rows = run_fridge({"condenser_fan_wear": 1.0}, hours=40)
    assert rows[:, 5].max() == 0.0
    assert rows[-1, 2] > 0.0
    assert rows[:, 4].max() < 90.0


def test_a_dead_pump_leaves_water_and_the_control_gives_up() -> None:
    rows, stages = run_washer({"drain_pump_wear": 1.0})
    assert stages[-1] == washer.Stage.DRAIN
    assert rows[-1, 2] > 5.0
