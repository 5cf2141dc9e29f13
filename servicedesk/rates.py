"""Rare events: how likely a count is, and the exact interval of a rate. Pure numbers (Poisson)."""

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
    low, high = poisson_interval(events, level)
    return Rate(events, exposure, events / exposure, low / exposure, high / exposure)


def poisson_interval(events: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a Poisson mean, given one count (Garwood, see `rate_of`).

    Its ends are the means at which so many events or more, and so many or fewer, have the probability
    (1 - level) / 2.

    Args:
        events: counted, from 0.
        level: of the interval.
    """
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else _solve(events - 1, 1 - tail)
    return low, _solve(events, tail)


def log_choose(n: int, k: int) -> float:
    """Logarithm of how many ways there are to choose `k` of `n`: in logarithms many do not overflow."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def at_least(events: int, mean: float) -> float:
    """P(N >= events) of a Poisson count."""
    return 1.0 if events <= 0 else min(1.0, max(0.0, 1.0 - at_most(events - 1, mean)))


def at_most(events: int, mean: float) -> float:
    """P(N <= events) of a Poisson count, summed in logarithms so that large means do not vanish."""
    if mean <= 0:
        return 1.0
    terms = [n * math.log(mean) - mean - math.lgamma(n + 1) for n in range(events + 1)]
    top = max(terms)
    return min(1.0, math.exp(top) * math.fsum(math.exp(term - top) for term in terms))


def _solve(k: int, wanted: float) -> float:
    """The mean at which at most `k` events have the wanted probability."""
    low, high = 0.0, 10.0 + 4.0 * (k + 1)
    for _ in range(_HALVINGS):
        mean = (low + high) / 2
        low, high = (mean, high) if at_most(k, mean) > wanted else (low, mean)
    return high
