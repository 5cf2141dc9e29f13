"""A heat-pump tumble dryer: one closed loop of air through drum, evaporator, condenser and lint filter.

The air is without inertia: at each step its three temperatures and two humidities follow in closed form from the
temperatures of condenser, evaporator and damp cloth, each exchanging by effectiveness and number of transfer units,
as in J. E. Braun, P. K. Bansal and E. A. Groll, "Energy efficiency analysis of air cycle heat pump dryers",
International Journal of Refrigeration 25 (2002) 954-965, and for the drum in J. Deans, "The modelling of a domestic
tumbler dryer", Applied Thermal Engineering 21 (2001) 977-990. Cloth gives water as freely as a wet surface until
its moisture nears the isotherm of cotton; then the air finds it drier than it is. Losses and the order of magnitude
of temperatures and duration: P. Bengtsson, J. Berghel and R. Renstrom, "Performance study of a closed-type heat
pump tumble dryer using a simulation model and an experimental set-up", Drying Technology 32 (2014) 891-901.

Heat pump: cooling capacity and power linear in the coils' temperatures about a rating point (the shape of AHRI
540's polynomials near it); lost refrigerant takes capacity faster than power (I. N. Grace, D. Datta and S. A.
Tassou, "Sensitivity of refrigeration system performance to charge levels and parameters for on-line leak
detection", Applied Thermal Engineering 25 (2005) 557-566). Fan: flow from the resistances of duct and filter; a
radial fan with less to carry runs lighter and faster (F. P. Bleier, "Fan Handbook", McGraw-Hill 1998). Saturation
pressure: Magnus form with the coefficients of D. Sonntag (1990).

Units: kg, Celsius, W, 1/min, seconds; moisture is water per mass of dry cloth. Every array has shape (runs,).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from firmware_sim.physics.base import Floats, Habits, Ints, Job, Programme, ProgrammePhysics, Sensor, stage_of

STEP = 10.0
"""Seconds of a physics step."""

_AIR_HEAT = 1006.0
_WATER_HEAT = 4186.0
_CLOTH_HEAT = 1340.0
_DRUM_HEAT = 4500.0
_CONDENSER_HEAT, _EVAPORATOR_HEAT = 6000.0, 4500.0
_VAPORISATION = 2.43e6
_SORPTION = 14.0
"""How fast cotton's surface becomes as moist as a wet one: water activity 1 - exp(-14 X), 0.65 at a regain of 7.5 %."""
_DRUM_UNITS, _CONDENSER_UNITS, _EVAPORATOR_UNITS = 1.3, 1.6, 1.5
"""Numbers of transfer units at nominal flow, the drum's with 4 kg in it at nominal speed."""
_RATED_EVAPORATOR, _RATED_CONDENSER = 20.0, 60.0
_CAPACITY_COLD, _CAPACITY_HOT, _POWER_COLD, _POWER_HOT = 0.030, -0.008, 0.004, 0.011
_SHELL = 0.2
"""Share of the compressor's power that its shell gives to the room."""
_CONDENSER_LIMIT, _CONDENSER_BAND = 80.0, 6.0
_CONDENSER_LOSS = 4.0
_DUCT = 0.6
"""Resistance of everything but the filter, against a clean filter."""
_FAN_SLIP = 0.05
_FAN_POWER = 42.0
_DRUM_MOTOR = 0.55
_LIFT = 2.8
"""W for each kg that the drum lifts and drops."""
_BREAKDOWN = 230.0
"""W of friction at which the drum's motor stalls."""
_DRAG = 0.00035
_ELECTRONICS, _STANDBY = 5.0, 0.9
_START_MOISTURE = 0.58
"""Of cotton spun at 1000 to 1200 turns a minute; the job's imbalance scales it: how wet the laundry comes."""
_WARM_LIMIT, _DRY_LIMIT = 1500.0, 14400.0
_LEAST_COOLING, _COOLING_LIMIT, _COOL = 360.0, 900.0, 36.0
_LEAST_AIR, _LEAST_TURNS, _STARTED = 0.25, 10.0, 60.0


