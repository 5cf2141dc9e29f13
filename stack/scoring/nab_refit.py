"""What choosing the profile's constants on the same files is worth: they are chosen anew on others, and scored."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.profiles.pace import Pace
from detectors.profiles.univariate import PARTS, Decision, Evidence
from stack.scoring.common import SEEDS, Figure, Floats, bootstrap, over_seeds
from stack.scoring.nab import Costs, Series, folds, normalised, raw_of_alarms, ruler

WEIGHTS = ((1, 1, 1), (1, 0.5, 0.5), (0.5, 1, 0.5), (0.5, 0.5, 1), (1, 1, 0.5), (1, 0, 1), (0, 1, 1), (1, 1, 0))
"""Of the parts' -log10 p."""
TEMPOS = (0.0, 0.3, 0.5, 0.7)
PATIENCES = (0.1, 0.2, 0.3)
LEVELS = np.round(np.arange(1.5, 7.6, 0.2), 1)
"""Decision thresholds that are tried."""
_HEAD_START = 20


def refit(files: Sequence[Series], costs: Costs, say: Callable[[str], None]) -> dict[str, Figure]:
    """The score with weights, discounts and threshold chosen on other files, and on other folders.

    Args:
        files: to be scored.
        costs: of the profile.
        say: hears of progress.
    """
    raws = np.array([_raws(series, costs, say) for series in files])
    windows = np.array([ruler(series).windows for series in files])
    # Near thresholds speak too, as where the threshold alone is fixed.
    near = np.apply_along_axis(
        lambda row: np.convolve(np.pad(row, 1, mode="edge"), [0.25, 0.5, 0.25], "valid"), -1, raws
    )

    def chosen(parts: Sequence[NDArray[np.intp]]) -> Floats:
        found = np.zeros(len(files))
        for part in parts:
            total = np.delete(near, part, axis=0).sum(axis=0)
            found[part] = raws[(part, *np.unravel_index(int(total.argmax()), total.shape))]
        return found

    def value(raw: Floats, drawn: NDArray[np.intp]) -> float:
        return normalised(float(raw[drawn].sum()), int(windows[drawn].sum()), costs)

    every = np.arange(len(files))
    crossed = [chosen([use for _, use in folds(len(files), seed)]) for seed in SEEDS]
    mean: Floats = np.mean(crossed, axis=0)
    groups = np.array([series.group for series in files])
    others = chosen([np.flatnonzero(groups == group) for group in np.unique(groups)])
    title = f"standard, {raws.shape[1]} sets of constants and the threshold fixed"
    return {
        f"{title} on other files": over_seeds(
            [value(raw, every) for raw in crossed], *bootstrap(len(files), lambda drawn: value(mean, drawn))
        ),
        f"{title} on other folders": Figure(
            value(others, every), *bootstrap(len(files), lambda drawn: value(others, drawn))
        ),
    }


def _raws(series: Series, costs: Costs, say: Callable[[str], None]) -> Floats:
    """Raw scores of a file, a row a set of constants and a column a threshold."""
    say(f"constants anew: {series.name}")
    parts = [Evidence(1, [name], tempo=0.0, patience=0.0).observe(series.t, series.x) for name in PARTS]
    step, rows = Pace().observe(series.t), np.log10(np.arange(len(series.t)) + _HEAD_START)
    measure = ruler(series)
    found = []
    for weights, tempo, patience in itertools.product(WEIGHTS, TEMPOS, PATIENCES):
        total = sum(weights)
        sums = sum((w * part for w, part in zip(weights, parts, strict=True)), np.zeros(len(rows)))
        sums = np.maximum(sums / total * len(PARTS) + len(PARTS) * (tempo * step - patience * rows), 0.0)
        found.append([raw_of_alarms(measure, Decision(level, None).observe(sums).alarm, costs) for level in LEVELS])
    return np.array(found)
