"""The detector that others are measured against on several channels: dynamic principal component analysis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stack.scoring.common import Floats

_LAG = 5
_SHARE = 0.9
_QUANTILE = 0.99
_MAJORITY = 15


def dynamic_pca(x: Floats, train_rows: int) -> NDArray[np.bool_]:
    """Alarms of the squared prediction error of stacks of five rows, by the majority of the last fifteen.

    Ku, Storer and Georgakis, "Disturbance detection and isolation by dynamic principal component analysis" (1995): 90 %
    of the variance kept, the limit is what one in a hundred training stacks exceeds. As causal as a profile.

    Args:
        x: values, shape (n, channels), n at least `train_rows`.
        train_rows: healthy first rows; at least a few times as many as five stacks have numbers.
    """
    healthy = x[:train_rows]
    scale = np.maximum(healthy.std(axis=0), np.finfo(float).tiny)
    z = (x - healthy.mean(axis=0)) / scale
    stacks = np.hstack([z[i : len(z) - _LAG + 1 + i] for i in range(_LAG)])
    training = stacks[: train_rows - _LAG + 1]
    weights, loadings = np.linalg.eigh(np.cov(training.T))
    kept = int(np.searchsorted(np.cumsum(weights[::-1]) / weights.sum(), _SHARE)) + 1
    rest = loadings[:, : len(weights) - kept]
    error = ((stacks - training.mean(axis=0)) @ rest) ** 2
    error = np.concatenate([np.zeros(_LAG - 1), error.sum(axis=1)])
    beyond = np.concatenate([[0], np.cumsum(error > np.quantile(error[_LAG - 1 : train_rows], _QUANTILE))])
    rows = np.arange(1, len(x) + 1)
    found: NDArray[np.bool_] = beyond[rows] - beyond[np.maximum(rows - _MAJORITY, 0)] > _MAJORITY / 2
    return found