class Stage(IntEnum):
    """What the programme does; each but END is a phase of the catalogue."""

    WARM_UP = 0
    DRYING = 1
    COOL_DOWN = 2
    END = 3


class Trouble(IntEnum):
    """Index into the errors."""

    NONE = -1
    TOO_LONG = 0
    AIRFLOW = 1
    DRUM = 2


_STAGES = (int(Stage.WARM_UP), int(Stage.DRYING), int(Stage.COOL_DOWN))
PROGRAMMES = {
    "cotton_cupboard": Programme(share=0.5, stages=_STAGES, settings={"target": 0.02, "share": 1.0, "warm": 45.0}),
    "cotton_iron": Programme(share=0.15, stages=_STAGES, settings={"target": 0.11, "share": 1.0, "warm": 45.0}),
    "synthetics": Programme(share=0.2, stages=_STAGES, settings={"target": 0.03, "share": 0.6, "warm": 42.0}),
    "mixed": Programme(share=0.15, stages=_STAGES, settings={"target": 0.025, "share": 0.8, "warm": 45.0}),
}
"""target: moisture at which drying ends; share: of the household's usual load; warm: air before the drum that ends the
warm-up, Celsius."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters of each run's machine; names as in the catalogue's models.

    Attributes:
        compressor_power: at the rating point, W.
        cooling: capacity of the evaporator there, W.
        air_flow: with a clean filter, kg/s.
        fan_speed: likewise, 1/min.
        drum_speed: 1/min.
        drum_friction: of bearing, belt and felt seals, W.
        loss: of drum and ducts to the room, W/K.
        filter_resistance: against a clean filter.
        blower: speed of the fan against a sound one.
        blower_friction: more that its bearing takes, W.
        belt_slip: share of the drum's turns that the belt loses.
        charge: refrigerant against a full circuit.
        moisture_gain: of the electrodes that feel the laundry: what they read of the moisture.
        moisture_offset: what they read of none.
    """

    compressor_power: Floats
    cooling: Floats
    air_flow: Floats
    fan_speed: Floats
    drum_speed: Floats
    drum_friction: Floats
    loss: Floats
    filter_resistance: Floats
    blower: Floats
    blower_friction: Floats
    belt_slip: Floats
    charge: Floats
    moisture_gain: Floats
    moisture_offset: Floats


@dataclass(frozen=True, slots=True)
class State:
    """Place in the programme, seconds in its stage, moisture of the laundry, three temperatures, trouble."""

    place: Ints
    since: Floats
    moisture: Floats
    drum: Floats
    condenser: Floats
    evaporator: Floats
    trouble: Ints


@dataclass(frozen=True, slots=True)
class _Machine:
    """What turns: the fan's speed, the air it moves (kg/s), the drum's speed, and what both draw (W)."""

    fan: Floats
    air: Floats
    drum: Floats
    fan_power: Floats
    drum_power: Floats


@dataclass(frozen=True, slots=True)
class _Now:
    """What happens during one step: heat flows in W, the air before and after the drum in Celsius, water in kg/s."""

    stage: Ints
    machine: _Machine
    before: Floats
    after: Floats
    into_drum: Floats
    from_evaporator: Floats
    from_condenser: Floats
    dried: Floats
    cooling: Floats
    compressor: Floats


def _load(job: Job) -> Floats:
    return job.load * job.settings["share"]


def initial(p: Parameters, job: Job) -> State:  # noqa: ARG001  (every kind's signature)
    """Wet laundry in a machine as warm as the room."""
    none, zero = np.zeros(len(job.load), dtype=np.int64), np.zeros(len(job.load))
    room = job.ambient
    return State(none, zero, _START_MOISTURE * job.imbalance, room.copy(), room.copy(), room.copy(), none - 1)


