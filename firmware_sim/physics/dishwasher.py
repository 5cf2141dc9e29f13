"""A dishwasher with a flow-through heater, one circulation pump and condensation drying.

Two heat stores: the water with the sump (its temperature is what the sensor reads), and the dishes with racks and
tub. Spraying couples them in proportion to the circulated flow; the tub loses heat to the room, faster while the
fan dries. That is the balance of T. Persson, "Dishwasher and washing machine heated by a hot water circulation
loop", Applied Thermal Engineering 27 (2007) 120-128, and of S. L. Caskey and E. A. Groll, "Modelica household
dishwasher model with external heat loop", International High Performance Buildings Conference, Purdue (2018), with
their racks and walls lumped together.

Hydraulics: a centrifugal pump, head with the square of its speed, against spray arms that are orifices, p = k Q^2
(J. F. Guelich, "Centrifugal Pumps", Springer 2010, chapters 4 and 11: affinity laws, worn impellers). Blocked
nozzles raise the pressure and unload the motor; a worn impeller lowers pressure and flow.

Heater: its surface is `power * resistance` above the water, and the control takes power back to hold it under a
limit. Scale adds resistance in proportion to its thickness (G. F. Hewitt (ed.), "Heat Exchanger Design Handbook",
fouling: about 1 W/(m K), so that a millimetre on 200 cm2 is 0.05 K/W).

Energy of the standard programme: EU 2019/2017 calls 0.0250 ps + 1.350 kWh standard; today's machines use about
half. Units: L, Celsius, W, kPa, seconds, place settings. Every array has shape (runs,).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from firmware_sim.physics.base import Bools, Floats, Habits, Ints, Job, Programme, ProgrammePhysics, Sensor, stage_of

STEP = 5.0
"""Seconds of a physics step."""

_WATER_HEAT = 4186.0
_SUMP_HEAT = 900.0
_TUB_HEAT, _PLACE_HEAT = 9000.0, 1500.0
"""J/K: tub, racks and lining (about 18 kg), and a place setting (1.9 kg of china, glass and steel)."""
_LOSS, _DRYING_LOSS = 4.5, 14.0
"""W/K from the tub to the room: shut and insulated; with the fan drawing the moist air off."""
_STILL, _SPRAYED = 3.0, 330.0
"""W/K between water and dishes: at rest, and for each L/s that is sprayed."""
_SURFACE_LIMIT = 105.0
_PUMP_DROP = 0.33
"""Share of the head that clean arms leave inside the pump."""
_DISC = 5.0
_TO_WATER = 0.8
_AIR_BELOW, _AIR_SPAN = 1.6, 0.8
"""The pump draws air below this much water, L, and draws none above their sum."""
_ELECTRONICS, _DRAIN_POWER, _FAN_POWER, _VALVE_POWER, _STANDBY = 4.0, 22.0, 10.0, 6.0, 0.8
_EMPTY = 0.1
_FILL_LIMIT, _DRAIN_LIMIT, _HEAT_LIMIT, _DOOR_LIMIT = 300.0, 240.0, 1800.0, 5400.0
"""Seconds after which the control gives a fill, a drain, the heating or the open door up."""
_CHATTER = 35.0
"""Seconds in which a loose latch opens and closes once; no multiple of any sampling interval."""
_LEAST_PRESSURE = 4.0
_SETTLED = 60.0


class Stage(IntEnum):
    """What the programme does; each but END is a phase of the catalogue."""

    FILL = 0
    PREWASH = 1
    WASH = 2
    DRAIN = 3
    RINSE = 4
    HOT_RINSE = 5
    DRY = 6
    END = 7


class Trouble(IntEnum):
    """Index into the errors."""

    NONE = -1
    DRAIN = 0
    INLET = 1
    HEATING = 2
    DOOR = 3
    SPRAY = 4


_WASH = (Stage.FILL, Stage.WASH, Stage.DRAIN)
_PREWASH = (Stage.FILL, Stage.PREWASH, Stage.DRAIN)
_RINSE = (Stage.FILL, Stage.RINSE, Stage.DRAIN)
_HOT = (Stage.FILL, Stage.HOT_RINSE, Stage.DRAIN)


def _programme(share: float, stages: tuple[Stage, ...], **settings: float) -> Programme:
    return Programme(share=share, stages=tuple(int(one) for one in stages), settings=settings)


PROGRAMMES = {
    "eco50": _programme(
        0.45,
        (*_WASH, *_RINSE, *_HOT, Stage.DRY),
        target=50.0, hot=48.0, prewash=0.0, wash=5400.0,
        rinse=480.0, hot_rinse=1500.0, dry=3600.0, water=3.3, spray=0.85,
    ),
    "auto60": _programme(
        0.25,
        (*_PREWASH, *_WASH, *_RINSE, *_HOT, Stage.DRY),
        target=58.0, hot=58.0, prewash=480.0, wash=2700.0,
        rinse=420.0, hot_rinse=1200.0, dry=1500.0, water=3.4, spray=0.95,
    ),
    "intensive70": _programme(
        0.12,
        (*_PREWASH, *_WASH, *_RINSE, *_RINSE, *_HOT, Stage.DRY),
        target=69.0, hot=65.0, prewash=900.0, wash=2700.0,
        rinse=300.0, hot_rinse=1200.0, dry=1500.0, water=3.8, spray=1.0,
    ),
    "quick45": _programme(
        0.18,
        (*_WASH, *_RINSE, *_HOT),
        target=45.0, hot=50.0, prewash=0.0, wash=600.0,
        rinse=180.0, hot_rinse=300.0, dry=0.0, water=3.5, spray=1.0,
    ),
}  # fmt: skip
"""target and hot: of the wash and the last rinse, Celsius; seconds of each stage; water: of a fill, L; spray: speed of
the pump against its highest, which it has in every cold rinse."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of each run's machine; names as in the catalogue's models.

    Attributes:
        heater_power: at nominal voltage, W.
        heater_resistance: from the heater's surface to the water, K/W.
        pump_head: of the circulation pump at full speed without flow, kPa.
        pump_efficiency: of pump and motor.
        arm_flow: through clean arms at 1 kPa, L/s.
        drain_flow: of the drain pump, L/s.
        fill_flow: through the inlet valve, L/s.
        arm_area: open share of the nozzles.
        latch_open: share of time in which the door's contact is open.
        sensor_error: of the temperature sensor that also switches the heater, K.
    """

    heater_power: Floats
    heater_resistance: Floats
    pump_head: Floats
    pump_efficiency: Floats
    arm_flow: Floats
    drain_flow: Floats
    fill_flow: Floats
    arm_area: Floats
    latch_open: Floats
    sensor_error: Floats


@dataclass(frozen=True, slots=True)
class State:
    """A run on its way.

    Attributes:
        place: index into the job's stages.
        since: seconds that the stage has worked.
        clock: seconds since the start.
        shut: seconds during which the open door held the programme up.
        level: water in the sump, L.
        temp: of it, Celsius.
        ware: of dishes and tub, Celsius.
        warm: whether the stage's temperature was reached.
        trouble: of `Trouble`.
    """

    place: Ints
    since: Floats
    clock: Floats
    shut: Floats
    level: Floats
    temp: Floats
    ware: Floats
    warm: Bools
    trouble: Ints


@dataclass(frozen=True, slots=True)
class _Now:
    """What happens during one step: flows in L/s, powers in W."""

    stage: Ints
    runs: Bools
    pressure: Floats
    flow: Floats
    pump: Floats
    filled: Floats
    drained: Floats
    heat: Floats


@dataclass(frozen=True, slots=True)
class _After:
    """At the step's end: seconds in the stage, water, whether its temperature was reached."""

    since: Floats
    level: Floats
    warm: Bools


