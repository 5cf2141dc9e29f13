"""An electric storage water heater with two layers of water, vectorised over appliances.

The tank is two fully mixed layers, the smallest form of the layered tank model (with three: E. Buechler, A. Goldin,
R. Rajagopal, "Improving the Load Flexibility of Stratified Electric Water Heaters", arXiv 2312.04102, 2023): a draw
moves water from the inlet through the dip tube into the lower layer, from there into the upper one and out. Two
elements lie side by side at the bottom; lower water that is warmer than the water above rises at once and mixes with
it. One probe in the upper layer governs both elements. Each element gives its heat through the film of water and the
scale around it; its limiter, a bimetal that opens and closes many times a minute, holds it below a fixed temperature,
so that a scaled element gives on average what the scale lets through (the resistance of scale adds to that of the
film: W. M. Rohsenow, J. P. Hartnett, Y. I. Cho, "Handbook of Heat Transfer", 3rd ed., 1998, ch. 17). Once a week the
tank is raised to 70 Celsius against legionella (World Health Organization, "Legionella and the prevention of
legionellosis", 2007).
Units: W, Celsius, J, L, kg, seconds, draws in L/min. Every array has shape (appliances,).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.base import Bools, ContinuousPhysics, Drive, Floats, Ints, Sensor

_WATER_HEAT = 4186.0
"""J/(kg K); a litre is taken as a kilogram."""
_RESISTANCE_GROWS = 1.0e-4
"""Relative growth of a nickel-chromium element's resistance a kelvin."""
_LIMITER = 100.0
"""Temperature at which an element's own limiter holds it, Celsius."""
_LEAST_FILM = 0.5
"""Scale never insulates wholly, W/K."""
_TANK_LIMIT = 90.0
"""Water temperature at which the tank's thermostat breaks the circuit, Celsius."""
_WEEK = 7 * 86_400.0
_USABLE = 38.0
"""Upper layer below which nobody can take a shower, Celsius."""
_COLD = 6 * 3600.0
"""Seconds for which it may be below after much use; longer is a failure."""
_PIPE_LOSS = 8.0
"""Heat that the outlet pipe loses on the way to its sensor, W/K."""
_PIPE_COOLS = 1500.0
"""Seconds in which standing pipes take the room's temperature (time constant)."""
_STANDBY = 1.5
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of each appliance; names as in the catalogue's models, the last three are moved by faults only.

    Attributes:
        volume: of the tank, L.
        upper_share: share of the volume in the upper layer.
        ua_tank: standing loss, W/K.
        ua_layers: conduction and slow mixing between the layers, W/K.
        power_a: of the first element at nominal voltage, W.
        power_b: of the second.
        film: conductance from one element to the water, W/K; scale lowers it.
        set_point: at which heating ends, Celsius.
        band: heating begins so far below, K.
        boost_point: of the weekly boost, Celsius.
        dip: share of the inlet water that the dip tube leads to the bottom.
        relay: share of the time for which the relay's contact is closed when it should be.
        drip: what the relief valve loses, L/min.
    """

    volume: Floats
    upper_share: Floats
    ua_tank: Floats
    ua_layers: Floats
    power_a: Floats
    power_b: Floats
    film: Floats
    set_point: Floats
    band: Floats
    boost_point: Floats
    dip: Floats
    relay: Floats
    drip: Floats


@dataclass(frozen=True, slots=True)
class State:
    """Layers and pipes in Celsius, the last draw, the thermostat, seconds to the boost, seconds of water too cold."""

    upper: Floats
    lower: Floats
    outlet: Floats
    inlet: Floats
    flow: Floats
    heating: Bools
    boost_in: Floats
    cold_for: Floats


def _initial(p: Parameters, drive: Drive, place: Floats) -> State:
    upper = p.set_point - place * p.band
    zero = np.zeros(len(upper))
    return State(
        upper=upper,
        lower=upper - 3.0,
        outlet=np.array(drive["ambient"], dtype=np.float64),
        inlet=np.array(drive["ambient"], dtype=np.float64),
        flow=zero,
        heating=np.zeros(len(upper), dtype=bool),
        boost_in=place * _WEEK,
        cold_for=zero,
    )


def _element(power: Floats, p: Parameters, water: Floats, supply: Floats) -> Floats:
    """Mean electrical power of one element, W: what it takes, or what the scale lets through at its limiter."""
    wanted = p.relay * power * supply * supply
    film = np.maximum(p.film, _LEAST_FILM)
    rise = wanted / film
    hot = wanted / (1.0 + _RESISTANCE_GROWS * np.maximum(water + rise - 20.0, 0.0))
    return np.asarray(np.minimum(hot, np.maximum(film * (_LIMITER - water), 0.0)))


def _heat(p: Parameters, state: State, drive: Drive) -> Floats:
    """Electrical power of both elements, W."""
    both = _element(p.power_a, p, state.lower, drive["supply"]) + _element(p.power_b, p, state.lower, drive["supply"])
    return np.asarray(both * state.heating)


def _through(p: Parameters, drive: Drive) -> Floats:
    """Heat capacity of the water that leaves at the top, W/K."""
    return np.asarray((drive["draw"] + p.drip) * (_WATER_HEAT / 60.0))


def _next_state(p: Parameters, state: State, drive: Drive, dt: float) -> State:
    through, ambient = _through(p, drive), drive["ambient"]
    capacity = p.volume * _WATER_HEAT
    above, below = capacity * p.upper_share, capacity * (1.0 - p.upper_share)
    rising = through * p.dip
    between = p.ua_layers * (state.upper - state.lower)
    lower = state.lower + dt / below * (
        rising * (drive["inlet"] - state.lower)
        + _heat(p, state, drive)
        + p.ua_tank * (1.0 - p.upper_share) * (ambient - state.lower)
        + between
    )
    upper = state.upper + dt / above * (
        rising * state.lower
        + (through - rising) * drive["inlet"]
        - through * state.upper
        + p.ua_tank * p.upper_share * (ambient - state.upper)
        - between
    )
    mixed = upper * p.upper_share + lower * (1.0 - p.upper_share)
    overturns = lower > upper
    upper, lower = np.where(overturns, mixed, upper), np.where(overturns, mixed, lower)
    boosting = state.boost_in <= 0.0
    target = np.where(boosting, p.boost_point, p.set_point)
    wants = np.where(state.heating | boosting, upper < target, upper < target - p.band)
    flow = np.asarray(drive["draw"], dtype=np.float64)
    runs = flow > 0.0
    left = np.exp(-_PIPE_LOSS / np.maximum(flow * (_WATER_HEAT / 60.0), _TINY))
    cools = np.exp(-dt / _PIPE_COOLS)
    return State(
        upper=upper,
        lower=lower,
        outlet=np.where(runs, ambient + (upper - ambient) * left, ambient + (state.outlet - ambient) * cools),
        inlet=np.where(runs, drive["inlet"], ambient + (state.inlet - ambient) * cools),
        flow=flow,
        heating=wants & (upper < _TANK_LIMIT),
        boost_in=np.where(boosting & (upper >= p.boost_point), _WEEK, state.boost_in - dt),
        cold_for=np.where(upper < _USABLE, state.cold_for + dt, 0.0),
    )


def _output(p: Parameters, state: State, drive: Drive) -> Floats:
    power = _STANDBY + _heat(p, state, drive)
    return np.stack((power, state.upper, state.outlet, state.flow, state.inlet), axis=1)


def _phase(_p: Parameters, state: State) -> Ints:
    boosting = state.heating & (state.boost_in <= 0.0)
    resting = np.where(state.flow > 0.0, 2, 3)
    return np.asarray(np.where(boosting, 1, np.where(state.heating, 0, resting)), dtype=np.int64)


def _failed(p: Parameters, state: State) -> Bools:
    del p
    return np.asarray(state.cold_for > _COLD)


def _stored(p: Parameters, state: State) -> Floats:
    share = state.upper * p.upper_share + state.lower * (1.0 - p.upper_share)
    return np.asarray(p.volume * _WATER_HEAT * share)


def _inflow(p: Parameters, state: State, drive: Drive) -> Floats:
    mean = state.upper * p.upper_share + state.lower * (1.0 - p.upper_share)
    replaced = _through(p, drive) * (drive["inlet"] - state.upper)
    return np.asarray(_heat(p, state, drive) + p.ua_tank * (drive["ambient"] - mean) + replaced)


def _self_test(p: Parameters) -> Mapping[str, Floats]:
    """The control closes the relay for a minute on each element, then listens to the valve for ten."""
    half = (p.power_a + p.power_b) / 2.0
    return {
        "element_a_power_w": p.power_a.copy(),
        "element_b_power_w": p.power_b.copy(),
        "element_rise_k": np.asarray(half / np.maximum(p.film, _LEAST_FILM)),
        "contact_closed_share": p.relay.copy(),
        "switch_off_celsius": p.set_point.copy(),
        "relief_drip_l_per_h": np.asarray(60.0 * p.drip),
        "inlet_to_bottom_share": p.dip.copy(),
        "standing_loss_w": np.asarray(p.ua_tank * (p.set_point - 20.0)),
    }


PHYSICS: ContinuousPhysics[Parameters, State] = ContinuousPhysics(
    kind="water_heater",
    step=30.0,
    channels={
        "power": Sensor(noise=1.5, offset=1.0, resolution=0.1, low=0.0),
        "temp_tank": Sensor(noise=0.08, offset=0.3, resolution=0.01),
        "temp_outlet": Sensor(noise=0.15, offset=0.3, resolution=0.01),
        "flow": Sensor(noise=0.05, offset=0.02, resolution=0.01, low=0.0, zero=True),
        "temp_inlet": Sensor(noise=0.1, offset=0.3, resolution=0.01),
    },
    phases=("heating", "boost", "drawing", "idle"),
    drives=("ambient", "draw", "inlet", "supply"),
    parameters=Parameters,
    state=State,
    spread={
        "volume": 0.01,
        "ua_tank": 0.06,
        "ua_layers": 0.15,
        "power_a": 0.02,
        "power_b": 0.02,
        "film": 0.05,
    },
    shift={"set_point": 1.5, "band": 0.4},
    rest={"dip": 1.0, "relay": 1.0, "drip": 0.0},
    initial=_initial,
    next_state=_next_state,
    output=_output,
    phase=_phase,
    failed=_failed,
    error="error:no_hot_water",
    stored=_stored,
    inflow=_inflow,
    self_test=_self_test,
)
