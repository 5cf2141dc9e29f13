"""All refrigerators of a fleet, advanced together: physics, wear, sensors and firmware."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from firmware_sim import homes
from firmware_sim.chance import generator
from firmware_sim.firmware import Body, Gathered, Sampler
from firmware_sim.physics import refrigerator as physics
from firmware_sim.scenario import Appliance, World
from firmware_sim.wear import DAY, DeviceWear
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

STEP = 30 * MICROS
"""Microseconds of a physics step."""
STEPS_A_DAY = DAY // STEP
_WEAR_STEPS = 3600 * MICROS // STEP
_NOISE = np.array([0.6, 0.08, 0.08, 0.08, 0.15, 9.0, 0.0])
_OFFSET = np.array([0.4, 0.15, 0.15, 0.2, 0.25, 6.0, 0.0])
_SCALE = np.array([10.0, 100.0, 100.0, 100.0, 100.0, 1.0, 1000.0])
_SPREAD = {
    "ua_fridge": 0.05,
    "ua_freezer": 0.05,
    "heat_fridge": 0.04,
    "heat_freezer": 0.04,
    "ua_condenser": 0.03,
    "compressor_power": 0.02,
    "fan_rpm": 0.015,
    "carnot": 0.02,
}
"""Relative standard deviation between units of one model."""


class _Saved(msgspec.Struct):
    step: int
    state: dict[str, list[float]]
    levels: list[list[float]]
    samplers: list[Gathered | None]


class Refrigerators:
    """The group of one kind; `step` is the number of the last step taken, counted from the epoch."""

    def __init__(
        self,
        world: World,
        devices: Sequence[Appliance],
        kind: KindSpec,
        wear: Sequence[DeviceWear],
    ) -> None:
        self.devices = list(devices)
        self._world, self._seed, self._start = world, world.seed, world.start
        self._wear = list(wear)
        units = [generator(world.seed, d.index, "unit") for d in self.devices]
        self._p = physics.Parameters.gather(
            [_unit(kind.models[d.model].parameters, rng) for d, rng in zip(self.devices, units, strict=True)]
        )
        self._offset = np.array([_OFFSET * rng.standard_normal(len(_OFFSET)) for rng in units]).reshape(
            -1, len(_OFFSET)
        )
        self._samplers = [Sampler(d.index, physics.CHANNELS, kind.phases, STEP) for d in self.devices]
        self.step = world.start // STEP
        self._day = -1
        self._load_day(self.step // STEPS_A_DAY)
        place = np.array([generator(world.seed, d.index, "place").uniform(0.05, 0.95) for d in self.devices])
        self._state = physics.initial(self._p, self._ambient[self.step % STEPS_A_DAY], place)
        self._levels = self._wear_now()

    def advance(self, to: int) -> list[Body]:
        """Advance to a fleet time; messages completed on the way."""
        found: list[Body] = []
        last = to // STEP
        while self.step < last:
            end = min(last, (self.step // STEPS_A_DAY + 1) * STEPS_A_DAY)
            found += self._chunk(end)
        return found

    def mended(self) -> None:
        """Take a change of wear over at once."""
        self._levels = self._wear_now()

    def health(self) -> NDArray[np.float64]:
        """1 new, 0 at functional failure, one for each device."""
        return physics.health(self._levels)

    def failed(self) -> NDArray[np.bool_]:
        """Which no longer keep food."""
        return physics.failed(self._state)

    def snapshot(self) -> bytes:
        """The whole state."""
        state = {name: getattr(self._state, name).astype(np.float64).tolist() for name in _FIELDS}
        return msgspec.msgpack.encode(
            _Saved(self.step, state, self._levels.tolist(), [one.state for one in self._samplers])
        )

    def restore(self, data: bytes) -> None:
        """Take a state made by `snapshot` of the same fleet."""
        saved = msgspec.msgpack.decode(data, type=_Saved)
        arrays = {name: np.array(values) for name, values in saved.state.items()}
        for name in ("running", "tripped"):
            arrays[name] = arrays[name].astype(bool)
        self._state = physics.State(**arrays)
        self.step = saved.step
        for sampler, state in zip(self._samplers, saved.samplers, strict=True):
            sampler.state = state
        self._load_day(self.step // STEPS_A_DAY)
        self._levels = np.array(saved.levels).reshape(-1, len(physics.FAULTS))

    def _chunk(self, end: int) -> list[Body]:
        first, count = self.step + 1, end - self.step
        rows = np.empty((count, len(self.devices), len(physics.CHANNELS)))
        running = np.empty((count, len(self.devices)), dtype=bool)
        dt = STEP / MICROS
        for i in range(count):
            step = first + i
            if step % STEPS_A_DAY == 0:
                self._load_day(step // STEPS_A_DAY)
            if step % _WEAR_STEPS == 0:
                self._levels = self._wear_now(step * STEP)
            at = step % STEPS_A_DAY
            ambient, door = self._ambient[at], self._door[at]
            self._state = physics.next_state(self._p, self._state, ambient, door, self._levels, dt=dt)
            rows[i] = physics.output(self._p, self._state, ambient, door, self._levels)
            rows[i] += self._noise[at]
            running[i] = self._state.running
        self.step = end
        return self._sample(first, self._read(rows, running), running)

    def _read(self, rows: NDArray[np.float64], running: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Sensor offsets, limits and resolution."""
        rows = rows + self._offset
        rows[:, :, 5] = np.where(running, np.maximum(rows[:, :, 5], 0.0), 0.0)
        rows[:, :, 0] = np.maximum(rows[:, :, 0], 0.0)
        rounded: NDArray[np.float64] = np.rint(rows * _SCALE) / _SCALE + 0.0
        return rounded

    def _sample(self, first: int, rows: NDArray[np.float64], running: NDArray[np.bool_]) -> list[Body]:
        found: list[Body] = []
        changes = running[1:] != running[:-1]
        for number, sampler in enumerate(self._samplers):
            edges = [0, *(np.flatnonzero(changes[:, number]) + 1).tolist(), len(rows)]
            for begin, end in itertools.pairwise(edges):
                phase = "cooling" if running[begin, number] else "idle"
                found += sampler.take(phase, first + begin, rows[begin:end, number])
        return found

    def _wear_now(self, at: int | None = None) -> NDArray[np.float64]:
        moment = self.step * STEP if at is None else at
        return np.array([one.levels(moment) for one in self._wear]).reshape(-1, len(physics.FAULTS))

    def _load_day(self, day: int) -> None:
        if day == self._day:
            return
        self._day = day
        times = day * DAY + STEP * np.arange(STEPS_A_DAY, dtype=np.int64)
        n = len(self.devices)
        self._ambient = np.empty((STEPS_A_DAY, n))
        self._door = np.empty((STEPS_A_DAY, n))
        self._noise = np.empty((STEPS_A_DAY, n, len(_NOISE)))
        for i, device in enumerate(self.devices):
            self._ambient[:, i] = homes.room(self._world, device, day, times)
            self._door[:, i] = homes.door_share(self._seed, device, day, STEPS_A_DAY)
            rng = generator(self._seed, device.index, "noise", day)
            self._noise[:, i] = rng.standard_normal((STEPS_A_DAY, len(_NOISE)), dtype=np.float32) * _NOISE


_FIELDS = tuple(physics.State.__dataclass_fields__)


def _unit(model: dict[str, float], rng: np.random.Generator) -> dict[str, float]:
    """The parameters of one unit: its model's, spread as production spreads them."""
    draws = {name: 1.0 + share * float(rng.standard_normal()) for name, share in _SPREAD.items()}
    unit = {name: value * draws.get(name, 1.0) for name, value in model.items()}
    unit["set_freezer"] += 0.3 * float(rng.standard_normal())
    unit["set_fridge"] += 0.3 * float(rng.standard_normal())
    return unit