def initial(p: Parameters, job: Job) -> State:  # noqa: ARG001  (every kind's signature)
    """An empty machine as warm as the room."""
    n = len(job.load)
    zero, none = np.zeros(n), np.zeros(n, dtype=np.int64)
    return State(none, zero, zero, zero, zero, job.ambient.copy(), job.ambient.copy(), np.zeros(n, bool), none - 1)


def _now(p: Parameters, job: Job, state: State) -> _Now:
    stage, setting = stage_of(job, state.place), job.settings
    runs = (state.clock % _CHATTER >= _CHATTER * p.latch_open) & (stage != Stage.END)
    heated = (stage == Stage.WASH) | (stage == Stage.HOT_RINSE)
    sprays = runs & (heated | (stage == Stage.PREWASH) | (stage == Stage.RINSE))
    speed = np.where(stage == Stage.RINSE, 1.0, setting["spray"])
    head = p.pump_head * speed * speed * np.clip((state.level - _AIR_BELOW) / _AIR_SPAN, 0.0, 1.0) * sprays
    pressure = head / (1.0 + _PUMP_DROP * p.arm_area * p.arm_area)
    flow = p.arm_flow * p.arm_area * np.sqrt(pressure)
    pump = (head * flow / p.pump_efficiency) + _DISC * sprays
    want = setting["water"]
    filled = np.where(runs & (stage == Stage.FILL), np.clip((want - state.level) / STEP, 0.0, p.fill_flow), 0.0)
    drained = np.where(runs & (stage == Stage.DRAIN), np.minimum(p.drain_flow, state.level / STEP), 0.0)
    wanted = runs & heated & ~state.warm & (state.level >= 0.7 * want)
    held = np.maximum(_SURFACE_LIMIT - state.temp, 0.0) / p.heater_resistance
    heat = np.where(wanted, np.minimum(p.heater_power * job.supply * job.supply, held), 0.0)
    return _Now(stage, runs, pressure, flow, pump, filled, drained, heat)


