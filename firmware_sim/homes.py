"""What surrounds appliances: weather, rooms, doors, hot water, mains, and the runs that households start.

All of it is a function of (seed, device, day) and of the spells that a scenario lays over it. Drives are computed for a
stretch of steps of one day and many appliances at once.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from firmware_sim.chance import generator, keys, uniform
from firmware_sim.households import Appliance, Household
from firmware_sim.mechanism import DRIVE, HABIT, SHARES, Spell, influence
from firmware_sim.physics.base import Floats, Habits, Programme
from firmware_sim.scenario_types import World
from firmware_sim.wear import DAY
from telemetry.catalogue import Influence
from telemetry.clock import MICROS, to_datetime

_DAY_SECONDS = 86_400.0
_WEATHER = (0.5, 0.3, 0.2)
"""How today's weather mixes the shocks of today, yesterday and the day before."""
_OUTDOORS = 3.0
"""Outdoors, weather moves the temperature so many times as much as in a room."""
_ROOM_SEASON = 0.15
"""Share of the outdoor season that a room feels."""
_WATER_LAG = 35.0
"""Days by which the ground, and the water in it, follows the air."""
_OPENINGS = 26.0
_APART = round(3.5 * 3600) * MICROS
_YEAR = 365.25


@cache
def utc_offset(tz: str, day: int) -> float:
    """Seconds that the zone's clocks are ahead of UTC at noon of a day."""
    noon = to_datetime(day * DAY + DAY // 2).astimezone(zoneinfo.ZoneInfo(tz))
    return (noon.utcoffset() or dt.timedelta()).total_seconds()


@cache
def weather(seed: int, day: int) -> float:
    """Deviation of the region's room temperatures on a day, K, standard deviation about 0.7."""
    shocks = [float(generator(seed, -1, "weather", day - back).standard_normal()) for back in range(len(_WEATHER))]
    return 1.1 * float(np.dot(_WEATHER, shocks))


def free_day(household: Household, day: int) -> bool:
    """Whether a household is off work on a day; day 0 was a Thursday."""
    return (day + 3) % 7 in household.free_days


def day_of_year(day: int) -> int:
    """1 to 366."""
    return to_datetime(day * DAY).timetuple().tm_yday


@dataclass(frozen=True, slots=True)
class _Events:
    """Something that happens for a while: per entry a step of the day, a device, and how much of it falls into it."""

    step: NDArray[np.int64]
    device: NDArray[np.int64]
    amount: Floats

    def spread(self, first: int, count: int, devices: int) -> Floats:
        """Summed up for steps of the day, shape (count, devices)."""
        found = np.zeros((count, devices))
        low, high = np.searchsorted(self.step, (first, first + count))
        np.add.at(found, (self.step[low:high] - first, self.device[low:high]), self.amount[low:high])
        return found


def _events(begin: Floats, last: Floats, rate: Floats, device: NDArray[np.int64], length: float) -> _Events:
    """Cut events (second of the day, seconds, amount a second) into steps; what leaves the day is lost."""
    steps = round(_DAY_SECONDS / length)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]] = []
    at = np.floor(begin / length).astype(np.int64)
    end = begin + last
    left = np.arange(len(begin))
    while len(left):
        overlap = np.minimum(end[left], (at[left] + 1) * length) - np.maximum(begin[left], at[left] * length)
        found.append((at[left], device[left], overlap * rate[left] / length))
        at = at + 1
        left = left[(end[left] > at[left] * length) & (at[left] < steps)]
    if not found:
        nothing = np.zeros(0, dtype=np.int64)
        return _Events(nothing, nothing, np.zeros(0))
    step, who, amount = (np.concatenate([one[i] for one in found]) for i in range(3))
    order = np.lexsort((who, step))
    return _Events(step[order], who[order], amount[order])