def _turning(p: Parameters, load: Floats) -> _Machine:
    """Fan, air and drum while the motors run."""
    free = np.sqrt((1.0 + _DUCT) / (p.filter_resistance + _DUCT))
    relative = p.blower * (1.0 + _FAN_SLIP * (1.0 - free))
    air = p.air_flow * free * relative
    fan_power = _FAN_POWER * relative**3 * (0.35 + 0.65 * free) + p.blower_friction
    stalls = p.drum_friction >= _BREAKDOWN
    turns = np.where(stalls, 0.0, (1.0 - p.belt_slip) * np.maximum(1.0 - _DRAG * p.drum_friction, 0.0))
    drum_power = np.where(stalls, _BREAKDOWN, p.drum_friction + _LIFT * load * turns) / _DRUM_MOTOR
    return _Machine(p.fan_speed * relative, air, p.drum_speed * turns, fan_power, drum_power)


def _humidity(temperature: Floats) -> Floats:
    """Water in saturated air at normal pressure, kg/kg."""
    pressure = 611.2 * np.exp(17.62 * temperature / (243.12 + temperature))
    return np.asarray(0.622 * pressure / (101_325.0 - pressure), dtype=np.float64)


def _now(p: Parameters, job: Job, state: State) -> _Now:
    """The loop of air in closed form, and what the heat pump moves."""
    stage, load = stage_of(job, state.place), _load(job)
    works = stage != Stage.END
    machine = _turning(p, load)
    air = machine.air * works
    thin = np.maximum(machine.air / p.air_flow, 0.02) ** -0.4
    turned = np.sqrt(machine.drum / p.drum_speed)
    drum = 1.0 - np.exp(-_DRUM_UNITS * thin * (0.15 + 0.85 * turned) * (0.6 + 0.1 * load))
    hot = 1.0 - np.exp(-_CONDENSER_UNITS * thin)
    cold = 1.0 - np.exp(-_EVAPORATOR_UNITS * thin)
    kept = (1.0 - drum) * (1.0 - cold)
    chilled = ((1.0 - cold) * ((1.0 - drum) * hot * state.condenser + drum * state.drum) + cold * state.evaporator) / (
        1.0 - kept * (1.0 - hot)
    )
    before = chilled + hot * (state.condenser - chilled)
    after = before + drum * (state.drum - before)
    activity = 1.0 - np.exp(-_SORPTION * np.maximum(state.moisture, 0.0))
    drier = np.maximum(activity * _humidity(state.drum) - _humidity(state.evaporator), 0.0)
    dried = air * drum * cold / (1.0 - kept) * drier
    room_left = np.clip((_CONDENSER_LIMIT - state.condenser) / _CONDENSER_BAND, 0.0, 1.0)
    runs = np.where((stage == Stage.WARM_UP) | (stage == Stage.DRYING), room_left, 0.0)
    colder, hotter = state.evaporator - _RATED_EVAPORATOR, state.condenser - _RATED_CONDENSER
    capacity = np.maximum(1.0 + _CAPACITY_COLD * colder + _CAPACITY_HOT * hotter, 0.0)
    effort = np.maximum(1.0 + _POWER_COLD * colder + _POWER_HOT * hotter, 0.3)
    carried = air * _AIR_HEAT
    return _Now(
        stage=stage,
        machine=machine,
        before=before,
        after=after,
        into_drum=carried * (before - after),
        from_evaporator=carried * (chilled - after),
        from_condenser=carried * (before - chilled),
        dried=dried,
        cooling=p.cooling * p.charge * capacity * runs,
        compressor=p.compressor_power * job.supply * (0.5 + 0.5 * p.charge) * effort * runs,
    )


def _drum_heat(job: Job, moisture: Floats) -> Floats:
    return _DRUM_HEAT + _load(job) * (_CLOTH_HEAT + _WATER_HEAT * moisture)


