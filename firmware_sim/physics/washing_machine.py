"""A front-loading washing machine, vectorised over washes that are aligned at their starts.

Water is filled to a level that grows with the load, heated by an element, pumped out, replaced by two rinses and
flung out at high speed. Heat balance of a stirred tank that laundry and drum share with the water (T. Persson,
"Dishwasher and washing machine heated by a hot water circulation loop", Applied Thermal Engineering 27 (2007)
120-128).

Vibration is that of an unbalanced rotor on a damped suspension: far above its resonance it grows with the speed and
the bearing's play, in passing through the resonance only the dampers hold it (D. C. Conrad and W. Soedel, "On the
problem of oscillatory walk of automatic washing machines", Journal of Sound and Vibration 188 (1995) 301-314; S. S.
Rao, "Mechanical Vibrations", on rotating unbalance). The heater's sheath is `power * resistance` above the water
and a limiter takes power back; scale adds resistance in proportion to its thickness. A universal motor on worn
brushes loses torque.

Units: L, Celsius, W, 1/min, mm/s, kg, K/W, seconds. Every array has shape (washes,).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from firmware_sim.physics.base import Bools, Floats, Habits, Ints, Job, Programme, ProgrammePhysics, Sensor, stage_of

STEP = 5.0
"""Seconds of a physics step."""
_WATER_HEAT = 4186.0
_CLOTH_HEAT = 1500.0
_DRUM_HEAT = 470.0
_TANK_LOSS = 6.0
_SHEATH_LIMIT = 115.0
_EMPTY = 0.4
_DRAIN_LIMIT, _FILL_LIMIT, _HEAT_LIMIT = 480.0, 900.0, 2400.0
"""Seconds after which the control gives a drain, the first fill, or more heating than planned up."""
_RESONANCE = 240.0
"""Speed at which the suspension resonates, 1/min."""
_LEAST_DAMPING = 0.02
"""Rubber and springs alone damp as much, with no shock absorber left."""
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


class Trouble(IntEnum):
    """Index into the errors."""

    NONE = -1
    DRAIN = 0
    INLET = 1
    HEATING = 2


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
    """Parameters of each wash's machine; names as in the catalogue's models.

    Attributes:
        heater_power: at nominal voltage, W.
        motor_power: of tumbling, W.
        spin_power: at the highest speed, W.
        pump_power: W.
        pump_flow: of the drain pump, L/s.
        fill_flow: through the inlet valve, L/s.
        drum_mass: kg.
        spin_top: highest speed, 1/min.
        vibration: at 1000/min with a usual load, mm/s.
        play: of the bearing, 0 new, 1 worn out.
        damping: of the suspension, share of the critical.
        heater_resistance: from the heater's sheath to the water, K/W.
        brushes: torque of the motor against one with new brushes.
    """

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
    damping: Floats
    heater_resistance: Floats
    brushes: Floats


@dataclass(frozen=True, slots=True)
class State:
    """Place in the programme, seconds in the stage, free water, temperature, whether it was warm enough, trouble."""

    place: Ints
    since: Floats
    level: Floats
    temp: Floats
    warm: Bools
    trouble: Ints


@dataclass(frozen=True, slots=True)
class _Now:
    """What happens during one step: flows in L/s, the heater in W; `full` is the level at which filling ends."""

    stage: Ints
    full: Floats
    filled: Floats
    drained: Floats
    heat: Floats


def initial(p: Parameters, job: Job) -> State:  # noqa: ARG001  (every kind's signature)
    """Dry laundry in a drum as warm as the room."""
    none, zero = np.zeros(len(job.load), dtype=np.int64), np.zeros(len(job.load))
    return State(none, zero, zero, job.ambient.copy(), np.zeros(len(job.load), dtype=bool), none - 1)


def _soaking(stage: Ints) -> Bools:
    return np.asarray((stage == Stage.WASH) | (stage == Stage.RINSE))


def _now(p: Parameters, job: Job, state: State) -> _Now:
    stage = stage_of(job, state.place)
    full = 9.0 + 1.6 * job.load + 1.5 * (stage == Stage.RINSE)
    filled = np.where(_soaking(stage), np.clip((full - state.level) / STEP, 0.0, p.fill_flow), 0.0)
    drained = np.where(stage == Stage.DRAIN, np.minimum(p.pump_flow, state.level / STEP), 0.0)
    wanted = (stage == Stage.WASH) & ~state.warm & (state.level >= full - 0.05)
    held = np.maximum(_SHEATH_LIMIT - state.temp, 0.0) / p.heater_resistance
    heat = np.where(wanted, np.minimum(p.heater_power * job.supply * job.supply, held), 0.0)
    return _Now(stage, full, filled, drained, heat)


def _capacity(p: Parameters, job: Job, level: Floats) -> Floats:
    """Heat capacity of water, laundry and drum, J/K."""
    return np.asarray(_WATER_HEAT * level + _CLOTH_HEAT * job.load + _DRUM_HEAT * p.drum_mass, dtype=np.float64)


def _flow(job: Job, state: State, now: _Now) -> Floats:
    """Heat into water, laundry and drum, W: heater, losses, what comes and what goes."""
    borne = now.filled * (job.inlet - job.ambient) - now.drained * (state.temp - job.ambient)
    lost = _TANK_LOSS * (state.temp - job.ambient)
    return np.asarray(now.heat - lost + _WATER_HEAT * borne, dtype=np.float64)


def next_state(p: Parameters, job: Job, state: State, seconds: float = STEP) -> State:
    """One step of programme, water and heat; `seconds` at most STEP."""
    now, setting = _now(p, job, state), job.settings
    stage = now.stage
    level = state.level + seconds * (now.filled - now.drained)
    heat = _capacity(p, job, state.level) * (state.temp - job.ambient) + seconds * _flow(job, state, now)
    temp = job.ambient + heat / _capacity(p, job, level)
    since = state.since + seconds
    warm = state.warm | ((now.heat > 0.0) & (temp >= setting["target"]))
    washing, draining = stage == Stage.WASH, stage == Stage.DRAIN
    cold = washing & ~warm & (since >= setting["wash"] + _HEAT_LIMIT)
    over = (
        (washing & (since >= setting["wash"]) & (warm | cold))
        | ((stage == Stage.RINSE) & (since >= _RINSE))
        | (draining & (level <= _EMPTY))
        | ((stage == Stage.SPIN) & (since >= setting["spin_seconds"]))
    )
    trouble = np.where(cold, Trouble.HEATING, state.trouble)
    trouble = np.where(draining & (since >= _DRAIN_LIMIT) & ~over, Trouble.DRAIN, trouble)
    trouble = np.where(washing & (since >= _FILL_LIMIT) & (level < now.full - 0.05), Trouble.INLET, trouble)
    ended = (trouble == Trouble.DRAIN) | (trouble == Trouble.INLET)
    last = job.stages.shape[-1] - 1
    place = np.where(ended, last, np.where(over, np.minimum(state.place + 1, last), state.place))
    same = place == state.place
    return State(place, np.where(same, since, 0.0), level, temp, warm, np.asarray(trouble, dtype=np.int64))


def _speed(p: Parameters, job: Job, state: State, stage: Ints) -> Floats:
    """Of the drum, 1/min."""
    left = job.settings["spin_seconds"] - state.since
    ramp = np.clip(np.minimum(state.since / _RAMP_UP, left / _RAMP_DOWN), 0.0, 1.0)
    top = p.spin_top * job.settings["spin"] * p.brushes
    return np.where(stage == Stage.SPIN, top * ramp, np.where(_soaking(stage), _TUMBLE * np.sqrt(p.brushes), 0.0))


def _vibration(p: Parameters, job: Job, speed: Floats) -> Floats:
    """Velocity of the tub, mm/s: rotating unbalance, its answer near the resonance, and the bearing's play."""
    square = (speed / _RESONANCE) ** 2
    damping = np.maximum(p.damping, _LEAST_DAMPING)
    answer = square / np.sqrt((1.0 - square) ** 2 + 4.0 * damping * damping * square)
    loose = 1.0 + 1.8 * np.minimum(p.play, 1.3)
    return p.vibration * (speed / 1000.0) * answer * job.imbalance * (0.85 + 0.04 * job.load) * loose


