"""The same arithmetic twice on the same readings: arrays over all streams, and one object of river a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import drift, stats

# What the live detectors use of river; see `detectors.decision`.
from river._river_rust.drift import AdaptiveWindowing

from detectors.yardstick.arrays import page_hinkley, weighted, welford

Matrix = NDArray[np.float64]

_RATE = 0.15
_DELTA, _ALPHA = 0.005, 1 - 0.0001
_ADWIN_STREAMS = 400


@dataclass(frozen=True, slots=True)
class Beside:
    """One estimator.

    Attributes:
        river_per_s: readings a second and core, CPU time, median of the runs.
        ours_per_s: likewise.
        max_abs_diff: largest difference of what both say at the end, over all streams.
    """

    river_per_s: float
    ours_per_s: float
    max_abs_diff: float


def compare(streams: int, rows: int, runs: int, seed: int = 1) -> dict[str, Beside]:
    """Every estimator on the same readings.

    Args:
        streams: devices times channels.
        rows: readings of each.
        runs: the median counts.
        seed: of the readings.
    """
    x = np.random.default_rng(seed).normal(20.0, 3.0, (rows, streams))
    drifting = x + np.where(np.arange(rows) >= rows // 2, 6.0, 0.0)[:, None]
    pairs: dict[str, tuple[Matrix, Callable[[Matrix], Matrix], Callable[[Matrix], Matrix]]] = {
        "EWMean": (x, lambda x: _weighted(x)[0], lambda x: _river(x, lambda: stats.EWMean(_RATE))),
        "EWVar": (x, lambda x: _weighted(x)[1], lambda x: _river(x, lambda: stats.EWVar(_RATE))),
        "Mean": (x, lambda x: _welford(x)[0], lambda x: _river(x, stats.Mean)),
        "Var": (x, lambda x: _welford(x)[1], lambda x: _river(x, stats.Var)),
        "PageHinkley": (x, _page_hinkley, _river_page_hinkley),
        "ADWIN": (drifting[:, :_ADWIN_STREAMS], _adwin, _river_adwin),
    }
    return {name: _both(readings, ours, theirs, runs) for name, (readings, ours, theirs) in pairs.items()}


def _both(x: Matrix, ours: Callable[[Matrix], Matrix], theirs: Callable[[Matrix], Matrix], runs: int) -> Beside:
    ours(x[:2])  # compiled before the clock runs
    ours_s, found = _timed(ours, x, runs)
    river_s, expected = _timed(theirs, x, runs)
    return Beside(round(x.size / river_s), round(x.size / ours_s), float(np.abs(found - expected).max()))


def _timed(take: Callable[[Matrix], Matrix], x: Matrix, runs: int) -> tuple[float, Matrix]:
    spent: list[float] = []
    for _ in range(runs):
        begun = time.process_time()
        found = take(x)
        spent.append(max(time.process_time() - begun, 1e-9))
    return median(spent), found


def _weighted(x: Matrix) -> tuple[Matrix, Matrix]:
    mean, square = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for row in range(len(x)):
        weighted(x[row : row + 1], _RATE, row, mean, square)
    return mean, square - mean**2


def _welford(x: Matrix) -> tuple[Matrix, Matrix]:
    mean, squares = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for row in range(len(x)):
        welford(x[row : row + 1], row, mean, squares)
    return mean, squares / (len(x) - 1)


def _page_hinkley(x: Matrix) -> Matrix:
    state = np.zeros((5, x.shape[1]))
    state[3], state[4] = np.inf, -1
    for row in range(len(x)):
        page_hinkley(x[row : row + 1], _DELTA, _ALPHA, row, state)
    return np.stack((state[1] - state[3], state[4] - state[2]))


def _river(x: Matrix, make: Callable[[], Any]) -> Matrix:
    estimators = [make() for _ in range(x.shape[1])]
    for row in x.tolist():
        for estimator, value in zip(estimators, row, strict=True):
            estimator.update(value)
    return np.array([estimator.get() for estimator in estimators])


def _river_page_hinkley(x: Matrix) -> Matrix:
    # A threshold that nothing reaches: the statistics are compared, which a drift would begin anew.
    made = [drift.PageHinkley(delta=_DELTA, alpha=_ALPHA, threshold=1e18) for _ in range(x.shape[1])]
    _take(made, x)
    rises = [one._sum_increase - one._min_increase for one in made]  # noqa: SLF001  (river tells them in no other way)
    falls = [one._max_decrease - one._sum_decrease for one in made]  # noqa: SLF001  (likewise)
    return np.array([rises, falls])


def _adwin(x: Matrix) -> Matrix:
    made = [_window() for _ in x[0]]
    drifted = [False] * len(made)
    for row in x.tolist():
        for i, value in enumerate(row):
            if drifted[i]:
                made[i] = _window()
            drifted[i] = made[i].update(value)
    return np.array([[one.get_width() for one in made], [one.get_total() for one in made]])


def _window() -> Any:  # noqa: ANN401  (the library has no types)
    return AdaptiveWindowing(delta=0.01, clock=1, max_buckets=5, min_window_length=3, grace_period=6)


def _river_adwin(x: Matrix) -> Matrix:
    make: Callable[..., Any] = drift.ADWIN
    made = [make(delta=0.01, clock=1, min_window_length=3, grace_period=6) for _ in x[0]]
    _take(made, x)
    return np.array([[one.width for one in made], [one.total for one in made]])


def _take(made: Sequence[Any], x: Matrix) -> None:
    for row in x.tolist():
        for one, value in zip(made, row, strict=True):
            one.update(value)
