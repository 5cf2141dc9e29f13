"""A reversible split heat pump with a variable-speed compressor, and the room it keeps warm or cool; vectorised.

Three heat stores: the room (one time constant, as the simplest of P. Bacher, H. Madsen, "Identifying suitable models
for the heat dynamics of buildings", Energy and Buildings 43 (2011) 1511-1522), the indoor coil and the outdoor coil.
The circuit is quasi-steady: the compressor's volumetric capacity grows with its speed and the suction density, its
power is that capacity over a share of the Carnot efficiency, so that the coefficient of performance falls with the
lift as surveyed by I. Staffell, D. Brett, N. Brandon, A. Hawkes, "A review of domestic heat pumps", Energy &
Environmental Science 5 (2012) 9291-9306. Air coils are exchangers of one constant side (effectiveness 1 - exp(-NTU)).
Below freezing the outdoor coil gathers frost from moist air, worst around 0 Celsius: Y. Zhang et al., "Frosting
phenomenon and frost-free technology of outdoor air heat exchanger for an air-source heat pump system in China",
Energies 11 (2018) 2642; here at the rate at which the air gives up its heat (Lewis). Its flow of air narrows and the
coil grows colder: J. Martinez-Frias, S. M. Aceves, "Effects of evaporator frosting on the performance of an air-to-air
heat pump", Journal of Energy Resources Technology 121 (1999) 60-65. The control then reverses the circuit and melts it.
A lost charge: W. Kim, J. E. Braun, "Impacts of refrigerant charge on air conditioner and heat pump performance",
International Refrigeration and Air Conditioning Conference, Purdue (2010), paper 1122.

Units: W, Celsius, J/K, kg, seconds, 1/min. The heat book counts ice against liquid water at 0 Celsius.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.air import vapour
from firmware_sim.physics.base import Bools, ContinuousPhysics, Drive, Floats, Ints, Sensor

WARMING, CHILLING, DEFROSTING, RESTING = range(4)
"""Modes of the control, in the order of the phases."""

_KELVIN = 273.15
_AIR_HEAT = 1006.0
_MELTS = 3.34e5
_EVAPORATES = 2.5e6
_HUMID = 0.88
"""Relative humidity outdoors in winter."""
_RATED_SPEED = 3600.0
_RATED_COLD, _RATED_HOT = 0.0, 42.0
"""Coil temperatures at which `capacity` holds, Celsius."""
_SUCTION, _LIQUID = 0.03, 0.006
"""Capacity a kelvin of evaporating and condensing temperature."""
_LEAST_LIFT = 12.0
_COLDEST, _HOTTEST = -30.0, 65.0
"""Coil temperatures between which the protection lets the circuit work at full; it unloads over the last 8 K."""
_UNLOAD = 8.0
_STILL_INDOOR, _STILL_OUTDOOR = 15.0, 45.0
"""Coils without fan, W/K."""
_TURNS = 0.35
"""Least share of its top speed at which the indoor fan turns."""
_BLOCKED = 0.6
"""Frost that halves the outdoor air's flow, kg."""
_MELT_CONDUCTANCE = 300.0
_COLD_COIL, _APART, _APART_SPEED = -3.0, 3.0, 8.5
"""A defrost begins when the coil reads below the first, and below the outdoor air by the second, plus the third at the
compressor's top speed, after `_FROSTING`: a clean coil stays closer."""
_FROSTING = 2100.0
_MELTED, _LONGEST_DEFROST = 12.0, 600.0
_DEFROST_SPEED = 0.7
_LEAST_RUN, _LEAST_REST = 300.0, 240.0
_OVERHEATS, _TRIPS_AFTER = 0.8, 1500.0
"""Gas that short-circuits heats the compressor: it trips when the circuit takes up less than the first, a share of its
power, after the second, s, and tries again after a rest."""
_STARTS_AT, _STOPS_AT = 0.6, 0.9
"""How far beyond its set point the room must be for a start or stop, K."""
_WIDTH = 3.0
"""The compressor goes from least to top speed over so many kelvin."""
_SLEW = 10.0
"""Change of compressor speed, 1/min a second."""
_STANDBY, _CONTROL = 3.0, 25.0
_FAR, _LACKING = 3.0, 14_400.0
"""Failed: the room was farther from its set point than the first, K, for the second, s, at full demand."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of each appliance and its room, shape (appliances,).

    Attributes:
        ua_room: walls, windows and air exchange, W/K.
        heat_room: J/K.
        gains: heat of people and their devices while somebody is home, W.
        capacity: heat taken up by the cold coil at 3600/min and coils at 0 and 42 Celsius, W.
        carnot: share of the Carnot efficiency.
        speed_least: of the compressor, 1/min.
        speed_top: likewise.
        flow_indoor: heat capacity flow of the indoor air at the fan's top speed with a clean filter, W/K.
        ntu_indoor: transfer units of the indoor coil then.
        fan_rpm: top speed of the indoor fan, 1/min.
        fan_power: of the indoor fan at its top speed, W.
        heat_indoor: indoor coil with its refrigerant, J/K.
        flow_outdoor: heat capacity flow of the outdoor air, W/K.
        ntu_outdoor: transfer units of the outdoor coil.
        outdoor_power: of the outdoor fan, W.
        heat_outdoor: outdoor coil with its refrigerant, J/K.
        set_heat: room temperature below which it heats, Celsius.
        set_cool: room temperature above which it cools, Celsius.
        setback: how far both give way when nobody is home, K; half as far while the household sleeps.
        charge: refrigerant over its nominal mass.
        filter: resistance of the dirty filter over that of the clean unit.
        outdoor_fan: speed of the outdoor fan over its nominal speed.
        valve: share of the refrigerant that the reversing valve sends the right way.
        coil_error: by how much the control reads the coil too warm, K.
    """

    ua_room: Floats
    heat_room: Floats
    gains: Floats
    capacity: Floats
    carnot: Floats
    speed_least: Floats
    speed_top: Floats
    flow_indoor: Floats
    ntu_indoor: Floats
    fan_rpm: Floats
    fan_power: Floats
    heat_indoor: Floats
    flow_outdoor: Floats
    ntu_outdoor: Floats
    outdoor_power: Floats
    heat_outdoor: Floats
    set_heat: Floats
    set_cool: Floats
    setback: Floats
    charge: Floats
    filter: Floats
    outdoor_fan: Floats
    valve: Floats
    coil_error: Floats


