"""A front-loading washing machine, vectorised over washes that are aligned at their starts.

Water is filled to a level that grows with the load, heated by a thermostat-switched element, pumped out, replaced by
two rinses and flung out at high speed. Heat balance of a stirred tank; vibration of an unbalanced rotor on a
suspension far above its resonance, which grows about with speed and with the bearing's play, as in D. C. Conrad and
W. Soedel, "On the problem of oscillatory walk of automatic washing machines", Journal of Sound and Vibration 188
(1995) 301-314. Units: L, Celsius, W, 1/min, mm/s, kg, seconds. Every array has shape (washes,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHANNELS = ("power", "drum_speed", "water_level", "water_temp", "vibration", "load")
FAULTS = ("drain_pump_wear", "bearing_wear")
"""Columns of a wear matrix, in this order."""
STEP = 5.0
"""Seconds of a physics step."""

_WATER_HEAT = 4186.0
_CLOTH_HEAT = 1500.0
_DRUM_HEAT = 470.0
_TANK_LOSS = 6.0
_EMPTY = 0.4
_DRAIN_LIMIT = 480.0
"""Seconds after which the control gives a drain up."""
_TUMBLE = 45.0
_RAMP_UP, _RAMP_DOWN = 150.0, 30.0
_ELECTRONICS = 8.0


class Stage(IntEnum):
    """What the programme does; each but END is a phase of the catalogue."""

    WASH = 0
    DRAIN = 1
    RINSE = 2
    SPIN = 3
    END = 4


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme: target temperature in Celsius, seconds of washing, number of rinses, share of the top spin speed."""

    target: float
    wash: float
    rinses: int
    spin: float
    spin_seconds: float

    def stages(self) -> list[Stage]:
        """The stages in order, END included."""
        return [Stage.WASH, Stage.DRAIN, *([Stage.RINSE, Stage.DRAIN] * self.rinses), Stage.SPIN, Stage.END]


PROGRAMMES = {
    "cotton40": Programme(40.0, 3000.0, 2, 1.0, 540.0),
    "cotton60": Programme(60.0, 3300.0, 2, 1.0, 540.0),
    "eco50": Programme(50.0, 4500.0, 2, 0.95, 540.0),
    "quick30": Programme(30.0, 1080.0, 2, 0.85, 360.0),
}
_MOST_STAGES = max(len(programme.stages()) for programme in PROGRAMMES.values())
_RINSE = 300.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of each wash's machine: names as in the catalogue's models."""

    heater_power: Floats
    motor_power: Floats
    spin_power: Floats
    pump_power: Floats
    pump_flow: Floats
    fill_flow: Floats
    drum_mass: Floats
    spin_top: Floats
    vibration: Floats

    @classmethod
    def gather(cls, machines: Sequence[Mapping[str, float]]) -> Parameters:
        """Stack one mapping of parameters for each wash.

        Raises:
            KeyError: a model lacks a parameter.
        """
        names = cls.__dataclass_fields__
        return cls(**{name: np.array([one[name] for one in machines], dtype=np.float64) for name in names})


@dataclass(frozen=True, slots=True)
class Job:
    """What the household asks of the machine.

    Attributes:
        stages: shape (washes, stages), codes of Stage, filled up with END.
        target: water temperature.
        wash: seconds of the wash stage.
        spin: spin speed asked for, 1/min.
        spin_seconds: length of the spin.
        load: dry mass.
        imbalance: how badly the load lies, 1 on average.
        inlet: temperature of the tap water and the room.
    """

    stages: Ints
    target: Floats
    wash: Floats
    spin: Floats
    spin_seconds: Floats
    load: Floats
    imbalance: Floats
    inlet: Floats


def stage_table(programmes: Sequence[Programme]) -> Ints:
    """The stages of each wash as one matrix."""
    rows = [[*p.stages(), *[Stage.END] * (_MOST_STAGES - len(p.stages()))] for p in programmes]
    return np.array(rows, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class State:
    """Place in the programme, seconds in the stage, free water, its temperature, drum speed, switches, error."""

    place: Ints
    since: Floats
    level: Floats
    temp: Floats
    speed: Floats
    heating: NDArray[np.bool_]
    warm: NDArray[np.bool_]
    stuck: NDArray[np.bool_]


def initial(job: Job) -> State:
    """An empty drum at the programme's start."""
    n = len(job.load)
    off = np.zeros(n, dtype=bool)
    zero = np.zeros(n)
    return State(np.zeros(n, dtype=np.int64), zero, zero, job.inlet.copy(), zero, off, off, off)


