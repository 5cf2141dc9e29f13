"""Firmware: samples by phase, gathers them into messages with arrays, and says when each is complete."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.catalogue import PhaseSpec
from telemetry.clock import MICROS

FIRMWARE = "2.4.1"
"""What devices run before any update."""

Quantities = dict[str, float | list[float | None] | None]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What a device has to say, before it has a place in a sequence.

    Attributes:
        device: index in the fleet.
        done: fleet time at which the message is complete, microseconds.
        t: event time of the first reading, microseconds.
        q: channel to number or array.
        dt: microseconds between readings when `q` holds arrays.
        phase: of the catalogue, or None.
        events: codes.
        fw: firmware version.
    """

    device: int
    done: int
    t: int
    q: Quantities
    dt: int | None = None
    phase: str | None = None
    events: tuple[str, ...] = ()
    fw: str = FIRMWARE


def readings(body: Body) -> int:
    """How many readings a message holds."""
    return max((len(value) if isinstance(value, list) else 1 for value in body.q.values()), default=0)


class Gathered(msgspec.Struct, frozen=True):
    """The message that a sampler is filling, as it is snapshotted.

    Attributes:
        phase: of all its rows.
        first: step of the first row.
        due: the next step to sample.
        rows: sampled so far.
        stride: steps between rows.
    """

    phase: str
    first: int
    due: int
    rows: list[list[float]] = msgspec.field(default_factory=list)
    stride: int = 1


@dataclass(slots=True)
class _Filling:
    """The same on its way; `parts` are tables of rows, `count` how many rows they hold."""

    phase: str
    first: int
    due: int
    stride: int
    parts: list[NDArray[np.float64]] = field(default_factory=list)
    count: int = 0


@dataclass(slots=True)
class Intervals:
    """Sampling intervals that somebody has set on a device, each with its date.

    Attributes:
        dated: `(fleet time, phase or "" for all, seconds or 0 for the catalogue's)`, ascending.
    """

    dated: list[tuple[int, str, float]] = field(default_factory=list)

    def set(self, at: int, phase: str, seconds: float) -> None:
        """Sample a phase in this interval from a time on."""
        insort(self.dated, (at, phase, seconds))

    def every(self, phase: str, spec: PhaseSpec, at: int) -> float:
        """Seconds between samples of a phase at a fleet time."""
        found = 0.0
        for date, which, seconds in self.dated:
            if date > at:
                break
            if which in {"", phase}:
                found = seconds
        return found or spec.every

    def steps(self, first: int, end: int, step: int) -> list[int]:
        """The steps in `[first, end)` from which another interval holds."""
        if not self.dated:
            return []
        found = {-(-date // step) for date, _, _ in self.dated}
        return sorted(one for one in found if first <= one < end)


@dataclass(slots=True)
class Sampler:
    """Turns rows of sensor values on a fixed grid of steps into messages, one phase a message.

    Attributes:
        device: index in the fleet.
        channels: names of the columns.
        phases: of the catalogue.
        step: microseconds of a step; steps are counted from the epoch.
        intervals: what replaces the catalogue's intervals.
    """

    device: int
    channels: Sequence[str]
    phases: Mapping[str, PhaseSpec]
    step: int
    intervals: Intervals | None = field(default=None)
    _filling: _Filling | None = field(default=None, init=False)

    @property
    def state(self) -> Gathered | None:
        """The message under way, or None before the first step."""
        now = self._filling
        if now is None:
            return None
        rows = [row for part in now.parts for row in part.tolist()]
        return Gathered(now.phase, now.first, now.due, rows, now.stride)

    @state.setter
    def state(self, saved: Gathered | None) -> None:
        if saved is None:
            self._filling = None
            return
        parts = [np.array(saved.rows, dtype=np.float64)] if saved.rows else []
        self._filling = _Filling(saved.phase, saved.first, saved.due, saved.stride, parts, len(saved.rows))

    def take(self, phase: str, first: int, rows: NDArray[np.float64]) -> list[Body]:
        """Take consecutive steps of one phase.

        Args:
            phase: of all these steps.
            first: number of the first step; it follows the last one taken.
            rows: shape (steps, channels); NaN marks an absent reading.
        """
        end = first + len(rows)
        cuts = [] if self.intervals is None else self.intervals.steps(first, end, self.step)
        if not cuts:
            return self._fill(phase, first, rows)
        found: list[Body] = []
        begin = first
        for cut in cuts:
            found += self._fill(phase, begin, rows[begin - first : cut - first])
            found += self.flush(cut)
            self._filling = None
            begin = cut
        return found + self._fill(phase, begin, rows[begin - first :])

    def flush(self, at: int) -> list[Body]:
        """Close the message under way at a step; empty when there is nothing in it."""
        now = self._filling
        if now is None or not now.count:
            return []
        table = now.parts[0] if len(now.parts) == 1 else np.concatenate(now.parts)
        single = now.count == 1
        columns = table[0].tolist() if single else table.T.tolist()
        if np.isnan(table).any():
            columns = _absent(columns) if single else [_absent(column) for column in columns]
        body = Body(
            device=self.device,
            done=at * self.step,
            t=now.first * self.step,
            q=dict(zip(self.channels, columns, strict=True)),
            dt=None if single else now.stride * self.step,
            phase=now.phase,
        )
        now.parts, now.count = [], 0
        return [body]

    def _fill(self, phase: str, first: int, rows: NDArray[np.float64]) -> list[Body]:
        """Take steps within which no interval changes."""
        found: list[Body] = []
        if not len(rows):
            return found
        now = self._filling
        if now is None or now.phase != phase:
            found += self.flush(first)
            now = self._filling = _Filling(phase, first, first, self._stride(phase, first))
        batch, stride, end = self.phases[phase].batch, now.stride, first + len(rows)
        while now.due < end:
            if not now.count:
                now.first = now.due
            count = min(batch - now.count, (end - 1 - now.due) // stride + 1)
            begin = now.due - first
            # A copy: a view would keep the readings of all devices alive until this message is complete.
            now.parts.append(rows[begin : begin + count * stride : stride].copy())
            now.count += count
            now.due += count * stride
            if now.count >= batch:
                found += self.flush(now.due - stride)
        return found

    def _stride(self, phase: str, first: int) -> int:
        spec = self.phases[phase]
        every = spec.every if self.intervals is None else self.intervals.every(phase, spec, first * self.step)
        return max(round(every * MICROS) // self.step, 1)


def _absent(values: list[float]) -> list[float | None]:
    # NaN is the only number that differs from itself.
    return [None if value != value else value for value in values]  # noqa: PLR0124
