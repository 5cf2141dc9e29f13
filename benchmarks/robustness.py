"""How much results move when recordings are changed in ways that change nothing: `python -m benchmarks.robustness`.

Each file of a benchmark is rescaled, read at half the rate, moved in time, begun later after healthy rows, and given to
the detector with 1 % of its rows lost, doubled or out of order. Labels go with their rows. What a detector says of an
appliance must not hang on any of it: figures move by less than three points.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.profiles.registry import PROFILES
from stack.errors import StackError
from stack.scoring import appliances, nab, skab
from stack.scoring.appliances import Device, figure, splits
from stack.scoring.common import SEEDS, Floats, find_data, over_seeds
from stack.scoring.nab import Series, ruler
from stack.scoring.nab_bench import Scored, fixed_elsewhere
from stack.scoring.skab import CLEAN, TRAIN_ROWS, Recording, guarded, tally, total

Marks: TypeAlias = NDArray[np.int64]
Table: TypeAlias = tuple[Floats, Floats, Marks]
"""Times, values (n, channels) and a mark a row: 0 is healthy."""
Variation: TypeAlias = Callable[[Table, np.random.Generator], Table]

_SHARE = 0.01
_MOST_PREFIX = 500
_DAYS = 142.891 * 86_400
POINTS = 3.0
AS_RECORDED = "as recorded"


def rescaled(table: Table, _rng: np.random.Generator) -> Table:
    """Another unit."""
    t, x, marks = table
    return t, x * 37.3, marks


def raised(table: Table, _rng: np.random.Generator) -> Table:
    """Another zero, by ten times the first row."""
    t, x, marks = table
    return t, x + 10 * np.abs(x[:1]) + 5, marks


def half_rate(table: Table, _rng: np.random.Generator) -> Table:
    """Every other row."""
    t, x, marks = table
    return t[::2], x[::2], marks[::2]


def moved(table: Table, _rng: np.random.Generator) -> Table:
    """Later by 142.891 days: another weekday, another time of day."""
    t, x, marks = table
    return t + _DAYS, x, marks


def prefixed(table: Table, rng: np.random.Generator) -> Table:
    """Up to 500 rows in front, a stretch of the file's own first 15 %."""
    t, x, marks = table
    early = max(2, int(0.15 * len(t)))
    n = int(rng.integers(1, min(_MOST_PREFIX, early)))
    first = int(rng.integers(0, early - n + 1))
    step = float(np.median(np.diff(t[: early + 1])))
    times = t[0] - step * np.arange(n, 0, -1)
    healthy = np.zeros(n, np.int64)
    return np.concatenate([times, t]), np.concatenate([x[first : first + n], x]), np.concatenate([healthy, marks])


def dropped(table: Table, rng: np.random.Generator) -> Table:
    """1 % of the rows never came."""
    return _taken(table, np.flatnonzero(rng.random(len(table[0])) >= _SHARE))


def doubled(table: Table, rng: np.random.Generator) -> Table:
    """1 % of the rows came twice."""
    n = len(table[0])
    return _taken(table, np.repeat(np.arange(n), 1 + (rng.random(n) < _SHARE)))


def disordered(table: Table, rng: np.random.Generator) -> Table:
    """1 % of the rows came up to five rows late."""
    n = len(table[0])
    late = np.where(rng.random(n) < _SHARE, rng.integers(1, 6, n) + 0.5, 0.0)
    return _taken(table, np.argsort(np.arange(n) + late, kind="stable"))


def _taken(table: Table, rows: NDArray[np.intp]) -> Table:
    t, x, marks = table
    return t[rows], x[rows], marks[rows]


VARIATIONS: dict[str, Variation] = {
    AS_RECORDED: lambda table, _rng: table,
    "rescaled by 37.3": rescaled,
    "raised": raised,
    "half the rate": half_rate,
    "moved in time": moved,
    "healthy prefix": prefixed,
    "1 % dropped": dropped,
    "1 % doubled": doubled,
    "1 % out of order": disordered,
}
_RANDOM = frozenset({"healthy prefix", "1 % dropped", "1 % doubled", "1 % out of order"})


