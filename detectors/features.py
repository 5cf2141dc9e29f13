"""Numbers of a cycle, by the feature ids of the catalogue. NaN where a cycle cannot tell."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detectors.programme_features import PROGRAMMES
from detectors.segment import Cycle
from detectors.view import NAN, View, energy, mean, median, over_time, run_time
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

_INRUSH = 2
_SETTLED, _ENOUGH = 600.0, 10
"""Seconds after which a variable-speed run is near its steady state, and how many readings of it tell something."""
_FLOWING = 0.5
_FEW_LITRES = 3.0
_LEAST_FLICKER = 0.01
_IDLE, _IDLE_SHARE = 10.0, 0.05
_WATER_HEAT = 4186.0


def _off_time(view: View) -> float:
    following = view.cycle.following
    return NAN if following is None else (following - view.cycle.end) / MICROS


def _duty(view: View) -> float:
    following = view.cycle.following
    return NAN if following is None else (view.cycle.end - view.cycle.start) / (following - view.cycle.start)


def _plateau_power(view: View) -> float:
    return median(view.of("power")[_INRUSH : view.run])


def _peak_power(view: View) -> float:
    power = view.of("power")[: view.run]
    return float(power.max()) if len(power) else NAN


def _fan_rpm(view: View) -> float:
    return mean(view.of("fan_speed")[_INRUSH : view.run])


def _condenser_rise(view: View) -> float:
    low = max(view.run - 3, 0)
    return mean(view.of("temp_condenser")[low : view.run] - view.of("ambient")[low : view.run])


def _door_time(view: View) -> float:
    door = view.of("door_open")
    if len(door) < 2:  # noqa: PLR2004  (one reading has no duration)
        return NAN
    total = float((door[:-1] * view.steps).sum())
    return total if math.isfinite(total) else NAN


def _power_droop(view: View) -> float:
    """Power in the last quarter of a run over that in its first, without the inrush."""
    power = view.of("power")[_INRUSH : view.run]
    quarter = len(power) // 4
    first = mean(power[:quarter])
    return mean(power[-quarter:]) / first if quarter >= _INRUSH and first > 0 else NAN


def _heating_power(view: View) -> float:
    """Mean power while the control asks for heat, whether or not it comes."""
    asked = view.of("power")[view.in_phase("heating")]
    return mean(asked) if len(asked) > _INRUSH else NAN


def _held(view: View, x: NDArray[np.float32]) -> float:
    """Integral over the cycle, each reading holding until the next; NaN when none is known."""
    step = view.steps
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
    litres = float((view.of("flow")[:-1] * view.steps)[both].sum()) / 60
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


def _plain(feature: Callable[[View], float]) -> Callable[[View], float]:
    return lambda view: feature(view) if view.plain else NAN


def _working(channel: str, *phases: str, less: str | None = None) -> Callable[[View], float]:
    """Mean of a channel, or of its difference to another, over the settled part of the run in some phases."""

    def found(view: View) -> float:
        inside = np.zeros(len(view.seconds), dtype=bool)
        for name in phases:
            inside |= view.in_phase(name)
        inside[view.run :] = False
        inside &= view.seconds >= _SETTLED
        if np.count_nonzero(inside) < _ENOUGH:
            return NAN
        x = view.of(channel)[inside]
        return mean(x if less is None else x - view.of(less)[inside])

    return found


def _run_end(channel: str, less: str) -> Callable[[View], float]:
    """Difference of two channels over the run's last three readings."""

    def found(view: View) -> float:
        low = max(view.run - 3, 0)
        return mean(view.of(channel)[low : view.run] - view.of(less)[low : view.run])

    return _plain(found)


def _rest_end(channel: str, less: str, least: float) -> Callable[[View], float]:
    """Difference of two channels over the last two readings of a rest of at least some seconds."""

    def found(view: View) -> float:
        if len(view.seconds) - view.run < 2 or view.seconds[-1] - run_time(view) < least:  # noqa: PLR2004  (two readings)
            return NAN
        return mean(view.of(channel)[-2:] - view.of(less)[-2:])

    return _plain(found)


