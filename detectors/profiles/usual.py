"""What is usual for a run: a fixed reference of healthy runs, and of these, the ones that began alike.

A programme is recognised by the rest before the run: the second heating of a dishwasher comes an hour after the first,
the first half a day after the last programme; a water heater that was just drawn from heats again at once. Runs with a
similar rest weigh more (a kernel estimate of the conditional distribution, Nadaraya 1964), all others a little.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.profiles.runs import Run

_CAP = 512
_WIDTH = 0.25  # of the kernel, in logarithms of the rest: about a quarter longer or shorter is alike
_OTHERS = 0.02  # weight of a run that began otherwise
_UNKNOWN = 0.1  # weight of a run with an unknown rest beside one with a known, and the other way round
_LEAST = 0.04  # spread of a run's logarithm: no appliance repeats itself closer than 4 %
_NORMAL = 1.4826


class Usual(NamedTuple):
    """Centre and spread of a logarithm; the spread holds the doubt about the centre, too."""

    centre: float
    spread: float

    def deviation(self, value: float) -> float:
        """How far a positive value is off, in spreads."""
        return (math.log(value) - self.centre) / self.spread


class Reference:
    """Healthy runs, fixed.

    Args:
        runs: at least one; of more than 512 every k-th is kept.
    """

    def __init__(self, runs: list[Run]) -> None:
        kept = runs[:: math.ceil(len(runs) / _CAP)]
        self._length = np.log([run.length for run in kept])
        self._level = np.log([run.level for run in kept])
        self._rest = np.log([run.rest for run in kept])
        self.longest = max(run.length for run in runs)

    def length(self, rest: float) -> Usual:
        """Of a run's length after such a rest (NaN: unknown)."""
        return _spread(self._length, self._alike(rest))

    def level(self, rest: float) -> Usual:
        """Of a run's power after such a rest."""
        return _spread(self._level, self._alike(rest))

    def _alike(self, rest: float) -> NDArray[np.float64]:
        known = np.isfinite(self._rest)
        if not rest > 0:
            return np.where(known, _UNKNOWN, 1.0)
        off = np.where(known, self._rest - math.log(rest), 0.0) / _WIDTH
        return np.where(known, np.exp(-0.5 * off * off) + _OTHERS, _UNKNOWN)


def _spread(x: NDArray[np.float64], weight: NDArray[np.float64]) -> Usual:
    centre = _median(x, weight)
    spread = _NORMAL * _median(np.abs(x - centre), weight)
    n = float(weight.sum() ** 2 / (weight**2).sum())
    # 2 / n rather than 1 / n: centre and spread are both estimates, and medians are less sure than means.
    return Usual(centre, math.hypot(spread, _LEAST) * math.sqrt(1.0 + 2.0 / n))


def _median(x: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    order = np.argsort(x, kind="stable")
    w = weight[order]
    share = (np.cumsum(w) - 0.5 * w) / w.sum()
    return float(np.interp(0.5, share, x[order]))