def stage_of(job: Job, state: State) -> Ints:
    """The stage of each wash."""
    return job.stages[np.arange(len(state.place)), state.place]


def next_state(p: Parameters, job: Job, state: State, wear: Floats, dt: float = STEP) -> State:
    """One step of programme, water, heat and drum.

    Args:
        p: parameters.
        job: what was asked.
        state: at the step's start.
        wear: shape (washes, faults), columns as FAULTS; 0 new, 1 functional failure.
        dt: seconds.
    """
    stage = stage_of(job, state)
    soaking = (stage == Stage.WASH) | (stage == Stage.RINSE)
    full = 9.0 + 1.6 * job.load + 1.5 * (stage == Stage.RINSE)
    fill = np.where(soaking, np.minimum(p.fill_flow * dt, np.maximum(full - state.level, 0.0)), 0.0)
    pump = np.where(wear[:, 0] < 1.0, p.pump_flow * (1.0 - 0.62 * wear[:, 0]), 0.02 * p.pump_flow)
    drained = np.where(stage == Stage.DRAIN, pump * dt, 0.0)
    level = np.maximum(state.level + fill - drained, 0.0)
    capacity = _WATER_HEAT * np.maximum(level, 0.5) + _CLOTH_HEAT * job.load + _DRUM_HEAT * p.drum_mass
    mixed = state.temp + (job.inlet - state.temp) * np.where(level > 0, fill / np.maximum(level, 0.5), 0.0)
    heat = p.heater_power * state.heating - _TANK_LOSS * (mixed - job.inlet)
    temp = mixed + dt * heat / capacity
    ready = (stage == Stage.WASH) & (level >= full - 0.01)
    warm = state.warm | (ready & (temp >= job.target))
    heating = ready & ~warm
    since = state.since + dt
    spinning = np.minimum(since / _RAMP_UP, (job.spin_seconds - since) / _RAMP_DOWN)
    speed = np.where(stage == Stage.SPIN, job.spin * np.clip(spinning, 0.0, 1.0), np.where(soaking, _TUMBLE, 0.0))
    given_up = (stage == Stage.DRAIN) & (since >= _DRAIN_LIMIT)
    over = (
        ((stage == Stage.WASH) & (since >= job.wash) & (warm | (since >= job.wash + 2400.0)))
        | ((stage == Stage.RINSE) & (since >= _RINSE))
        | ((stage == Stage.DRAIN) & (level <= _EMPTY))
        | ((stage == Stage.SPIN) & (since >= job.spin_seconds))
    )
    last = job.stages.shape[1] - 1
    place = np.where(given_up, last, np.where(over, np.minimum(state.place + 1, last), state.place))
    since = np.where(place == state.place, since, 0.0)
    return State(place, since, level, temp, speed, heating, warm, state.stuck | given_up)


def output(p: Parameters, job: Job, state: State, wear: Floats) -> Floats:
    """What ideal sensors would read: shape (washes, channels), columns as CHANNELS."""
    stage = stage_of(job, state)
    soaking = (stage == Stage.WASH) | (stage == Stage.RINSE)
    turning = state.speed / p.spin_top
    motor = np.where(soaking, p.motor_power * (0.75 + 0.06 * job.load), 0.0)
    spin = p.spin_power * turning**1.5 * (1.0 + 0.25 * wear[:, 1])
    draining = (stage == Stage.DRAIN) | (stage == Stage.SPIN)
    electronics = np.where(stage == Stage.END, 1.0, _ELECTRONICS)
    power = (
        electronics + motor + np.where(soaking, 0.0, spin) + p.pump_power * draining + p.heater_power * state.heating
    )
    play = 1.0 + 1.8 * np.minimum(wear[:, 1], 1.3)
    swing = p.vibration * (state.speed / 1000.0) * job.imbalance * (0.85 + 0.04 * job.load) * play
    load = np.where(stage == Stage.END, 0.0, job.load)
    return np.stack((power, state.speed, state.level, state.temp, 0.05 + swing, load), axis=1)


def health(wear: Floats) -> Floats:
    """1 new, 0 at functional failure."""
    return np.asarray(np.clip(1.0 - wear.max(axis=1), 0.0, 1.0))


def failed(state: State) -> NDArray[np.bool_]:
    """Whether the control gave the programme up."""
    return state.stuck
