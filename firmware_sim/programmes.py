"""All appliances of a fleet that run programmes: a day's runs are simulated together, each with its wear."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_sim import chance
from firmware_sim.chance import generator
from firmware_sim.compiled import run_to_end
from firmware_sim.firmware import Body
from firmware_sim.homes import Start, Surroundings, Usage
from firmware_sim.mechanism import Acting, steer
from firmware_sim.physics.base import Floats, Ints, Job, ProgrammePhysics
from firmware_sim.units import METERED, Group, Units
from firmware_sim.wear import DAY, HOUR
from telemetry.clock import MICROS, seconds_to_micros

_LONGEST = 5 * HOUR
_TOGETHER = 200
"""Runs that are simulated at once: more of them need more memory and are no faster."""
_NOTHING = np.zeros(0)
_MINUTE = 60 * MICROS
_AROUND = ("ambient", "inlet", "supply")
_RESTING_NOISE = 0.2
"""A machine that stands by is read more quietly: share of its sensors' noise and offset."""
_ROOM, _ROOM_NOISE = 19.0, 0.5
"""What a sensor shows that has taken the room's temperature, Celsius."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run that was simulated.

    Attributes:
        member: whose.
        start: of the run.
        steps: how long it took on the physics' grid.
        step: of that grid, microseconds.
        error: it ended with, or empty.
        rows: its readings, shape (steps, channels); forgotten once its messages are made.
        stages: of each step, likewise.
        power: at each step, for whoever meters it; empty otherwise.
    """

    member: int
    start: Start
    steps: int
    step: int
    error: str
    rows: Floats
    stages: Ints
    power: Floats

    @property
    def end(self) -> int:
        """Fleet time of the first reading after the programme."""
        return self.start.begin + self.steps * self.step


class _Saved(msgspec.Struct):
    now: int