def output(p: Parameters, job: Job, state: State) -> Floats:
    """What ideal sensors would read: shape (washes, channels)."""
    now = _now(p, job, state)
    stage, soaking = now.stage, _soaking(now.stage)
    speed = _speed(p, job, state, stage)
    motor = np.where(soaking, p.motor_power * (0.75 + 0.06 * job.load), 0.0)
    spin = p.spin_power * (speed / p.spin_top) ** 1.5 * (1.0 + 0.25 * p.play)
    draining = (stage == Stage.DRAIN) | (stage == Stage.SPIN)
    electronics = np.where(stage == Stage.END, 1.0, _ELECTRONICS)
    power = electronics + motor + np.where(soaking, 0.0, spin) + p.pump_power * draining + now.heat
    load = np.where(stage == Stage.END, 0.0, job.load)
    swing = _vibration(p, job, speed)
    return np.stack((power, speed, state.level, state.temp, 0.05 + swing, load), axis=1)


def error(p: Parameters, state: State) -> Ints:  # noqa: ARG001  (every kind's signature)
    """What the control gave up, as an index into the errors."""
    return state.trouble


def stored(p: Parameters, job: Job, state: State) -> Floats:
    """Heat of water, laundry and drum above the room's temperature, J."""
    return np.asarray(_capacity(p, job, state.level) * (state.temp - job.ambient), dtype=np.float64)


def inflow(p: Parameters, job: Job, state: State) -> Floats:
    """Net heat flow into them during the next step, W."""
    return _flow(job, state, _now(p, job, state))


def self_test(p: Parameters) -> dict[str, Floats]:
    """The routine fills a little, pumps it out, and spins the empty drum for a moment."""
    return {
        "fill_flow_l_min": 60.0 * p.fill_flow,
        "pump_flow_l_min": 60.0 * p.pump_flow,
        "heater_sheath_rise_k": np.minimum(p.heater_power * p.heater_resistance, _SHEATH_LIMIT - 16.0),
        "spin_vibration_mm_s": p.vibration * 0.85 * (1.0 + 1.8 * np.minimum(p.play, 1.3)),
        "suspension_damping_share": p.damping * 1.0,
        "motor_torque_share": p.brushes * 1.0,
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
        "damping": 0.06,
        "heater_resistance": 0.05,
    },
    rest={"play": 0.0, "brushes": 1.0},
    resting={"power": 1.0, "drum_speed": 0.0, "water_level": 0.0, "water_temp": None, "vibration": 0.05, "load": 0.0},
    initial=initial,
    next_state=next_state,
    output=output,
    error=error,
    errors=("error:drain_timeout", "error:inlet_timeout", "error:heating_timeout"),
    stored=stored,
    inflow=inflow,
    self_test=self_test,
)
