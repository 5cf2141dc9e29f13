"""How far the last few rows are from anything before them: the left discord at one length.

The distance of the last `length` values to their nearest neighbours among the same number of values before, level and
amplitude included: E. Burnaev, V. Ishimtsev, "Conformalized density- and distance-based anomaly detection in
time-series data", arXiv:1608.04585; left discords of the matrix profile: Y. Lu et al., "DAMP", KDD 2022.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

_PAST = 4_000  # windows of the past that are searched
_LEAST = 4  # lengths that must be there before a neighbour means anything


class Discord:
    """The past of one series.

    Args:
        length: rows of a window.
        neighbours: so many nearest windows; the mean of their distances counts, so that one odd day is not enough to
            make the next one usual.
    """

    def __init__(self, length: int, neighbours: int) -> None:
        self._length = length
        self._neighbours = neighbours
        # Twice as long as the past, so that it moves seldom and is read in one piece.
        self._values = np.zeros(2 * (_PAST + 2 * length))
        self._state = np.zeros(2, dtype=np.int64)  # values held, values seen

    def observe(self, _t: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance of the window that ends with each row, Euclidean, in units of x; NaN while the past is too short.

        Args:
            _t: times, which do not matter here.
            x: finite values, shape (n,).
        """
        found = np.full(len(x), np.nan)
        _distances(x, self._values, self._state, self._length, self._neighbours, found)
        return found


@compiled
def _keep(value: float, values: NDArray[np.float64], state: NDArray[np.int64], length: int) -> int:
    """Append a value; returns its place. What is older than the past is dropped when the room is used up."""
    held = int(state[0])
    if held == len(values):
        keep = _PAST + 2 * length - 1
        for j in range(keep):
            values[j] = values[held - keep + j]
        held = keep
    values[held] = value
    state[0] = held + 1
    state[1] += 1
    return held


@compiled
def _distances(  # noqa: PLR0917  (a compiled loop takes its arrays by place)
    x: NDArray[np.float64],
    values: NDArray[np.float64],
    state: NDArray[np.int64],
    length: int,
    neighbours: int,
    found: NDArray[np.float64],
) -> None:
    apart, nearest = np.zeros(_PAST), np.zeros(neighbours)
    for row in range(len(x)):
        last = _keep(x[row], values, state, length)
        if state[1] <= _LEAST * length:
            continue
        # Windows end at `first`, ..., `last - length`: none of them shares a row with the present one.
        first = max(length - 1, last - length - _PAST + 1)
        windows = last - length - first + 1
        apart[:windows] = 0.0
        for back in range(length):
            value = values[last - back]
            low = first - back
            for j in range(windows):
                difference = value - values[low + j]
                apart[j] += difference * difference
        nearest[:] = np.inf
        for j in range(windows):
            square = apart[j]
            if square < nearest[neighbours - 1]:
                place = neighbours - 1
                while place > 0 and nearest[place - 1] > square:
                    nearest[place] = nearest[place - 1]
                    place -= 1
                nearest[place] = square
        size = min(neighbours, windows)
        total = 0.0
        for j in range(size):
            total += np.sqrt(nearest[j])
        found[row] = total / size
