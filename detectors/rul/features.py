"""Causal features of a unit's history, and the health indices they are made of.

Every number of row n is made of rows 0 to n, by sums in the order of the rows: the features of the first n rows are the
first n rows of the features, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.signal import lfilter

from detectors.rul.records import Floats

_FAST, _MIDDLE, _SLOW = 0.25, 0.1, 0.03
_FIRST = 20
_WINDOWS = (15, 30, 60, 120)
_SHY = 5.0
"""A slope over few rows is drawn towards none, as if so many rows of no slope had gone before."""
_RIDGE = 100.0
_PARTS = 3


def average(z: Floats, weight: float) -> Floats:
    """Exponentially weighted mean of the rows so far, weights summing to one from the first row on."""
    rest = [1.0, -(1.0 - weight)]
    total = lfilter([weight], rest, np.ones(len(z)))
    return np.asarray(lfilter([weight], rest, z, axis=0) / total[:, None])


def window(z: Floats, rows: int) -> tuple[Floats, Floats]:
    """Mean and least-squares slope over the last `rows` rows; the slope times `rows`, so that both are of one size."""
    n = np.arange(len(z))
    start = np.maximum(0, n + 1 - rows)
    count = n + 1 - start
    zero = np.zeros((1, z.shape[1]))
    sums = np.concatenate([zero, np.cumsum(z, axis=0)])
    moments = np.concatenate([zero, np.cumsum(z * n[:, None], axis=0)])
    total = sums[n + 1] - sums[start]
    mean = total / count[:, None]
    across = moments[n + 1] - moments[start] - ((n + start) / 2)[:, None] * total
    spread = count * (count**2 - 1) / 12
    slope = across / np.where(spread > 0, spread, 1.0)[:, None]
    return mean, slope * (count / (count + _SHY))[:, None] * rows


def beginning(z: Floats, rows: int) -> Floats:
    """Mean of the first `rows` rows, of as many as there are so far."""
    count = np.minimum(np.arange(len(z)) + 1, rows)
    return np.asarray(np.cumsum(z, axis=0)[count - 1] / count[:, None])


def sensor_features(z: Floats, pace: float) -> Floats:
    """Per sensor: three averages, change since the beginning, mean and slopes of two windows.

    Args:
        z: shape (n, sensors).
        pace: rows of a typical life in units of the 200 for which windows were chosen.
    """
    middle = average(z, _weight(_MIDDLE, pace))
    level, slope = window(z, _rows(_WINDOWS[1], pace))
    _, long_slope = window(z, _rows(_WINDOWS[2], pace))
    first = beginning(z, _rows(_FIRST, pace))
    fast, slow = average(z, _weight(_FAST, pace)), average(z, _weight(_SLOW, pace))
    return np.concatenate([fast, middle, slow, level, slope, long_slope, middle - first], axis=1)


def index_features(index: Floats, pace: float) -> Floats:
    """Per health index: those of a sensor, means and slopes over more windows, and the turn between two averages."""
    middle, slow = average(index, _weight(_MIDDLE, pace)), average(index, _weight(_SLOW, pace))
    short, short_slope = window(index, _rows(_WINDOWS[0], pace))
    level, _ = window(index, _rows(_WINDOWS[1], pace))
    long, _ = window(index, _rows(_WINDOWS[2], pace))
    _, longest_slope = window(index, _rows(_WINDOWS[3], pace))
    more = [short, short_slope, longest_slope, middle - slow, level - long]
    return np.concatenate([sensor_features(index, pace), *more], axis=1)


def _weight(weight: float, pace: float) -> float:
    return min(1.0, weight / pace)


def _rows(rows: int, pace: float) -> int:
    return max(3, round(rows * pace))


class Indices(msgspec.Struct, frozen=True, eq=False):
    """Health indices: sums of the sensors' deviations, one column an index.

    Attributes:
        weights: shape (sensors, indices). The first is a ridge regression on remaining life up to the cap, the
            others are the leading principal components of the smoothed deviations.
    """

    weights: Floats

    def of(self, z: Floats) -> Floats:
        """Indices of each row, shape (n, indices)."""
        # Sensor by sensor: the order of a product's sums may depend on its shape, and no row may know how many follow.
        found = np.zeros((len(z), self.weights.shape[1]))
        for i in range(z.shape[1]):
            found += z[:, i : i + 1] * self.weights[i]
        return found


def learn_indices(z: Sequence[Floats], life: Sequence[Floats], cap: float, pace: float) -> Indices:
    """Indices from run-to-failure deviations.

    Args:
        z: deviations of each unit.
        life: what remained at their rows.
        cap: remaining life above which nothing is told apart.
        pace: see `sensor_features`.
    """
    rows, target = np.concatenate(z), np.minimum(cap, np.concatenate(life))
    smooth = np.concatenate([average(one, _weight(_MIDDLE, pace)) for one in z])
    size = rows.shape[1]
    centred = rows - rows.mean(axis=0)
    gram = centred.T @ centred + _RIDGE * np.eye(size)
    ridge = np.linalg.solve(gram, centred.T @ (target - target.mean()))
    _, vectors = np.linalg.eigh(np.cov(smooth.T).reshape(size, size))
    parts = vectors[:, ::-1][:, : min(_PARTS, size)]
    # An eigenvector's sign is anybody's choice: its largest entry is positive.
    parts = parts * np.sign(parts[np.abs(parts).argmax(axis=0), np.arange(parts.shape[1])])
    return Indices(np.column_stack([ridge / cap, parts]))
