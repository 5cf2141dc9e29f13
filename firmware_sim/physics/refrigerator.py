"""A frost-free fridge-freezer as a thermal network, vectorised over appliances.

Two compartments and the condenser are lumped heat capacities joined by conductances; the refrigeration circuit is
quasi-steady, a fixed share of the Carnot efficiency between evaporator and condenser, as in the semi-empirical model
of B. N. Borges, C. J. L. Hermes, J. M. Goncalves, C. Melo, "Transient simulation of household refrigerators: a semi-
empirical quasi-steady approach", Applied Energy 88 (2011) 748-754. The freezer's thermostat switches the compressor;
an air damper shares the cold between the compartments. Units: W, K or Celsius, J/K, seconds. Every array has shape
(appliances,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.base import Bools, ContinuousPhysics, Drive, Floats, Ints, Sensor

_KELVIN = 273.15
_EVAPORATOR_BELOW = 6.0
"""How much colder than the freezer's air the evaporator is, K."""
_DOOR_CONDUCTANCE = 26.0
"""Exchange of air through the open fridge door, W/K."""
_STILL_AIR = 0.08
"""Share of the condenser's conductance that needs no fan (natural convection)."""
_TRIP, _RESET = 80.0, 45.0
"""Condenser temperatures at which the compressor's protector opens and closes, Celsius."""
_STANDBY = 1.2
_INRUSH = 1.35
_STARTS = 0.5
_SPOILT, _THAWED = 10.0, -9.0
"""Fridge and freezer temperatures above which food is no longer kept, Celsius."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of each appliance, as in the catalogue's models; `fan_share` is the share of its speed that the fan reaches."""

    ua_fridge: Floats
    ua_freezer: Floats
    ua_between: Floats
    heat_fridge: Floats
    heat_freezer: Floats
    heat_condenser: Floats
    ua_condenser: Floats
    compressor_power: Floats
    fan_power: Floats
    fan_rpm: Floats
    carnot: Floats
    set_freezer: Floats
    band_freezer: Floats
    set_fridge: Floats
    fan_share: Floats
    damper: Floats
    start_relay: Floats


@dataclass(frozen=True, slots=True)
class State:
    """Temperatures in Celsius, the compressor's switch and protector, and how long it has run or rested, seconds."""

    fridge: Floats
    freezer: Floats
    condenser: Floats
    running: Bools
    tripped: Bools
    since: Floats


def initial(p: Parameters, drive: Drive, place: Floats) -> State:
    """The state in the middle of ordinary operation; `place` is where in the thermostat's band each freezer stands."""
    n = len(place)
    return State(
        fridge=p.set_fridge.copy(),
        freezer=p.set_freezer + (place - 0.5) * p.band_freezer,
        condenser=drive["ambient"].copy(),
        running=np.zeros(n, dtype=bool),
        tripped=np.zeros(n, dtype=bool),
        since=np.full(n, 600.0),
    )


def compressor_power(p: Parameters, state: State) -> Floats:
    """Electrical power of the compressor, W, while it runs: more against a hot condenser."""
    return p.compressor_power * (1.0 + 0.006 * (state.condenser - 40.0)) * state.running


def _cold(p: Parameters, state: State, power: Floats) -> Floats:
    """Heat that the evaporator takes out of both compartments, W."""
    evaporator = state.freezer - _EVAPORATOR_BELOW + _KELVIN
    lift = np.maximum(state.condenser + _KELVIN - evaporator, 15.0)
    return power * p.carnot * evaporator / lift


def _loss(p: Parameters, state: State, ambient: Floats) -> Floats:
    """Heat from the condenser to the room, W."""
    fan = p.fan_share**0.7 * state.running
    return p.ua_condenser * (_STILL_AIR + (1.0 - _STILL_AIR) * fan) * (state.condenser - ambient)


def _gains(p: Parameters, state: State, drive: Drive) -> tuple[Floats, Floats]:
    """Heat from the room into fridge and freezer, W."""
    ambient = drive["ambient"]
    into_fridge = (p.ua_fridge + _DOOR_CONDUCTANCE * drive["door"]) * (ambient - state.fridge)
    return into_fridge, p.ua_freezer * (ambient - state.freezer)


