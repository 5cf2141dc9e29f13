"""Dynamic PCA of a plant: the model that commissioning makes.

Ku, Storer and Georgakis, "Disturbance detection and isolation by dynamic principal component analysis" (1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_ROUNDING = 1e-9
"""A squared error below this is the arithmetic's, where commissioning was explained without rest."""


@dataclass(frozen=True, slots=True)
class Plant:
    """A commissioned model.

    The squared prediction error of a stack is its squared length in the directions that the model leaves out. That
    equals what a projection on the kept components leaves over, and does not cancel where both are large.

    Attributes:
        mean: of each channel.
        scale: standard deviation of each channel.
        rest: loadings of the components left out, (channels * lag, components), oldest row of a stack first.
        limit: squared prediction error that commissioning exceeded in 1 of 100 rows.
        log_mean: mean of its logarithm in commissioning.
        log_spread: standard deviation of that.
    """

    mean: Matrix
    scale: Matrix
    rest: Matrix
    limit: float
    log_mean: float
    log_spread: float


def commission(rows: Matrix, lag: int, share: float, quantile: float) -> Plant:
    """Make the model from rows (n, channels) that are known good.

    Args:
        rows: at least a few times as many as channels * lag.
        lag: rows a stack holds.
        share: of the variance that the kept components explain.
        quantile: of the prediction error that is the limit.

    Raises:
        ValueError: no channel ever moved.
    """
    mean = rows.mean(axis=0)
    # A channel that hardly moved must not divide by next to nothing; of one that stood still nothing is known but
    # that, and it takes no part in the error.
    scale = np.maximum(rows.std(axis=0), 1e-4 * np.maximum(np.abs(mean), 1e-3))
    still = (rows == rows[0]).all(axis=0)
    if still.all():
        raise ValueError("no channel moved while the plant was commissioned")
    z = np.where(still, 0.0, (rows - mean) / scale)
    stacks = np.hstack([z[i : len(z) - lag + 1 + i] for i in range(lag)])
    centred = stacks - stacks.mean(axis=0)
    weights, loadings = np.linalg.eigh(centred.T @ centred / (len(stacks) - 1))
    explained = np.cumsum(weights[::-1]) / weights.sum()
    rest = np.ascontiguousarray(loadings[:, : len(weights) - int(np.searchsorted(explained, share)) - 1])
    rest[np.tile(still, lag)] = 0.0
    error = ((stacks @ rest) ** 2).sum(axis=1)
    log = np.log(error + 1e-12)
    limit = max(_quantile(error, quantile), _ROUNDING)
    return Plant(mean, scale, rest, limit, float(log.mean()), max(float(log.std()), 1e-3))


def _quantile(x: Matrix, share: float) -> float:
    """Linear between order statistics, as `numpy.quantile`, without what that spends on other cases."""
    ordered = np.sort(x)
    at = share * (len(x) - 1)
    low = int(at)
    return float(ordered[low] + (at - low) * (ordered[min(low + 1, len(x) - 1)] - ordered[low]))
