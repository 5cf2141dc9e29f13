"""Intervals of remaining life by cross-conformal calibration, in bands of predicted life.

Each training unit is predicted by trees that never saw it (CV+: Barber, Candès, Ramdas and Tibshirani, Annals of
Statistics 2021). How far such predictions are off differs with the prediction: a nearly worn unit is known to a few
cycles, a fresh one hardly. So the misses are calibrated at knots along the predicted life (Mondrian conformal
prediction: Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World*, 2005), between which the bounds run
straight. Rows of one unit miss together: a knot's units weigh alike, however many rows they bring.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.rul.records import HORIZON, Floats

MISS = 0.10
_KNOTS = 11
_HALF_BAND = 0.1
"""Half of a knot's band, as a share of the cap."""
_LEAST_UNITS = 10


class Bounds(msgspec.Struct, frozen=True, eq=False):
    """What lies around a prediction.

    Attributes:
        at: predicted lives, rising.
        below: subtracted from the prediction at each.
        above: added there.
        longest: upper end where the cap lies within the interval: how long such units lasted in training.
        cap: life above which nothing is told apart.
    """

    at: Floats
    below: Floats
    above: Floats
    longest: Floats
    cap: float

    def around(self, predicted: Floats) -> tuple[Floats, Floats]:
        """Lower and upper ends."""
        low = np.maximum(0.0, predicted - np.interp(predicted, self.at, self.below))
        high = predicted + np.interp(predicted, self.at, self.above)
        high = np.where(high >= self.cap, np.maximum(self.cap, np.interp(predicted, self.at, self.longest)), high)
        return low, high


def calibrate(predicted: Floats, life: Floats, unit: NDArray[np.intp], cap: float) -> Bounds:
    """Bounds that hold `1 - MISS` of the training units' rows at every knot.

    Args:
        predicted: of rows by trees that never saw their unit.
        life: what truly remained.
        unit: number of each row's unit.
        cap: remaining life above which nothing is told apart.
    """
    rows = _Rows(predicted, life, unit, life <= HORIZON * cap)
    at = np.linspace(0.0, cap, _KNOTS)
    found = [_knot(one, rows, cap) for one in at]
    below, above, longest = (np.array(column) for column in zip(*found, strict=True))
    return Bounds(at, below, above, np.maximum.accumulate(longest), cap)


class _Rows(NamedTuple):
    """Rows of units that the trees never saw; `told`: those within the horizon."""

    predicted: Floats
    life: Floats
    unit: NDArray[np.intp]
    told: NDArray[np.bool_]


def _knot(centre: float, rows: _Rows, cap: float) -> tuple[float, float, float]:
    predicted, life, unit, told = rows
    half = _HALF_BAND * cap
    near = np.abs(predicted - centre) <= half
    while len(np.unique(unit[near & told])) < min(_LEAST_UNITS, len(np.unique(unit[told]))) and half < cap:
        half *= 1.5
        near = np.abs(predicted - centre) <= half
    chosen = near & told
    off = np.minimum(cap, life[chosen]) - predicted[chosen]
    weight = _weights(unit[chosen])
    # The new unit is one more than those seen: the quantile is taken a little higher (n + 1 of n).
    units = len(np.unique(unit[chosen]))
    hold = min(1.0, (1 - MISS) * (1 + 1 / max(1, units)))
    low, high = (_quantile(off, weight, q) for q in (MISS / 2, 1 - MISS / 2))
    wide = max(1e-9 * cap, high, 0.01 * cap), max(1e-9 * cap, -low, 0.01 * cap)
    stretch = _quantile(np.maximum(off / wide[0], -off / wide[1]), weight, hold)
    stretch = max(0.0, stretch)
    longest = _quantile(life[near], _weights(unit[near]), 1 - MISS / 2)
    return stretch * wide[1], stretch * wide[0], max(cap, longest)


def _weights(unit: NDArray[np.intp]) -> Floats:
    _, which, count = np.unique(unit, return_inverse=True, return_counts=True)
    return 1.0 / count[which]


def _quantile(values: Floats, weight: Floats, share: float) -> float:
    """The smallest value with at least `share` of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    return float(values[order][min(len(values) - 1, int(np.searchsorted(total, share * total[-1] * (1 - 1e-12))))])
