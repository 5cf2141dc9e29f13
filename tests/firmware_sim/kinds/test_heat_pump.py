from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_sim.mechanism import Acting, effective
from firmware_sim.physics import heat_pump as pump
from firmware_sim.physics.base import Floats, gather
from telemetry.catalogue import load_catalogue

KIND = load_catalogue()["heat_pump"]
MODELS = {name: model.parameters for name, model in KIND.models.items()}
DT = pump.PHYSICS.step
HOUR = round(3600 / DT)
DAY = 24 * HOUR
POWER, ROOM, SUPPLY, OUTDOOR, COIL, SPEED, FAN = range(7)
CASES = {
    "healthy": ("", 0.0),
    "filter": ("filter_clogged", 0.8),
    "leak": ("refrigerant_leak", 0.8),
    "outdoor fan": ("outdoor_fan_wear", 0.8),
    "compressor": ("compressor_wear", 0.8),
    "valve": ("reversing_valve_stuck", 0.8),
    "valve failed": ("reversing_valve_stuck", 1.0),
    "drift": ("coil_sensor_drift", 1.0),
}


@dataclass(frozen=True)
class Life:
    """Rows are the cases: true channels (steps, rows, channels), phase codes, frost, and whether each failed."""

    values: Floats
    phase: NDArray[np.int64]
    frost: Floats
    indoor: Floats
    failed: NDArray[np.bool_]

    def settled(self, case: str) -> NDArray[np.bool_]:
        """Steps of heating or cooling, five minutes after their begin."""
        works = self.phase[:, list(CASES).index(case)] <= 1
        return np.convolve(works, np.ones(10), "full")[: len(works)] >= 10

    def mean(self, case: str, channel: int, less: int | None = None) -> float:
        values = self.values[self.settled(case), list(CASES).index(case)]
        return float((values[:, channel] - (values[:, less] if less is not None else 0.0)).mean())


def parameters(case: str, model: str = "zephyr35") -> dict[str, Floats]:
    fault, level = CASES[case]
    unit = gather(pump.PHYSICS, [MODELS[model]])
    mechanism = KIND.faults[fault].mechanism.items() if fault else ()
    return effective(unit, [Acting(0, target, what, level) for target, what in mechanism])


def together(*some: dict[str, Floats]) -> pump.Parameters:
    return pump.Parameters(**{name: np.concatenate([one[name] for one in some]) for name in some[0]})


def live(p: pump.Parameters, outdoor: float, days: float = 1.5, swing: float = 3.0, *, habits: bool = False) -> Life:
    """Days at an outdoor temperature; with habits the home is empty from 8 to 18 h and asleep from 22 to 6 h."""
    n, rows = len(p.carnot), []
    failed = np.zeros(n, dtype=bool)
    d = drive(n, outdoor)
    s = pump.initial(p, d, np.full(n, 0.5))
    for step in range(round(days * DAY)):
        hour = step / HOUR % 24
        d = drive(n, outdoor + swing * np.cos((hour - 15.0) * np.pi / 12.0))
        if habits:
            d["presence"] = np.full(n, float(not 8 <= hour < 18))
            d["awake"] = np.full(n, float(6 <= hour < 22))
        s = pump.next_state(p, s, d, DT)
        failed |= pump.failed(p, s)
        rows.append((pump.output(p, s, d), pump.phase(p, s), s.frost, s.indoor))
    values, phase, frost, indoor = (np.array(column)[HOUR * 6 :] for column in zip(*rows, strict=True))
    return Life(values, phase, frost, indoor, failed)


def drive(n: int, outdoor: float, supply: float = 1.0) -> dict[str, Floats]:
    return {
        "outdoor": np.full(n, outdoor),
        "presence": np.ones(n),
        "awake": np.ones(n),
        "supply": np.full(n, supply),
    }


@cache
def winter() -> Life:
    return live(together(*(parameters(case) for case in CASES)), 2.0)


@cache
def summer() -> Life:
    return live(together(*(parameters(case) for case in CASES)), 33.0)


def between(cold: float, hot: float, speed: float = 3600.0) -> tuple[float, float, float]:
    p = pump.Parameters(**parameters("healthy"))
    taken, given, power = pump.circuit(p, np.array([cold]), np.array([hot]), np.array([speed]))
    return float(taken[0]), float(given[0]), float(power[0])


def test_the_coefficient_of_performance_falls_with_the_lift_below_carnots() -> None:
    found = []
    for cold, hot in ((10.0, 35.0), (2.0, 40.0), (-6.0, 43.0), (-14.0, 45.0), (-20.0, 48.0)):
        taken, given, power = between(cold, hot)
        assert given == pytest.approx(taken + power)
        assert given / power < (hot + 273.15) / (hot - cold)
        found.append(given / power)
    assert found == sorted(found, reverse=True)
    assert 3.0 < found[1] < 5.0


