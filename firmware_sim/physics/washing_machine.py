"""A front-loading washing machine, vectorised over washes that are aligned at their starts.

Water is filled to a level that grows with the load, heated by a thermostat-switched element, pumped out, replaced by
two rinses and flung out at high speed. Heat balance of a stirred tank; vibration of an unbalanced rotor on a
suspension far above its resonance, which grows about with speed and with the bearing's play, as in D. C. Conrad and
W. Soedel, "On the problem of oscillatory walk of automatic washing machines", Journal of Sound and Vibration 188
(1995) 301-314. Units: L, Celsius, W, 1/min, mm/s, kg, seconds. Every array has shape (washes,).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from firmware_sim.physics.base import Floats, Habits, Ints, Job, Programme, ProgrammePhysics, Sensor, stage_of

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


def _programme(share: float, target: float, wash: float, spin: float, spin_seconds: float) -> Programme:
    rinses = [Stage.RINSE, Stage.DRAIN] * 2
    return Programme(
        share=share,
        stages=(Stage.WASH, Stage.DRAIN, *rinses, Stage.SPIN),
        settings={"target": target, "wash": wash, "spin": spin, "spin_seconds": spin_seconds},
    )


PROGRAMMES = {
    "cotton40": _programme(0.45, 40.0, 3000.0, 1.0, 540.0),
    "cotton60": _programme(0.15, 60.0, 3300.0, 1.0, 540.0),
    "eco50": _programme(0.15, 50.0, 4500.0, 0.95, 540.0),
    "quick30": _programme(0.25, 30.0, 1080.0, 0.85, 360.0),
}
"""Settings: target temperature in Celsius, seconds of washing, share of the top spin speed, seconds of spinning."""
_RINSE = 300.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of each wash's machine, as in the catalogue's models; `play` is the bearing's, 0 new, 1 worn out."""

    heater_power: Floats
    motor_power: Floats
    spin_power: Floats
    pump_power: Floats
    pump_flow: Floats
    fill_flow: Floats
    drum_mass: Floats
    spin_top: Floats
    vibration: Floats
    play: Floats


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


def initial(p: Parameters, job: Job) -> State:
    """An empty drum at the programme's start, as warm as the room is where the water stands in the pipe."""
    n = len(p.play)
    off = np.zeros(n, dtype=bool)
    zero = np.zeros(n)
    return State(np.zeros(n, dtype=np.int64), zero, zero, job.inlet.copy(), zero, off, off, off)


def _soaking(stage: Ints) -> NDArray[np.bool_]:
    return np.asarray((stage == Stage.WASH) | (stage == Stage.RINSE))


def _fill(p: Parameters, job: Job, state: State, stage: Ints, dt: float) -> tuple[Floats, Floats]:
    """Water that comes in during a step, L, and the level at which the tub is full."""
    full = 9.0 + 1.6 * job.load + 1.5 * (stage == Stage.RINSE)
    wanted = np.minimum(p.fill_flow * dt, np.maximum(full - state.level, 0.0))
    return np.where(_soaking(stage), wanted, 0.0), full


def _capacity(p: Parameters, job: Job, level: Floats) -> Floats:
    """Heat capacity of water, laundry and drum, J/K."""
    return _WATER_HEAT * np.maximum(level, 0.5) + _CLOTH_HEAT * job.load + _DRUM_HEAT * p.drum_mass


