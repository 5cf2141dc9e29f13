# ruff: noqa: PLR0917  (compiled functions take their arguments by position)
"""The loop over rows of appliances that work in cycles: pieces of readings at one level, without a gap."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

# What a piece is: bits of its kind.
AFTER_GAP = 1  # readings are missing before it, or time stepped back
WORKING = 2  # the appliance works

UNKNOWN = -1


@compiled
def pieces(
    t: NDArray[np.int64],
    values: NDArray[np.float32],
    channel: int,
    last_t: int,
    between: int,
    within: int,
    working: bool,  # noqa: FBT001  (by position)
    on: float,
    off: float,
    starts: NDArray[np.int64],
    kinds: NDArray[np.int64],
) -> int:
    """Divide readings where the level crosses a threshold or readings are missing.

    Args:
        t: event times (n,), microseconds.
        values: at those times (n, channels).
        channel: whose level decides.
        last_t: time of the last reading before.
        between: longest time from there to the first reading without a gap; below 0 when there was none before.
        within: longest time between two others.
        working: whether the appliance worked at the last reading; holds while the level is between the thresholds.
        on: at this level or above it works.
        off: below this level it does not.
        starts: first reading of each piece (n,); filled.
        kinds: what each piece is; filled.

    Returns:
        Number of pieces; UNKNOWN when a level is not finite.
    """
    count = 0
    for row in range(len(t)):
        level = values[row, channel]
        if not math.isfinite(level):
            return UNKNOWN
        before = working
        if level >= on:
            working = True
        elif level < off:
            working = False
        step = t[row] - (t[row - 1] if row > 0 else last_t)
        longest = within if row > 0 else between
        gap = longest >= 0 and (step <= 0 or step > longest)
        if row == 0 or gap or working != before:
            starts[count] = row
            kinds[count] = (AFTER_GAP if gap else 0) | (WORKING if working else 0)
            count += 1
    return count
