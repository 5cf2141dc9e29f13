"""How unusual a statistic is against its own past, as -log10 of a tail probability.

Below the start of the tail the probability is the rank among the greatest values seen. From there on it is that of a
generalised Pareto tail over the greatest excesses (J. Pickands, Annals of Statistics 3, 1975), fitted by probability
weighted moments (J. Hosking, J. Wallis, Technometrics 29, 1987). Its shape is kept from 0 to 0.9: a fit with a finite
end calls every new maximum impossible, and one without a mean calls nothing unusual.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

MOST = 12.0
"""Greatest value that is said: nothing is rarer than 1 in 10^12."""
_KEPT = 400  # greatest values that are remembered
_HORIZON = 20_000  # values: a past twice as long is thinned to every other one
_SHARE = 0.02  # of the past that makes the tail
_LEAST_TAIL = 10
_LEAST_PAST = 20
_HEAVIEST = 0.9
_PLOTTING = 0.35  # Hosking and Wallis' position of the j-th of k values: (j - 0.35) / k
_STRAIGHT = 1e-6  # a shape up to this is an exponential tail
_FINEST = 0.005  # least spread of a tail, as a share of the values' span


class Tail:
    """The past of one statistic: its greatest values and how many there were. Great values are unusual."""

    def __init__(self) -> None:
        self._top = np.zeros(_KEPT)
        self._past = np.array([0.0, 0.0, np.inf])  # how many, how many of them are remembered, the least

    def observe(self, values: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
        """Judge each value against those before it, then learn it.

        Args:
            values: shape (n,); NaN is neither judged nor learned.
            noise: differences up to this mean nothing, e.g. those of rounding; shape (n,).

        Returns:
            -log10 p of shape (n,), 0 to `MOST`; 0 where unknown.
        """
        found = np.zeros(len(values))
        _judge(values, noise, self._top, self._past, found)
        return found


@compiled
def _rank(value: float, top: NDArray[np.float64], held: int, count: float) -> float:
    """-log10 of the share of the past that is as great; below all that is remembered, of what is remembered."""
    if value < top[held - 1]:
        return float(np.log10((count + 1.0) / (held + 1.0)))
    rank = 0
    while rank < held and top[rank] >= value:
        rank += 1
    return float(np.log10((count + 1.0) / (rank + 1.0))) if rank < held else 0.0


@compiled
def _learn(value: float, top: NDArray[np.float64], past: NDArray[np.float64]) -> None:
    """Enter a value; `top` falls in its first `past[1]` places."""
    count, held = past[0], int(past[1])
    past[0] += 1.0
    past[2] = min(past[2], value)
    whole = held == count and held < len(top)
    if whole or value > top[held - 1]:
        place = min(held, len(top) - 1)
        past[1] = place + 1.0
        while place > 0 and top[place - 1] < value:
            top[place] = top[place - 1]
            place -= 1
        top[place] = value
    if past[0] >= 2 * _HORIZON:
        held = int(past[1]) // 2
        for j in range(held):
            top[j] = top[2 * j + 1]
        past[0] /= 2.0
        past[1] = held


@compiled
def _beyond(value: float, top: NDArray[np.float64], count: float, size: int, least_scale: float) -> float:
    """-log10 of the tail over the `size` greatest values, whose start lies below `value`."""
    start = top[size]
    mean, weighted = 0.0, 0.0
    for j in range(size):
        excess = top[size - 1 - j] - start
        mean += excess
        weighted += excess * (1.0 - (j + 1 - _PLOTTING) / size)
    mean /= size
    weighted /= size
    shape, scale = 0.0, mean
    bend = mean - 2.0 * weighted
    if bend > 0.0:
        shape = min(max(2.0 - mean / bend, 0.0), _HEAVIEST)
        scale = mean * (1.0 - shape)
    scale = max(scale, least_scale)
    far = (value - start) / scale if scale > 0.0 else np.inf
    beyond = np.log10(1.0 + shape * far) / shape if shape > _STRAIGHT else far / np.log(10.0)
    return float(min(np.log10(count / size) + beyond, MOST))


@compiled
def _judge(
    values: NDArray[np.float64],
    noise: NDArray[np.float64],
    top: NDArray[np.float64],
    past: NDArray[np.float64],
    found: NDArray[np.float64],
) -> None:
    for row in range(len(values)):
        value = values[row]
        if not np.isfinite(value):
            continue
        count, held = past[0], int(past[1])
        if count >= _LEAST_PAST:
            size = min(max(int(np.ceil(_SHARE * count)), _LEAST_TAIL), held - 1)
            if value > top[size]:
                found[row] = _beyond(value, top, count, size, max(_FINEST * (top[size] - past[2]), noise[row]))
            else:
                found[row] = _rank(value, top, held, count)
        _learn(value, top, past)