def _start_peaks(view: View) -> float:
    """How often the power rose from rest, the start of the run included: a compressor that stalls tries again."""
    power = view.of("power")
    work = median(power[: view.run])
    high = np.concatenate(([0], power > 0.5 * work))
    return float((np.diff(high.astype(np.int8)) > 0).sum()) if math.isfinite(work) else NAN


def _defrost_power(view: View) -> float:
    return median(view.of("power")[view.in_phase("defrost")])


def _defrost_time(view: View) -> float:
    """Seconds from the first to the last reading of the defrost, dripping included."""
    inside = np.flatnonzero(view.in_phase("defrost"))
    return float(view.seconds[inside[-1]] - view.seconds[inside[0]]) if len(inside) else NAN


def _rest_power(view: View) -> float:
    """Power after a run, W, and one watt, so that a plug's own zero does not make its logarithm wild.

    NaN while the appliance still works at less than its level: a dryer turns its drum while the laundry cools.
    """
    power = view.of("power")
    rest = median(power[view.run :])
    if not rest <= max(_IDLE, _IDLE_SHARE * median(power[: view.run])):
        return NAN
    return max(rest, 0.0) + 1.0


def _rest_flicker(view: View) -> float:
    """Mean step of power from reading to reading after a run, W, and one watt; NaN as of the power there."""
    rest = view.of("power")[view.run :]
    rest = rest[np.isfinite(rest)]
    if len(rest) < 3 or math.isnan(_rest_power(view)):  # noqa: PLR2004  (two steps)
        return NAN
    return mean(np.abs(np.diff(rest))[1:]) + 1.0


def _power_flicker(view: View) -> float:
    """Median step of power from reading to reading over the power of the run; at least a hundredth."""
    power = view.of("power")[_INRUSH : view.run]
    usual = median(power)
    if len(power) <= _INRUSH or not usual > 0:
        return NAN
    return median(np.abs(np.diff(power[np.isfinite(power)]))) / usual + _LEAST_FLICKER


FEATURES: dict[str, Callable[[View], float]] = {
    **PROGRAMMES,
    "run_time": _plain(run_time),
    "cycle_time": run_time,
    "off_time": _plain(_off_time),
    "duty": _plain(_duty),
    "plateau_power": _plain(_plateau_power),
    "energy": energy,
    "peak_power": _peak_power,
    "fan_rpm": _plain(_fan_rpm),
    "condenser_rise": _condenser_rise,
    "ambient_mean": lambda view: over_time(view, "ambient"),
    "fridge_mean": lambda view: over_time(view, "temp_fridge"),
    "freezer_mean": lambda view: over_time(view, "temp_freezer"),
    "door_time": _door_time,
    "air_mean": _plain(lambda view: over_time(view, "temp_air")),
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
    "power_droop": _power_droop,
    "heating_power": _heating_power,
    "draw_volume": _draw_volume,
    "inlet_mean": lambda view: mean(view.of("temp_inlet")[_drawing(view)]),
    "outlet_mean": lambda view: mean(view.of("temp_outlet")[_drawing(view)]),
    "probe_gap": lambda view: mean((view.of("temp_tank") - view.of("temp_outlet"))[_drawing(view)]),
    "draw_drop": _draw_drop,
    "heat_unseen": _heat_unseen,
    "rest_power": _rest_power,
    "rest_flicker": _rest_flicker,
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
        self._every = [phase.every for phase in kind.phases.values()]

    def __call__(self, cycle: Cycle) -> list[float]:
        """One number a feature; NaN where the cycle cannot tell."""
        view = View(cycle, self._channels, self._phases, self._every)
        return [value if math.isfinite(value) else NAN for value in (f(view) for f in self._functions)]
