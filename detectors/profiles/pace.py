"""How often a series is sampled: the geometric mean of its steps so far, so that gaps count for little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

_USUAL = 300.0  # seconds
_FINEST = 60.0
_COARSEST = 10_800.0


class Pace:
    """The steps of one series."""

    def __init__(self) -> None:
        self._state = np.array([np.nan, 0.0, 0.0])  # last time, sum of log10 of the steps, their number

    def observe(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """log10 of the usual step over five minutes, for the step between a minute and three hours; 0 while unknown.

        Args:
            t: seconds, shape (n,); absent times and those that do not rise make no step.
        """
        found = np.zeros(len(t))
        _mean_steps(t, self._state, found)
        return found


@compiled
def _mean_steps(t: NDArray[np.float64], state: NDArray[np.float64], found: NDArray[np.float64]) -> None:
    least, most, usual = np.log10(_FINEST), np.log10(_COARSEST), np.log10(_USUAL)
    for row in range(len(t)):
        if np.isfinite(t[row]):
            if t[row] > state[0]:
                state[1] += np.log10(t[row] - state[0])
                state[2] += 1.0
            state[0] = t[row]
        if state[2] > 0.0:
            found[row] = min(max(state[1] / state[2], least), most) - usual
