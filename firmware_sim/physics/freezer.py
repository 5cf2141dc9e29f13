"""A frost-free upright freezer: thermal network, frost, electric defrost and a thermostat; vectorised over appliances.

Four heat stores (cabinet air with liner, food, finned evaporator, wire condenser) are joined by conductances; the
refrigeration circuit is quasi-steady. The compressor's volumetric capacity falls with the suction density, its power
is that capacity over a fixed share of the Carnot efficiency: B. N. Borges, C. Melo, C. J. L. Hermes, "Transient
simulation of a two-door frost-free refrigerator subjected to periodic door opening and evaporator frosting", Applied
Energy 147 (2015) 386-395. Moisture comes in with the air through door and gasket (heat and mass by the same air
exchange, Lewis), freezes on the evaporator and narrows the air's way: C. J. L. Hermes et al., "Evaporator frosting in
refrigerating appliances: fundamentals and applications", Energies 14 (2021) 5991. After so many hours of running an
electric heater melts it; most of its heat warms metal and cabinet: P. Bansal, D. Fothergill, R. Fernandes, "Thermal
analysis of the defrost cycle in a domestic freezer", International Journal of Refrigeration 33 (2010) 589-599. What a
lost charge does follows W. Kim, J. E. Braun, "Impacts of refrigerant charge on air conditioner and heat pump
performance", International Refrigeration and Air Conditioning Conference, Purdue (2010), paper 1122.

Units: W, Celsius, J/K, kg, seconds, 1/min. The heat book counts ice against liquid water at 0 Celsius.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.air import vapour
from firmware_sim.physics.base import Bools, ContinuousPhysics, Drive, Floats, Ints, Sensor

COOLING, IDLE, HEATING, PULLDOWN, DRIPPING, STALLED = range(6)
"""Modes of the control. The first run after a defrost is a pulldown; a stalled start draws current for one step."""
_PHASE = np.array([0, 1, 2, 3, 2, 0])
_RUNS = np.array([True, False, False, True, False, False])

_KELVIN = 273.15
_AIR_HEAT = 1006.0
_FREEZES, _MELTS = 2.834e6, 3.34e5
"""Heat of sublimation and of melting of water, J/kg."""
_EVAPORATES = _FREEZES - _MELTS
_HUMID = 0.5
"""Relative humidity of kitchens and store rooms."""
_DRY = 0.0007
"""Moisture of the cabinet's air, kg/kg."""
_DOOR_CONDUCTANCE, _TIGHT = 9.0, 0.1
"""Exchange of air through the open door, whose drawers keep most of the cold in, and past a sound gasket, W/K."""
_STILL_AIR, _AT_REST = 0.5, 6.0
"""Evaporator to cabinet without the fan, W/K: a duct without wind; at rest warm refrigerant wanders in and evens it."""
_RATED_FAN = 2400.0
"""Fan speed at which `ua_evaporator` holds, 1/min."""
_BLOCKED = 0.3
"""Frost that halves the air's flow, kg."""
_MELT_CONDUCTANCE = 40.0
_RATED_EVAPORATOR, _RATED_CONDENSER = -23.3, 45.0
_SUCTION, _LIQUID = 0.045, 0.005
"""Capacity a kelvin of evaporating and condensing temperature."""
_WARMEST_SUCTION = -8.0
_LEAST_LIFT = 15.0
_END_DEFROST, _LONGEST_DEFROST, _DRIP = 8.0, 2700.0, 300.0
_LEAST_REST = 300.0
_WHOLE_HEATER = 0.02
_STANDBY, _INRUSH, _LOCKED_ROTOR = 2.0, 1.35, 4.2
_THAWED = -12.0
"""Food temperature above which frozen food no longer keeps for weeks (two-star compartments), Celsius."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of each appliance, shape (appliances,).

    Attributes:
        ua_cabinet: walls, W/K.
        heat_air: air, liner and what follows them at once, J/K.
        heat_food: J/K.
        ua_food: air to food, W/K.
        heat_evaporator: J/K.
        ua_evaporator: evaporator to air that the fan adds at its rated speed without frost, W/K.
        heat_condenser: J/K.
        ua_condenser: W/K, without a fan.
        capacity: cooling power at -23.3 / 45 Celsius, W.
        carnot: share of the Carnot efficiency.
        fan_power: of the evaporator fan, W.
        fan_rpm: its speed, 1/min.
        heater_power: of the defrost heater, W.
        set_air: middle of the thermostat's band, Celsius.
        band: its width, K.
        defrost_after: seconds of running from one defrost to the next.
        charge: refrigerant over its nominal mass.
        seal: air exchange through a bad gasket, W/K.
        heater_break: the heater is open when this is above 0.02.
        start_fails: share of the starts at which the compressor stalls.
    """

    ua_cabinet: Floats
    heat_air: Floats
    heat_food: Floats
    ua_food: Floats
    heat_evaporator: Floats
    ua_evaporator: Floats
    heat_condenser: Floats
    ua_condenser: Floats
    capacity: Floats
    carnot: Floats
    fan_power: Floats
    fan_rpm: Floats
    heater_power: Floats
    set_air: Floats
    band: Floats
    defrost_after: Floats
    charge: Floats
    seal: Floats
    heater_break: Floats
    start_fails: Floats


