"""What is left of a series when the usual of this time of day is taken away, over the last few rows.

The day is divided into slots from the first row's time on, so that it does not matter when a file begins or in which
zone it was written; the usual of a slot is a moving average of the values seen in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

_DAY = 86_400.0
_SLOTS = 48
_FORGET = 0.02  # weight of a slot's newest value
_LEAST = 3.0  # values of a slot before its usual means anything
_WIDTH = 12  # rows whose residuals are averaged


class Season:
    """The usual day of one series."""

    def __init__(self) -> None:
        self._usual = np.zeros(_SLOTS)
        self._count = np.zeros(_SLOTS)
        self._residuals = np.zeros(_WIDTH)
        self._state = np.array([np.nan, 0.0, 0.0])  # first time, time since then, rows seen

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Absolute mean residual of the last rows, in units of x; NaN at the very beginning.

        Args:
            t: seconds, shape (n,); where absent, the time before counts.
            x: finite values, shape (n,).
        """
        found = np.full(len(x), np.nan)
        _residuals(t, x, self._usual, self._count, self._residuals, self._state, found)
        return found


@compiled
def _residuals(  # noqa: PLR0917  (a compiled loop takes its arrays by place)
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    usual: NDArray[np.float64],
    count: NDArray[np.float64],
    residuals: NDArray[np.float64],
    state: NDArray[np.float64],
    found: NDArray[np.float64],
) -> None:
    slots, width = len(usual), len(residuals)
    for row in range(len(x)):
        if np.isfinite(t[row]):
            if not np.isfinite(state[0]):
                state[0] = t[row]
            state[1] = t[row] - state[0]
        of_day = state[1] - _DAY * np.floor(state[1] / _DAY)
        slot = min(int(of_day * slots / _DAY), slots - 1)
        residuals[int(state[2]) % width] = x[row] - usual[slot] if count[slot] >= _LEAST else 0.0
        count[slot] += 1.0
        usual[slot] += max(1.0 / count[slot], _FORGET) * (x[row] - usual[slot])
        state[2] += 1.0
        if state[2] >= width:
            # Summed in the order of places, not of time: the same for any division into calls.
            total = 0.0
            for j in range(width):
                total += residuals[j]
            found[row] = abs(total / width)