def test_cold_takes_capacity_and_the_protection_takes_the_rest() -> None:
    warm, cold = between(0.0, 42.0)[1], between(-14.0, 42.0)[1]
    assert 0.5 < cold / warm < 0.85
    assert between(0.0, 66.0) == (0.0, 0.0, 0.0)
    assert between(-31.0, 30.0) == (0.0, 0.0, 0.0)
    assert between(0.0, 42.0, 1800.0)[1] == pytest.approx(0.5 * warm)


@pytest.mark.parametrize("model", MODELS)
def test_it_holds_the_room_in_winter_and_in_summer(model: str) -> None:
    cold = live(pump.Parameters(**parameters("healthy", model)), -3.0)
    assert cold.values[HOUR:, 0, ROOM].min() > 19.0
    assert cold.values[:, 0, ROOM].max() < 22.0
    assert set(np.unique(cold.phase)) <= {0, 2, 3}
    kwh = float(cold.values[:, 0, POWER].mean()) * 24 / 1000
    assert 5.0 < kwh < 20.0
    hot = live(pump.Parameters(**parameters("healthy", model)), 33.0, days=1.0)
    assert hot.values[HOUR:, 0, ROOM].max() < 27.5
    assert set(np.unique(hot.phase)) <= {1, 3}
    assert hot.values[:, 0, COIL].max() < 60.0


def test_mild_days_need_nothing() -> None:
    life = live(pump.Parameters(**parameters("healthy")), 19.0, days=1.0, swing=1.0)
    assert (life.phase == 3).all()
    assert life.values[:, 0, POWER].max() < 5.0
    assert life.values[:, 0, FAN].max() == life.values[:, 0, SPEED].max() == 0.0


def test_it_sets_back_while_nobody_is_home_and_half_as_far_at_night() -> None:
    p = pump.Parameters(**parameters("healthy"))
    always, sometimes = live(p, 4.0, 2.0), live(p, 4.0, 2.0, habits=True)
    assert sometimes.values[:, 0, POWER].mean() < 0.95 * always.values[:, 0, POWER].mean()
    hour = (np.arange(len(sometimes.values)) / HOUR + 6.0) % 24
    room = sometimes.values[:, 0, ROOM]
    away, night, evening = ((room[(hour >= a) & (hour < b)].min()) for a, b in ((8, 18), (2, 6), (20, 22)))
    assert away < evening - 1.0
    assert away < 20.5 - 0.6 * MODELS["zephyr35"]["setback"]
    assert night < evening


def test_frost_gathers_around_freezing_and_the_reversed_circuit_melts_it() -> None:
    p = together(*[parameters("healthy")] * 3)
    n = 3
    d = drive(n, 0.0)
    d["outdoor"] = np.array([-2.0, -16.0, 9.0])
    s = pump.initial(p, d, np.zeros(n))
    rows = []
    for _ in range(round(1.5 * DAY)):
        s = pump.next_state(p, s, d, DT)
        rows.append((s.frost, s.mode, s.outdoor, pump.output(p, s, d)[:, FAN], s.since))
    frost, mode, coil, fan, since = (np.array(column) for column in zip(*rows, strict=True))
    defrosts = (np.diff((mode == pump.DEFROSTING).astype(int), axis=0) == 1).sum(axis=0)
    assert defrosts[0] >= 2
    assert defrosts[2] == 0
    rate = [
        float(np.clip(np.diff(frost[:, i]), 0.0, None).sum() / (mode[:, i] == pump.WARMING).sum()) for i in range(n)
    ]
    assert rate[0] > 1.3 * rate[1]
    assert frost[:, 2].max() < 0.05
    melting = mode[:, 0] == pump.DEFROSTING
    assert fan[melting, 0].max() == 0.0
    ends = np.flatnonzero(np.diff(melting.astype(int)) == -1)
    assert coil[ends, 0].min() > 5.0
    assert frost[ends + 1, 0].max() < 0.25 * frost[:, 0].max()
    assert since[melting, 0].max() <= 600.0


def test_frost_makes_the_coil_colder() -> None:
    life = live(pump.Parameters(**parameters("healthy")), -2.0, swing=0.0)
    works = life.settled("healthy")
    apart = (life.values[:, 0, OUTDOOR] - life.values[:, 0, COIL]) / np.maximum(life.values[:, 0, SPEED], 1.0)
    heavy = life.frost[:, 0] > 0.6 * life.frost[:, 0].max()
    light = life.frost[:, 0] < 0.3 * life.frost[:, 0].max()
    assert apart[works & heavy].mean() > 1.3 * apart[works & light].mean()


