"""Cuts a stream of readings into cycles: one activity of the appliance, or one activity with the rest after it.

Segmenting first matters more than the choice of detector: a test per sample alarms at every switch-on.
A cycle that a gap touches is dropped, never bridged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.pieces import AFTER_GAP, UNKNOWN, WORKING, pieces
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

_Number = TypeVar("_Number", bound=np.generic)

_CAP = 512
SLACK = 2.5
"""A reading later than so many sampling intervals says that others are missing."""


@dataclass(slots=True)
class Rows:
    """Readings in order: times (n,) int64 microseconds, values (n, channels) float32, phase number (n,) int8."""

    t: NDArray[np.int64]
    values: NDArray[np.float32]
    phase: NDArray[np.int8]

    def part(self, low: int, high: int | None = None) -> Rows:
        """Readings from `low` to before `high`."""
        return Rows(self.t[low:high], self.values[low:high], self.phase[low:high])


@dataclass(slots=True)
class Cycle:
    """One cycle. Times in microseconds.

    Attributes:
        start: first reading above the upper threshold.
        end: first reading below the lower threshold after it.
        following: start of the next cycle; None when the rest after this one is unknown or not counted.
        rows: readings from `start` on, thinned evenly when there were too many.
    """

    start: int
    end: int
    following: int | None
    rows: Rows


class RunState(msgspec.Struct):
    """A run on its way, as it is snapshotted."""

    start: int
    last_on: int
    end: int | None
    t: bytes
    values: bytes
    phase: bytes


class SegmentState(msgspec.Struct):
    """A segmenter as it is snapshotted."""

    lost: bool
    on_now: bool
    last_t: int | None
    last_phase: int
    run: RunState | None
    waiting: RunState | None


@dataclass(slots=True)
class _Run:
    start: int
    last_on: int
    end: int | None = None
    chunks: list[Rows] = field(default_factory=list)
    size: int = 0

    def add(self, rows: Rows) -> None:
        """Add readings, copied: a view would keep a whole delivery alive. Thinned by their number alone."""
        low = 0
        while low < len(rows.t):
            part = rows.part(low, low + _CAP + 1 - self.size)
            self.chunks.append(Rows(part.t.copy(), part.values.copy(), part.phase.copy()))
            low += len(part.t)
            self.size += len(part.t)
            if self.size > _CAP:
                whole = self.rows()
                self.chunks = [Rows(whole.t[::2].copy(), whole.values[::2].copy(), whole.phase[::2].copy())]
                self.size = len(self.chunks[0].t)

    def rows(self) -> Rows:
        if len(self.chunks) == 1:
            return self.chunks[0]
        return Rows(
            np.concatenate([c.t for c in self.chunks]),
            np.concatenate([c.values for c in self.chunks]),
            np.concatenate([c.phase for c in self.chunks]),
        )

    def dump(self) -> RunState:
        rows = self.rows()
        return RunState(
            self.start, self.last_on, self.end, rows.t.tobytes(), rows.values.tobytes(), rows.phase.tobytes()
        )

    @classmethod
    def load(cls, state: RunState, channels: int) -> _Run:
        t = np.frombuffer(state.t, np.int64)
        values = np.frombuffer(state.values, np.float32).reshape(-1, channels)
        phase = np.frombuffer(state.phase, np.int8)
        return cls(state.start, state.last_on, state.end, [Rows(t, values, phase)], len(t))


class Segmenter:
    """Cycles of one device, from messages in spool order.

    Args:
        kind: its catalogue page; `cycle` must be set.
        rest_counts: a cycle lasts until the next one starts (compressors), not until its activity ends (programmes).
        keep_rest: readings of the rest belong to the cycle's rows.
    """

    def __init__(self, kind: KindSpec, *, rest_counts: bool, keep_rest: bool) -> None:
        if kind.cycle is None:
            raise ValueError(f"{kind.kind} has no cycle definition")
        self.on = kind.cycle.on
        self.off = kind.cycle.off
        self._channel = list(kind.channels).index(kind.cycle.channel)
        self._channels = len(kind.channels)
        self._shortest = round(kind.cycle.min_seconds * MICROS)
        self._pause = round(kind.cycle.gap_seconds * MICROS)
        self._emit_without_rest = kind.cycle.adaptive
        self._rest_counts = rest_counts
        self._keep_rest = keep_rest
        names = list(kind.phases)
        self.phases = {name: number for number, name in enumerate(names)}
        self._steps = [round(kind.phases[name].every * SLACK * MICROS) for name in names]
        self._step = round(kind.tuning.get("max_step_seconds", 300.0) * MICROS)
        self._lost = True
        self._on_now = False
        self.last_t: int | None = None
        self._last_phase = -1
        self._run: _Run | None = None
        self._waiting: _Run | None = None

    def feed(self, t: NDArray[np.int64], phase: str | None, values: NDArray[np.float32]) -> list[Cycle]:
        """Take a run of messages; return the cycles that it completed. Readings without the channel are passed over."""
        number = self.phases.get(phase, -1) if phase is not None else -1
        within = self._steps[number] if number >= 0 else self._step
        between = -1
        if self.last_t is not None:
            between = max(within, self._steps[self._last_phase] if self._last_phase >= 0 else self._step)
        starts, kinds = np.empty(len(t), np.int64), np.empty(len(t), np.int64)
        count = pieces(
            _plain(t),
            _plain(values),
            self._channel,
            self.last_t or 0,
            between,
            within,
            self._on_now,
            self.on,
            self.off,
            starts,
            kinds,
        )
        if count == UNKNOWN:
            known = np.isfinite(values[:, self._channel])
            return self.feed(t[known], phase, values[known])
        if count == 0:
            return []
        done: list[Cycle] = []
        cuts = starts[:count].tolist()
        for low, high, kind in zip(cuts, [*cuts[1:], len(t)], kinds[:count].tolist(), strict=True):
            if kind & AFTER_GAP:
                done += self.interrupt()
            part = Rows(t[low:high], values[low:high], np.full(high - low, number, np.int8))
            done += self._active(part) if kind & WORKING else self._rest(part)
        self.last_t = int(t[-1])
        self._last_phase = number
        self._on_now = bool(kinds[count - 1] & WORKING)
        return done

    def interrupt(self) -> list[Cycle]:
        """Readings are missing from here on: what is under way is dropped."""
        done: list[Cycle] = []
        if self._waiting is not None and self._emit_without_rest:
            done.append(_cycle(self._waiting, None))
        self._run = None
        self._waiting = None
        self._lost = True
        return done

    def dump(self) -> SegmentState:
        """The state; `load` takes it back exactly."""
        return SegmentState(
            self._lost,
            self._on_now,
            self.last_t,
            self._last_phase,
            self._run.dump() if self._run is not None else None,
            self._waiting.dump() if self._waiting is not None else None,
        )

    def load(self, state: SegmentState) -> None:
        """Take back a state of `dump`."""
        self._lost = state.lost
        self._on_now = state.on_now
        self.last_t = state.last_t
        self._last_phase = state.last_phase
        self._run = None if state.run is None else _Run.load(state.run, self._channels)
        self._waiting = None if state.waiting is None else _Run.load(state.waiting, self._channels)

    def _active(self, rows: Rows) -> list[Cycle]:
        if self._lost:
            return []
        done: list[Cycle] = []
        start, last = int(rows.t[0]), int(rows.t[-1])
        if self._run is not None and self._run.end is not None and start - self._run.end > self._pause:
            done += self._finish()
        if self._run is None:
            self._run = _Run(start, last)
        self._run.end = None
        self._run.last_on = last
        self._run.add(rows)
        if self._waiting is not None and last - self._run.start >= self._shortest:
            done.append(_cycle(self._waiting, self._run.start))
            self._waiting = None
        return done

    def _rest(self, rows: Rows) -> list[Cycle]:
        if self._lost:
            self._lost = False
            return []
        if self._run is None:
            if self._waiting is not None and self._keep_rest:
                self._waiting.add(rows)
            return []
        if self._run.end is None:
            self._run.end = int(rows.t[0])
        # The run ends with the reading that completes the pause, wherever messages and runs of them end.
        last = int(np.searchsorted(rows.t, self._run.end + self._pause))
        if self._keep_rest or self._pause > 0:
            self._run.add(rows.part(0, last + 1))
        if last >= len(rows.t):
            return []
        done = self._finish()
        return done + self._rest(rows.part(last + 1)) if last + 1 < len(rows.t) else done

    def _finish(self) -> list[Cycle]:
        run, self._run = self._run, None
        if run is None or run.end is None:
            return []
        if run.end - run.start < self._shortest:
            if self._waiting is not None and self._keep_rest:
                for chunk in run.chunks:
                    self._waiting.add(chunk)
            return []
        if not self._rest_counts:
            return [_cycle(run, None)]
        done = [] if self._waiting is None else [_cycle(self._waiting, run.start)]
        self._waiting = run
        return done


def warm() -> None:
    """Have the loop over rows compiled."""
    none = np.empty(0, np.int64)
    pieces(none, np.empty((0, 1), np.float32), 0, 0, -1, 0, False, 1.0, 0.0, none, none)  # noqa: FBT003  (by position)


def _plain(x: NDArray[_Number]) -> NDArray[_Number]:
    """In order, aligned and writable: for anything else the loop would be compiled once more."""
    return x if x.flags.carray else x.copy()


def _cycle(run: _Run, following: int | None) -> Cycle:
    return Cycle(run.start, run.last_on if run.end is None else run.end, following, run.rows())
