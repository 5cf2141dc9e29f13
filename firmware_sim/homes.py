"""What surrounds an appliance on one day: weather, rooms, doors, laundry. A function of (seed, device, day) alone."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_sim.chance import generator
from firmware_sim.physics.washing_machine import PROGRAMMES
from firmware_sim.scenario import Appliance, Spell, World
from firmware_sim.wear import DAY
from telemetry.clock import MICROS, to_datetime

_DAY_SECONDS = 86_400.0
_WEATHER = (0.5, 0.3, 0.2)
"""How today's weather mixes the shocks of today, yesterday and the day before."""
_RAMP_DAYS = 1.0
_OPENINGS = 26.0
_APART = round(3.5 * 3600) * MICROS


def utc_offset(tz: str, day: int) -> float:
    """Seconds that the zone's clocks are ahead of UTC at noon of a day."""
    noon = to_datetime(day * DAY + DAY // 2).astimezone(zoneinfo.ZoneInfo(tz))
    return (noon.utcoffset() or dt.timedelta()).total_seconds()


def spell_at(spells: tuple[Spell, ...], start: int, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """How strongly each spell is in force, 0 to 1 with ramps of a day; shape (spells, times)."""
    days = (at - start) / DAY
    rows = [np.clip(np.minimum(days - s.start, s.start + s.days - days) / _RAMP_DAYS, 0.0, 1.0) for s in spells]
    return np.array(rows).reshape(len(spells), len(at))


def weather(seed: int, day: int) -> float:
    """Deviation of the region's room temperatures on a day, K, standard deviation about 0.7."""
    shocks = [float(generator(seed, -1, "weather", day - back).standard_normal()) for back in range(len(_WEATHER))]
    return 1.1 * float(np.dot(_WEATHER, shocks))


def room(world: World, appliance: Appliance, day: int, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Room temperature at times of one UTC day, Celsius."""
    scenario, seed = world.scenario, world.seed
    rng = generator(seed, appliance.index, "room")
    base, swing, late = 23.0 + 1.1 * rng.standard_normal(), rng.uniform(0.8, 1.8), rng.uniform(-1.0, 1.0)
    seconds = (times - day * DAY) / MICROS
    hour = (seconds + utc_offset(appliance.household.tz, day)) / 3600.0
    today, tomorrow = weather(seed, day), weather(seed, day + 1)
    drift = today + (tomorrow - today) * seconds / _DAY_SECONDS
    heat = (
        np.array([s.size for s in scenario.heat]) @ spell_at(scenario.heat, world.start, times)
        if scenario.heat
        else 0.0
    )
    return np.asarray(base + swing * np.cos((hour - 16.0 - late) * np.pi / 12.0) + drift + heat, dtype=np.float64)


def door_share(seed: int, appliance: Appliance, day: int, steps: int) -> NDArray[np.float64]:
    """Share of each of the day's equal steps during which the fridge door is open, shape (steps,)."""
    habit = generator(seed, appliance.index, "door_habit").uniform(0.6, 1.4)
    rng = generator(seed, appliance.index, "doors", day)
    count = int(rng.poisson(_OPENINGS * habit))
    hours = np.array([7.5, 12.0, 18.5])
    local = rng.choice(hours, size=count, p=[0.3, 0.25, 0.45]) + rng.normal(0.0, 1.6, size=count)
    anywhen = rng.random(count) < 0.25  # noqa: PLR2004  (a quarter of the openings follow no meal)
    local = np.where(anywhen, rng.uniform(6.0, 24.0, size=count), local)
    begins = (local * 3600.0 - utc_offset(appliance.household.tz, day)) % _DAY_SECONDS
    lasts = np.minimum(rng.gamma(2.0, 9.0, size=count), 240.0)
    length = _DAY_SECONDS / steps
    share = np.zeros(steps)
    for begin, last in zip(begins, lasts, strict=True):
        at, left = int(begin / length), float(last)
        room_left = length * (at + 1) - float(begin)
        while left > 0.0 and at < steps:
            share[at] += min(left, room_left) / length
            left, at, room_left = left - room_left, at + 1, length
    return np.minimum(share, 1.0)


@dataclass(frozen=True, slots=True)
class Wash:
    """One wash that a household starts.

    Attributes:
        number: of the day, the key of its noise.
        begin: fleet time, microseconds, on the physics' grid.
        programme: of PROGRAMMES.
        load: dry mass, kg.
        imbalance: 1 on average.
        inlet: tap water, Celsius.
    """

    number: int
    begin: int
    programme: str
    load: float
    imbalance: float
    inlet: float


def washes(world: World, appliance: Appliance, day: int, capacity: float) -> list[Wash]:
    """The washes of one UTC day, each three and a half hours or more after the one before."""
    before = _wishes(world, appliance, day - 1, capacity)
    last = before[-1].begin if before else 0
    found: list[Wash] = []
    for wash in _wishes(world, appliance, day, capacity):
        if wash.begin - last >= _APART:
            found.append(wash)
        last = wash.begin
    return found


def _wishes(world: World, appliance: Appliance, day: int, capacity: float) -> list[Wash]:
    scenario, seed = world.scenario, world.seed
    habit = generator(seed, appliance.index, "wash_habit")
    own_load, heavy_draw = 3.8 + 0.5 * habit.standard_normal(), habit.random(len(scenario.heavy))
    rng = generator(seed, appliance.index, "washes", day)
    count = min(int(rng.poisson(scenario.washes)), 3)
    slots = np.sort(rng.permutation(3)[:count])
    found: list[Wash] = []
    for number, slot in enumerate(slots):
        local = 7.0 + 5.5 * float(slot) + float(rng.uniform(0.0, 2.0))
        seconds = (local * 3600.0 - utc_offset(appliance.household.tz, day)) % _DAY_SECONDS
        begin = day * DAY + int(seconds // 30) * 30 * MICROS
        load = own_load + 1.1 * float(rng.standard_normal())
        force = spell_at(scenario.heavy, world.start, np.array([begin]))[:, 0]
        for spell, strength, draw in zip(scenario.heavy, force, heavy_draw, strict=True):
            if draw < spell.share:
                load *= 1.0 + (spell.size - 1.0) * float(strength)
        found.append(
            Wash(
                number=number,
                begin=begin,
                programme=str(rng.choice(sorted(PROGRAMMES), p=[0.45, 0.15, 0.15, 0.25])),
                load=float(np.clip(load, 0.8, capacity)),
                imbalance=float(np.exp(0.1 * rng.standard_normal())),
                inlet=16.0 + float(rng.normal(0.0, 1.0)),
            )
        )
    return sorted(found, key=lambda one: one.begin)