@dataclass(frozen=True, slots=True)
class State:
    """Temperatures in Celsius, frost on the outdoor coil in kg, compressor speed, and the control's mode and counters.

    `since` is the time in this mode, `frosting` the heating since the last defrost, `lacking` the time that the room
    has been far from its set point, seconds.
    """

    room: Floats
    indoor: Floats
    outdoor: Floats
    frost: Floats
    speed: Floats
    mode: Ints
    since: Floats
    frosting: Floats
    lacking: Floats


@dataclass(frozen=True, slots=True)
class _Flows:
    """Heat flows, W; moisture that freezes, kg/s; and what the fans do.

    `heat` goes from the circuit into the hot coil and `cold` out of the cold one; `warms` is 1 where the indoor coil is
    the hot one.
    """

    walls: Floats
    gains: Floats
    to_room: Floats
    to_outdoor_coil: Floats
    heat: Floats
    cold: Floats
    warms: Bools
    power: Floats
    moisture: Floats
    fan: Floats
    fan_watts: Floats
    outdoor_watts: Floats
    touched: Floats


def initial(p: Parameters, d: Drive, place: Floats) -> State:
    """At rest, the room somewhere between its set points' bands, the outdoor coil without frost."""
    asked = np.clip(d["outdoor"] + 8.0, p.set_heat, p.set_cool)
    room = asked + (place - 0.5)
    zero = np.zeros(len(place))
    return State(
        room=room,
        indoor=room.copy(),
        outdoor=d["outdoor"].copy(),
        frost=zero,
        speed=zero.copy(),
        mode=np.full(len(place), RESTING, dtype=np.int64),
        since=600.0 * place,
        frosting=zero.copy(),
        lacking=zero.copy(),
    )


def indoor_fan(p: Parameters, s: State) -> tuple[Floats, Floats]:
    """Speed of the indoor fan, 1/min, and its flow over the top flow; a clogged filter makes it turn faster."""
    blows = s.mode <= CHILLING
    ask = (_TURNS + (1.0 - _TURNS) * s.speed / p.speed_top) * blows
    flow = ask / np.sqrt(1.0 + p.filter)
    return p.fan_rpm * (ask + 0.1 * (ask - flow)), flow


def circuit(p: Parameters, cold: Floats, hot: Floats, speed: Floats) -> tuple[Floats, Floats, Floats]:
    """Heat taken up by the cold coil, heat given to the hot one, electrical power, W."""
    flow = p.charge * (2.0 - p.charge)
    lift = np.maximum(hot - cold, _LEAST_LIFT)
    guard = np.clip(np.minimum(cold - _COLDEST, _HOTTEST - hot) / _UNLOAD, 0.0, 1.0)
    moved = p.capacity * (speed / _RATED_SPEED) * flow * guard
    moved = moved * np.exp(_SUCTION * (np.minimum(cold, 20.0) - _RATED_COLD)) * (1.0 - _LIQUID * (hot - _RATED_HOT))
    power = moved * lift / (p.carnot * (cold + _KELVIN))
    taken = moved * (0.55 + 0.45 * flow) * p.valve
    return taken, taken + power, power