@dataclass(frozen=True, slots=True)
class State:
    """Temperatures in Celsius, frost in kg, the control's mode, and its counters.

    `since` is the time in this mode and `ran` the running since the last defrost, seconds; `owed` adds up the share of
    failing starts: when it reaches 1 a start fails, so that the share holds exactly and no chance enters the physics.
    """

    air: Floats
    food: Floats
    evaporator: Floats
    condenser: Floats
    frost: Floats
    mode: Ints
    since: Floats
    ran: Floats
    owed: Floats


@dataclass(frozen=True, slots=True)
class _Flows:
    """Heat flows of one step, W, and moisture that freezes, kg/s."""

    enters: Floats
    to_evaporator: Floats
    to_food: Floats
    fan: Floats
    moisture: Floats
    cold: Floats
    power: Floats
    heater: Floats
    rejected: Floats


def initial(p: Parameters, d: Drive, place: Floats) -> State:
    """At rest, somewhere in the thermostat's band and between two defrosts."""
    air = p.set_air + (place - 0.5) * p.band
    return State(
        air=air,
        food=p.set_air.copy(),
        evaporator=air - 1.0,
        condenser=d["ambient"].copy(),
        frost=0.08 * place,
        mode=np.full(len(place), IDLE, dtype=np.int64),
        since=np.full(len(place), 600.0),
        ran=place * p.defrost_after,
        owed=np.zeros(len(place)),
    )


def fan_speed(p: Parameters, s: State, d: Drive) -> Floats:
    """Evaporator fan, 1/min: a shaded-pole motor slips with the voltage; it runs with the compressor."""
    return np.asarray(p.fan_rpm * (0.6 + 0.4 * d["supply"]) * _RUNS[s.mode], dtype=np.float64)


def circuit(p: Parameters, s: State, supply: Floats) -> tuple[Floats, Floats]:
    """Cooling power and electrical power of the running compressor, W."""
    flow = p.charge * (2.0 - p.charge)
    suction = np.minimum(s.evaporator, _WARMEST_SUCTION)
    lift = np.maximum(s.condenser - suction, _LEAST_LIFT)
    moved = p.capacity * flow * (0.85 + 0.15 * supply) * (1.0 - _LIQUID * (s.condenser - _RATED_CONDENSER))
    moved = moved * np.exp(_SUCTION * (suction - _RATED_EVAPORATOR))
    power = moved * lift / (p.carnot * (suction + _KELVIN))
    return moved * (0.55 + 0.45 * flow), power


def _flows(p: Parameters, s: State, d: Drive) -> _Flows:
    ambient, supply = d["ambient"], d["supply"]
    runs = _RUNS[s.mode]
    exchange = _DOOR_CONDUCTANCE * d["door"] + _TIGHT + p.seal
    blown = fan_speed(p, s, d) / _RATED_FAN / (1.0 + (s.frost / _BLOCKED) ** 3)
    cold, power = circuit(p, s, supply)
    return _Flows(
        enters=(p.ua_cabinet + exchange) * (ambient - s.air),
        to_evaporator=(np.where(runs, _STILL_AIR, _AT_REST) + p.ua_evaporator * blown**0.7) * (s.air - s.evaporator),
        to_food=p.ua_food * (s.air - s.food),
        fan=p.fan_power * runs * (p.fan_rpm > 0.0),
        moisture=exchange / _AIR_HEAT * np.maximum(_HUMID * vapour(ambient) - _DRY, 0.0),
        cold=cold * runs,
        power=power * runs,
        heater=p.heater_power * supply**2 * ((s.mode == HEATING) & (p.heater_break < _WHOLE_HEATER)),
        rejected=p.ua_condenser * (s.condenser - ambient),
    )


def next_state(p: Parameters, s: State, d: Drive, dt: float) -> State:
    """One explicit Euler step; then the control looks at the new temperatures."""
    f = _flows(p, s, d)
    melts = np.minimum(_MELT_CONDUCTANCE / _MELTS * np.maximum(s.evaporator, 0.0), s.frost / dt + f.moisture)
    gain = f.to_evaporator + f.heater - f.cold - _MELTS * melts
    air = s.air + dt / p.heat_air * (f.enters + f.fan + _FREEZES * f.moisture - f.to_evaporator - f.to_food)
    evaporator = s.evaporator + dt / p.heat_evaporator * gain
    since, ran = s.since + dt, s.ran + dt * _RUNS[s.mode]
    mode, owed = _control(p, s, air, evaporator, since=since, ran=ran)
    changed = mode != s.mode
    return State(
        air=air,
        food=s.food + dt / p.heat_food * f.to_food,
        evaporator=evaporator,
        condenser=s.condenser + dt / p.heat_condenser * (f.cold + f.power - f.rejected),
        frost=s.frost + dt * (f.moisture - melts),
        mode=mode,
        since=np.where(changed, 0.0, since),
        ran=np.where(mode == HEATING, 0.0, ran),
        owed=owed,
    )


