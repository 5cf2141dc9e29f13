"""All appliances of a fleet that share a physics without an end, advanced together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_sim.chance import generator
from firmware_sim.compiled import run_on
from firmware_sim.firmware import Body, Gathered
from firmware_sim.homes import Surroundings
from firmware_sim.mechanism import Acting, steer
from firmware_sim.physics.base import ContinuousPhysics, Floats
from firmware_sim.units import METERED, Group, Units
from firmware_sim.wear import DAY, HOUR
from telemetry.clock import seconds_to_micros

_MOST_NUMBERS = 1_500_000
"""Numbers of a stretch of readings, so that ten thousand appliances need no more memory than a hundred."""


class _Saved(msgspec.Struct):
    step: int
    state: dict[str, list[float]]
    acting: list[Acting]
    failed: list[bool]
    alarms: list[int]
    samplers: list[Gathered | None]


class Continuous:
    """A group; `step` is the number of the last step taken, counted from the epoch."""

    def __init__(self, group: Group) -> None:
        if not isinstance(group.physics, ContinuousPhysics):
            raise TypeError(f"{group.physics.kind} runs programmes")
        self._physics: ContinuousPhysics[Any, Any] = group.physics
        self.devices = group.devices
        self._units = Units(group)
        self._length = seconds_to_micros(group.physics.step)
        self._wear_steps = max(HOUR // self._length, 1)
        self._around = Surroundings(group.world, self.devices, group.spells, self._length, group.physics.drives)
        members = range(len(self.devices))
        self._samplers = [self._units.sampler(member, self._length) for member in members]
        self._columns = [self._units.columns(member) for member in members]
        self._metered = [METERED in sampler.phases for sampler in self._samplers]
        self.step = group.world.start // self._length
        drive = {name: values[0] for name, values in self._around.drives(self.step, 1).items()}
        place = np.array([generator(group.world.seed, d.index, "place").uniform(0.05, 0.95) for d in self.devices])
        self._acting: list[Acting] = []
        self._load_wear(self.step)
        self._state = self._physics.initial(self._units.parameters(None, []), drive, place)
        self._failed = np.zeros(len(self.devices), dtype=bool)
        self._alarms = np.full(len(self.devices), -1, dtype=np.int64)

    def advance(self, to: int) -> list[Body]:
        """Advance to a fleet time; messages completed on the way."""
        found: list[Body] = []
        last = to // self._length
        a_day = DAY // self._length
        most = max(_MOST_NUMBERS // max(len(self.devices) * len(self._physics.channels), 1), 1)
        while self.step < last:
            midnight = (self.step + 1) // a_day * a_day + a_day
            # Wear stands still inside an hour, and a stretch ends where it is looked at again.
            hour = ((self.step + 1) // self._wear_steps + 1) * self._wear_steps
            found += self._stretch(min(last, midnight - 1, hour - 1, self.step + most))
        return found

    def mended(self, member: int) -> None:
        """Take a change of a member's wear over at once."""
        del member
        self._load_wear(self.step)

    def failed(self) -> NDArray[np.bool_]:
        """Which no longer do their work."""
        return np.asarray(self._physics.failed(self._parameters, self._state))

    @property
    def samples(self) -> int:
        """How many values the sensors have read."""
        return self._units.sensors.samples

    def self_test(self, member: int, at: int) -> dict[str, float]:
        """What the test routine of a member measures."""
        return self._units.self_test(member, at)

    def snapshot(self) -> bytes:
        """The whole state."""
        state = {one.name: getattr(self._state, one.name).astype(np.float64).tolist() for one in fields(self._state)}
        return msgspec.msgpack.encode(
            _Saved(
                self.step,
                state,
                self._acting,
                self._failed.tolist(),
                self._alarms.tolist(),
                [one.state for one in self._samplers],
            )
        )

    def restore(self, data: bytes) -> None:
        """Take a state made by `snapshot` of the same fleet."""
        saved = msgspec.msgpack.decode(data, type=_Saved)
        arrays = {
            one.name: np.array(saved.state[one.name]).astype(getattr(self._state, one.name).dtype)
            for one in fields(self._state)
        }
        self._state = self._physics.state(**arrays)
        self.step = saved.step
        self._failed, self._alarms = np.array(saved.failed, dtype=bool), np.array(saved.alarms, dtype=np.int64)
        for sampler, state in zip(self._samplers, saved.samplers, strict=True):
            sampler.state = state
        self._take(saved.acting)

    def _stretch(self, end: int) -> list[Body]:
        first, count = self.step + 1, end - self.step
        if first % self._wear_steps == 0:
            self._load_wear(first)
        drives = self._around.drives(first, count)
        steer(drives, self._acting)
        self._state, rows, codes = run_on(self._physics, self._parameters, self._state, drives)
        self.step = end
        self._notice_failures()
        readings = self._units.sensors.read(rows, first, self._acting)
        return self._sample(first, readings, codes)

    def _sample(self, first: int, rows: Floats, codes: NDArray[np.int64]) -> list[Body]:
        found: list[Body] = []
        changes = codes[1:] != codes[:-1]
        changing = np.flatnonzero(changes.any(axis=0))
        edges_of = {int(number): (np.flatnonzero(changes[:, number]) + 1).tolist() for number in changing}
        names = self._physics.phases
        for number, sampler in enumerate(self._samplers):
            columns = self._columns[number]
            bodies: list[Body] = []
            if self._metered[number]:
                taken = sampler.take(METERED, first, rows[:, number, columns])
                bodies = [msgspec.structs.replace(body, phase=None) for body in taken]
            else:
                edges = [0, *edges_of.get(number, ()), len(rows)]
                for begin, end in itertools.pairwise(edges):
                    bodies += sampler.take(names[codes[begin, number]], first + begin, rows[begin:end, number])
            found += self._with_alarm(number, bodies) if self._alarms[number] >= 0 else bodies
        return found

    def _notice_failures(self) -> None:
        """A failure is noticed at the end of a stretch that ends an hour, and said in the next message."""
        if not self._physics.error or (self.step + 1) % self._wear_steps:
            return
        failed = self.failed()
        self._alarms[failed & ~self._failed] = self.step
        self._failed = failed

    def _with_alarm(self, number: int, bodies: list[Body]) -> list[Body]:
        for place, body in enumerate(bodies):
            if body.done > self._alarms[number] * self._length:
                self._alarms[number] = -1
                said = msgspec.structs.replace(body, events=(*body.events, self._physics.error))
                return [*bodies[:place], said, *bodies[place + 1 :]]
        return bodies

    def _load_wear(self, step: int) -> None:
        at = step * self._length
        self._take([one for member in range(len(self.devices)) for one in self._units.acting(at, member, member)])

    def _take(self, acting: Sequence[Acting]) -> None:
        self._acting = list(acting)
        self._parameters = self._units.parameters(None, self._acting)
