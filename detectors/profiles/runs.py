# ruff: noqa: PLR0917  (compiled functions take their arguments by position)
"""One power series divided into runs of an appliance's main load: a compressor, a heater, a motor.

The load is learned: half of the energy of the healthy part flows at or above the *working level*. A run starts at half
of it and ends below two fifths. Nothing here has a unit: every length is a share of what was learned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

ON = 0.5
"""A run starts at this share of the working level."""
OFF = 0.4
"""A run ends below this share of it."""
_IDLE = 0.05  # quantile of the power that counts as zero: a meter's offset, a standby
_BRIDGE = 0.1  # of a typical run: a shorter dip interrupts nothing
_SHORTEST = 0.2  # of a typical run: less is a blip, not a run
_STEPS_BRIDGED = 1.5
_STEPS_MISSING = 5.0

STARTS = 1
"""A run starts with this row."""
FINISHES = 2
"""With this row the run before is known to be over."""
BREAKS = 4
"""Rows are missing before this one, or time stepped back: what was under way is dropped."""


@dataclass(frozen=True, slots=True)
class Load:
    """What was learned of the appliance.

    Attributes:
        idle: power that counts as zero.
        on: power at which a run starts.
        off: power below which it ends.
        bridge: longest dip within a run, in the unit of time.
        shortest: shortest run.
        longest: longest step between two rows that is no hole.
        step: usual step.
    """

    idle: float
    on: float
    off: float
    bridge: float
    shortest: float
    longest: float
    step: float


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run.

    Attributes:
        length: from its first row to the first one after it, dips included.
        level: median power above idle.
        rest: time since the run before; NaN when rows are missing between.
    """

    length: float
    level: float
    rest: float


# Places in the loop's memory.
_LAST, _START, _END, _BEFORE, _STATE, _SIZE = 0, 1, 2, 3, 4, 5
_LOST, _IDLE_NOW, _RUNNING, _PAUSED = 0.0, 1.0, 2.0, 3.0


def fresh() -> NDArray[np.float64]:
    """The loop's memory before the first row: last time, start and end of the run, end of the one before, state."""
    memory = np.full(_SIZE, np.nan)
    memory[_STATE] = _LOST
    return memory


def without_run(memory: NDArray[np.float64]) -> NDArray[np.float64]:
    """The memory, with a run under way forgotten; the end of the one before is kept where none is."""
    kept = memory.copy()
    if kept[_STATE] >= _RUNNING:
        kept[_BEFORE] = np.nan
        kept[_STATE] = _LOST
    return kept


@compiled
def walk(  # noqa: C901, PLR0912  (one loop over rows; a call for each branch would cost more than it explains)
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    on: float,
    off: float,
    bridge: float,
    longest: float,
    step: float,
    memory: NDArray[np.float64],
    marks: NDArray[np.int64],
    length: NDArray[np.float64],
    rest: NDArray[np.float64],
) -> None:
    """Go through rows in order.

    Args:
        t: times (n,); NaN where a row has none, which then comes one `step` after the one before.
        x: power (n,); rows without are passed over, and so are rows not later than the one before (duplicates).
        on: see `Load`, as the next four.
        off: likewise.
        bridge: likewise.
        longest: likewise.
        step: likewise.
        memory: of `fresh`; changed.
        marks: bits a row (n,); filled.
        length: of the run under way at each row, or of the one that this row shows to be over; 0 between runs; filled.
        rest: before the run that starts at a row; filled.
    """
    for row in range(len(t)):
        marks[row] = 0
        rest[row] = math.nan
        running = memory[_STATE] >= _RUNNING
        length[row] = memory[_END] - memory[_START] if running else 0.0
        power = x[row]
        if not math.isfinite(power):
            continue
        last = memory[_LAST]
        now = t[row]
        if not math.isfinite(now):
            now = last + step if math.isfinite(last) else 0.0
        if math.isfinite(last):
            passed = now - last
            if passed > longest or passed < -longest:
                marks[row] = BREAKS
                length[row] = 0.0
                memory[_STATE] = _LOST
                memory[_BEFORE] = math.nan
            elif passed <= 0.0:
                continue
        memory[_LAST] = now
        if memory[_STATE] == _LOST:
            if power < off:
                memory[_STATE] = _IDLE_NOW
            continue
        if memory[_STATE] == _PAUSED and now - memory[_END] > bridge:
            marks[row] = FINISHES
            length[row] = memory[_END] - memory[_START]
            memory[_BEFORE] = memory[_END]
            memory[_STATE] = _IDLE_NOW
        if memory[_STATE] == _IDLE_NOW:
            if power >= on:
                rest[row] = now - memory[_BEFORE]
                marks[row] += STARTS
                memory[_START] = now
                memory[_END] = now
                memory[_STATE] = _RUNNING
        elif power >= on or (memory[_STATE] == _RUNNING and power >= off):
            memory[_END] = now
            memory[_STATE] = _RUNNING
            length[row] = now - memory[_START]
        elif memory[_STATE] == _RUNNING:
            memory[_END] = now
            memory[_STATE] = _PAUSED
            length[row] = now - memory[_START]


def learn_load(t: NDArray[np.float64], x: NDArray[np.float64]) -> Load | None:
    """Learn the load from healthy rows; None where the power never moves or time never passes.

    Args:
        t: times (n,), NaN where unknown.
        x: power (n,), NaN where unknown.
    """
    known = np.isfinite(x)
    power = x[known]
    steps = np.diff(t[known & np.isfinite(t)])
    steps = steps[steps > 0]
    if len(power) == 0 or len(steps) == 0:
        return None
    step = float(np.median(steps))
    idle = float(np.quantile(power, _IDLE))
    level = _weighty_median(np.maximum(power - idle, 0.0))
    if not level > 0:
        return None
    on, off = idle + ON * level, idle + OFF * level
    rough = Load(idle, on, off, 0.0, 0.0, _STEPS_MISSING * step, step)
    lengths = np.array([run.length for run in runs_of(t, x, rough, fresh())])
    if len(lengths) == 0:
        return None
    typical = _weighty_median(lengths)
    return Load(
        idle,
        on,
        off,
        max(_STEPS_BRIDGED * step, _BRIDGE * typical),
        _SHORTEST * typical,
        max(_STEPS_MISSING * step, _BRIDGE * typical),
        step,
    )


def runs_of(t: NDArray[np.float64], x: NDArray[np.float64], load: Load, memory: NDArray[np.float64]) -> list[Run]:
    """All finished runs of a stretch of rows; `memory` is changed as by `walk`."""
    n = len(t)
    marks, length, rest = np.empty(n, np.int64), np.empty(n), np.empty(n)
    walk(t, x, load.on, load.off, load.bridge, load.longest, load.step, memory, marks, length, rest)
    found: list[Run] = []
    start = -1
    for row in np.flatnonzero(marks).tolist():
        mark = int(marks[row])
        if mark & FINISHES and start >= 0 and length[row] >= load.shortest:
            found.append(Run(float(length[row]), level_of(x[start:row], load), float(rest[start])))
        if mark & (FINISHES | BREAKS):
            start = -1
        if mark & STARTS:
            start = row
    return found


def level_of(x: NDArray[np.float64], load: Load) -> float:
    """Median power above idle of a run's rows; what lies below `off` (its dips, the rest after it) does not count."""
    return float(np.median(x[x >= load.off])) - load.idle


def _weighty_median(x: NDArray[np.float64]) -> float:
    """The value at and above which half of the sum lies."""
    ordered = np.sort(x)[::-1]
    total = np.cumsum(ordered)
    return float(ordered[int(np.searchsorted(total, total[-1] / 2))])
