"""River's running statistics over arrays: one column a stream, one row of readings after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled

Matrix = NDArray[np.float64]


@compiled
def weighted(x: Matrix, rate: float, n: int, mean: Matrix, square: Matrix) -> None:
    """Exponentially weighted mean and mean square, as `river.stats.EWMean` and `EWVar`.

    Args:
        x: readings (rows, streams).
        rate: weight of the newest.
        n: rows that were taken before; the first one begins the means.
        mean: (streams,), changed.
        square: mean of the squares (streams,), changed; the variance is `square - mean ** 2`.
    """
    for row in range(len(x)):
        first = n + row == 0
        for i in range(x.shape[1]):
            value = x[row, i]
            mean[i] = value if first else mean[i] + rate * (value - mean[i])
            square[i] = value * value if first else square[i] + rate * (value * value - square[i])


@compiled
def welford(x: Matrix, n: int, mean: Matrix, squares: Matrix) -> None:
    """Running mean and sum of squared deviations, as `river.stats.Mean` and `Var`; arguments as `weighted`.

    Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics 4 (1962).
    """
    for row in range(len(x)):
        count = n + row + 1
        for i in range(x.shape[1]):
            before = x[row, i] - mean[i]
            mean[i] += before / count
            squares[i] += before * (x[row, i] - mean[i])


@compiled
def page_hinkley(x: Matrix, delta: float, alpha: float, n: int, state: Matrix) -> None:
    """The two statistics of the Page-Hinkley test, as `river.drift.PageHinkley` keeps them while it sees no drift.

    Page, "Continuous inspection schemes", Biometrika 41 (1954).

    Args:
        x: readings (rows, streams).
        delta: change that is tolerated.
        alpha: forgetting factor.
        n: rows that were taken before.
        state: mean, sum for rises, sum for falls, least of the first, largest of the second: (5, streams), changed.
    """
    mean, rise, fall, least, most = state[0], state[1], state[2], state[3], state[4]
    for row in range(len(x)):
        count = n + row + 1
        for i in range(x.shape[1]):
            mean[i] += (x[row, i] - mean[i]) / count
            away = x[row, i] - mean[i]
            rise[i] = alpha * rise[i] + away - delta
            fall[i] = alpha * fall[i] + away + delta
            least[i] = min(least[i], rise[i])
            most[i] = max(most[i], fall[i])
