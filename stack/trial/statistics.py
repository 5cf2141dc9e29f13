"""The few statistics that a trial's report needs: quantiles, and exact intervals of counts.

Pure arithmetic, the same on every machine to the digits that a report keeps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

_HALVINGS = 200
_TIGHT = 1e-12


def quantile(values: Sequence[float], share: float) -> float | None:
    """The quantile of a sample, linear between neighbours (type 7 of Hyndman and Fan, 1996); None of an empty one.

    Args:
        values: in any order.
        share: 0 to 1.
    """
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def share(part: int, whole: int) -> float | None:
    """`part / whole`, None of nothing."""
    return part / whole if whole else None


def binomial_interval(part: int, whole: int, level: float = 0.95) -> tuple[float, float] | None:
    """The exact interval of a share (Clopper and Pearson, Biometrika 26, 1934); None of nothing."""
    if whole == 0:
        return None
    tail = (1.0 - level) / 2.0
    low = 0.0 if part == 0 else _rising(lambda p: 1.0 - _binomial_cdf(part - 1, whole, p), tail, 0.0, 1.0)
    high = 1.0 if part == whole else _rising(lambda p: -_binomial_cdf(part, whole, p), -tail, 0.0, 1.0)
    return low, high


def _binomial_cdf(part: int, whole: int, chance: float) -> float:
    if chance <= 0.0:
        return 1.0
    if chance >= 1.0:
        return 0.0
    factorials = _log_factorials(whole)
    orders = np.arange(part + 1)
    logs = (
        factorials[whole]
        - factorials[orders]
        - factorials[whole - orders]
        + orders * math.log(chance)
        + (whole - orders) * math.log1p(-chance)
    )
    return min(float(math.fsum(np.exp(logs).tolist())), 1.0)


@lru_cache(maxsize=16)
def _log_factorials(up_to: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = np.zeros(up_to + 1, dtype=np.float64)
    found[1:] = np.cumsum(np.log(np.arange(1, up_to + 1, dtype=np.float64)))
    return found


def _rising(function: Callable[[float], float], goal: float, low: float, high: float) -> float:
    """Where a rising function reaches a goal, by bisection."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if function(middle) < goal:
            low = middle
        else:
            high = middle
        if high - low <= _TIGHT * max(high, 1.0):
            break
    return (low + high) / 2.0
