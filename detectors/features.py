"""Numbers of a cycle, by the feature ids of the catalogue. NaN where a cycle cannot tell."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detectors.segment import Cycle
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

NAN = math.nan
_INRUSH = 2
_HEATING = 1000.0
_SETTLED = 300.0
"""Seconds after which a variable-speed run is near its steady state."""
_DISTURBING = ("defrost", "pulldown")
"""Phases that make a cycle unlike the others; features that compare cycles pass it over."""
_WEAKLY_HEATING = 300.0
_FEW = 3
_ANY_PRESSURE = 1.0
_TUMBLING = 80.0
_FLOWING = 0.5
_FEW_LITRES = 3.0
_LEAST_FLICKER = 0.01
_WATER_HEAT = 4186.0


class View:
    """A cycle with the kind's channel and phase numbers, as features read it."""

    __slots__ = ("channels", "cycle", "phases", "run", "seconds")

    def __init__(self, cycle: Cycle, channels: dict[str, int], phases: dict[str, int]) -> None:
        self.cycle = cycle
        self.channels = channels
        self.phases = phases
        self.seconds: NDArray[np.float64] = (cycle.rows.t - cycle.start) / MICROS
        self.run = int(np.searchsorted(cycle.rows.t, cycle.end))

    def of(self, channel: str) -> NDArray[np.float32]:
        """Values of a channel over the cycle's readings."""
        return self.cycle.rows.values[:, self.channels[channel]]

    def in_phase(self, phase: str) -> NDArray[np.bool_]:
        """Which readings belong to a phase."""
        return np.asarray(self.cycle.rows.phase == self.phases[phase])

    @property
    def plain(self) -> bool:
        """Whether no defrost, nor what follows it, disturbs the cycle."""
        return not any(self.in_phase(name).any() for name in _DISTURBING if name in self.phases)


def _mean(x: NDArray[np.float32]) -> float:
    value = float(x.sum(dtype=np.float64)) / len(x) if len(x) else NAN
    if math.isnan(value) and len(x):
        x = x[np.isfinite(x)]
        value = float(x.sum(dtype=np.float64)) / len(x) if len(x) else NAN
    return value


