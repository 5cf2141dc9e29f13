"""All washing machines of a fleet: a day's washes are simulated together, each with the wear it starts with."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_sim import homes
from firmware_sim.chance import generator
from firmware_sim.firmware import Body, Sampler
from firmware_sim.physics import washing_machine as physics
from firmware_sim.scenario import Appliance, World
from firmware_sim.wear import DAY, DeviceWear
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

STEP = round(physics.STEP) * MICROS
_NOISE = np.array([1.5, 2.0, 0.05, 0.12, 0.08, 0.03])
_OFFSET = np.array([0.5, 1.0, 0.08, 0.25, 0.04, 0.05])
_SCALE = np.array([10.0, 1.0, 100.0, 100.0, 1000.0, 100.0])
_SPREAD = {
    "heater_power": 0.02,
    "motor_power": 0.03,
    "spin_power": 0.03,
    "pump_flow": 0.035,
    "fill_flow": 0.08,
    "spin_top": 0.015,
    "vibration": 0.07,
}
_MOST_STEPS = 4 * 3600 * MICROS // STEP


@dataclass(frozen=True, slots=True)
class Ran:
    """One wash that was simulated: its readings on the physics' grid and the stage of each step."""

    member: int
    wash: homes.Wash
    rows: NDArray[np.float64]
    stages: NDArray[np.int64]

    @property
    def end(self) -> int:
        """Fleet time of the first reading after the programme."""
        return self.wash.begin + len(self.rows) * STEP


class _Saved(msgspec.Struct):
    now: int


