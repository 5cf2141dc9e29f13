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


class Gathered(msgspec.Struct):
    """The message that a sampler is filling: its phase, first step and rows.

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
        state: the message under way, or None before the first step.
        intervals: what replaces the catalogue's intervals.
    """

    device: int
    channels: Sequence[str]
    phases: Mapping[str, PhaseSpec]
    step: int
    state: Gathered | None = field(default=None)
    intervals: Intervals | None = field(default=None)

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
            self.state = None
            begin = cut
        return found + self._fill(phase, begin, rows[begin - first :])

    def flush(self, at: int) -> list[Body]:
        """Close the message under way at a step; empty when there is nothing in it."""
        state = self.state
        if state is None or not state.rows:
            return []
        single = len(state.rows) == 1
        q: Quantities = {}
        for name, column in zip(self.channels, zip(*state.rows, strict=True), strict=True):
            # NaN is the only number that differs from itself.
            values = [None if value != value else value for value in column]  # noqa: PLR0124
            q[name] = values[0] if single else values
        body = Body(
            device=self.device,
            done=at * self.step,
            t=state.first * self.step,
            q=q,
            dt=None if single else state.stride * self.step,
            phase=state.phase,
        )
        state.rows = []
        return [body]

    def _fill(self, phase: str, first: int, rows: NDArray[np.float64]) -> list[Body]:
        """Take steps within which no interval changes."""
        found: list[Body] = []
        if not len(rows):
            return found
        if self.state is None or self.state.phase != phase:
            found += self.flush(first)
            self.state = Gathered(phase, first, first, stride=self._stride(phase, first))
        state, spec = self.state, self.phases[phase]
        end = first + len(rows)
        while state.due < end:
            if not state.rows:
                state.first = state.due
            count = min(spec.batch - len(state.rows), (end - 1 - state.due) // state.stride + 1)
            begin = state.due - first
            state.rows.extend(rows[begin : begin + count * state.stride : state.stride].tolist())
            state.due += count * state.stride
            if len(state.rows) >= spec.batch:
                found += self.flush(state.due - state.stride)
        return found

    def _stride(self, phase: str, first: int) -> int:
        spec = self.phases[phase]
        every = spec.every if self.intervals is None else self.intervals.every(phase, spec, first * self.step)
        return max(round(every * MICROS) // self.step, 1)