def next_state(p: Parameters, state: State, drive: Drive, dt: float) -> State:
    """One explicit Euler step; keep `dt` well below the smallest time constant (about 150 s)."""
    power = compressor_power(p, state)
    cold = _cold(p, state, power)
    share = p.damper * np.clip(0.27 + 0.25 * (state.fridge - p.set_fridge), 0.03, 0.7)
    between = p.ua_between * (state.fridge - state.freezer)
    into_fridge, into_freezer = _gains(p, state, drive)
    fridge = state.fridge + dt / p.heat_fridge * (into_fridge - between - cold * share)
    freezer = state.freezer + dt / p.heat_freezer * (into_freezer + between - cold * (1.0 - share))
    condenser = state.condenser + dt / p.heat_condenser * (power + cold - _loss(p, state, drive["ambient"]))
    tripped = np.where(state.tripped, condenser > _RESET, condenser > _TRIP)
    half = 0.5 * p.band_freezer
    wants = np.where(state.running, freezer > p.set_freezer - half, freezer > p.set_freezer + half)
    running = wants & ~tripped & (state.running | (p.start_relay > _STARTS))
    since = np.where(running == state.running, state.since + dt, 0.0)
    return State(fridge, freezer, condenser, running, tripped, since)


def output(p: Parameters, state: State, drive: Drive) -> Floats:
    """What ideal sensors would read: shape (appliances, channels)."""
    inrush = np.where(state.since < 1.0, _INRUSH, 1.0)
    fan = p.fan_rpm * p.fan_share * state.running
    power = _STANDBY + compressor_power(p, state) * inrush + p.fan_power * (fan > 0)
    columns = (power, state.fridge, state.freezer, drive["ambient"], state.condenser, fan, drive["door"])
    return np.stack(columns, axis=1)


def phase(_p: Parameters, state: State) -> Ints:
    """0 idle, 1 cooling."""
    return np.where(state.running, 1, 0)


def failed(p: Parameters, state: State) -> Bools:
    """Whether the appliance no longer keeps food."""
    del p
    return (state.fridge > _SPOILT) | (state.freezer > _THAWED)


def stored(p: Parameters, state: State) -> Floats:
    """Heat of compartments and condenser, J."""
    return p.heat_fridge * state.fridge + p.heat_freezer * state.freezer + p.heat_condenser * state.condenser


def inflow(p: Parameters, state: State, drive: Drive) -> Floats:
    """What comes in from the room and the mains less what the condenser gives off, W."""
    into_fridge, into_freezer = _gains(p, state, drive)
    return into_fridge + into_freezer + compressor_power(p, state) - _loss(p, state, drive["ambient"])


def self_test(p: Parameters) -> dict[str, Floats]:
    """The routine runs the fan alone, the compressor three times for a minute, and moves the damper to its stops."""
    return {
        "fan_speed_rpm": p.fan_rpm * p.fan_share,
        "compressor_power_w": p.compressor_power,
        "cold_per_power": p.carnot,
        "condenser_w_per_k": p.ua_condenser,
        "damper_travel_share": p.damper,
        "starts_of_3": np.where(p.start_relay > _STARTS, 3.0, 0.0),
        "switch_off_celsius": p.set_freezer - 0.5 * p.band_freezer,
    }


PHYSICS = ContinuousPhysics(
    kind="refrigerator",
    step=30.0,
    channels={
        "power": Sensor(noise=0.6, offset=0.4, resolution=0.1, low=0.0),
        "temp_fridge": Sensor(noise=0.08, offset=0.15, resolution=0.01),
        "temp_freezer": Sensor(noise=0.08, offset=0.15, resolution=0.01),
        "ambient": Sensor(noise=0.08, offset=0.2, resolution=0.01),
        "temp_condenser": Sensor(noise=0.15, offset=0.25, resolution=0.01),
        "fan_speed": Sensor(noise=9.0, offset=6.0, resolution=1.0, low=0.0, zero=True),
        "door_open": Sensor(noise=0.0, offset=0.0, resolution=0.001),
    },
    phases=("idle", "cooling"),
    drives=("ambient", "door"),
    parameters=Parameters,
    state=State,
    spread={
        "ua_fridge": 0.05,
        "ua_freezer": 0.05,
        "heat_fridge": 0.04,
        "heat_freezer": 0.04,
        "ua_condenser": 0.03,
        "compressor_power": 0.02,
        "fan_rpm": 0.015,
        "carnot": 0.02,
    },
    shift={"set_freezer": 0.3, "set_fridge": 0.3},
    rest={"fan_share": 1.0, "damper": 1.0, "start_relay": 1.0},
    initial=initial,
    next_state=next_state,
    output=output,
    phase=phase,
    failed=failed,
    error="error:high_temperature",
    stored=stored,
    inflow=inflow,
    self_test=self_test,
)