class Programmes:
    """A group; `now` is the fleet time reached."""

    def __init__(self, group: Group) -> None:
        if not isinstance(group.physics, ProgrammePhysics):
            raise TypeError(f"{group.physics.kind} never ends")
        self._physics: ProgrammePhysics[Any, Any] = group.physics
        self.devices = group.devices
        self._world = group.world
        self._units = Units(group)
        self._length = seconds_to_micros(group.physics.step)
        self._around = Surroundings(group.world, self.devices, group.spells, HOUR, _AROUND)
        scenario = group.world.scenario
        habits = scenario.habits_of(group.physics.kind, group.physics.habits)
        self._usage = [
            Usage(
                world=group.world,
                appliance=device,
                habits=habits,
                programmes=scenario.programmes_of(group.physics.kind, group.physics.programmes),
                capacity=model.get(group.physics.habits.capacity, np.inf),
                spells=spells,
                step=self._length,
            )
            for device, model, spells in zip(self.devices, self._units.models, group.spells, strict=True)
        ]
        self._phase = [
            int(generator(self._world.seed, d.index, "report").integers(0, 3600)) * MICROS for d in self.devices
        ]
        self._standby = chance.keys(self._world.seed, [d.index for d in self.devices], "standby")
        self._metered = [METERED in self._units.sampler(m, self._length).phases for m in range(len(self.devices))]
        self.now = self._world.start
        self._queue: list[tuple[int, int, int, Body]] = []
        self._ran: list[list[Ran]] = [[] for _ in self.devices]
        self._count = 0
        self._planned = self._world.start // DAY - 1
        self._load_to(self._world.start)

    def advance(self, to: int) -> list[Body]:
        """Advance to a fleet time; messages completed on the way."""
        found: list[Body] = []
        while self.now < to:
            edge = min(to, (self.now // DAY + 1) * DAY)
            if edge // DAY > self._planned:
                self._load_to(edge)
            while self._queue and self._queue[0][0] <= edge:
                found.append(heapq.heappop(self._queue)[-1])
            self.now = edge
        return found

    def mended(self, member: int) -> None:
        """Simulate again what a machine whose wear has changed has not begun yet."""
        began = max([self.now, *(one.end for one in self._ran[member] if one.start.begin <= self.now)])
        self._queue = [entry for entry in self._queue if not (entry[1] == member and entry[3].t > began)]
        heapq.heapify(self._queue)
        self._ran[member] = [one for one in self._ran[member] if one.start.begin < began]
        for day in range(self.now // DAY, self._planned + 1):
            self._plan(day, only=member, after=began)

    @property
    def samples(self) -> int:
        """How many values the sensors have read."""
        return self._units.sensors.samples

    def self_test(self, member: int, at: int) -> dict[str, float]:
        """What the test routine of a member measures."""
        return self._units.self_test(member, at)

    def busy(self, member: int, at: int) -> bool:
        """Whether a programme runs."""
        return any(one.start.begin <= at < one.end for one in self._ran[member])

    def snapshot(self) -> bytes:
        """The whole state; runs are simulated again from it."""
        return msgspec.msgpack.encode(_Saved(self.now))

    def restore(self, data: bytes) -> None:
        """Take a state made by `snapshot` of the same fleet with the same interventions."""
        self.now = msgspec.msgpack.decode(data, type=_Saved).now
        self._queue = []
        self._ran = [[] for _ in self.devices]
        self._planned = self.now // DAY - 2
        self._load_to(self.now)
        while self._queue and self._queue[0][0] <= self.now:
            heapq.heappop(self._queue)

    def _load_to(self, at: int) -> None:
        while self._planned < at // DAY:
            self._planned += 1
            self._plan(self._planned)

    def _plan(self, day: int, only: int | None = None, after: int = 0) -> None:
        members = range(len(self.devices)) if only is None else (only,)
        wanted = [
            (member, start)
            for member in members
            for start in self._usage[member].runs(day)
            if start.begin >= max(after, self._world.start)
        ]
        for member in members:
            self._ran[member] = [one for one in self._ran[member] if one.start.begin >= (day - 2) * DAY]
        for first in range(0, len(wanted), _TOGETHER):
            for one in self._run(wanted[first : first + _TOGETHER]):
                if any(other.end > one.start.begin for other in self._ran[one.member]):
                    continue  # The machine still runs: nobody can start it.
                if not self._metered[one.member]:
                    self._push(one.member, self._messages(one))
                self._ran[one.member].append(replace(one, rows=_NOTHING, stages=_NOTHING.astype(np.int64)))
        for member in members:
            self._push(
                member, self._metering(member, day, after) if self._metered[member] else self._idle(member, day, after)
            )

    def _push(self, member: int, bodies: list[Body]) -> None:
        for body in bodies:
            self._count += 1
            heapq.heappush(self._queue, (body.done, member, self._count, body))

    def _run(self, wanted: Sequence[tuple[int, Start]]) -> list[Ran]:
        """Simulate runs together, aligned at their starts."""
        if not wanted:
            return []
        physics = self._physics
        acting = [self._units.acting(start.begin, member, row) for row, (member, start) in enumerate(wanted)]
        every_acting = [one for some in acting for one in some]
        p = self._units.parameters([member for member, _ in wanted], every_acting)
        job = self._job(wanted, every_acting)
        state, every, codes, lasted = run_to_end(physics, p, job, _LONGEST // self._length)
        errors, power = physics.error(p, state), list(physics.channels).index("power")
        found = []
        for i, (member, start) in enumerate(wanted):
            length = int(lasted[i])
            error = physics.errors[int(errors[i])] if errors[i] >= 0 else ""
            first = start.begin // self._length
            alone = [replace(one, row=0) for one in acting[i]]
            read = self._units.sensors.read(every[:length, i : i + 1], first, alone, rows=[member])
            metered = read[:, 0, power].copy() if self._metered[member] else _NOTHING
            found.append(Ran(member, start, length, self._length, error, read[:, 0], codes[:length, i].copy(), metered))
        return found

    def _job(self, wanted: Sequence[tuple[int, Start]], acting: Sequence[Acting]) -> Job:
        """What the households ask, with what surrounds the machines in the hour of the start."""
        programmes = [self._physics.programmes[start.programme] for _, start in wanted]
        longest = max(len(one.stages) for one in self._physics.programmes.values()) + 1
        end = self._physics.end
        day = wanted[0][1].begin // DAY
        around = self._around.drives(day * (DAY // HOUR), DAY // HOUR)
        at = np.array([(start.begin - day * DAY) // HOUR for _, start in wanted])
        who = np.array([member for member, _ in wanted])
        drives = {name: values[at, who] for name, values in around.items()}
        steer(drives, acting)
        return Job(
            stages=np.array(
                [[*one.stages, *[end] * (longest - len(one.stages))] for one in programmes], dtype=np.int64
            ),
            settings={
                name: np.array([one.settings[name] for one in programmes], dtype=np.float64)
                for name in programmes[0].settings
            },
            load=np.array([start.load for _, start in wanted]),
            imbalance=np.array([start.imbalance for _, start in wanted]),
            **drives,
        )

    def _messages(self, ran: Ran) -> list[Body]:
        sampler = self._units.sampler(ran.member, self._length)
        edges = [0, *(np.flatnonzero(np.diff(ran.stages)) + 1).tolist(), len(ran.rows)]
        first = ran.start.begin // self._length
        found: list[Body] = []
        for begin, end in itertools.pairwise(edges):
            found += sampler.take(self._physics.stages[int(ran.stages[begin])], first + begin, ran.rows[begin:end])
        found += sampler.flush(ran.end // self._length)
        found[0] = msgspec.structs.replace(found[0], events=(f"programme:{ran.start.programme}",))
        (rested,) = self._resting(ran.member, [ran.end])
        return [*found, msgspec.structs.replace(rested, events=(ran.error,)) if ran.error else rested]

    def _idle(self, member: int, day: int, after: int) -> list[Body]:
        """One reading an hour of a machine that stands by."""
        times = range(day * DAY + self._phase[member], (day + 1) * DAY, HOUR)
        busy = [(one.start.begin, one.end) for one in self._ran[member]]
        first = max(after, self._world.start)
        return self._resting(
            member, [at for at in times if at > first and not any(begin <= at <= end for begin, end in busy)]
        )

    def _resting(self, member: int, times: Sequence[int]) -> list[Body]:
        device, channels = self.devices[member].index, tuple(self._physics.channels)
        values = self._still(member, np.array(times, dtype=np.int64)).tolist()
        return [
            Body(device=device, done=at, t=at, q=dict(zip(channels, row, strict=True)), phase="idle")
            for at, row in zip(times, values, strict=True)
        ]

    def _still(self, member: int, at: NDArray[np.int64]) -> Floats:
        """Readings of a machine that stands by, shape (times, channels)."""
        sensors = list(self._physics.channels.values())
        found = np.empty((len(at), len(sensors)))
        for number, (name, sensor) in enumerate(self._physics.channels.items()):
            value = self._physics.resting[name]
            offset = float(self._units.offsets[member, number])
            draw = 2.0 * chance.uniform(self._standby[member : member + 1], at // MICROS * len(sensors) + number) - 1.0
            if value is None:
                found[:, number] = _ROOM + offset + _ROOM_NOISE * draw
            elif value == 0.0:
                found[:, number] = 0.0
                continue
            else:
                found[:, number] = value + _RESTING_NOISE * (offset + sensor.noise * draw)
            scale = 1.0 / sensor.resolution
            found[:, number] = np.maximum(np.rint(found[:, number] * scale) / scale, sensor.low)
        return found

    def _metering(self, member: int, day: int, after: int) -> list[Body]:
        """A day of a plug, an hour a message: what the machine draws while it runs and stands by, by one meter."""
        begin = max(day * DAY, -(-max(after, self._world.start) // HOUR) * HOUR)
        times = np.arange(begin, (day + 1) * DAY, _MINUTE, dtype=np.int64)
        if not len(times):
            return []
        power = list(self._physics.channels).index("power")
        values = self._still(member, times)[:, power]
        for hour in np.unique(times // HOUR).tolist():
            at, acting = times // HOUR == hour, self._units.acting(hour * HOUR, member, 0)
            values[at] = self._units.sensors.at_rest(values[at], hour * (HOUR // _MINUTE), acting, member, "power")
        for ran in self._ran[member]:
            inside = np.flatnonzero((times >= ran.start.begin) & (times < ran.end))
            values[inside] = ran.power[(times[inside] - ran.start.begin) // self._length]
        sampler = self._units.sampler(member, _MINUTE)
        bodies = sampler.take(METERED, begin // _MINUTE, values[:, None])
        # An interval that somebody has set need not fill the day's last message.
        bodies += sampler.flush((day + 1) * DAY // _MINUTE)
        return [msgspec.structs.replace(body, phase=None) for body in bodies]
