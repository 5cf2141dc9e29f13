"""Rates of rare events with their exact interval. Pure numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

_HALVINGS = 100


@dataclass(frozen=True, slots=True)
class Rate:
    """Events per unit of exposure, with a two-sided interval.

    Attributes:
        events: counted.
        exposure: in what the rate is per.
        rate: events over exposure.
        low: of the interval.
        high: of the interval.
    """

    events: int
    exposure: float
    rate: float
    low: float
    high: float


def rate_of(events: int, exposure: float, level: float = 0.95) -> Rate | None:
    """The rate of a Poisson count with its exact interval (F. Garwood, Biometrika 28, 1936); None without exposure.

    Args:
        events: counted.
        exposure: above 0.
        level: of the interval.
    """
    if exposure <= 0:
        return None
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else _solve(events - 1, 1 - tail)
    high = _solve(events, tail)
    return Rate(events, exposure, events / exposure, low / exposure, high / exposure)


def _solve(k: int, wanted: float) -> float:
    """The mean at which at most `k` events have the wanted probability."""
    low, high = 0.0, 10.0 + 4.0 * (k + 1)
    for _ in range(_HALVINGS):
        mean = (low + high) / 2
        low, high = (mean, high) if _at_most(k, mean) > wanted else (low, mean)
    return high


def _at_most(k: int, mean: float) -> float:
    """P(X <= k) of a Poisson count, summed in logarithms so that large means do not vanish."""
    if mean <= 0:
        return 1.0
    terms = [i * math.log(mean) - mean - math.lgamma(i + 1) for i in range(k + 1)]
    top = max(terms)
    return math.exp(top) * sum(math.exp(term - top) for term in terms)
