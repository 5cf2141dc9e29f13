"""The profile `univariate` under the Numenta benchmark's score, with the threshold fixed on other files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.profiles.univariate import PARTS, THRESHOLD, Decision, Evidence
from stack.errors import StackError
from stack.scoring.common import (
    SEEDS,
    Figure,
    Floats,
    Result,
    blind_controls,
    bootstrap,
    find_data,
    over_seeds,
)
from stack.scoring.nab import (
    PROFILES,
    Costs,
    Curve,
    Ruler,
    Series,
    best_threshold,
    folds,
    load,
    normalised,
    raw_of_alarms,
    ruler,
)
from stack.scoring.nab_refit import refit

_PROTOCOL = (
    "NAB 1.1, score 0 (no alarm) to 100 (each window's first row alone); an alarm is a row whose score reaches the "
    "threshold; the first 15 % of a file, at most 750 rows, are not scored; no point adjustment"
)
_DEVELOPED = (
    "the same files: the design and the profile's own threshold were chosen on the 27 files of the set that the "
    "project holds (artificialNoAnomaly 3, artificialWithAnomaly 3, realAWSCloudwatch 9, realAdExchange 3, "
    "realTraffic 4, realTweets 5); no other file of NAB was looked at"
)
_THRESHOLD = (
    "the profile's decision threshold, one for all files, the best on four fifths of them, used on the remaining "
    "fifth; five divisions into fifths, mean ± standard deviation. 'swept' is the best on the files it is scored on; "
    f"'own' the profile's alarm column (threshold {THRESHOLD}); 'score column' a threshold on the printed scores, "
    "fixed likewise"
)
_GRID = np.round(np.arange(1.0, 10.0, 0.1), 1)
"""Decision thresholds that are tried."""
_PERIOD = 500
_POSITION = 1_500
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Scored:
    """What one detector said of one file.

    Attributes:
        series: the file.
        measure: what alarms on its rows are worth.
        score: a row, shape (n,).
        alarm: its own alarms, shape (n,).
    """

    series: Series
    measure: Ruler
    score: Floats
    alarm: NDArray[np.bool_]

    @property
    def found(self) -> list[bool]:
        """For each window: did an alarm of its own lie in it, behind the probation?"""
        heard = self.alarm & self.measure.scored
        return [bool(heard[first : last + 1].any()) for first, last in self.series.windows]

    @property
    def outside(self) -> int:
        """Its own alarms outside the windows."""
        return int((self.alarm & self.measure.scored & (self.measure.window < 0)).sum())


def nab(
    data: Path | None, say: Callable[[str], None], *, limit: int | None = None, parts: bool = False, anew: bool = False
) -> Result:
    """Score the profile `univariate` on every labelled file.

    Args:
        data: folder of the recordings, or None for where they usually are.
        say: hears of progress.
        limit: so many files, spread evenly; None takes all.
        parts: also what is reached without each of the statistics, and with each alone.
        anew: also what is reached when the constants too are chosen on other files.

    Raises:
        StackError: no recordings, or too few to fix a threshold on.
    """
    files = load(find_data(data, "NAB"))
    if limit is not None and limit < len(files):
        files = [files[int(at)] for at in np.linspace(0, len(files) - 1, limit)]
    if len(files) < _FEWEST or not any(series.windows for series in files):
        raise StackError(f"{len(files)} files are too few: a threshold is fixed on four fifths of them")
    said, evidence = [], []
    for number, series in enumerate(files, 1):
        say(f"{number} of {len(files)}: {series.name}, {len(series.t)} rows")
        sums = Evidence(1).observe(series.t, series.x)
        scores = Decision(THRESHOLD, None).observe(sums)
        said.append(Scored(series, ruler(series), scores.score, scores.alarm))
        evidence.append(sums)
    say("thresholds and intervals")
    figures: dict[str, Figure] = {}
    tables = {name: _table(said, evidence, costs) for name, costs in PROFILES.items()}
    windows = _windows(said)
    for name, costs in PROFILES.items():
        figures[name] = _figure(_crossed(tables[name]), windows, costs, seeds=True)
    groups = np.array([one.series.group for one in said])
    figures["standard, threshold fixed on other folders"] = _figure(
        [_by_parts(tables["standard"], [np.flatnonzero(groups == group) for group in np.unique(groups)])],
        windows,
        PROFILES["standard"],
    )
    for name, costs in PROFILES.items():
        figures[f"{name}, swept"] = _figure([tables[name][:, tables[name].sum(axis=0).argmax()]], windows, costs)
        figures[f"{name}, own"] = _of_alarms(said, costs)
        figures[f"{name}, score column"] = fixed_elsewhere([said], costs)
    raws = np.mean(_crossed(tables["standard"]), axis=0)
    if parts:
        figures |= _by_group("all parts", tables["standard"], said)
        for left in [*([name for name in PARTS if name != out] for out in PARTS), *([name] for name in PARTS)]:
            say(f"with {' and '.join(left)}")
            partial = [Evidence(1, left).observe(series.t, series.x) for series in files]
            figures |= _by_group(" and ".join(left), _table(said, partial, PROFILES["standard"]), said)
    if anew:
        figures |= refit(files, PROFILES["standard"], say)
    figures |= _counts(said)
    return Result(
        benchmark="nab",
        protocol=_PROTOCOL,
        developed_on=_DEVELOPED,
        scored_on=f"{len(said)} files, {int(figures['windows'].value)} windows",
        threshold=_THRESHOLD,
        figures=figures,
        controls=_controls(said),
        units=[_unit(one, raw) for one, raw in zip(said, raws, strict=True)],
        not_detected=list(_missed(said)),
    )


def _table(said: Sequence[Scored], evidence: Sequence[Floats], costs: Costs) -> Floats:
    """Raw scores, a row a file and a column a decision threshold."""
    return np.array(
        [
            [raw_of_alarms(one.measure, Decision(level, None).observe(sums).alarm, costs) for level in _GRID]
            for one, sums in zip(said, evidence, strict=True)
        ]
    )


def _by_parts(table: Floats, parts: Sequence[NDArray[np.intp]]) -> Floats:
    """Each part's raw scores at the threshold that is best on all other files; near neighbours speak too."""
    raw = np.zeros(len(table))
    for part in parts:
        total = np.delete(table, part, axis=0).sum(axis=0)
        smooth = np.convolve(np.pad(total, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
        raw[part] = table[part, int(smooth.argmax())]
    return raw


def _crossed(table: Floats) -> list[Floats]:
    """Raw scores of the files with thresholds of other files, once a seed."""
    return [_by_parts(table, [use for _, use in folds(len(table), seed)]) for seed in SEEDS]


def _figure(raws: Sequence[Floats], windows: NDArray[np.int64], costs: Costs, *, seeds: bool = False) -> Figure:
    """The normalised score of raw ones, the mean over seeds, with its interval over files."""
    mean: Floats = np.mean(raws, axis=0)
    values = [normalised(float(raw.sum()), int(windows.sum()), costs) for raw in raws]
    low, high = bootstrap(
        len(mean), lambda drawn: normalised(float(mean[drawn].sum()), int(windows[drawn].sum()), costs), seed=SEEDS[0]
    )
    return over_seeds(values, low, high) if seeds else Figure(values[0], low, high)


def fixed_elsewhere(runs: Sequence[Sequence[Scored]], costs: Costs, recorded: Sequence[Scored] | None = None) -> Figure:
    """The score of score columns with a threshold fixed on other files, over the seeds, with its interval over files.

    Args:
        runs: the scored files, once for all seeds or once a seed.
        costs: of the profile.
        recorded: the same files in the form on which the threshold is fixed; None: as they are scored.
    """
    raws = []
    for number, seed in enumerate(SEEDS):
        said = runs[number % len(runs)]
        curves = [Curve(one.measure, one.score, costs) for one in said]
        known = curves if recorded is None else [Curve(one.measure, one.score, costs) for one in recorded]
        raw = np.zeros(len(said))
        for fit, use in folds(len(said), seed):
            threshold = np.array(best_threshold([known[at] for at in fit]))
            raw[use] = [float(curves[at].at(threshold)) for at in use]
        raws.append(raw)
    return _figure(raws, _windows(runs[0]), costs, seeds=True)


def _by_group(title: str, table: Floats, said: Sequence[Scored]) -> dict[str, Figure]:
    """The standard score of all files, and of each folder's, with thresholds of other files."""
    costs, windows, raws = PROFILES["standard"], _windows(said), _crossed(table)
    found = {f"standard with {title}": _figure(raws, windows, costs, seeds=True)}
    mean = np.mean(raws, axis=0)
    for group in sorted({one.series.group for one in said}):
        inside = np.array([one.series.group == group for one in said])
        if windows[inside].sum():
            value = normalised(float(mean[inside].sum()), int(windows[inside].sum()), costs)
            found[f"standard with {title}, {group}"] = Figure(value)
    return found


def _windows(said: Sequence[Scored]) -> NDArray[np.int64]:
    return np.array([one.measure.windows for one in said], dtype=np.int64)


def _of_alarms(said: Sequence[Scored], costs: Costs) -> Figure:
    raw = np.array([raw_of_alarms(one.measure, one.alarm, costs) for one in said])
    return _figure([raw], _windows(said), costs)


def _counts(said: Sequence[Scored]) -> dict[str, Figure]:
    """What the profile's own alarms come to."""
    windows = np.array([len(one.series.windows) for one in said])
    found = np.array([sum(one.found) for one in said])
    outside = np.array([one.outside for one in said])

    def recall(drawn: NDArray[np.intp]) -> float:
        return float(found[drawn].sum() / windows[drawn].sum()) if windows[drawn].sum() else float("nan")

    every = np.arange(len(said))
    precise = bootstrap(len(said), lambda drawn: _precision(found[drawn], outside[drawn]))
    return {
        "windows": Figure(float(windows.sum())),
        "windows found, own alarms": Figure(float(found.sum())),
        "recall, own alarms": Figure(recall(every), *bootstrap(len(said), recall)),
        "alarms outside windows, own": Figure(float(outside.sum())),
        "windows found of all found and alarms outside": Figure(_precision(found, outside), *precise),
    }


def _precision(found: NDArray[np.int64], outside: NDArray[np.int64]) -> float:
    both = int(found.sum() + outside.sum())
    return float(found.sum() / both) if both else float("nan")


def _controls(said: Sequence[Scored]) -> dict[str, dict[str, Figure]]:
    """What is reached without a detector, by the same protocol."""
    found: dict[str, dict[str, Figure]] = {}
    for name, control in blind_controls(period=_PERIOD, first=_POSITION, last=_POSITION).items():
        runs = []
        for seed in SEEDS if name == "random" else SEEDS[:1]:
            rng = np.random.default_rng(seed)
            runs.append(
                [Scored(one.series, one.measure, control(one.series.x, rng), np.zeros(0, np.bool_)) for one in said]
            )
        found[name] = {profile: fixed_elsewhere(runs, costs) for profile, costs in PROFILES.items()}
    return found


def _unit(one: Scored, raw: float) -> dict[str, object]:
    return {
        "file": one.series.name,
        "rows": len(one.series.t),
        "windows": len(one.series.windows),
        "found": sum(one.found),
        "outside": one.outside,
        "standard, of best": f"{raw:.2f} of {one.measure.windows}",
    }


def _missed(said: Sequence[Scored]) -> Iterable[str]:
    for one in said:
        for (first, last), found in zip(one.series.windows, one.found, strict=True):
            if not found:
                begin, end = (
                    datetime.fromtimestamp(one.series.t[at], UTC).strftime("%Y-%m-%d %H:%M") for at in (first, last)
                )
                yield f"missed: {one.series.name}, {begin} to {end}"