def _rubbed(now: _Now) -> Floats:
    """Work of fan and drum that ends as heat in the laundry, W."""
    motors = now.machine.fan_power + _DRUM_MOTOR * now.machine.drum_power
    return np.asarray(motors * (now.stage != Stage.END), dtype=np.float64)


def _lost(p: Parameters, job: Job, state: State) -> Floats:
    return p.loss * (state.drum - job.ambient) + _CONDENSER_LOSS * (state.condenser - job.ambient)


def next_state(p: Parameters, job: Job, state: State, seconds: float = STEP) -> State:
    """One step of programme, air, heat pump and laundry.

    Args:
        p: parameters.
        job: what was asked; `imbalance` scales how wet the laundry comes.
        state: at the step's start.
        seconds: at most STEP.
    """
    now, room = _now(p, job, state), job.ambient
    water = _WATER_HEAT * now.dried * (state.drum - room)
    moisture = state.moisture - seconds * now.dried / _load(job)
    kept = now.into_drum + _rubbed(now) - p.loss * (state.drum - room) - _VAPORISATION * now.dried - water
    heat = _drum_heat(job, state.moisture) * (state.drum - room) + seconds * kept
    drum = room + heat / _drum_heat(job, moisture)
    given = now.cooling + now.compressor * (1.0 - _SHELL) - now.from_condenser
    condenser = state.condenser + seconds * (given - _CONDENSER_LOSS * (state.condenser - room)) / _CONDENSER_HEAT
    caught = _VAPORISATION * now.dried + _WATER_HEAT * now.dried * (state.drum - state.evaporator)
    evaporator = state.evaporator + seconds * (caught - now.from_evaporator - now.cooling) / _EVAPORATOR_HEAT
    since = state.since + seconds
    felt = p.moisture_gain * moisture + p.moisture_offset
    late = (now.stage == Stage.DRYING) & (since >= _DRY_LIMIT)
    choked = (since >= _LEAST_COOLING) & (now.machine.air < _LEAST_AIR * p.air_flow) & (now.stage == Stage.DRYING)
    stands = (since >= _STARTED) & (now.machine.drum < _LEAST_TURNS) & (now.stage != Stage.END)
    over = np.where(
        now.stage == Stage.WARM_UP,
        (now.before >= job.settings["warm"]) | (since >= _WARM_LIMIT),
        np.where(
            now.stage == Stage.DRYING,
            (felt <= job.settings["target"]) | late | choked,
            (since >= _LEAST_COOLING) & (now.after <= _COOL) | (since >= _COOLING_LIMIT),
        ),
    )
    trouble = np.where(late & (felt > job.settings["target"]), Trouble.TOO_LONG, state.trouble)
    trouble = np.where(choked, Trouble.AIRFLOW, trouble)
    trouble = np.where(stands, Trouble.DRUM, trouble)
    last = job.stages.shape[-1] - 1
    place = np.where(stands, last, np.where(over, np.minimum(state.place + 1, last), state.place))
    since = np.where(place == state.place, since, 0.0)
    return State(place, since, moisture, drum, condenser, evaporator, np.asarray(trouble, dtype=np.int64))


def output(p: Parameters, job: Job, state: State) -> Floats:
    """What ideal sensors would read: shape (runs, channels)."""
    now = _now(p, job, state)
    works = now.stage != Stage.END
    motors = now.machine.fan_power + now.machine.drum_power
    power = np.where(works, _ELECTRONICS + motors + now.compressor, _STANDBY)
    felt = np.maximum(p.moisture_gain * state.moisture + p.moisture_offset, 0.0)
    return np.stack(
        (power, now.machine.drum * works, now.before, now.after, felt, now.machine.fan * works, _load(job) * works),
        axis=1,
    )


def error(p: Parameters, state: State) -> Ints:  # noqa: ARG001  (every kind's signature)
    """What the control gave up, as an index into the errors."""
    return state.trouble


