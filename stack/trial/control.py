"""The control fleet: the same devices without the product, mended only after they have failed.

Beside its faults it keeps what plain thresholds on single channels would have seen.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_sim.chance import generator
from firmware_sim.firmware import Body
from firmware_sim.fleet import Fleet
from firmware_sim.scenario import Scenario
from firmware_sim.wear import DAY, HOUR, Fault
from stack.trial.record import DailyPeaks
from telemetry.catalogue import Catalogue

Floats = NDArray[np.float64]
_LEARN_HOURS = 7 * 24
"""Hours with a reading until a channel is judged at all."""
_MEMORY_HOURS = 7 * 24.0
"""Time constant of the moving mean and spread."""
_LEAST_SPREAD = 1e-3
_LEAST_WAIT = 0.5


@dataclass(slots=True)
class _Kind:
    """The channels of one kind: moving mean and variance of their hourly means, arrays of (devices, channels)."""

    devices: list[str]
    member: dict[int, int]
    channels: tuple[str, ...]
    total: Floats
    count: Floats
    mean: Floats
    variance: Floats
    seen: NDArray[np.int64]
    today: Floats
    days: list[Floats]


class ControlFleet:
    """Lives beside the fleet.

    Args:
        scenario: of the fleet; its costs say how long an appointment takes.
        seed: of the fleet.
        start: of the fleet, microseconds.
        base: the product's catalogue.
        only: numbers of its devices.
    """

    def __init__(self, scenario: Scenario, seed: int, start: int, base: Catalogue, only: Collection[int]) -> None:
        self._fleet = Fleet(scenario, seed, start, base, only=only)
        self._seed, self._wait = seed, scenario.costs.appointment_days
        self._hour, self._day = start // HOUR, 0
        self._start = start
        self._due: dict[tuple[str, int], int] = {}
        self._kinds = {kind: self._made(kind) for kind in dict.fromkeys(one.kind for one in self._fleet.devices)}
        self._of = {one.index: self._kinds[one.kind] for one in self._fleet.devices}

    def _made(self, kind: str) -> _Kind:
        members = [one for one in self._fleet.devices if one.kind == kind]
        channels = tuple(self._fleet.catalogue[kind].channels)
        shape = len(members), len(channels)
        return _Kind(
            devices=[one.key for one in members],
            member={one.index: number for number, one in enumerate(members)},
            channels=channels,
            total=np.zeros(shape),
            count=np.zeros(shape),
            mean=np.zeros(shape),
            variance=np.zeros(shape),
            seen=np.zeros(shape, dtype=np.int64),
            today=np.zeros(shape),
            days=[],
        )

    def advance(self, to: int) -> None:
        """Let time pass, in steps of an hour at most; appliances that have failed are mended when somebody comes."""
        while self._fleet.now < to:
            goal = min(to, (self._fleet.now // HOUR + 1) * HOUR)
            self._add(self._fleet.advance(goal))
            if goal // HOUR > self._hour:
                self._hour = goal // HOUR
                self._judge()
                self._mend(goal)
            if (goal - self._start) // DAY > self._day:
                self._end_day()

    def truth(self) -> list[Fault]:
        """Every fault that has begun."""
        return self._fleet.truth()

    def peaks(self) -> list[DailyPeaks]:
        """Of all whole days, by kind."""
        return [
            DailyPeaks.of(
                name,
                tuple(kind.devices),
                kind.channels,
                np.stack(kind.days, axis=1) if kind.days else np.zeros((len(kind.devices), 0, len(kind.channels))),
            )
            for name, kind in sorted(self._kinds.items())
        ]

    def _add(self, bodies: Iterable[Body]) -> None:
        for body in bodies:
            kind = self._of[body.device]
            row = kind.member[body.device]
            for column, name in enumerate(kind.channels):
                values = body.q.get(name)
                if values is None:
                    continue
                if isinstance(values, list):
                    known = values if None not in values else [x for x in values if x is not None]
                    kind.total[row, column] += sum(known)  # type: ignore[arg-type]  # None was left out
                    kind.count[row, column] += len(known)
                else:
                    kind.total[row, column] += values
                    kind.count[row, column] += 1

    def _judge(self) -> None:
        """Compare the hour's means with what was usual, then learn from them."""
        for kind in self._kinds.values():
            there = kind.count > 0
            x = np.divide(kind.total, kind.count, out=np.zeros_like(kind.total), where=there)
            apart = x - kind.mean
            spread = np.sqrt(kind.variance) + _LEAST_SPREAD * np.maximum(np.abs(kind.mean), 1.0)
            judged = there & (kind.seen >= _LEARN_HOURS)
            z = np.where(judged, np.abs(apart) / spread, 0.0)
            np.maximum(kind.today, z, out=kind.today)
            weight = np.where(there, np.maximum(1.0 / (kind.seen + 1.0), 1.0 / _MEMORY_HOURS), 0.0)
            kind.mean += weight * apart
            kind.variance = (1.0 - weight) * (kind.variance + weight * apart**2)
            kind.seen += there
            kind.total[:] = 0.0
            kind.count[:] = 0.0

    def _end_day(self) -> None:
        self._day += 1
        for kind in self._kinds.values():
            kind.days.append(kind.today.copy())
            kind.today[:] = 0.0

    def _mend(self, now: int) -> None:
        """Nobody comes before an appliance has failed; then it takes some days."""
        for fault in self._fleet.truth():
            if fault.repaired is not None or fault.failure > now:
                continue
            key = fault.device, fault.onset
            if key not in self._due:
                self._due[key] = fault.failure + self._appointment(fault)
            if self._due[key] <= now:
                self._fleet.repair(fault.device, fault.family, now, "breakdown")

    def _appointment(self, fault: Fault) -> int:
        """How long after a failure somebody comes: half a mean wait at least, the rest exponential."""
        rng = generator(self._seed, -1, "appointment", zlib.crc32(f"{fault.device} {fault.onset}".encode()))
        days = self._wait * (_LEAST_WAIT + (1.0 - _LEAST_WAIT) * float(rng.standard_exponential()))
        return round(days * DAY)