@dataclass(frozen=True, slots=True)
class Row:
    """One figure under one variation, in points.

    Attributes:
        figure: its name.
        variation: what was done.
        value: mean over the seeds where the variation is random.
        sd: over the seeds.
        change: from the figure as recorded.
    """

    figure: str
    variation: str
    value: float
    sd: float
    change: float


Measured: TypeAlias = dict[str, list[float]]
"""By figure, a value in points for each seed."""


def of_nab(files: Sequence[Series], variation: Variation, seeds: Sequence[int], recorded: Sequence[Scored]) -> Measured:
    """The standard score with the threshold fixed on other files as recorded: no threshold knows of a variation."""
    runs = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        runs.append([_said(*_varied(series, variation, rng)) for series in files])
    costs = nab.PROFILES["standard"]
    return {"NAB standard": [fixed_elsewhere([run], costs, recorded).value for run in runs]}


def _varied(series: Series, variation: Variation, rng: np.random.Generator) -> tuple[Series, NDArray[np.bool_]]:
    """The series, and which of its rows are scored: those that are as recorded, whatever number they have now."""
    # A mark holds the window's number and whether the row is scored; a row put in front is neither.
    marks = np.zeros(len(series.t), np.int64)
    for number, (first, last) in enumerate(series.windows, 1):
        marks[first : last + 1] = number
    marks = 2 * marks + ruler(series).scored
    t, x, marks = variation((series.t, series.x, marks), rng)
    rows = [np.flatnonzero(marks // 2 == number) for number in range(1, len(series.windows) + 1)]
    windows = tuple((int(r[0]), int(r[-1])) for r in rows if len(r))
    return Series(series.name, t, x, windows), marks % 2 == 1


def _said(series: Series, scored: NDArray[np.bool_]) -> Scored:
    scores = PROFILES["univariate"](1, None).observe(series.t, series.x)
    whole = ruler(series)
    counted = len(set(whole.window[scored & (whole.window >= 0)].tolist()))
    return Scored(series, replace(whole, scored=scored, windows=counted), scores.score, scores.alarm)


def of_skab(files: Sequence[Recording], variation: Variation, seeds: Sequence[int]) -> Measured:
    """F1 and false alarm rate of the profile's own alarms, rows of the training part left out."""
    found: Measured = {"SKAB guarded F1": [], "SKAB guarded FAR": []}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        tallies = []
        for recording in files:
            drawn = guarded(recording, seed)
            # -1 are the rows of the training part: they may become fewer or more, and stay in front.
            marks = drawn.fault.astype(np.int64)
            marks[:TRAIN_ROWS] = -1
            t, x, marks = variation((drawn.t, drawn.x, marks), rng)
            train = int(np.flatnonzero(marks == -1)[-1]) + 1
            alarm = PROFILES["multichannel"](x.shape[1], train).observe(t, x).alarm
            tallies.append(tally(alarm[train:], marks[train:] > 0))
        found["SKAB guarded F1"].append(100 * total(tallies).f1)
        found["SKAB guarded FAR"].append(total(tallies).far)
    return found


def of_days(devices: Sequence[Device], variation: Variation, seeds: Sequence[int]) -> Measured:
    """AUC of faulty against healthy days; reference and days are varied alike.

    The healthy prefix of a day is one to three whole days of the reference, and is not scored: a cut day would put half
    a programme in front of it, which is nothing healthy.
    """
    found: Measured = {}
    for device in devices:
        values = []
        for seed in seeds:
            parts = splits(device, _Trainer(variation, np.random.default_rng(seed)))["mean"]
            values.append(100 * figure(parts, list(device.faulty), unseen=True).value)
        found[f"days AUC {device.name}"] = values
    return found


class _Trainer:
    """The profile `cycles` as `stack.scoring.appliances.profile` has it, on varied days."""

    def __init__(self, variation: Variation, rng: np.random.Generator) -> None:
        self._variation = variation
        self._rng = rng

    def __call__(self, reference: Sequence[Floats]) -> Callable[[Floats], Floats]:
        prefix = self._variation is prefixed
        whole = np.concatenate(reference)
        t, x, _ = self._rows(whole, 0, 0, vary=not prefix)
        trained = PROFILES["cycles"](1, len(x))
        trained.observe(t, x)

        def score(day: Floats) -> Floats:
            before = self._days(reference) if prefix else whole[:0]
            t, x, marks = self._rows(np.concatenate([before, day]), len(before), len(whole), vary=not prefix)
            return copy.deepcopy(trained).observe(t, x).score[marks > 0]

        return score

    def _days(self, reference: Sequence[Floats]) -> Floats:
        drawn = self._rng.integers(0, len(reference), int(self._rng.integers(1, 4)))
        return np.concatenate([reference[i] for i in drawn])

    def _rows(self, power: Floats, unscored: int, first: int, *, vary: bool) -> Table:
        t = 60.0 * np.arange(first, first + len(power), dtype=np.float64)
        marks = np.ones(len(t), np.int64)
        marks[:unscored] = 0
        rows = t, power[:, None], marks
        return self._variation(rows, self._rng) if vary else rows


_Measure: TypeAlias = Callable[[Variation, Sequence[int]], Measured]


def measures(data: Path | None, only: Sequence[str] | None) -> Iterator[tuple[str, _Measure, frozenset[str]]]:
    """The benchmarks whose recordings are there, with the variations that mean something else there.

    Args:
        data: folder of the recordings.
        only: names of benchmarks; None takes all.
    """

    def wanted(name: str) -> bool:
        return only is None or name in only

    if wanted("nab"):
        files = nab.load(find_data(data, "NAB"))
        recorded = [_said(series, ruler(series).scored) for series in files]
        yield "nab", lambda v, s: of_nab(files, v, s, recorded), frozenset()
    if wanted("skab"):
        faulty = [r for r in skab.load(find_data(data, "SKAB")) if r.group != CLEAN]
        yield "skab", lambda v, s: of_skab(faulty, v, s), frozenset()
    if wanted("appliances"):
        devices = appliances.devices(find_data(data, appliances.SET))
        # The zero of a plug's power is the appliance switched off.
        yield "appliances", lambda v, s: of_days(devices, v, s), frozenset({"raised"})


def table(
    data: Path | None,
    only: Sequence[str] | None,
    seeds: Sequence[int],
    say: Callable[[str], None],
    *,
    chosen: Sequence[str] | None = None,
) -> list[Row]:
    """Every figure as recorded, and under every variation or the chosen ones."""
    rows: list[Row] = []
    for name, measure, without in measures(data, only):
        base: dict[str, float] = {}
        for variation, change in VARIATIONS.items():
            if variation in without or (chosen is not None and variation not in {AS_RECORDED, *chosen}):
                continue
            say(f"{name}: {variation}")
            # The guarded protocol draws rows by the seed, whatever the variation.
            drawn = seeds if variation in _RANDOM or name == "skab" else seeds[:1]
            for title, values in measure(change, drawn).items():
                found = over_seeds(values)
                base.setdefault(title, found.value)
                rows.append(Row(title, variation, found.value, found.sd or 0.0, found.value - base[title]))
    return rows


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Print the table, as JSON or as Markdown. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="Example: python -m benchmarks.robustness --data DIR")
    parser.add_argument("--data", type=Path, default=None, help="folder of the recordings; else $WELLKEPT_DATA")
    parser.add_argument("--only", nargs="*", choices=["nab", "skab", "appliances"], help="these benchmarks; else all")
    parser.add_argument("--variations", nargs="*", choices=[*VARIATIONS], help="these beside the recorded; else all")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="draws of a random variation")
    parser.add_argument("--json", action="store_true", help="one JSON value instead of a table")
    given = parser.parse_args()
    try:
        rows = table(given.data, given.only, range(given.seeds), _say, chosen=given.variations)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps([asdict(row) for row in rows]))
        return 0
    print("| figure | variation | value | change |\n|---|---|---|---|")
    for row in rows:
        change = (
            "" if row.variation == AS_RECORDED else f"{row.change:+.1f}{' (!)' if abs(row.change) >= POINTS else ''}"
        )
        print(f"| {row.figure} | {row.variation} | {row.value:.1f} ± {row.sd:.1f} | {change} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