class Surroundings:
    """The drives of a group of appliances.

    Args:
        world: scenario, seed and start.
        appliances: of the group.
        spells: of each.
        step: microseconds of a step.
        names: which drives are wanted, of DRIVES.
    """

    def __init__(
        self,
        world: World,
        appliances: Sequence[Appliance],
        spells: Sequence[tuple[Spell, ...]],
        step: int,
        names: Sequence[str],
    ) -> None:
        self._world, self._appliances, self._step, self._names = world, appliances, step, tuple(names)
        indices = [one.index for one in appliances]
        rooms = [generator(world.seed, index, "room") for index in indices]
        draws = np.array([(rng.standard_normal(), rng.uniform(0.8, 1.8), rng.uniform(-1.0, 1.0)) for rng in rooms])
        draws = draws.reshape(-1, 3)
        self._base, self._swing, self._late = world.scenario.climate.room + 1.1 * draws[:, 0], draws[:, 1], draws[:, 2]
        self._mains = 1.0 + 0.01 * (2.0 * uniform(keys(world.seed, indices, "mains"), 0) - 1.0)
        self._homes = keys(world.seed, [one.household.number for one in appliances], "presence")
        self._spells = [
            (row, name, spell, spell.influences[DRIVE + name])
            for row, some in enumerate(spells)
            for spell in some
            for name in self._names
            if DRIVE + name in spell.influences
        ]
        self._habits = [
            {target.removeprefix(HABIT) for spell in some for target in spell.influences if target.startswith(HABIT)}
            for some in spells
        ]
        self._of = list(spells)
        self._day = -1
        self._doors = self._draws = _events(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), 1.0)

    def drives(self, first: int, count: int) -> dict[str, Floats]:
        """Of `count` steps from `first` on, counted from the epoch, all of one UTC day; shape (count, appliances)."""
        day = first * self._step // DAY
        if day != self._day:
            self._day = day
            self._load_day(day)
        times = self._step * np.arange(first, first + count, dtype=np.int64)
        found = {name: _DRIVES[name](self, day, times) for name in self._names}
        for row, name, spell, what in self._spells:
            if spell.begin <= times[-1] and spell.end >= times[0]:
                values = found[name]
                values[:, row] = influence(values[:, row], what, spell.level(times))
        for name in SHARES & set(self._names):
            np.clip(found[name], 0.0, 1.0, out=found[name])
        return found

    def _load_day(self, day: int) -> None:
        length = self._step / MICROS
        if "door" in self._names:
            self._doors = self._events_of(_openings, "openings", day, length)
        if "draw" in self._names:
            self._draws = self._events_of(_hot_water, "draws", day, length)

    def _events_of(self, draw: _Drawn, habit: str, day: int, length: float) -> _Events:
        noon = day * DAY + DAY // 2
        found = [
            draw(
                self._world.seed,
                one,
                day,
                habit_factor(self._of[row], habit, noon) if habit in self._habits[row] else 1.0,
            )
            for row, one in enumerate(self._appliances)
        ]
        device = np.repeat(np.arange(len(found)), [len(one[0]) for one in found])
        begin, last, rate = (np.concatenate([one[i] for one in found]) if found else np.zeros(0) for i in range(3))
        return _events(begin, last, rate, device, length)

    def _hour(self, day: int, times: NDArray[np.int64]) -> Floats:
        """Local hour of each step and appliance; runs below 0 and above 24 at the day's ends."""
        ahead = np.array([utc_offset(one.household.tz, day) for one in self._appliances])
        return np.asarray(((times - day * DAY) / MICROS)[:, None] / 3600.0 + ahead / 3600.0)

    def _drift(self, day: int, times: NDArray[np.int64]) -> Floats:
        today, tomorrow = weather(self._world.seed, day), weather(self._world.seed, day + 1)
        share = (times - day * DAY) / DAY
        return np.asarray(self._world.scenario.climate.weather * (today + (tomorrow - today) * share))[:, None]

    def _season(self, day: int, lag: float = 0.0) -> float:
        """-1 on the coldest day of the year, 1 half a year later."""
        coldest = self._world.scenario.climate.coldest_day
        return -float(np.cos(2.0 * np.pi * (day_of_year(day) - coldest - lag) / _YEAR))

    def _ambient(self, day: int, times: NDArray[np.int64]) -> Floats:
        turn = (self._hour(day, times) - 16.0 - self._late) * (np.pi / 12.0)
        season = _ROOM_SEASON * self._world.scenario.climate.season * self._season(day)
        return np.asarray(self._base + self._swing * np.cos(turn) + self._drift(day, times) + season)

    def _outdoor(self, day: int, times: NDArray[np.int64]) -> Floats:
        climate = self._world.scenario.climate
        turn = (self._hour(day, times) - 15.0) * (np.pi / 12.0)
        level = climate.mean + climate.season * self._season(day)
        return np.asarray(level + climate.daily * np.cos(turn) + _OUTDOORS * self._drift(day, times))

    def _door(self, day: int, times: NDArray[np.int64]) -> Floats:
        return self._doors.spread(int((times[0] - day * DAY) // self._step), len(times), len(self._appliances))

    def _draw(self, day: int, times: NDArray[np.int64]) -> Floats:
        return self._draws.spread(int((times[0] - day * DAY) // self._step), len(times), len(self._appliances))

    def _inlet(self, day: int, times: NDArray[np.int64]) -> Floats:
        climate = self._world.scenario.climate
        level = climate.inlet_mean + climate.inlet_season * self._season(day, _WATER_LAG)
        return np.full((len(times), len(self._appliances)), level)

    def _supply(self, day: int, times: NDArray[np.int64]) -> Floats:
        return np.asarray(self._mains * (1.0 + 0.008 * np.cos((self._hour(day, times) - 3.0) * (np.pi / 12.0))))

    def _presence(self, day: int, times: NDArray[np.int64]) -> Floats:
        """Where nobody stays, the home is empty between leaving and returning on a working day."""
        homes = [one.household for one in self._appliances]
        out = np.array([not (one.home_by_day or free_day(one, day)) for one in homes])
        leaves = np.array([one.leaves for one in homes]) + uniform(self._homes, 2 * day + 1) - 0.5
        returns = np.array([one.returns for one in homes]) + uniform(self._homes, 2 * day + 2) - 0.5
        hour = self._hour(day, times) % 24.0
        return np.asarray(~((hour > leaves) & (hour < returns) & out), dtype=np.float64)

    def _awake(self, day: int, times: NDArray[np.int64]) -> Floats:
        homes = [one.household for one in self._appliances]
        wake, sleep = np.array([one.wake for one in homes]), np.array([one.sleep for one in homes])
        hour = self._hour(day, times) % 24.0
        return np.asarray(((hour >= wake) & (hour < sleep)) | (hour + 24.0 < sleep), dtype=np.float64)


_DRIVES: Mapping[str, Callable[[Surroundings, int, NDArray[np.int64]], Floats]] = {
    "ambient": Surroundings._ambient,  # noqa: SLF001  (the table of this class's own methods)
    "outdoor": Surroundings._outdoor,  # noqa: SLF001
    "door": Surroundings._door,  # noqa: SLF001
    "inlet": Surroundings._inlet,  # noqa: SLF001
    "draw": Surroundings._draw,  # noqa: SLF001
    "supply": Surroundings._supply,  # noqa: SLF001
    "presence": Surroundings._presence,  # noqa: SLF001
    "awake": Surroundings._awake,  # noqa: SLF001
}
DRIVES = {
    "ambient": "room temperature, Celsius",
    "outdoor": "outdoor temperature, Celsius",
    "door": "share of the step during which the door is open",
    "inlet": "temperature of the tap water, Celsius",
    "draw": "hot water drawn, L/min, mean of the step",
    "supply": "mains voltage over its nominal value",
    "presence": "1 while somebody is at home",
    "awake": "1 between the household's hours of waking and of going to bed",
}
"""What can surround an appliance, with units."""
HABITS = {
    "starts": "runs a day",
    "load": "load of a run",
    "openings": "door openings a day",
    "draws": "draws of hot water a day",
}
"""What a spell can change of a household's habits, as factors."""

_Drawn = Callable[[int, Appliance, int, float], tuple[Floats, Floats, Floats]]


def habit_factor(spells: Sequence[Spell], habit: str, at: int) -> float:
    """By how much the spells on an appliance change a habit at a fleet time."""
    value = np.ones(1)
    for spell in spells:
        what: Influence | None = spell.influences.get(HABIT + habit)
        if what is not None:
            value = influence(value, what, spell.level(np.array([at], dtype=np.int64)))
    return float(value[0])


def _seconds(local_hours: Floats, appliance: Appliance, day: int) -> Floats:
    return np.asarray((local_hours * 3600.0 - utc_offset(appliance.household.tz, day)) % _DAY_SECONDS)


def _openings(seed: int, appliance: Appliance, day: int, factor: float) -> tuple[Floats, Floats, Floats]:
    """Door openings of one day: begin (seconds of the day), length (seconds), and 1."""
    habit = generator(seed, appliance.index, "door_habit").uniform(0.6, 1.4)
    rng = generator(seed, appliance.index, "doors", day)
    count = int(rng.poisson(_OPENINGS * habit * appliance.household.busy * factor))
    local = rng.choice(np.array([7.5, 12.0, 18.5]), size=count, p=[0.3, 0.25, 0.45]) + rng.normal(0.0, 1.6, size=count)
    anywhen = rng.random(count) < 0.25  # noqa: PLR2004  (a quarter of the openings follow no meal)
    local = np.where(anywhen, rng.uniform(6.0, 24.0, size=count), local)
    last = np.minimum(rng.gamma(2.0, 9.0, size=count), 240.0)
    return _seconds(local, appliance, day), last, np.ones(count)


def _hot_water(seed: int, appliance: Appliance, day: int, factor: float) -> tuple[Floats, Floats, Floats]:
    """Draws of one day: begin, length, L/min. Showers in the morning and evening, and taps all day."""
    home = appliance.household
    people = home.busy * factor
    rng = generator(seed, appliance.index, "hot_water", day)
    showers, taps = int(rng.poisson(1.8 * people)), int(rng.poisson(10.0 * people))
    late = 1.5 if free_day(home, day) else 0.0
    when = rng.choice(np.array([home.wake + 0.5 + late, home.sleep - 1.5]), size=showers) + rng.normal(
        0.0, 0.8, size=showers
    )
    local = np.concatenate((when, rng.normal(14.5, 4.5, size=taps)))
    last = np.concatenate((rng.uniform(200.0, 480.0, size=showers), rng.uniform(15.0, 90.0, size=taps)))
    rate = np.concatenate((rng.uniform(4.5, 7.0, size=showers), rng.uniform(2.0, 4.5, size=taps)))
    return _seconds(local, appliance, day), last, rate


@dataclass(frozen=True, slots=True)
class Start:
    """One run that a household starts.

    Attributes:
        number: of the day, the key of its noise.
        begin: fleet time, microseconds, on the physics' grid.
        programme: name.
        load: dry mass, kg (or place settings).
        imbalance: 1 on average.
    """

    number: int
    begin: int
    programme: str
    load: float
    imbalance: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What decides the runs of one appliance.

    Attributes:
        world: scenario, seed and start.
        appliance: whose.
        habits: of the kind.
        programmes: of the kind.
        capacity: largest load.
        spells: on the appliance.
        step: microseconds of a physics step.
    """

    world: World
    appliance: Appliance
    habits: Habits
    programmes: Mapping[str, Programme]
    capacity: float
    spells: tuple[Spell, ...]
    step: int

    def runs(self, day: int) -> list[Start]:
        """The runs of one UTC day, each three and a half hours or more after the one before."""
        before = self._wishes(day - 1)
        last = before[-1].begin if before else 0
        found: list[Start] = []
        for start in self._wishes(day):
            if start.begin - last >= _APART:
                found.append(start)
            last = start.begin
        return found

    def _wishes(self, day: int) -> list[Start]:
        seed, index, habits = self.world.seed, self.appliance.index, self.habits
        own = habits.load + habits.load_between * generator(seed, index, "wash_habit").standard_normal()
        rng = generator(seed, index, "washes", day)
        noon = day * DAY + DAY // 2
        mean = (
            habits.starts
            * habit_factor(self.spells, "starts", noon)
            * (habits.weekend if free_day(self.appliance.household, day) else 1.0)
        )
        count = min(int(rng.poisson(mean)), 3)
        slots = np.sort(rng.permutation(3)[:count])
        names = sorted(self.programmes)
        found: list[Start] = []
        for number, slot in enumerate(slots):
            local = 7.0 + 5.5 * float(slot) + float(rng.uniform(0.0, 2.0))
            seconds = (local * 3600.0 - utc_offset(self.appliance.household.tz, day)) % _DAY_SECONDS
            begin = (day * DAY + int(seconds) * MICROS) // self.step * self.step
            load = (own + habits.load_within * float(rng.standard_normal())) * habit_factor(self.spells, "load", begin)
            found.append(
                Start(
                    number=number,
                    begin=begin,
                    programme=str(rng.choice(names, p=self._shares(names, begin))),
                    load=float(np.clip(load, habits.least, self.capacity)),
                    imbalance=float(np.exp(0.1 * rng.standard_normal())),
                )
            )
        return sorted(found, key=lambda one: one.begin)

    def _shares(self, names: Sequence[str], at: int) -> Floats:
        weights = np.array([self.programmes[name].share for name in names])
        for spell in self.spells:
            for number, name in enumerate(names):
                what = spell.influences.get(f"programme.{name}")
                if what is not None:
                    level = spell.level(np.array([at], dtype=np.int64))
                    weights[number] = float(influence(weights[number : number + 1], what, level)[0])
        return np.asarray(weights / weights.sum())
