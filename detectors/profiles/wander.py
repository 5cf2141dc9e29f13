"""What is usual of each channel, learned from healthy rows: its level, its noise, and how far its level wanders.

A channel's mean of a minute says less about tomorrow's the more it wanders. How much it does shows in the Allan
variance (D. W. Allan, "Statistics of atomic frequency standards", Proc. IEEE 54, 1966): half the mean square
difference of neighbouring means of k rows. Of white noise it falls as 1/k, of a random walk it grows as k. What
exceeds the fall of white noise is taken as a random walk's, and carried on to means of a hundred rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

Array = NDArray[np.float64]

_WHITE, _SHORT, _LONG = 5, 20, 100
"""Rows of means that noise is told by, wander is told by, and wander is carried on to."""
_TAIL = 0.01
_FIRST = 20
_WANDER = 2.25
"""How many times the wander over a quarter of the healthy rows a level may go: found on recordings, see the docs."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What healthy rows say of each channel; every field of shape (channels,).

    Attributes:
        centre: level: between mean and median.
        noise: standard deviation of a row.
        scale: how far the smoothed level is usually away from the centre; 0 of a channel nothing is known of, because
            it never moved or was absent in most rows.
    """

    centre: Array
    noise: Array
    scale: Array


def learn(rows: Array, gain: float, pace: float = 1.0) -> Usual:
    """Learn from healthy rows.

    Args:
        rows: shape (n, channels); n at least 20; NaN where absent.
        gain: of the moving level whose deviations are to be judged, 0 to 1.
        pace: how many rows stand for one.
    """
    n = len(rows)
    told = np.isfinite(rows)
    known = told.sum(axis=0) * 2 >= n
    with np.errstate(over="ignore", invalid="ignore"):
        held = _hold(rows, told)
        # Around the median, so that what all rows have in common takes no digits from the differences.
        zero = np.median(held, axis=0)
        x = _tamed(held - zero)
        noise = x.std(axis=0)
        white, short, long = (min(max(1, round(k * pace)), n // 4) for k in (_WHITE, _SHORT, _LONG))
        excess = allan_variance(x, short) - allan_variance(x, white) * white / short
        wander = np.maximum(allan_variance(x, long), np.maximum(excess, 0.0) * long / short)
        scale = np.sqrt(_smoothed(x, gain).var(axis=0) + _WANDER * wander)
        centre = zero + x.mean(axis=0) / 2
    sound = known & (noise > 0) & np.isfinite(noise) & np.isfinite(scale) & np.isfinite(centre)
    return Usual(*(np.where(sound, value, 0.0) for value in (centre, noise, scale)))


def allan_variance(x: Array, k: int) -> Array:
    """Half the mean square difference of neighbouring means of k rows, over all overlapping pairs.

    Args:
        x: shape (n, channels).
        k: at most n // 2.

    Returns:
        Shape (channels,), in squared units.
    """
    sums = np.vstack([np.zeros(x.shape[1]), x.cumsum(axis=0)])
    means = (sums[k:] - sums[:-k]) / k
    found: Array = ((means[k:] - means[:-k]) ** 2).mean(axis=0) / 2
    return found


def _hold(rows: Array, told: NDArray[np.bool_]) -> Array:
    """An absent value repeats the one before it; before the first, the first; 0 where there is none."""
    n = len(rows)
    at = np.maximum.accumulate(np.where(told, np.arange(n)[:, None], -1), axis=0)
    first = told.argmax(axis=0)
    held = np.take_along_axis(rows, np.where(at < 0, first, at), axis=0)
    return np.where(np.isfinite(held), held, 0.0)


def _tamed(x: Array) -> Array:
    """Wild rows of healthy data are glitches: none lies farther out than the width of all others but a few."""
    low, high = np.quantile(x, (_TAIL, 1 - _TAIL), axis=0)
    width = high - low
    return np.asarray(np.clip(x, low - width, high + width))


@compiled
def _smoothed(x: Array, gain: float) -> Array:
    """The moving level of each channel, which begins at the mean of its first rows."""
    found = np.empty_like(x)
    for c in range(x.shape[1]):
        level = x[:_FIRST, c].mean()
        for i in range(len(x)):
            level += gain * (x[i, c] - level)
            found[i, c] = level
    return found
