"""Numbers of an appliance's programme: washing machine, dishwasher, tumble dryer. NaN where a cycle cannot tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detectors.view import NAN, View, energy, mean, median, phase_time, top, within

_HEATING = 1000.0
_WEAKLY_HEATING = 300.0
_FEW = 3
_ANY_PRESSURE = 1.0
_TUMBLING = 80.0


def _at_top_speed(view: View) -> NDArray[np.bool_]:
    speed = view.of("drum_speed")
    known = speed[np.isfinite(speed)]
    return np.asarray(speed >= 0.95 * float(known.max())) if len(known) else np.zeros(len(speed), bool)


def _spin_vibration(view: View) -> float:
    return median(view.of("vibration")[_at_top_speed(view)])


def _spin_speed(view: View) -> float:
    return median(view.of("drum_speed")[_at_top_speed(view)])


def _wash_energy(view: View) -> float:
    """Integral of power over the wash phase, kJ."""
    power = view.of("power")
    if len(power) < 2:  # noqa: PLR2004  (one reading has no duration)
        return NAN
    inside = view.in_phase("wash")[:-1]
    total = float((power[:-1][inside] * view.steps[inside]).sum())
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
    return median(view.of("load")[view.in_phase("wash")])


def _rows_heated(view: View) -> NDArray[np.int64]:
    """Readings with the heater on in the phases that heat."""
    warm = view.in_phase("wash")
    if "hot_rinse" in view.phases:
        warm = warm | view.in_phase("hot_rinse")
    return np.flatnonzero(warm & (view.of("power") > _WEAKLY_HEATING))


def _heat_power(view: View) -> float:
    """Median power of the first half of the heating readings, before a scaled heater is throttled."""
    heated = _rows_heated(view)
    return median(view.of("power")[heated[: (len(heated) + 1) // 2]]) if len(heated) >= _FEW else NAN


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
    return median(within(view, "spray_pressure", "rinse", 1)) - median(within(view, "spray_pressure", "drain"))


def _start_temp(view: View) -> float:
    """Water sensor before the first water has come: the room's temperature, mostly."""
    return mean(view.of("water_temp")[:1])


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
    water = float(moisture[low[0]] - moisture[high[0]]) * median(view.of("load")[inside])
    return water / (float(view.seconds[last] - view.seconds[first]) / 3600)


def _energy_per_water(view: View) -> float:
    """Energy of the run for each kilogramme of water that the sensor saw leave, kJ/kg."""
    moisture = view.of("moisture")[: view.run]
    if len(moisture) < _FEW:
        return NAN
    water = float(moisture[0] - median(moisture[-3:])) * median(within(view, "load", "drying"))
    return energy(view) / water if water > 0 else NAN


def _temp_lift(view: View) -> float:
    return median(within(view, "temp_in", "drying") - within(view, "temp_out", "drying"))


def _end_lift(view: View) -> float:
    """Air before the drum less air after it, in the last readings of drying: little when the laundry is dry."""
    return mean((within(view, "temp_in", "drying") - within(view, "temp_out", "drying"))[-3:])


def _fill_rate(view: View) -> float:
    """Rise of the water in the first minute of each phase that fills the drum, L/min, median."""
    level, found = view.of("water_level"), []
    for phase in ("wash", "rinse"):
        inside = view.in_phase(phase)
        for first in np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1]))).tolist():
            if first + 1 < len(inside) and inside[first + 1]:
                minutes = float(view.seconds[first + 1] - view.seconds[first]) / 60
                found.append(float(level[first + 1] - level[first]) / minutes)
    return median(np.array(found, np.float32))


def _resonance_vibration(view: View) -> float:
    """Highest vibration at 1000/min, below half of the top speed: while the drum speeds up or runs down."""
    speed, vibration = view.of("drum_speed"), view.of("vibration")
    slow = view.in_phase("spin") & (speed > _TUMBLING) & (speed < 0.5 * float(np.nanmax(speed, initial=0.0)))
    return top(1000 * vibration[slow] / speed[slow])


PROGRAMMES: dict[str, Callable[[View], float]] = {
    "drain_time": lambda view: phase_time(view, "drain"),
    "spin_vibration": _spin_vibration,
    "spin_speed": _spin_speed,
    "wash_energy": _wash_energy,
    "heat_rate": _heat_rate,
    "load_mass": _load_mass,
    "tumble_rpm": lambda view: mean(within(view, "drum_speed", "wash")),
    "fill_time": lambda view: phase_time(view, "fill"),
    "water_amount": lambda view: median(within(view, "water_level", "wash")),
    "wash_temp": lambda view: top(within(view, "water_temp", "wash")),
    "start_temp": _start_temp,
    "heat_power": _heat_power,
    "heat_hold": _heat_hold,
    "spray_pressure": lambda view: median(within(view, "spray_pressure", "rinse", 1)),
    "spray_share": _spray_share,
    "pressure_span": _pressure_span,
    "pump_power": lambda view: median(within(view, "power", "rinse", 1)),
    "dry_load": lambda view: median(within(view, "load", "drying")),
    "dry_rate": _dry_rate,
    "dry_power": lambda view: median(within(view, "power", "drying")),
    "cool_power": lambda view: median(within(view, "power", "cool_down")),
    "drum_rpm": lambda view: mean(within(view, "drum_speed", "drying")),
    "temp_hot": lambda view: median(within(view, "temp_in", "drying")),
    "temp_lift": _temp_lift,
    "end_lift": _end_lift,
    "air_start": lambda view: mean(within(view, "temp_in", "warm_up")[:1]),
    "start_moisture": lambda view: mean(within(view, "moisture", "warm_up")[:1]),
    "end_moisture": lambda view: median(within(view, "moisture", "drying")[-3:]),
    "energy_per_water": _energy_per_water,
    "fill_rate": _fill_rate,
    "resonance_vibration": _resonance_vibration,
}
"""By the feature ids of the catalogue."""
