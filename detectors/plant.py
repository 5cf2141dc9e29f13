"""Dynamic PCA of a commissioned plant: squared prediction error of rows stacked with their lags.

Ku, Storer and Georgakis, "Disturbance detection and isolation by dynamic principal component analysis" (1995).
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class PlantState(msgspec.Struct, frozen=True):
    """The commissioned model, arrays as float64 bytes.

    Attributes:
        mean: of each channel.
        scale: standard deviation of each channel.
        kept: loadings, (channels * lag, components).
        limit: squared prediction error that commissioning exceeded in 1 of 100 rows.
        log_mean: mean of its logarithm in commissioning.
        log_spread: standard deviation of that.
    """

    mean: bytes
    scale: bytes
    kept: bytes
    limit: float
    log_mean: float
    log_spread: float


class Plant:
    """Scores rows by a commissioned model.

    Args:
        state: the model.
        lag: rows a stack holds.
    """

    def __init__(self, state: PlantState, lag: int) -> None:
        self.state = state
        self.mean: Matrix = np.frombuffer(state.mean)
        self.scale: Matrix = np.frombuffer(state.scale)
        self._kept: Matrix = np.frombuffer(state.kept).reshape(len(self.mean) * lag, -1)
        self._lag = lag

    @classmethod
    def commission(cls, rows: Matrix, lag: int, share: float, quantile: float) -> Plant:
        """Make the model from rows (n, channels) that are known good.

        Args:
            rows: at least a few times as many as channels * lag.
            lag: rows a stack holds.
            share: of the variance that the kept components explain.
            quantile: of the prediction error that is the limit.
        """
        mean = rows.mean(axis=0)
        scale = rows.std(axis=0)
        # A channel that stood still in commissioning must not divide by nothing.
        scale = np.maximum(scale, 1e-4 * np.maximum(np.abs(mean), 1e-3))
        stacks = _stack((rows - mean) / scale, lag)
        weights, loadings = np.linalg.eigh(np.cov(stacks.T))
        weights, loadings = weights[::-1], loadings[:, ::-1]
        count = int(np.searchsorted(np.cumsum(weights) / weights.sum(), share)) + 1
        kept = np.ascontiguousarray(loadings[:, :count])
        error = ((stacks - stacks @ kept @ kept.T) ** 2).sum(axis=1)
        log = np.log(error + 1e-12)
        state = PlantState(
            mean.tobytes(),
            scale.tobytes(),
            kept.tobytes(),
            float(np.quantile(error, quantile)),
            float(log.mean()),
            max(float(log.std()), 1e-3),
        )
        return cls(state, lag)

    def score(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        """Squared prediction error of each stack, and how much of it each channel's newest reading brings.

        Args:
            rows: (n, channels) without a gap, n at least the lag.

        Returns:
            Errors (n - lag + 1,) and contributions (n - lag + 1, channels).
        """
        stacks = _stack((rows - self.mean) / self.scale, self._lag)
        rest = (stacks - stacks @ self._kept @ self._kept.T) ** 2
        return rest.sum(axis=1), rest[:, -len(self.mean) :]


def _stack(z: Matrix, lag: int) -> Matrix:
    return np.hstack([z[i : len(z) - lag + 1 + i] for i in range(lag)])