def _flows(p: Parameters, s: State, d: Drive) -> _Flows:
    outdoors = d["outdoor"]
    warms = s.mode == WARMING
    taken, given, power = circuit(
        p, np.where(warms, s.outdoor, s.indoor), np.where(warms, s.indoor, s.outdoor), s.speed
    )
    fan, flow = indoor_fan(p, s)
    air = p.flow_indoor * flow
    touched = 1.0 - np.exp(-p.ntu_indoor / np.sqrt(np.maximum(flow, 0.05)))
    blows = s.mode <= CHILLING
    wind = p.outdoor_fan * blows / (1.0 + (s.frost / _BLOCKED) ** 2)
    outer = p.flow_outdoor * wind * (1.0 - np.exp(-p.ntu_outdoor / np.sqrt(np.maximum(wind, 0.05))))
    excess = np.maximum(_HUMID * vapour(outdoors) - vapour(s.outdoor), 0.0) * (warms & (s.outdoor < 0.0))
    return _Flows(
        walls=p.ua_room * (outdoors - s.room),
        gains=p.gains * d["presence"],
        to_room=(air * touched + _STILL_INDOOR * (flow == 0.0)) * (s.indoor - s.room),
        to_outdoor_coil=(outer + _STILL_OUTDOOR) * (outdoors - s.outdoor),
        heat=given,
        cold=taken,
        warms=warms,
        power=power,
        moisture=outer / _AIR_HEAT * excess,
        fan=fan,
        fan_watts=p.fan_power * (fan / p.fan_rpm) ** 2,
        outdoor_watts=p.outdoor_power * blows * (p.outdoor_fan > 0.0),
        touched=touched,
    )


def next_state(p: Parameters, s: State, d: Drive, dt: float) -> State:
    """One explicit Euler step; then the control looks at the new temperatures."""
    f = _flows(p, s, d)
    melts = np.minimum(_MELT_CONDUCTANCE / _MELTS * np.maximum(s.outdoor, 0.0), s.frost / dt + f.moisture)
    into_indoor = np.where(f.warms, f.heat, -f.cold) - f.to_room
    into_outdoor = np.where(f.warms, -f.cold, f.heat) + f.to_outdoor_coil
    into_outdoor = into_outdoor + (_EVAPORATES + _MELTS) * f.moisture - _MELTS * melts
    room = s.room + dt / p.heat_room * (f.walls + f.gains + f.to_room + f.fan_watts)
    outdoor = s.outdoor + dt / p.heat_outdoor * into_outdoor
    since = s.since + dt
    frosting = s.frosting + dt * f.warms
    away = p.setback * np.maximum(1.0 - d["presence"], 0.5 * (1.0 - d["awake"]))
    short, excess = p.set_heat - away - room, room - p.set_cool - away
    reads = (outdoor + p.coil_error, d["outdoor"] - outdoor - p.coil_error)
    hot = (f.cold < _OVERHEATS * f.power) & (since >= _TRIPS_AFTER)
    mode = _control(p, s, reads, hot=hot, short=short, excess=excess, since=since, frosting=frosting)
    lack = np.where(mode == CHILLING, excess, short)
    ask = np.clip((lack + _STOPS_AT) / _WIDTH, 0.0, 1.0)
    top = p.speed_top * np.minimum(1.0, d["supply"] / 0.9)
    speed = p.speed_least + (top - p.speed_least) * np.where(mode == DEFROSTING, _DEFROST_SPEED, ask)
    speed = np.clip(speed, s.speed - _SLEW * dt, s.speed + _SLEW * dt) * (mode != RESTING)
    return State(
        room=room,
        indoor=s.indoor + dt / p.heat_indoor * into_indoor,
        outdoor=outdoor,
        frost=s.frost + dt * (f.moisture - melts),
        speed=speed,
        mode=mode,
        since=np.where(mode == s.mode, since, 0.0),
        frosting=np.where(mode == DEFROSTING, 0.0, frosting),
        lacking=np.where(np.maximum(short, excess) > _FAR, s.lacking + dt * (mode != RESTING), 0.0),
    )