def stored(p: Parameters, job: Job, state: State) -> Floats:  # noqa: ARG001  (every kind's signature)
    """Heat in laundry, drum, condenser and evaporator above the room's temperature, J."""
    room = job.ambient
    coils = _CONDENSER_HEAT * (state.condenser - room) + _EVAPORATOR_HEAT * (state.evaporator - room)
    return np.asarray(_drum_heat(job, state.moisture) * (state.drum - room) + coils, dtype=np.float64)


def inflow(p: Parameters, job: Job, state: State) -> Floats:
    """Net heat flow into them during the next step, W; the condensate leaves as cold as the evaporator."""
    now = _now(p, job, state)
    drained = _WATER_HEAT * now.dried * (state.evaporator - job.ambient)
    work = now.compressor * (1.0 - _SHELL) + _rubbed(now)
    return np.asarray(work - _lost(p, job, state) - drained, dtype=np.float64)


def self_test(p: Parameters) -> Mapping[str, Floats]:
    """What the test routine measures with an empty drum: fan, air, drum, motor, and the circuit at its rating point."""
    empty = _turning(p, np.zeros_like(p.air_flow))
    lost = np.maximum(p.air_flow * p.blower, 1e-6)
    return {
        "fan_speed_rpm": empty.fan,
        "air_flow_m3_h": 3000.0 * empty.air,
        "filter_pressure_share": (lost / np.maximum(empty.air, 1e-6)) ** 2,
        "drum_speed_rpm": empty.drum,
        "drum_power_w": empty.drum_power,
        "cooling_w": p.cooling * p.charge,
        "moisture_of_dry_contact": p.moisture_offset * 1.0,
        "moisture_of_test_resistor": 0.3 * p.moisture_gain + p.moisture_offset,
    }


PHYSICS: ProgrammePhysics[Parameters, State] = ProgrammePhysics(
    kind="tumble_dryer",
    step=STEP,
    channels={
        "power": Sensor(noise=4.0, offset=1.0, resolution=0.1, low=0.0),
        "drum_speed": Sensor(noise=0.25, offset=0.15, resolution=0.1, low=0.0, zero=True),
        "temp_in": Sensor(noise=0.15, offset=0.3, resolution=0.01),
        "temp_out": Sensor(noise=0.15, offset=0.3, resolution=0.01),
        "moisture": Sensor(noise=0.003, offset=0.002, resolution=0.001, low=0.0),
        "fan_speed": Sensor(noise=8.0, offset=5.0, resolution=1.0, low=0.0, zero=True),
        "load": Sensor(noise=0.03, offset=0.05, resolution=0.01, low=0.0, zero=True),
    },
    stages=tuple(stage.name.lower() for stage in Stage if stage is not Stage.END),
    programmes=PROGRAMMES,
    habits=Habits(
        starts=0.55, load=4.2, load_between=0.5, load_within=1.0, least=1.2, capacity="capacity", weekend=1.5
    ),
    parameters=Parameters,
    state=State,
    spread={
        "compressor_power": 0.025,
        "cooling": 0.025,
        "air_flow": 0.03,
        "fan_speed": 0.01,
        "drum_speed": 0.01,
        "drum_friction": 0.08,
        "loss": 0.05,
    },
    rest={
        "filter_resistance": 1.0,
        "blower": 1.0,
        "blower_friction": 0.0,
        "belt_slip": 0.0,
        "charge": 1.0,
        "moisture_gain": 1.0,
        "moisture_offset": 0.0,
    },
    resting={
        "power": _STANDBY,
        "drum_speed": 0.0,
        "temp_in": None,
        "temp_out": None,
        "moisture": 0.0,
        "fan_speed": 0.0,
        "load": 0.0,
    },
    initial=initial,
    next_state=next_state,
    output=output,
    error=error,
    errors=("error:drying_too_long", "error:airflow", "error:drum_blocked"),
    stored=stored,
    inflow=inflow,
    self_test=self_test,
)
