"""Causal features of a unit's history, and the health indices they are made of.

Every number of row n is made of rows 0 to n, by sums in the order of the rows: the features of the first n rows are the
first n rows of the features, to the last bit.

Windows are stretches of time, not numbers of rows: a unit that reports half as often, or lost some reports, has the
same features but for their noise. Time is told in beats, one a training row.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled
from detectors.rul.modes import modes
from detectors.rul.records import HORIZON, Floats

_FAST, _MIDDLE, _SLOW = 0.25, 0.1, 0.03
_FIRST = 20.0
_WINDOWS = (15.0, 30.0, 60.0, 120.0)
_SHY = 5.0
"""A slope over few rows is drawn towards none, as if so many rows of no slope had gone before."""
_LEAST_SPREAD = 1e-9
_RIDGE = 100.0
_PARTS = 3


def average(z: Floats, t: Floats, weight: float) -> Floats:
    """Exponentially weighted mean of the rows so far, weights summing to one from the first row on.

    Args:
        z: shape (n, columns).
        t: beats since the first row, rising, shape (n,).
        weight: of a row that comes one beat after the one before.
    """
    between = np.diff(t, prepend=t[:1] - 1.0)
    rest = (1.0 - weight) ** between
    share = np.where(between == 1.0, weight, 1.0 - rest)
    found, total = np.zeros_like(z), np.zeros(len(z))
    _smooth(np.ascontiguousarray(z), rest, share, found, total)
    return np.asarray(found / total[:, None])


@compiled
def _smooth(z: Floats, rest: Floats, share: Floats, found: Floats, total: Floats) -> None:
    for row in range(len(z)):
        total[row] = share[row]
        if row:
            total[row] += rest[row] * total[row - 1]
        for column in range(z.shape[1]):
            found[row, column] = share[row] * z[row, column]
            if row:
                found[row, column] += rest[row] * found[row - 1, column]


def window(z: Floats, t: Floats, beats: float) -> tuple[Floats, Floats]:
    """Mean, and least-squares change, over the last `beats`."""
    end = np.arange(len(z)) + 1
    start = np.searchsorted(t, t - beats, side="right")
    count = end - start
    total, moment = _within(z, start, end), _within(z * t[:, None], start, end)
    when = _within(t[:, None], start, end)[:, 0]
    spread = _within((t**2)[:, None], start, end)[:, 0] - when**2 / count
    across = moment - (when / count)[:, None] * total
    known = spread > _LEAST_SPREAD
    slope = np.where(known[:, None], across / np.where(known, spread, 1.0)[:, None], 0.0)
    return total / count[:, None], slope * (count / (count + _SHY))[:, None] * beats


def _within(values: Floats, start: NDArray[np.intp], end: NDArray[np.intp]) -> Floats:
    """Sums over rows `start` to `end`, the end left out."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray(sums[end] - sums[start])


def beginning(z: Floats, t: Floats, beats: float) -> Floats:
    """Mean of the first `beats`, of as many as there are so far."""
    count = np.minimum(np.arange(len(z)) + 1, np.searchsorted(t, beats, side="left"))
    return np.asarray(np.cumsum(z, axis=0)[count - 1] / count[:, None])


def sensor_features(z: Floats, t: Floats) -> Floats:
    """Per sensor: three averages, change since the beginning, mean and change over two windows.

    Args:
        z: shape (n, sensors).
        t: beats since the first row, shape (n,).
    """
    middle = average(z, t, _MIDDLE)
    level, slope = window(z, t, _WINDOWS[1])
    _, long_slope = window(z, t, _WINDOWS[2])
    first = beginning(z, t, _FIRST)
    fast, slow = average(z, t, _FAST), average(z, t, _SLOW)
    return np.concatenate([fast, middle, slow, level, slope, long_slope, middle - first], axis=1)


def index_features(index: Floats, t: Floats) -> Floats:
    """Per health index: those of a sensor, means and changes over more windows, and the turn between two averages."""
    middle, slow = average(index, t, _MIDDLE), average(index, t, _SLOW)
    short, short_slope = window(index, t, _WINDOWS[0])
    level, _ = window(index, t, _WINDOWS[1])
    long, _ = window(index, t, _WINDOWS[2])
    _, longest_slope = window(index, t, _WINDOWS[3])
    more = [short, short_slope, longest_slope, middle - slow, level - long]
    return np.concatenate([sensor_features(index, t), *more], axis=1)


class Indices(msgspec.Struct, frozen=True, eq=False):
    """Health indices: sums of the sensors' deviations, one column an index.

    Attributes:
        weights: shape (sensors, indices). The first is a ridge regression on remaining life up to the cap, then come
            the leading principal components of the smoothed deviations. Where units wear out in several ways, a
            regression for each way follows, and the directions from the first way's ends to the others'.
    """

    weights: Floats

    def of(self, z: Floats) -> Floats:
        """Indices of each row, shape (n, indices)."""
        # Sensor by sensor: the order of a product's sums may depend on its shape, and no row may know how many follow.
        found = np.zeros((len(z), self.weights.shape[1]))
        for i in range(z.shape[1]):
            found += z[:, i : i + 1] * self.weights[i]
        return found


def learn_indices(z: Sequence[Floats], t: Sequence[Floats], life: Sequence[Floats], cap: float) -> Indices:
    """Indices from run-to-failure deviations.

    Args:
        z: deviations of each unit.
        t: beats since the first row of each.
        life: what remained at their rows.
        cap: remaining life above which nothing is told apart.
    """
    rows, left = np.concatenate(z), np.concatenate(life)
    smooth = np.concatenate([average(one, when, _MIDDLE) for one, when in zip(z, t, strict=True)])
    size = rows.shape[1]
    _, vectors = np.linalg.eigh(np.cov(smooth.T).reshape(size, size))
    parts = vectors[:, ::-1][:, : min(_PARTS, size)]
    # An eigenvector's sign is anybody's choice: its largest entry is positive.
    parts = parts * np.sign(parts[np.abs(parts).argmax(axis=0), np.arange(parts.shape[1])])
    ways = modes(z)
    own = _of_ways(z, life, ways, cap) if len(ways) > 1 else []
    return Indices(np.column_stack([_regression(rows, left, cap), parts, *own]))


def _regression(rows: Floats, life: Floats, cap: float) -> Floats:
    """Ridge regression of remaining life, in caps, on the deviations."""
    target = np.minimum(cap, life)
    centred = rows - rows.mean(axis=0)
    gram = centred.T @ centred + _RIDGE * np.eye(rows.shape[1])
    return np.asarray(np.linalg.solve(gram, centred.T @ (target - target.mean())) / cap)


def _of_ways(z: Sequence[Floats], life: Sequence[Floats], ways: Sequence[NDArray[np.intp]], cap: float) -> list[Floats]:
    """Weights of each way of wearing out, and the directions between the ways' ends."""
    found = []
    for way in ways:
        rows, left = np.concatenate([z[i] for i in way]), np.concatenate([life[i] for i in way])
        told = left <= HORIZON * cap
        found.append(_regression(rows[told], left[told], cap))
    ends = [np.mean([z[i][-1] for i in way], axis=0) for way in ways]
    lines = [end - ends[0] for end in ends[1:]]
    return found + [line / np.linalg.norm(line) for line in lines]