@pytest.mark.parametrize("season", [winter, summer])
def test_a_clogged_filter_lets_less_air_pass_and_the_fan_turns_faster(season: object) -> None:
    life = season()  # type: ignore[operator]
    sign = 1.0 if life is winter() else -1.0
    lift = {case: sign * life.mean(case, SUPPLY, ROOM) for case in ("healthy", "filter")}
    assert lift["filter"] > 1.3 * lift["healthy"]
    share = {case: life.mean(case, FAN) / life.mean(case, SPEED) for case in ("healthy", "filter")}
    assert life.mean("filter", FAN) - 0.14 * (
        life.mean("filter", SPEED) - life.mean("healthy", SPEED)
    ) > 1.02 * life.mean("healthy", FAN), share


@pytest.mark.parametrize("season", [winter, summer])
def test_a_leak_carries_less_heat_at_less_power_for_the_same_speed(season: object) -> None:
    life = season()  # type: ignore[operator]
    for channel, less in ((POWER, None), (SUPPLY, ROOM), (COIL, OUTDOOR)):
        each = {case: abs(life.mean(case, channel, less)) / life.mean(case, SPEED) for case in ("healthy", "leak")}
        assert each["leak"] < 0.85 * each["healthy"], channel


@pytest.mark.parametrize(("season", "least"), [(winter, 1.12), (summer, 1.3)])
def test_a_slow_outdoor_fan_parts_the_coil_from_the_air(season: object, least: float) -> None:
    """In winter frost parts them, too, and the defrosts that it brings hide half of what the fan does."""
    life = season()  # type: ignore[operator]
    apart = {case: abs(life.mean(case, COIL, OUTDOOR)) / life.mean(case, SPEED) for case in ("healthy", "outdoor fan")}
    assert apart["outdoor fan"] > least * apart["healthy"]


@pytest.mark.parametrize("season", [winter, summer])
def test_a_worn_compressor_draws_more_for_the_same_heat(season: object) -> None:
    life = season()  # type: ignore[operator]
    power = {case: life.mean(case, POWER) / life.mean(case, SPEED) for case in ("healthy", "compressor")}
    assert power["compressor"] > 1.2 * power["healthy"]
    lift = {case: abs(life.mean(case, SUPPLY, ROOM)) / life.mean(case, SPEED) for case in ("healthy", "compressor")}
    assert lift["compressor"] == pytest.approx(lift["healthy"], rel=0.25)


def test_a_hanging_valve_takes_most_of_the_effect_and_a_stuck_one_all() -> None:
    for life in (winter(), summer()):
        apart = {case: abs(life.mean(case, COIL, OUTDOOR)) / life.mean(case, SPEED) for case in ("healthy", "valve")}
        assert apart["valve"] < 0.6 * apart["healthy"]
    assert summer().failed[list(CASES).index("valve failed")]
    assert not summer().failed[0]
    assert not winter().failed[0]


def test_a_drifted_coil_sensor_defrosts_a_clean_coil() -> None:
    p = together(parameters("healthy"), parameters("drift"))
    life = live(p, 4.0, swing=1.0)
    defrosts = (np.diff((life.phase == 2).astype(int), axis=0) == 1).sum(axis=0)
    assert defrosts[0] <= 1
    assert defrosts[1] >= defrosts[0] + 3
    begins = np.flatnonzero(np.diff((life.phase[:, 1] == 2).astype(int)) == 1)
    assert life.frost[begins, 1].max() < 0.5


def test_low_mains_take_the_top_speed() -> None:
    p = pump.Parameters(**parameters("healthy"))
    speeds = []
    for supply in (1.0, 0.8):
        d = drive(1, -5.0, supply)
        s = replace(pump.initial(p, d, np.ones(1)), room=np.full(1, 8.0))
        for _ in range(HOUR // 2):
            s = pump.next_state(p, s, d, DT)
        speeds.append(float(s.speed[0]))
    assert speeds[0] == pytest.approx(MODELS["zephyr35"]["speed_top"])
    assert speeds[1] == pytest.approx(0.8 / 0.9 * MODELS["zephyr35"]["speed_top"])


def test_the_self_test_tells_the_causes_apart() -> None:
    answers = {
        case: {name: float(x[0]) for name, x in pump.self_test(pump.Parameters(**parameters(case))).items()}
        for case in CASES
    }
    usual = answers["healthy"]
    assert answers["filter"]["air_flow_share"] < 0.7
    assert answers["outdoor fan"]["outdoor_fan_share"] < 0.5
    assert answers["leak"]["cooling_power_w"] < 0.7 * usual["cooling_power_w"]
    assert answers["leak"]["compressor_power_w"] < 0.9 * usual["compressor_power_w"]
    assert answers["compressor"]["compressor_power_w"] > 1.3 * usual["compressor_power_w"]
    assert answers["compressor"]["cooling_power_w"] == usual["cooling_power_w"]
    assert answers["valve"]["valve_share"] < 0.4
    assert answers["drift"]["coil_error_k"] == -6.0