def _ware(job: Job) -> Floats:
    return _TUB_HEAT + _PLACE_HEAT * job.load


def _sump(state: State) -> Floats:
    return _SUMP_HEAT + _WATER_HEAT * state.level


def _lost(job: Job, state: State, now: _Now) -> Floats:
    return np.where(now.stage == Stage.DRY, _DRYING_LOSS, _LOSS) * (state.ware - job.ambient)


def _gained(job: Job, state: State, now: _Now) -> Floats:
    """Heat into the water from outside, W: heater, pump, what comes and what goes."""
    borne = now.filled * (job.inlet - job.ambient) - now.drained * (state.temp - job.ambient)
    return np.asarray(now.heat + _TO_WATER * now.pump + _WATER_HEAT * borne, dtype=np.float64)


def next_state(p: Parameters, job: Job, state: State, seconds: float = STEP) -> State:
    """One step of programme, water and heat.

    Args:
        p: parameters.
        job: what was asked.
        state: at the step's start.
        seconds: at most STEP.
    """
    now = _now(p, job, state)
    passed = (_STILL + _SPRAYED * now.flow) * (state.temp - state.ware)
    level = state.level + seconds * (now.filled - now.drained)
    heat = _sump(state) * (state.temp - job.ambient) + seconds * (_gained(job, state, now) - passed)
    temp = job.ambient + heat / (_SUMP_HEAT + _WATER_HEAT * level)
    ware = state.ware + seconds * (passed - _lost(job, state, now)) / _ware(job)
    since = state.since + seconds * now.runs
    shut = state.shut + seconds * (~now.runs & (now.stage != Stage.END))
    goal = np.where(now.stage == Stage.WASH, job.settings["target"], job.settings["hot"])
    warm = state.warm | (now.heat > 0.0) & (temp + p.sensor_error >= goal)
    over, trouble = _progress(job, state, now, _After(since, level, warm))
    trouble = np.where(shut >= _DOOR_LIMIT, Trouble.DOOR, trouble)
    ended = (trouble == Trouble.DOOR) | (trouble == Trouble.DRAIN) | (trouble == Trouble.INLET)
    last = job.stages.shape[-1] - 1
    place = np.where(ended, last, np.where(over, np.minimum(state.place + 1, last), state.place))
    same = place == state.place
    return State(
        place, np.where(same, since, 0.0), state.clock + seconds, shut, level, temp, ware, warm & same, trouble
    )


def _progress(job: Job, state: State, now: _Now, after: _After) -> tuple[Bools, Ints]:
    """Whether each stage is over, and the trouble the control has seen so far."""
    stage, setting = now.stage, job.settings
    since, level, warm = after.since, after.level, after.warm
    length = np.where(stage == Stage.PREWASH, setting["prewash"], 0.0)
    length = np.where(stage == Stage.WASH, setting["wash"], length)
    length = np.where(stage == Stage.RINSE, setting["rinse"], length)
    length = np.where(stage == Stage.HOT_RINSE, setting["hot_rinse"], length)
    length = np.where(stage == Stage.DRY, setting["dry"], length)
    heated = (stage == Stage.WASH) | (stage == Stage.HOT_RINSE)
    filling, draining = stage == Stage.FILL, stage == Stage.DRAIN
    full = level >= setting["water"] - 0.02
    cold = heated & ~warm & (since >= length + _HEAT_LIMIT)
    lasted = (since >= length) & (~heated | warm | cold)
    over = np.where(filling, full, np.where(draining, level <= _EMPTY, lasted))
    weak = (stage == Stage.RINSE) & now.runs & (since >= _SETTLED) & (now.pressure < _LEAST_PRESSURE)
    trouble = np.where(cold, Trouble.HEATING, np.where(weak, Trouble.SPRAY, state.trouble))
    trouble = np.where(draining & (since >= _DRAIN_LIMIT) & ~over, Trouble.DRAIN, trouble)
    trouble = np.where(filling & (since >= _FILL_LIMIT) & ~over, Trouble.INLET, trouble)
    over = over & (stage != Stage.END)
    return np.asarray(over, dtype=bool), np.asarray(trouble, dtype=np.int64)