def _control(
    p: Parameters, s: State, air: Floats, evaporator: Floats, *, since: Floats, ran: Floats
) -> tuple[Ints, Floats]:
    """The next mode, and what is owed of failing starts."""
    m = s.mode
    runs = _RUNS[m]
    starts = (m == IDLE) & (air > p.set_air + 0.5 * p.band) & (since >= _LEAST_REST)
    owed = s.owed + p.start_fails * starts
    stalls = starts & (owed >= 1.0)
    mode = np.where(starts, COOLING, m)
    mode = np.where(stalls, STALLED, mode)
    mode = np.where((m == STALLED) | (runs & (air <= p.set_air - 0.5 * p.band)), IDLE, mode)
    mode = np.where(runs & (ran >= p.defrost_after), HEATING, mode)
    warm = (evaporator > _END_DEFROST) | (since >= _LONGEST_DEFROST)
    mode = np.where((m == HEATING) & warm, DRIPPING, mode)
    mode = np.where((m == DRIPPING) & (since >= _DRIP), PULLDOWN, mode)
    return mode, owed - stalls


def output(p: Parameters, s: State, d: Drive) -> Floats:
    """What ideal sensors read; a stalled compressor draws its locked-rotor current."""
    f = _flows(p, s, d)
    power = _STANDBY + f.power * np.where(s.since == 0.0, _INRUSH, 1.0) + f.fan + f.heater
    power = power + _LOCKED_ROTOR * 85.0 * (s.mode == STALLED)
    return np.stack((power, s.air, s.evaporator, d["ambient"], fan_speed(p, s, d), d["door"]), axis=1)


def phase(_p: Parameters, s: State) -> Ints:
    """Codes of `PHYSICS.phases`."""
    return np.asarray(_PHASE[s.mode], dtype=np.int64)


def failed(_p: Parameters, s: State) -> Bools:
    """Whether frozen food no longer keeps."""
    return np.asarray(s.food > _THAWED)


def stored(p: Parameters, s: State) -> Floats:
    """Heat in air, food, evaporator, condenser and frost."""
    sensible = p.heat_air * s.air + p.heat_food * s.food + p.heat_evaporator * s.evaporator
    return np.asarray(sensible + p.heat_condenser * s.condenser - _MELTS * s.frost, dtype=np.float64)


def inflow(p: Parameters, s: State, d: Drive) -> Floats:
    """Walls, door, moisture, compressor, fan and heater, less what the condenser gives to the room."""
    f = _flows(p, s, d)
    moist = _EVAPORATES * f.moisture
    return np.asarray(f.enters + moist + f.power + f.fan + f.heater - f.rejected, dtype=np.float64)


def self_test(p: Parameters) -> dict[str, Floats]:
    """Fan speed, current through the heater, starts out of ten, and the cold that the circuit makes in a minute."""
    whole = p.heater_break < _WHOLE_HEATER
    flow = p.charge * (2.0 - p.charge)
    return {
        "fan_speed_rpm": p.fan_rpm.copy(),
        "heater_power_w": p.heater_power * whole,
        "starts_of_ten": np.asarray(np.rint(10.0 * (1.0 - np.clip(p.start_fails, 0.0, 1.0))), dtype=np.float64),
        "cooling_power_w": p.capacity * flow * (0.55 + 0.45 * flow),
        "door_leak_w_k": _TIGHT + p.seal,
    }


PHYSICS: ContinuousPhysics[Parameters, State] = ContinuousPhysics(
    kind="freezer",
    step=30.0,
    channels={
        "power": Sensor(noise=0.6, offset=0.4, resolution=0.1, low=0.0),
        "temp_air": Sensor(noise=0.08, offset=0.15, resolution=0.01),
        "temp_evaporator": Sensor(noise=0.1, offset=0.2, resolution=0.01),
        "ambient": Sensor(noise=0.08, offset=0.2, resolution=0.01),
        "fan_speed": Sensor(noise=14.0, offset=8.0, resolution=1.0, low=0.0, zero=True),
        "door_open": Sensor(noise=0.0, offset=0.0, resolution=0.001, low=0.0),
    },
    phases=("cooling", "idle", "defrost", "pulldown"),
    drives=("ambient", "door", "supply"),
    parameters=Parameters,
    state=State,
    spread={
        "ua_cabinet": 0.05,
        "heat_air": 0.04,
        "heat_food": 0.3,
        "ua_evaporator": 0.03,
        "ua_condenser": 0.03,
        "capacity": 0.02,
        "carnot": 0.02,
        "fan_rpm": 0.015,
        "heater_power": 0.02,
    },
    shift={"set_air": 0.3},
    rest={"charge": 1.0, "seal": 0.0, "heater_break": 0.0, "start_fails": 0.0},
    initial=initial,
    next_state=next_state,
    output=output,
    phase=phase,
    failed=failed,
    error="freezer_warm",
    stored=stored,
    inflow=inflow,
    self_test=self_test,
)
