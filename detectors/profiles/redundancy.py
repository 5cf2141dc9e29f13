"""What a channel owes to the others: residuals of channels that the others foretell.

Two sensors of one thing move together, and a fault that parts them may leave each within its own wander. Where the
other channels foretell a channel, what they leave over is watched as a channel of its own: analytical redundancy
(P. M. Frank, "Fault diagnosis in dynamic systems using analytical and knowledge-based redundancy", Automatica 26,
1990). It is fitted to what remains when each channel's slow drift is taken away, because two drifts that have nothing
to do with each other always look alike for a while.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

Array = NDArray[np.float64]

_RIDGE = 0.01
_FORETOLD = 0.5
"""Share of a channel's variance in the second half that a fit to the first half must explain."""
_ROWS_A_CHANNEL = 4


def residual_weights(rows: Array, drift_gain: float) -> Array:
    """Weights of the channels in each residual that is worth watching.

    Args:
        rows: healthy, shape (n, channels); NaN where absent.
        drift_gain: of the moving level that is taken away first, 0 to 1.

    Returns:
        Shape (residuals, channels): 1 for the channel itself, minus its regression on the others, in the channels'
        own units.
    """
    n, channels = rows.shape
    whole = np.isfinite(rows).all(axis=0) & (rows != rows[:1]).any(axis=0)
    used = np.flatnonzero(whole)
    if len(used) < 2 or n < 2 * _ROWS_A_CHANNEL * len(used):  # noqa: PLR2004  (two channels are the fewest)
        return np.empty((0, channels))
    with np.errstate(over="ignore", invalid="ignore"):
        x = rows[:, used] - rows[:, used].mean(axis=0)
        spread = x.std(axis=0)
        z = without_drift(x / spread, drift_gain)
    if not np.isfinite(z).all():
        return np.empty((0, channels))
    half = n // 2
    found = [np.empty((0, channels))]
    for c in range(len(used)):
        others = np.flatnonzero(np.arange(len(used)) != c)
        trial = _fit(z[:half], c, others)
        left = z[half:, c] - z[half:][:, others] @ trial
        if left.var() > (1 - _FORETOLD) * z[half:, c].var():
            continue
        weights = np.zeros((1, channels))
        weights[0, used[c]] = 1.0
        weights[0, used[others]] = -_fit(z, c, others) * spread[c] / spread[others]
        found.append(weights)
    return np.concatenate(found)


def _fit(z: Array, c: int, others: NDArray[np.intp]) -> Array:
    """Ridge regression of a channel on the others, shape (others,)."""
    products = z[:, others].T @ z[:, others] / len(z)
    found: Array = np.asarray(
        np.linalg.solve(products + _RIDGE * np.eye(len(others)), z[:, others].T @ z[:, c] / len(z))
    )
    return found


@compiled
def without_drift(x: Array, gain: float) -> Array:
    """Each channel minus its moving level, shape as `x`."""
    found = np.empty_like(x)
    for c in range(x.shape[1]):
        level = x[0, c]
        for i in range(len(x)):
            level += gain * (x[i, c] - level)
            found[i, c] = x[i, c] - level
    return found


@compiled
def watched(x: Array, weights: Array) -> Array:
    """The channels and behind them their residuals.

    Sums are made one by one, so that they do not depend on how many rows come at once.

    Args:
        x: shape (n, channels).
        weights: shape (residuals, channels).

    Returns:
        Shape (n, channels + residuals); NaN where a residual's channel is absent.
    """
    n, channels = x.shape
    found = np.empty((n, channels + len(weights)))
    for i in range(n):
        for c in range(channels):
            found[i, c] = x[i, c]
        for r in range(len(weights)):
            total = 0.0
            for c in range(channels):
                if weights[r, c] != 0.0:
                    total += weights[r, c] * x[i, c]
            found[i, channels + r] = total if math.isfinite(total) else math.nan
    return found
