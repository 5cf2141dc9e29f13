"""The Numenta Anomaly Benchmark's own score, written anew from its paper and checked against its properties.

A. Lavin, S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark", ICMLA 2015,
arXiv:1510.03336; version 1.1 of the benchmark. Each labelled window counts once, by its earliest alarm, more the
earlier it lies in the window; an alarm outside costs, less just behind a window; a window without an alarm costs. The
sum is brought to 0 for a detector that never alarms and to 100 for one that alarms on each window's first row alone.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stack.errors import StackError
from stack.scoring.common import Floats

_PROBATION_SHARE = 0.15
_PROBATION_MOST = 0.15 * 5_000
_STEEPNESS = 5.0
_FAR = 3.0
_MANY, _FEW = 3_000, 100
_EARLIEST = 2.0 / (1.0 + np.exp(-_STEEPNESS)) - 1.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What a window found, an alarm outside, and a window missed count."""

    found: float
    outside: float
    missed: float


PROFILES = {
    "standard": Costs(1.0, 0.11, 1.0),
    "reward_low_FP_rate": Costs(1.0, 0.22, 1.0),
    "reward_low_FN_rate": Costs(1.0, 0.11, 2.0),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One file.

    Attributes:
        name: folder and file.
        t: seconds since 1970, shape (n,).
        x: values, shape (n, 1).
        windows: first and last row of each labelled window.
    """

    name: str
    t: Floats
    x: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def group(self) -> str:
        """Its folder."""
        return self.name.split("/")[0]

    @property
    def probation(self) -> int:
        """So many first rows are not scored."""
        return int(np.ceil(min(np.floor(_PROBATION_SHARE * len(self.t)), _PROBATION_MOST)))


def load(folder: Path) -> list[Series]:
    """Read every file that has an entry among the labels, in order of name.

    Raises:
        StackError: no labels, or a file that is not `timestamp,value`.
    """
    places = [folder / "combined_windows.json", folder / "labels" / "combined_windows.json"]
    labels = next((place for place in places if place.is_file()), None)
    if labels is None:
        raise StackError(f"no combined_windows.json in {folder} or its folder labels")
    windows = json.loads(labels.read_text(encoding="utf-8"))
    found = [
        _series(path, name, windows[name]) for name in sorted(windows) if (path := folder / "data" / name).is_file()
    ]
    if not found:
        raise StackError(f"none of the labelled files is in {folder / 'data'}")
    return found


def _series(path: Path, name: str, windows: list[list[str]]) -> Series:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    try:
        times = np.array([row[0] for row in rows], dtype="datetime64[us]")
        values = np.array([float(row[1]) for row in rows])
    except (ValueError, IndexError) as cause:
        raise StackError(f"{path}: rows must be timestamp,value ({cause})") from cause
    limits = []
    for first, last in windows:
        inside = np.flatnonzero((times >= np.datetime64(first)) & (times <= np.datetime64(last)))
        if len(inside):
            limits.append((int(inside[0]), int(inside[-1])))
    seconds = times.astype(np.int64) / 1e6
    return Series(name, seconds, values[:, None], tuple(sorted(limits)))


def scaled_sigmoid(position: Floats) -> Floats:
    """2 / (1 + exp(5 p)) - 1, and -1 far behind a window (p at least 3).

    Args:
        position: -1 at a window's first row, 0 at its end, above 0 behind it, in window widths.
    """
    near = np.minimum(position, _FAR)
    worth: Floats = 2.0 / (1.0 + np.exp(_STEEPNESS * near)) - 1.0
    worth[position >= _FAR] = -1.0
    return worth


@dataclass(frozen=True, slots=True)
class Ruler:
    """What an alarm on each row of a file is worth.

    Attributes:
        worth: inside a window 0 to 1, outside -1 to 0; shape (n,).
        window: number of the row's window, -1 outside; shape (n,).
        scored: behind the probation; shape (n,).
        windows: how many windows have a scored row.
    """

    worth: Floats
    window: NDArray[np.int64]
    scored: NDArray[np.bool_]
    windows: int


def ruler(series: Series) -> Ruler:
    """Worth of each row of a file."""
    n = len(series.t)
    rows = np.arange(n, dtype=np.float64)
    position = np.full(n, _FAR)
    window = np.full(n, -1, dtype=np.int64)
    for first, last in series.windows:
        after = slice(last + 1, n)
        position[after] = (rows[after] - last) / max(last - first, 1)
    worth = scaled_sigmoid(position)
    for number, (first, last) in enumerate(series.windows):
        inside = slice(first, last + 1)
        width = last - first + 1
        worth[inside] = scaled_sigmoid((rows[inside] - last - 1) / width) / _EARLIEST
        window[inside] = number
    scored = rows >= series.probation
    return Ruler(worth, window, scored, len(set(window[scored & (window >= 0)].tolist())))


def raw_of_alarms(measure: Ruler, alarm: NDArray[np.bool_], costs: Costs) -> float:
    """What the alarms on these rows come to, before it is normalised."""
    rows = np.flatnonzero(alarm & measure.scored)
    worth, window = measure.worth[rows], measure.window[rows]
    total = costs.outside * float(worth[window < 0].sum()) - costs.missed * measure.windows
    for number in set(window[window >= 0].tolist()):
        total += costs.missed + costs.found * float(worth[window == number].max())
    return total


class Curve:
    """A file's score as a function of the threshold: alarms are the rows with a score at or above it."""

    def __init__(self, measure: Ruler, score: Floats, costs: Costs) -> None:
        rows = np.flatnonzero(measure.scored)
        order = rows[np.argsort(-score[rows], kind="stable")]
        levels = score[order]
        worth = measure.worth[order]
        window = measure.window[order]
        total = np.cumsum(np.where(window < 0, worth * costs.outside, 0.0))
        for number in np.unique(window[window >= 0]):
            best = np.maximum.accumulate(np.where(window == number, worth * costs.found, -costs.missed))
            total += best
        # Rows of one score alarm together: the last of them says the sum.
        last = np.append(levels[1:] != levels[:-1], True) if len(levels) else np.zeros(0, dtype=bool)
        self._levels: Floats = -levels[last]
        self._totals: Floats = np.concatenate([[-costs.missed * measure.windows], total[last]])

    @property
    def levels(self) -> Floats:
        """The scores that occur, falling."""
        return -self._levels

    def at(self, thresholds: Floats) -> Floats:
        """Raw scores, shape of the thresholds."""
        found: Floats = self._totals[np.searchsorted(self._levels, -thresholds, side="right")]
        return found


def normalised(raw: float, windows: int, costs: Costs) -> float:
    """0 for no alarm at all, 100 for each window's first row and nothing else; NaN without windows."""
    null, perfect = -costs.missed * windows, costs.found * windows
    return 100.0 * (raw - null) / (perfect - null) if windows else float("nan")


def best_threshold(curves: Sequence[Curve]) -> float:
    """The threshold with the greatest sum over files; of several equally good neighbours, the middle one."""
    levels = np.unique(np.concatenate([curve.levels for curve in curves]))
    if len(levels) > _MANY:
        # So many alarms outside cost more than all windows can earn: below, a few places are enough.
        levels = np.concatenate([levels[: -_MANY : max(1, len(levels) // _FEW)], levels[-_MANY:]])
    middles = np.append((levels[1:] + levels[:-1]) / 2, levels[-1] + 1.0)
    total = np.sum([curve.at(middles) for curve in curves], axis=0)
    best = np.flatnonzero(total >= total.max() - 1e-9)
    return float(middles[best[len(best) // 2]])


def folds(files: int, seed: int, count: int = 5) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Numbers of the files to fix a threshold on, and of those it is used on; each file is used on once."""
    order = np.random.default_rng(seed).permutation(files)
    for part in np.array_split(order, min(count, files)):
        yield np.setdiff1d(order, part), np.sort(part)
