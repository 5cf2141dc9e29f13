"""What commissioning makes of a plant: its model, and how far its levels stray in health.

The model is dynamic PCA: Ku, Storer and Georgakis, "Disturbance detection and isolation by dynamic principal
component analysis" (1995). How far a level strays is told by Allan variances (Allan, "Statistics of atomic frequency
standards", 1966): the variance between neighbouring means of k rows holds the noise, which falls with k, and the
wander, which grows with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.rowloop import ROUNDING, Single, errors, smoothed

Matrix = NDArray[np.float64]

_LEAST_SPREAD = 0.1
"""A logarithm of errors that hardly moved in commissioning must not divide by next to nothing."""


@dataclass(frozen=True, slots=True)
class Plant:
    """A commissioned model.

    Attributes:
        mean: of each channel.
        scale: standard deviation of each channel.
        stack_mean: mean of what is stacked: of a slow channel the reading without its reference.
        stack_weight: one over its standard deviation; 0 for a channel that stood still, which takes no part.
        wander: how far each channel's level strays; infinite for one that stood still.
        slow: each channel's reference behind the last row.
        loadings: of the components left out, or of those kept where these are fewer, (channels * lag, components),
            oldest row of a stack first. Their squares are the prediction error, or what they do not explain is.
        kept: whether they are those kept.
        last: the last rows as they are stacked (lag - 1, channels).
        log_mean: mean of the error's logarithm in commissioning.
        log_spread: standard deviation of that.
    """

    mean: Matrix
    scale: Matrix
    stack_mean: Matrix
    stack_weight: Matrix
    wander: Matrix
    slow: Matrix
    loadings: Single
    kept: bool
    last: Single
    log_mean: float
    log_spread: float


@dataclass(frozen=True, slots=True)
class Commissioning:
    """How a kind's plants are commissioned.

    Attributes:
        lag: rows a stack holds.
        share: of the variance that the kept components explain.
        slow: whether each channel is slow (channels,).
        slow_rate: weight of the newest row in a slow channel's reference.
        level_rate: weight of the newest row in a level.
        wander: how many variances of the wander over `rows` rows a level's own variance is widened by.
        rows: over which a level wanders.
    """

    lag: int
    share: float
    slow: NDArray[np.bool_]
    slow_rate: float
    level_rate: float
    wander: float
    rows: int


def commission(rows: Matrix, how: Commissioning) -> Plant:
    """Make the model from rows (n, channels) that are known good, a few times as many as channels * lag.

    Raises:
        ValueError: no channel ever moved.
    """
    still = (rows == rows[0]).all(axis=0)
    if still.all():
        raise ValueError("no channel moved while the plant was commissioned")
    follow = smoothed(rows, how.slow_rate)
    before = np.vstack((rows[:1], follow[:-1]))
    stacked = np.where(how.slow, rows - before, rows)
    mean, stack_mean = rows.mean(axis=0), stacked.mean(axis=0)
    # A channel that hardly moved must not divide by next to nothing; of one that stood still nothing is known but
    # that, and it takes no part in the error.
    least = 1e-4 * np.maximum(np.abs(mean), 1e-3)
    stack_weight = np.where(still, 0.0, 1 / np.maximum(stacked.std(axis=0), least))
    z = ((stacked - stack_mean) * stack_weight).astype(np.float32)
    wide = z.astype(np.float64)
    stacks = np.hstack([wide[i : len(z) - how.lag + 1 + i] for i in range(how.lag)])
    loadings, kept = _components(stacks, how.share)
    log = np.log(errors(loadings, loadings.shape[1], kept, stacks) + ROUNDING)
    return Plant(
        mean=mean,
        scale=np.maximum(rows.std(axis=0), least),
        stack_mean=stack_mean,
        stack_weight=stack_weight,
        wander=np.where(still, np.inf, np.maximum(_wander(rows, how), least)),
        slow=follow[-1],
        loadings=loadings,
        kept=kept,
        last=z[len(z) - how.lag + 1 :],
        log_mean=float(log.mean()),
        log_spread=max(float(log.std()), _LEAST_SPREAD),
    )


def _components(stacks: Matrix, share: float) -> tuple[Single, bool]:
    """Loadings of the components left out, or of those kept where these are fewer, and which they are."""
    centred = stacks - stacks.mean(axis=0)
    weights, loadings = np.linalg.eigh(centred.T @ centred / (len(stacks) - 1))
    explained = np.cumsum(weights[::-1]) / weights.sum()
    rest = len(weights) - int(np.searchsorted(explained, share)) - 1
    kept = rest > len(weights) // 2
    chosen = loadings[:, rest:] if kept else loadings[:, :rest]
    return np.ascontiguousarray(chosen.astype(np.float32)), kept


def _wander(rows: Matrix, how: Commissioning) -> Matrix:
    """Standard deviation of each channel's level, its wander over `how.rows` rows counted several times."""
    noise, strayed = _allan(rows, 1), _allan(rows, how.rows)
    for k in (how.rows // 5, how.rows):
        # What is left of the variance when the noise is taken off grows with k, as a random walk's does.
        strayed = np.maximum(strayed, np.maximum(_allan(rows, k) - noise / k, 0.0) * how.rows / k)
    wandered: Matrix = np.sqrt(smoothed(rows, how.level_rate).var(axis=0) + how.wander * strayed)
    return wandered


def _allan(rows: Matrix, k: int) -> Matrix:
    """Allan variance of each channel: half the mean square between neighbouring means of k rows, all overlapping."""
    sums = np.vstack((np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)))
    means = (sums[k:] - sums[:-k]) / k
    steps = means[k:] - means[:-k]
    half: Matrix = (steps**2).mean(axis=0) / 2
    return half
