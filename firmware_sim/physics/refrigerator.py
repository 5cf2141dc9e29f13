"""A frost-free fridge-freezer as a thermal network, vectorised over appliances.

Two compartments and the condenser are lumped heat capacities joined by conductances; the refrigeration circuit is
quasi-steady, a fixed share of the Carnot efficiency between evaporator and condenser, as in the semi-empirical model
of B. N. Borges, C. J. L. Hermes, J. M. Goncalves, C. Melo, "Transient simulation of household refrigerators: a semi-
empirical quasi-steady approach", Applied Energy 88 (2011) 748-754. The freezer's thermostat switches the compressor;
an air damper shares the cold between the compartments. Units: W, K or Celsius, J/K, seconds. Every array has shape
(appliances,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CHANNELS = ("power", "temp_fridge", "temp_freezer", "ambient", "temp_condenser", "fan_speed", "door_open")
FAULTS = ("condenser_fan_wear", "refrigerant_leak")
"""Columns of a wear matrix, in this order."""

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
_SPOILT, _THAWED = 10.0, -9.0
"""Fridge and freezer temperatures above which food is no longer kept, Celsius."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of each appliance: names as in the catalogue's models."""

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

    @classmethod
    def gather(cls, appliances: Sequence[Mapping[str, float]]) -> Parameters:
        """Stack one mapping of parameters for each appliance.

        Raises:
            KeyError: a model lacks a parameter.
        """
        names = cls.__dataclass_fields__
        return cls(**{name: np.array([one[name] for one in appliances], dtype=np.float64) for name in names})


@dataclass(frozen=True, slots=True)
class State:
    """Temperatures in Celsius, the compressor's switch and protector, and how long it has run or rested, seconds."""

    fridge: Floats
    freezer: Floats
    condenser: Floats
    running: Bools
    tripped: Bools
    since: Floats


def initial(p: Parameters, ambient: Floats, place: Floats) -> State:
    """The state in the middle of ordinary operation.

    Args:
        p: parameters.
        ambient: room temperatures.
        place: where in the thermostat's band each freezer stands, 0 (cold end) to 1.
    """
    n = len(ambient)
    return State(
        fridge=p.set_fridge.copy(),
        freezer=p.set_freezer + (place - 0.5) * p.band_freezer,
        condenser=ambient.copy(),
        running=np.zeros(n, dtype=bool),
        tripped=np.zeros(n, dtype=bool),
        since=np.full(n, 600.0),
    )


def fan_speed(p: Parameters, wear: Floats) -> Floats:
    """Speed of the condenser fan while the compressor runs, 1/min; a worn out one has seized."""
    worn = wear[:, 0]
    return np.where(worn < 1.0, p.fan_rpm * (1.0 - 0.85 * worn), 0.0)


def compressor_power(p: Parameters, state: State, wear: Floats) -> Floats:
    """Electrical power of the running compressor, W: more against a hot condenser, less with little refrigerant."""
    lift = 1.0 + 0.006 * (state.condenser - 40.0)
    return p.compressor_power * lift * (1.0 - 0.3 * np.minimum(wear[:, 1], 1.2))


def next_state(p: Parameters, state: State, ambient: Floats, door: Floats, wear: Floats, *, dt: float) -> State:
    """One explicit Euler step.

    Args:
        p: parameters.
        state: at the step's start.
        ambient: room temperatures.
        door: share of the step during which the fridge door is open.
        wear: shape (appliances, faults), columns as FAULTS; 0 new, 1 functional failure.
        dt: seconds; keep it well below the smallest time constant (about 150 s).
    """
    evaporator = state.freezer - _EVAPORATOR_BELOW + _KELVIN
    lift = np.maximum(state.condenser + _KELVIN - evaporator, 15.0)
    power = compressor_power(p, state, wear) * state.running
    leak = np.maximum(1.0 - 0.68 * wear[:, 1], 0.05)
    cold = power * p.carnot * evaporator / lift * leak / (1.0 - 0.3 * np.minimum(wear[:, 1], 1.2))
    share = np.clip(0.27 + 0.25 * (state.fridge - p.set_fridge), 0.03, 0.7)
    between = p.ua_between * (state.fridge - state.freezer)
    into_fridge = (p.ua_fridge + _DOOR_CONDUCTANCE * door) * (ambient - state.fridge)
    into_freezer = p.ua_freezer * (ambient - state.freezer)
    fan = np.maximum(fan_speed(p, wear) / p.fan_rpm, 0.0) ** 0.7 * state.running
    loss = p.ua_condenser * (_STILL_AIR + (1.0 - _STILL_AIR) * fan) * (state.condenser - ambient)
    fridge = state.fridge + dt / p.heat_fridge * (into_fridge - between - cold * share)
    freezer = state.freezer + dt / p.heat_freezer * (into_freezer + between - cold * (1.0 - share))
    condenser = state.condenser + dt / p.heat_condenser * (power + cold - loss)
    tripped = np.where(state.tripped, condenser > _RESET, condenser > _TRIP)
    half = 0.5 * p.band_freezer
    wants = np.where(state.running, freezer > p.set_freezer - half, freezer > p.set_freezer + half)
    running = wants & ~tripped
    since = np.where(running == state.running, state.since + dt, 0.0)
    return State(fridge, freezer, condenser, running, tripped, since)


def output(p: Parameters, state: State, ambient: Floats, door: Floats, wear: Floats) -> Floats:
    """What ideal sensors would read: shape (appliances, channels), columns as CHANNELS."""
    inrush = np.where(state.since < 1.0, _INRUSH, 1.0)
    fan = fan_speed(p, wear) * state.running
    power = _STANDBY + (compressor_power(p, state, wear) * inrush + p.fan_power * (fan > 0)) * state.running
    return np.stack((power, state.fridge, state.freezer, ambient, state.condenser, fan, door), axis=1)


def health(wear: Floats) -> Floats:
    """1 new, 0 at functional failure."""
    return np.asarray(np.clip(1.0 - wear.max(axis=1), 0.0, 1.0))


def failed(state: State) -> Bools:
    """Whether the appliance no longer keeps food."""
    return (state.fridge > _SPOILT) | (state.freezer > _THAWED)