def _control(
    p: Parameters,
    s: State,
    reads: tuple[Floats, Floats],
    *,
    hot: Bools,
    short: Floats,
    excess: Floats,
    since: Floats,
    frosting: Floats,
) -> Ints:
    """The next mode, from the coil and its distance to the outdoor air as the control reads them."""
    coil, apart = reads
    m = s.mode
    rested = (m == RESTING) & (since >= _LEAST_REST)
    mode = np.where(rested & (short > _STARTS_AT), WARMING, m)
    mode = np.where(rested & (excess > _STARTS_AT), CHILLING, mode)
    lack = np.where(m == CHILLING, excess, short)
    ran = (m <= CHILLING) & (since >= _LEAST_RUN)
    mode = np.where(ran & ((lack < -_STOPS_AT) | hot), RESTING, mode)
    expected = _APART + _APART_SPEED * s.speed / p.speed_top
    frozen = (m == WARMING) & (coil < _COLD_COIL) & (apart > expected) & (frosting >= _FROSTING)
    mode = np.where(frozen, DEFROSTING, mode)
    over = (m == DEFROSTING) & ((coil > _MELTED) | (since >= _LONGEST_DEFROST))
    return np.where(over, WARMING, mode)


def output(p: Parameters, s: State, d: Drive) -> Floats:
    """What ideal sensors read."""
    f = _flows(p, s, d)
    works = s.mode != RESTING
    power = _STANDBY + _CONTROL * works + f.power + f.fan_watts + f.outdoor_watts
    share = np.where(f.fan > 0.0, f.touched, 0.5)
    supply = s.room + share * (s.indoor - s.room)
    return np.stack((power, s.room, supply, d["outdoor"], s.outdoor, s.speed, f.fan), axis=1)


def phase(_p: Parameters, s: State) -> Ints:
    """Codes of `PHYSICS.phases`."""
    return s.mode


def failed(_p: Parameters, s: State) -> Bools:
    """Whether it no longer holds the room."""
    return np.asarray(s.lacking > _LACKING)


def stored(p: Parameters, s: State) -> Floats:
    """Heat in room, coils and frost."""
    sensible = p.heat_room * s.room + p.heat_indoor * s.indoor + p.heat_outdoor * s.outdoor
    return np.asarray(sensible - _MELTS * s.frost, dtype=np.float64)


def inflow(p: Parameters, s: State, d: Drive) -> Floats:
    """Walls, people, compressor, indoor fan, outdoor air and its moisture."""
    f = _flows(p, s, d)
    moist = _EVAPORATES * f.moisture
    return np.asarray(f.walls + f.gains + f.fan_watts + f.power + f.to_outdoor_coil + moist, dtype=np.float64)


def self_test(p: Parameters) -> dict[str, Floats]:
    """Fans at full speed, the circuit for ten minutes at 3600/min, the coil's sensor after a long rest."""
    cold, hot = np.full(len(p.charge), _RATED_COLD), np.full(len(p.charge), _RATED_HOT)
    taken, _, power = circuit(p, cold, hot, np.full(len(p.charge), _RATED_SPEED))
    return {
        "air_flow_share": 1.0 / np.sqrt(1.0 + p.filter),
        "outdoor_fan_share": p.outdoor_fan.copy(),
        "cooling_power_w": taken,
        "compressor_power_w": power,
        "valve_share": p.valve.copy(),
        "coil_error_k": p.coil_error.copy(),
    }


PHYSICS: ContinuousPhysics[Parameters, State] = ContinuousPhysics(
    kind="heat_pump",
    step=30.0,
    channels={
        "power": Sensor(noise=3.0, offset=2.0, resolution=1.0, low=0.0),
        "temp_return": Sensor(noise=0.06, offset=0.15, resolution=0.01),
        "temp_supply": Sensor(noise=0.1, offset=0.2, resolution=0.01),
        "temp_outdoor": Sensor(noise=0.1, offset=0.2, resolution=0.01),
        "temp_coil": Sensor(noise=0.1, offset=0.2, resolution=0.01),
        "compressor_speed": Sensor(noise=6.0, offset=0.0, resolution=1.0, low=0.0, zero=True),
        "fan_speed": Sensor(noise=5.0, offset=3.0, resolution=1.0, low=0.0, zero=True),
    },
    phases=("heating", "cooling", "defrost", "idle"),
    drives=("outdoor", "presence", "awake", "supply"),
    parameters=Parameters,
    state=State,
    spread={
        "ua_room": 0.15,
        "heat_room": 0.15,
        "gains": 0.3,
        "capacity": 0.02,
        "carnot": 0.02,
        "flow_indoor": 0.02,
        "ntu_indoor": 0.02,
        "fan_rpm": 0.015,
        "flow_outdoor": 0.02,
        "ntu_outdoor": 0.02,
    },
    shift={"set_heat": 0.7, "set_cool": 0.7},
    rest={"charge": 1.0, "filter": 0.0, "outdoor_fan": 1.0, "valve": 1.0, "coil_error": 0.0},
    initial=initial,
    next_state=next_state,
    output=output,
    phase=phase,
    failed=failed,
    error="room_out_of_reach",
    stored=stored,
    inflow=inflow,
    self_test=self_test,
)