class WashingMachines:
    """The group of one kind; `now` is the fleet time reached."""

    def __init__(
        self,
        world: World,
        devices: Sequence[Appliance],
        kind: KindSpec,
        wear: Sequence[DeviceWear],
    ) -> None:
        self.devices = list(devices)
        self._world, self._seed, self._start = world, world.seed, world.start
        self._kind = kind
        self._wear = list(wear)
        units = [generator(world.seed, d.index, "unit") for d in self.devices]
        self._units = [_unit(kind.models[d.model].parameters, rng) for d, rng in zip(self.devices, units, strict=True)]
        self._offset = [_OFFSET * rng.standard_normal(len(_OFFSET)) for rng in units]
        self._phase = [int(generator(world.seed, d.index, "report").integers(0, 3600)) * MICROS for d in self.devices]
        self.now = world.start
        self._queue: list[tuple[int, int, int, Body]] = []
        self._busy: list[list[tuple[int, int]]] = [[] for _ in self.devices]
        self._count = 0
        self._planned = world.start // DAY - 1
        self._load_to(world.start)

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
        """Simulate again what a repaired machine has not begun yet."""
        began = self._running_until(member)
        self._queue = [entry for entry in self._queue if not (entry[1] == member and entry[3].t > began)]
        heapq.heapify(self._queue)
        self._busy[member] = [one for one in self._busy[member] if one[0] < began]
        for day in range(self.now // DAY, self._planned + 1):
            self._plan(day, only=member, after=began)

    def snapshot(self) -> bytes:
        """The whole state; washes are simulated again from it."""
        return msgspec.msgpack.encode(_Saved(self.now))

    def restore(self, data: bytes) -> None:
        """Take a state made by `snapshot` of the same fleet with the same repairs."""
        self.now = msgspec.msgpack.decode(data, type=_Saved).now
        self._queue = []
        self._busy = [[] for _ in self.devices]
        self._planned = self.now // DAY - 2
        self._load_to(self.now)
        while self._queue and self._queue[0][0] <= self.now:
            heapq.heappop(self._queue)

    def _running_until(self, member: int) -> int:
        """End of the wash under way, or now."""
        return max([self.now, *(end for begin, end in self._busy[member] if begin <= self.now)])

    def _load_to(self, at: int) -> None:
        while self._planned < at // DAY:
            self._planned += 1
            self._plan(self._planned)

    def _plan(self, day: int, only: int | None = None, after: int = 0) -> None:
        members = range(len(self.devices)) if only is None else (only,)
        wanted = [
            (member, wash)
            for member in members
            for wash in homes.washes(self._world, self.devices[member], day, self._units[member]["capacity"])
            if wash.begin >= max(after, self._start)
        ]
        for member in members:
            self._busy[member] = [one for one in self._busy[member] if one[0] >= (day - 2) * DAY]
        for one in self._run(wanted):
            self._push(one.member, self._messages(one))
            self._busy[one.member].append((one.wash.begin, one.end))
        for member in members:
            self._push(member, self._idle(member, day, after))

    def _push(self, member: int, bodies: list[Body]) -> None:
        for body in bodies:
            self._count += 1
            heapq.heappush(self._queue, (body.done, member, self._count, body))

    def _run(self, wanted: Sequence[tuple[int, homes.Wash]]) -> list[Ran]:
        """Simulate washes together, aligned at their starts."""
        if not wanted:
            return []
        programmes = [physics.PROGRAMMES[wash.programme] for _, wash in wanted]
        p = physics.Parameters.gather([self._units[member] for member, _ in wanted])
        wear = np.array([self._wear[member].levels(wash.begin) for member, wash in wanted])
        job = physics.Job(
            stages=physics.stage_table(programmes),
            target=np.array([one.target for one in programmes]),
            wash=np.array([one.wash for one in programmes]),
            spin=p.spin_top * np.array([one.spin for one in programmes]),
            spin_seconds=np.array([one.spin_seconds for one in programmes]),
            load=np.array([wash.load for _, wash in wanted]),
            imbalance=np.array([wash.imbalance for _, wash in wanted]),
            inlet=np.array([wash.inlet for _, wash in wanted]),
        )
        state = physics.initial(job)
        rows, stages = [], []
        for _ in range(_MOST_STEPS):
            stage = physics.stage_of(job, state)
            rows.append(physics.output(p, job, state, wear))
            stages.append(stage)
            if bool((stage == physics.Stage.END).all()):
                break
            state = physics.next_state(p, job, state, wear)
        every, codes = np.array(rows), np.array(stages)
        found = []
        for i, (member, wash) in enumerate(wanted):
            length = int(np.argmax(codes[:, i] == physics.Stage.END))
            found.append(Ran(member, wash, self._read(member, wash, every[:length, i]), codes[:length, i]))
        return found

    def _read(self, member: int, wash: homes.Wash, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sensor noise, offsets, limits and resolution."""
        day = wash.begin // DAY
        rng = generator(self._seed, self.devices[member].index, f"noise{wash.number}", day)
        noisy = rows + self._offset[member] + _NOISE * rng.standard_normal(rows.shape)
        noisy[:, 1] = np.where(rows[:, 1] > 0.0, noisy[:, 1], 0.0)
        rounded: NDArray[np.float64] = np.rint(np.maximum(noisy, 0.0) * _SCALE) / _SCALE
        return rounded

    def _messages(self, ran: Ran) -> list[Body]:
        sampler = Sampler(self.devices[ran.member].index, physics.CHANNELS, self._kind.phases, STEP)
        edges = [0, *(np.flatnonzero(np.diff(ran.stages)) + 1).tolist(), len(ran.rows)]
        first = ran.wash.begin // STEP
        found: list[Body] = []
        for begin, end in itertools.pairwise(edges):
            phase = physics.Stage(int(ran.stages[begin])).name.lower()
            found += sampler.take(phase, first + begin, ran.rows[begin:end])
        found += sampler.flush(ran.end // STEP)
        found[0] = msgspec.structs.replace(found[0], events=(f"programme:{ran.wash.programme}",))
        rested = self._resting(ran.member, ran.end)
        gave_up = len(ran.stages) > 0 and ran.stages[-1] == physics.Stage.DRAIN
        return [*found, msgspec.structs.replace(rested, events=("error:drain_timeout",)) if gave_up else rested]

    def _idle(self, member: int, day: int, after: int) -> list[Body]:
        """One reading an hour of a machine that stands by."""
        times = range(day * DAY + self._phase[member], (day + 1) * DAY, 3600 * MICROS)
        return [
            self._resting(member, at)
            for at in times
            if at > max(after, self._start) and not any(begin <= at <= end for begin, end in self._busy[member])
        ]

    def _resting(self, member: int, at: int) -> Body:
        rng = generator(self._seed, self.devices[member].index, "standby", at // MICROS)
        offset = self._offset[member]
        power = round(max(1.0 + float(offset[0]) * 0.2 + 0.05 * float(rng.standard_normal()), 0.1), 1)
        water = round(19.0 + float(offset[3]) + 0.3 * float(rng.standard_normal()), 2)
        q: dict[str, float | list[float | None] | None] = {
            "power": power,
            "drum_speed": 0.0,
            "water_level": 0.0,
            "water_temp": water,
            "vibration": 0.05,
            "load": 0.0,
        }
        return Body(device=self.devices[member].index, done=at, t=at, q=q, phase="idle")


def _unit(model: dict[str, float], rng: np.random.Generator) -> dict[str, float]:
    draws = {name: 1.0 + share * float(rng.standard_normal()) for name, share in _SPREAD.items()}
    return {name: value * draws.get(name, 1.0) for name, value in model.items()}