def _median(x: NDArray[np.float32]) -> float:
    x = x[np.isfinite(x)]
    n = len(x)
    if n == 0:
        return NAN
    x = np.sort(x)
    return float(x[n // 2]) if n % 2 else (float(x[n // 2 - 1]) + float(x[n // 2])) / 2


def _top(x: NDArray[np.float32]) -> float:
    known = x[np.isfinite(x)]
    return float(known.max()) if len(known) else NAN


def _over_time(view: View, channel: str) -> float:
    """Time-weighted mean, each reading holding until the next."""
    x = view.of(channel)
    if len(x) < 2:  # noqa: PLR2004  (one reading has no duration)
        return _mean(x)
    step = np.diff(view.seconds)
    total = float((x[:-1] * step).sum())
    length = float(step.sum())
    if math.isnan(total):
        known = np.isfinite(x[:-1])
        length = float(step[known].sum())
        total = float((x[:-1][known] * step[known]).sum())
    return total / length if length > 0 else NAN


def _run_time(view: View) -> float:
    return (view.cycle.end - view.cycle.start) / MICROS


def _off_time(view: View) -> float:
    following = view.cycle.following
    return NAN if following is None else (following - view.cycle.end) / MICROS


def _duty(view: View) -> float:
    following = view.cycle.following
    return NAN if following is None else (view.cycle.end - view.cycle.start) / (following - view.cycle.start)


def _plateau_power(view: View) -> float:
    return _median(view.of("power")[_INRUSH : view.run])


def _energy(view: View) -> float:
    """Integral of power over the run, kJ; each reading holds until the next."""
    power = view.of("power")[: view.run]
    if len(power) == 0:
        return NAN
    step = np.diff(view.seconds[: view.run], append=_run_time(view))
    return float((power * step).sum()) / 1000


def _peak_power(view: View) -> float:
    power = view.of("power")[: view.run]
    return float(power.max()) if len(power) else NAN


def _fan_rpm(view: View) -> float:
    return _mean(view.of("fan_speed")[_INRUSH : view.run])


def _condenser_rise(view: View) -> float:
    low = max(view.run - 3, 0)
    return _mean(view.of("temp_condenser")[low : view.run] - view.of("ambient")[low : view.run])


def _door_time(view: View) -> float:
    door = view.of("door_open")
    if len(door) < 2:  # noqa: PLR2004  (one reading has no duration)
        return NAN
    total = float((door[:-1] * np.diff(view.seconds)).sum())
    return total if math.isfinite(total) else NAN


def _phase_time(view: View, phase: str) -> float:
    """Mean length of the cycle's phases of a name: first reading of the phase to the first of the next phase."""
    inside = view.in_phase(phase)
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    begun: float | None = 0.0 if inside[0] else None
    lengths: list[float] = []
    for edge in edges.tolist():
        if inside[edge]:
            begun = float(view.seconds[edge])
        elif begun is not None:
            lengths.append(float(view.seconds[edge]) - begun)
            begun = None
    return sum(lengths) / len(lengths) if lengths else NAN


def _at_top_speed(view: View) -> NDArray[np.bool_]:
    speed = view.of("drum_speed")
    known = speed[np.isfinite(speed)]
    return np.asarray(speed >= 0.95 * float(known.max())) if len(known) else np.zeros(len(speed), bool)


def _spin_vibration(view: View) -> float:
    return _median(view.of("vibration")[_at_top_speed(view)])


def _spin_speed(view: View) -> float:
    return _median(view.of("drum_speed")[_at_top_speed(view)])


def _wash_energy(view: View) -> float:
    """Integral of power over the wash phase, kJ."""
    power = view.of("power")
    if len(power) < 2:  # noqa: PLR2004  (one reading has no duration)
        return NAN
    inside = view.in_phase("wash")[:-1]
    total = float((power[:-1][inside] * np.diff(view.seconds)[inside]).sum())
    return total / 1000 if inside.any() else NAN


def _heat_rate(view: View) -> float:
    """Rise of the water a minute between the first and last heating reading of the wash phase."""
    heating = np.flatnonzero(view.in_phase("wash") & (view.of("power") > _HEATING))
    if len(heating) < 3:  # noqa: PLR2004  (shorter heating says little)
        return NAN
    first, last = int(heating[0]), int(heating[-1])
    water = view.of("water_temp")
    return float(water[last] - water[first]) / (float(view.seconds[last] - view.seconds[first]) / 60)


def _load_mass(view: View) -> float:
    return _median(view.of("load")[view.in_phase("wash")])


def _power_droop(view: View) -> float:
    """Power in the last quarter of a run over that in its first, without the inrush."""
    power = view.of("power")[_INRUSH : view.run]
    quarter = len(power) // 4
    first = _mean(power[:quarter])
    return _mean(power[-quarter:]) / first if quarter >= _INRUSH and first > 0 else NAN


def _heating_power(view: View) -> float:
    """Mean power while the control asks for heat, whether or not it comes."""
    asked = view.of("power")[view.in_phase("heating")]
    return _mean(asked) if len(asked) > _INRUSH else NAN


def _held(view: View, x: NDArray[np.float32]) -> float:
    """Integral over the cycle, each reading holding until the next; NaN when none is known."""
    step = np.diff(view.seconds)
    known = np.isfinite(x[:-1])
    return float((x[:-1][known] * step[known]).sum()) if known.any() else NAN


def _draw_volume(view: View) -> float:
    """Hot water drawn, L."""
    return _held(view, view.of("flow")) / 60


def _drawing(view: View) -> NDArray[np.bool_]:
    return np.asarray(view.of("flow") > _FLOWING)


def _draw_drop(view: View) -> float:
    """Fall of the tank's upper temperature a litre drawn while nothing heats."""
    inside = view.in_phase("drawing")
    both = inside[:-1] & inside[1:]
    litres = float((view.of("flow")[:-1] * np.diff(view.seconds))[both].sum()) / 60
    fall = -float(np.diff(view.of("temp_tank"))[both].sum())
    return fall / litres if litres > _FEW_LITRES else NAN


def _heat_unseen(view: View) -> float:
    """Mean electrical power of a whole cycle less the heat that left through the tap, W: what the tank itself loses."""
    following = view.cycle.following
    if following is None:
        return NAN
    power, rise = view.of("power"), view.of("temp_outlet") - view.of("temp_inlet")
    drawn = _held(view, view.of("flow") * rise) * _WATER_HEAT / 60
    return (_held(view, power) - drawn) / ((following - view.cycle.start) / MICROS)


def _within(view: View, channel: str, phase: str, skip: int = 0) -> NDArray[np.float32]:
    """Values of a channel in a phase, the first `skip` left out."""
    return view.of(channel)[view.in_phase(phase)][skip:]


def _rows_heated(view: View) -> NDArray[np.int64]:
    """Readings with the heater on in the phases that heat."""
    warm = view.in_phase("wash")
    if "hot_rinse" in view.phases:
        warm = warm | view.in_phase("hot_rinse")
    return np.flatnonzero(warm & (view.of("power") > _WEAKLY_HEATING))


def _heat_power(view: View) -> float:
    """Median power of the first half of the heating readings, before a scaled heater is throttled."""
    heated = _rows_heated(view)
    return _median(view.of("power")[heated[: (len(heated) + 1) // 2]]) if len(heated) >= _FEW else NAN


def _heat_hold(view: View) -> float:
    """Least power while heating against the greatest: what a hot surface makes the control take back.

    The last reading of each spell of heating may hold half a switching and is left out.
    """
    heated = _rows_heated(view)
    whole = heated[np.flatnonzero(np.diff(heated) == 1)]
    if len(whole) < _FEW:
        return NAN
    power = np.sort(view.of("power")[whole])
    return float(power[1]) / float(power[-1])


def _spray_share(view: View) -> float:
    """Share of the readings in phases that spray whose pressure is at least half of the highest."""
    sprays = view.in_phase("wash") | view.in_phase("rinse") | view.in_phase("hot_rinse")
    pressure = view.of("spray_pressure")[sprays]
    pressure = pressure[np.isfinite(pressure)]
    if len(pressure) < _FEW or float(pressure.max()) < _ANY_PRESSURE:
        return NAN
    return float((pressure >= 0.4 * float(pressure.max())).mean())


def _pressure_span(view: View) -> float:
    """Pressure while rinsing less that while draining, when the pump rests."""
    return _median(_within(view, "spray_pressure", "rinse", 1)) - _median(_within(view, "spray_pressure", "drain"))


def _start_temp(view: View) -> float:
    """Water sensor before the first water has come: the room's temperature, mostly."""
    return _mean(view.of("water_temp")[:1])


def _drying(view: View) -> NDArray[np.int64]:
    return np.flatnonzero(view.in_phase("drying"))


def _dry_rate(view: View) -> float:
    """Water that leaves the laundry while its moisture falls from 3/4 to 2/5 of its first value, kg/h.

    Then cloth gives water as freely as a wet surface, however dry it is to become.
    """
    inside = _drying(view)
    moisture = view.of("moisture")[inside]
    if len(moisture) < _FEW or not float(view.of("moisture")[0]) > 0:
        return NAN
    whole = float(view.of("moisture")[0])
    low, high = np.flatnonzero(moisture <= 0.75 * whole), np.flatnonzero(moisture <= 0.4 * whole)
    if not len(low) or not len(high) or low[0] >= high[0]:
        return NAN
    first, last = inside[low[0]], inside[high[0]]
    water = float(moisture[low[0]] - moisture[high[0]]) * _median(view.of("load")[inside])
    return water / (float(view.seconds[last] - view.seconds[first]) / 3600)


def _energy_per_water(view: View) -> float:
    """Energy of the run for each kilogramme of water that the sensor saw leave, kJ/kg."""
    moisture = view.of("moisture")[: view.run]
    if len(moisture) < _FEW:
        return NAN
    water = float(moisture[0] - _median(moisture[-3:])) * _median(_within(view, "load", "drying"))
    return _energy(view) / water if water > 0 else NAN


def _temp_lift(view: View) -> float:
    return _median(_within(view, "temp_in", "drying") - _within(view, "temp_out", "drying"))


def _end_lift(view: View) -> float:
    """Air before the drum less air after it, in the last readings of drying: little when the laundry is dry."""
    return _mean((_within(view, "temp_in", "drying") - _within(view, "temp_out", "drying"))[-3:])


def _fill_rate(view: View) -> float:
    """Rise of the water in the first minute of each phase that fills the drum, L/min, median."""
    level, found = view.of("water_level"), []
    for phase in ("wash", "rinse"):
        inside = view.in_phase(phase)
        for first in np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1]))).tolist():
            if first + 1 < len(inside) and inside[first + 1]:
                minutes = float(view.seconds[first + 1] - view.seconds[first]) / 60
                found.append(float(level[first + 1] - level[first]) / minutes)
    return _median(np.array(found, np.float32))


def _resonance_vibration(view: View) -> float:
    """Highest vibration below half of the top speed, while the drum speeds up or runs down."""
    speed, vibration = view.of("drum_speed"), view.of("vibration")
    slow = view.in_phase("spin") & (speed > _TUMBLING) & (speed < 0.5 * float(np.nanmax(speed, initial=0.0)))
    found = vibration[slow]
    found = found[np.isfinite(found)]
    return float(found.max()) if len(found) else NAN


def _plain(feature: Callable[[View], float]) -> Callable[[View], float]:
    return lambda view: feature(view) if view.plain else NAN


def _working(channel: str, *phases: str, less: str | None = None) -> Callable[[View], float]:
    """Mean of a channel, or of its difference to another, over the settled part of the run in some phases."""

    def mean(view: View) -> float:
        inside = np.zeros(len(view.seconds), dtype=bool)
        for name in phases:
            inside |= view.in_phase(name)
        inside[view.run :] = False
        inside &= view.seconds >= _SETTLED
        x = view.of(channel)[inside]
        return _mean(x if less is None else x - view.of(less)[inside])

    return mean


def _run_end(channel: str, less: str) -> Callable[[View], float]:
    """Difference of two channels over the run's last three readings."""

    def mean(view: View) -> float:
        low = max(view.run - 3, 0)
        return _mean(view.of(channel)[low : view.run] - view.of(less)[low : view.run])

    return _plain(mean)


def _rest_end(channel: str, less: str, least: float) -> Callable[[View], float]:
    """Difference of two channels over the last two readings of a rest of at least some seconds."""

    def mean(view: View) -> float:
        if len(view.seconds) - view.run < 2 or view.seconds[-1] - _run_time(view) < least:  # noqa: PLR2004  (two readings)
            return NAN
        return _mean(view.of(channel)[-2:] - view.of(less)[-2:])

    return _plain(mean)


def _start_peaks(view: View) -> float:
    """How often the power rose from rest, the start of the run included: a compressor that stalls tries again."""
    power = view.of("power")
    work = _median(power[: view.run])
    high = np.concatenate(([0], power > 0.5 * work))
    return float((np.diff(high.astype(np.int8)) > 0).sum()) if math.isfinite(work) else NAN


def _defrost_power(view: View) -> float:
    return _median(view.of("power")[view.in_phase("defrost")])


def _defrost_time(view: View) -> float:
    """Seconds from the first to the last reading of the defrost, dripping included."""
    inside = np.flatnonzero(view.in_phase("defrost"))
    return float(view.seconds[inside[-1]] - view.seconds[inside[0]]) if len(inside) else NAN


def _rest_power(view: View) -> float:
    """Power after a run, W, and one watt, so that a plug's own zero does not make its logarithm wild."""
    rest = _median(view.of("power")[view.run :])
    return max(rest, 0.0) + 1.0 if math.isfinite(rest) else NAN


def _power_flicker(view: View) -> float:
    """Median step of power from reading to reading over the power of the run; at least a hundredth."""
    power = view.of("power")[_INRUSH : view.run]
    usual = _median(power)
    if len(power) <= _INRUSH or not usual > 0:
        return NAN
    return _median(np.abs(np.diff(power[np.isfinite(power)]))) / usual + _LEAST_FLICKER


FEATURES: dict[str, Callable[[View], float]] = {
    "run_time": _plain(_run_time),
    "cycle_time": _run_time,
    "off_time": _plain(_off_time),
    "duty": _plain(_duty),
    "plateau_power": _plain(_plateau_power),
    "energy": _energy,
    "peak_power": _peak_power,
    "fan_rpm": _plain(_fan_rpm),
    "condenser_rise": _condenser_rise,
    "ambient_mean": lambda view: _over_time(view, "ambient"),
    "fridge_mean": lambda view: _over_time(view, "temp_fridge"),
    "freezer_mean": lambda view: _over_time(view, "temp_freezer"),
    "door_time": _door_time,
    "drain_time": lambda view: _phase_time(view, "drain"),
    "spin_vibration": _spin_vibration,
    "spin_speed": _spin_speed,
    "wash_energy": _wash_energy,
    "heat_rate": _heat_rate,
    "load_mass": _load_mass,
    "air_mean": _plain(lambda view: _over_time(view, "temp_air")),
    "evaporator_gap": _run_end("temp_air", "temp_evaporator"),
    "rest_gap": _rest_end("temp_air", "temp_evaporator", 1200.0),
    "start_peaks": _plain(_start_peaks),
    "defrost_power": _defrost_power,
    "defrost_time": _defrost_time,
    "outdoor_mean": _working("temp_outdoor", "heating", "cooling"),
    "compressor_rpm": _working("compressor_speed", "heating", "cooling"),
    "indoor_fan_rpm": _working("fan_speed", "heating", "cooling"),
    "heat_lift": _working("temp_supply", "heating", less="temp_return"),
    "cool_drop": _working("temp_return", "cooling", less="temp_supply"),
    "heating_watts": _working("power", "heating"),
    "cooling_watts": _working("power", "cooling"),
    "heat_coil_gap": _working("temp_outdoor", "heating", less="temp_coil"),
    "cool_coil_gap": _working("temp_coil", "cooling", less="temp_outdoor"),
    "coil_rest_gap": _rest_end("temp_coil", "temp_outdoor", 1800.0),
    "fill_time": lambda view: _phase_time(view, "fill"),
    "water_amount": lambda view: _median(_within(view, "water_level", "wash")),
    "wash_temp": lambda view: _top(_within(view, "water_temp", "wash")),
    "start_temp": _start_temp,
    "heat_power": _heat_power,
    "heat_hold": _heat_hold,
    "spray_pressure": lambda view: _median(_within(view, "spray_pressure", "rinse", 1)),
    "spray_share": _spray_share,
    "pressure_span": _pressure_span,
    "pump_power": lambda view: _median(_within(view, "power", "rinse", 1)),
    "dry_load": lambda view: _median(_within(view, "load", "drying")),
    "dry_rate": _dry_rate,
    "dry_power": lambda view: _median(_within(view, "power", "drying")),
    "cool_power": lambda view: _median(_within(view, "power", "cool_down")),
    "drum_rpm": lambda view: _mean(_within(view, "drum_speed", "drying")),
    "temp_hot": lambda view: _median(_within(view, "temp_in", "drying")),
    "temp_lift": _temp_lift,
    "end_lift": _end_lift,
    "start_moisture": lambda view: _mean(_within(view, "moisture", "warm_up")[:1]),
    "end_moisture": lambda view: _median(_within(view, "moisture", "drying")[-3:]),
    "energy_per_water": _energy_per_water,
    "fill_rate": _fill_rate,
    "resonance_vibration": _resonance_vibration,
    "power_droop": _power_droop,
    "heating_power": _heating_power,
    "draw_volume": _draw_volume,
    "inlet_mean": lambda view: _mean(view.of("temp_inlet")[_drawing(view)]),
    "outlet_mean": lambda view: _mean(view.of("temp_outlet")[_drawing(view)]),
    "probe_gap": lambda view: _mean((view.of("temp_tank") - view.of("temp_outlet"))[_drawing(view)]),
    "draw_drop": _draw_drop,
    "heat_unseen": _heat_unseen,
    "rest_power": _rest_power,
    "power_flicker": _power_flicker,
}
"""How each feature is computed; a kind's catalogue page chooses among them."""


class Extractor:
    """Features of a kind's cycles, in the order asked for.

    Raises:
        ValueError: the catalogue names a feature that no function computes.
    """

    def __init__(self, kind: KindSpec, names: tuple[str, ...]) -> None:
        unknown = [name for name in names if name not in FEATURES]
        if unknown:
            raise ValueError(f"{kind.kind}: no function computes {', '.join(unknown)}; known: {', '.join(FEATURES)}")
        self._functions = [FEATURES[name] for name in names]
        self._channels = {name: number for number, name in enumerate(kind.channels)}
        self._phases = {name: number for number, name in enumerate(kind.phases)}

    def __call__(self, cycle: Cycle) -> list[float]:
        """One number a feature; NaN where the cycle cannot tell."""
        view = View(cycle, self._channels, self._phases)
        return [value if math.isfinite(value) else NAN for value in (f(view) for f in self._functions)]