def output(p: Parameters, job: Job, state: State) -> Floats:
    """What ideal sensors would read: shape (runs, channels)."""
    now = _now(p, job, state)
    stage, runs = now.stage, now.runs
    other = (
        _VALVE_POWER * (stage == Stage.FILL) + _DRAIN_POWER * (stage == Stage.DRAIN) + _FAN_POWER * (stage == Stage.DRY)
    )
    base = np.where(stage == Stage.END, _STANDBY, _ELECTRONICS)
    power = base + now.heat + now.pump + other * runs
    # An empty sump shares the tub's air.
    felt = np.where(state.level > _EMPTY, state.temp, state.ware)
    return np.stack((power, state.level, felt + p.sensor_error, now.pressure), axis=1)


def error(p: Parameters, state: State) -> Ints:  # noqa: ARG001  (every kind's signature)
    """What the control gave up, as an index into the errors."""
    return state.trouble


def stored(p: Parameters, job: Job, state: State) -> Floats:  # noqa: ARG001  (every kind's signature)
    """Heat in water, sump, dishes and tub above the room's temperature, J."""
    water = _sump(state) * (state.temp - job.ambient)
    return np.asarray(water + _ware(job) * (state.ware - job.ambient), dtype=np.float64)


def inflow(p: Parameters, job: Job, state: State) -> Floats:
    """Net heat flow into them during the next step, W."""
    now = _now(p, job, state)
    return np.asarray(_gained(job, state, now) - _lost(job, state, now), dtype=np.float64)


def self_test(p: Parameters) -> Mapping[str, Floats]:
    """What the test routine measures with three litres of water: flows, pressure, motor and heater."""
    pressure = p.pump_head / (1.0 + _PUMP_DROP * p.arm_area * p.arm_area)
    flow = p.arm_flow * p.arm_area * np.sqrt(pressure)
    return {
        "fill_flow_l_min": 60.0 * p.fill_flow,
        "drain_flow_l_min": 60.0 * p.drain_flow,
        "spray_pressure_kpa": pressure,
        "pump_power_w": p.pump_head * flow / p.pump_efficiency + _DISC,
        "heater_surface_rise_k": np.minimum(p.heater_power * p.heater_resistance, _SURFACE_LIMIT - 20.0),
        "door_contact_open_share": p.latch_open * 1.0,
    }


PHYSICS: ProgrammePhysics[Parameters, State] = ProgrammePhysics(
    kind="dishwasher",
    step=STEP,
    channels={
        "power": Sensor(noise=1.2, offset=0.4, resolution=0.1, low=0.0),
        "water_level": Sensor(noise=0.03, offset=0.05, resolution=0.01, low=0.0),
        "water_temp": Sensor(noise=0.12, offset=0.3, resolution=0.01),
        "spray_pressure": Sensor(noise=0.25, offset=0.3, resolution=0.01, low=0.0),
    },
    stages=tuple(stage.name.lower() for stage in Stage if stage is not Stage.END),
    programmes=PROGRAMMES,
    habits=Habits(starts=0.8, load=9.0, load_between=1.2, load_within=1.6, least=3.0, capacity="capacity", weekend=1.3),
    parameters=Parameters,
    state=State,
    spread={
        "heater_power": 0.02,
        "heater_resistance": 0.05,
        "pump_head": 0.03,
        "pump_efficiency": 0.03,
        "arm_flow": 0.02,
        "drain_flow": 0.04,
        "fill_flow": 0.06,
    },
    rest={"arm_area": 1.0, "latch_open": 0.0, "sensor_error": 0.0},
    resting={"power": _STANDBY, "water_level": 0.0, "water_temp": None, "spray_pressure": 0.0},
    initial=initial,
    next_state=next_state,
    output=output,
    error=error,
    errors=("error:drain_timeout", "error:inlet_timeout", "error:heating_timeout", "error:door_open", "error:no_spray"),
    stored=stored,
    inflow=inflow,
    self_test=self_test,
)