def _step_heat(p: Parameters, job: Job, state: State, dt: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Level, temperature after mixing, heat flow and temperature at the step's end."""
    stage = stage_of(job, state.place)
    fill, _ = _fill(p, job, state, stage, dt)
    drained = np.where(stage == Stage.DRAIN, p.pump_flow * dt, 0.0)
    level = np.maximum(state.level + fill - drained, 0.0)
    mixed = state.temp + (job.inlet - state.temp) * np.where(level > 0, fill / np.maximum(level, 0.5), 0.0)
    heat = p.heater_power * state.heating - _TANK_LOSS * (mixed - job.inlet)
    return level, mixed, heat, mixed + dt * heat / _capacity(p, job, level)


def next_state(p: Parameters, job: Job, state: State, dt: float) -> State:
    """One step of programme, water, heat and drum."""
    setting = job.settings
    stage = stage_of(job, state.place)
    _, full = _fill(p, job, state, stage, dt)
    level, _, _, temp = _step_heat(p, job, state, dt)
    ready = (stage == Stage.WASH) & (level >= full - 0.01)
    warm = state.warm | (ready & (temp >= setting["target"]))
    heating = ready & ~warm
    since = state.since + dt
    spinning = np.minimum(since / _RAMP_UP, (setting["spin_seconds"] - since) / _RAMP_DOWN)
    top = p.spin_top * setting["spin"] * np.clip(spinning, 0.0, 1.0)
    speed = np.where(stage == Stage.SPIN, top, np.where(_soaking(stage), _TUMBLE, 0.0))
    given_up = (stage == Stage.DRAIN) & (since >= _DRAIN_LIMIT)
    over = (
        ((stage == Stage.WASH) & (since >= setting["wash"]) & (warm | (since >= setting["wash"] + 2400.0)))
        | ((stage == Stage.RINSE) & (since >= _RINSE))
        | ((stage == Stage.DRAIN) & (level <= _EMPTY))
        | ((stage == Stage.SPIN) & (since >= setting["spin_seconds"]))
    )
    last = job.stages.shape[1] - 1
    place = np.where(given_up, last, np.where(over, np.minimum(state.place + 1, last), state.place))
    since = np.where(place == state.place, since, 0.0)
    return State(place, since, level, temp, speed, heating, warm, state.stuck | given_up)


def output(p: Parameters, job: Job, state: State) -> Floats:
    """What ideal sensors would read: shape (washes, channels)."""
    stage = stage_of(job, state.place)
    soaking = _soaking(stage)
    turning = state.speed / p.spin_top
    motor = np.where(soaking, p.motor_power * (0.75 + 0.06 * job.load), 0.0)
    spin = p.spin_power * turning**1.5 * (1.0 + 0.25 * p.play)
    draining = (stage == Stage.DRAIN) | (stage == Stage.SPIN)
    electronics = np.where(stage == Stage.END, 1.0, _ELECTRONICS)
    power = (
        electronics + motor + np.where(soaking, 0.0, spin) + p.pump_power * draining + p.heater_power * state.heating
    )
    loose = 1.0 + 1.8 * np.minimum(p.play, 1.3)
    swing = p.vibration * (state.speed / 1000.0) * job.imbalance * (0.85 + 0.04 * job.load) * loose
    load = np.where(stage == Stage.END, 0.0, job.load)
    return np.stack((power, state.speed, state.level, state.temp, 0.05 + swing, load), axis=1)


def error(p: Parameters, state: State) -> Ints:
    """0 when the control gave a drain up, else -1."""
    del p
    return np.where(state.stuck, 0, -1)


def stored(p: Parameters, job: Job, state: State) -> Floats:
    """Heat of water, laundry and drum above the tap water's temperature, J."""
    return _capacity(p, job, state.level) * (state.temp - job.inlet)


def inflow(p: Parameters, job: Job, state: State) -> Floats:
    """Heater less losses, and what the water takes along that comes and goes, W."""
    level, mixed, heat, _ = _step_heat(p, job, state, STEP)
    moved = _capacity(p, job, level) * (mixed - job.inlet) - stored(p, job, state)
    return heat + moved / STEP


def self_test(p: Parameters) -> dict[str, Floats]:
    """The routine fills a little, pumps it out, and spins the empty drum for a moment."""
    return {
        "fill_flow_l_min": 60.0 * p.fill_flow,
        "pump_flow_l_min": 60.0 * p.pump_flow,
        "heater_power_w": p.heater_power,
        "spin_vibration_mm_s": p.vibration * 0.85 * (1.0 + 1.8 * np.minimum(p.play, 1.3)),
    }


PHYSICS = ProgrammePhysics(
    kind="washing_machine",
    step=STEP,
    channels={
        "power": Sensor(noise=1.5, offset=0.5, resolution=0.1, low=0.0),
        "drum_speed": Sensor(noise=2.0, offset=1.0, resolution=1.0, low=0.0, zero=True),
        "water_level": Sensor(noise=0.05, offset=0.08, resolution=0.01, low=0.0),
        "water_temp": Sensor(noise=0.12, offset=0.25, resolution=0.01, low=0.0),
        "vibration": Sensor(noise=0.08, offset=0.04, resolution=0.001, low=0.0),
        "load": Sensor(noise=0.03, offset=0.05, resolution=0.01, low=0.0),
    },
    stages=("wash", "drain", "rinse", "spin"),
    programmes=PROGRAMMES,
    habits=Habits(starts=1.4, load=3.8, load_between=0.5, load_within=1.1, least=0.8, capacity="capacity", weekend=1.0),
    parameters=Parameters,
    state=State,
    spread={
        "heater_power": 0.02,
        "motor_power": 0.03,
        "spin_power": 0.03,
        "pump_flow": 0.035,
        "fill_flow": 0.08,
        "spin_top": 0.015,
        "vibration": 0.07,
    },
    rest={"play": 0.0},
    resting={"power": 1.0, "drum_speed": 0.0, "water_level": 0.0, "water_temp": None, "vibration": 0.05, "load": 0.0},
    initial=initial,
    next_state=next_state,
    output=output,
    error=error,
    errors=("error:drain_timeout",),
    stored=stored,
    inflow=inflow,
    self_test=self_test,
)
