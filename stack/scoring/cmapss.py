"""C-MAPSS: remaining life of turbofans at their last observed cycle, learned from others that ran until they failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from detectors.rul.model import CAP, LifeModel, fit
from detectors.rul.records import Record, Records, lives
from stack.errors import StackError
from stack.life_table import CMAPSS, Layout, read_units
from stack.scoring.common import SEEDS, Figure, Floats, Result, bootstrap, find_data, over_seeds

BANDS = ((0, 25), (25, 50), (50, 75), (75, 100), (100, 125))
_NEAR = 10.0
"""Cycles of age over which the control that sees nothing but the age averages."""
_PROTOCOL = (
    "Fitted on the training engines, truth capped at 125 cycles; error at the last cycle of each test engine. "
    "Intervals of figures: 2,000 draws of engines."
)


class Subset(NamedTuple):
    """One of the four parts of the data set.

    Attributes:
        name: as in the files' names.
        train: engines until they failed.
        test: engines that still run.
        truth: cycles that each test engine had left after its last row.
    """

    name: str
    train: Records
    test: Records
    truth: Floats


class Told(NamedTuple):
    """What a model says of the test engines, and what was true, at all their cycles.

    Attributes:
        engine: number of each row's engine.
        last: where an engine's last row is.
        truth: cycles left.
        rul: predicted.
        low: lower end of the 90 % interval.
        high: upper end.
    """

    engine: np.ndarray[tuple[int], np.dtype[np.intp]]
    last: np.ndarray[tuple[int], np.dtype[np.bool_]]
    truth: Floats
    rul: Floats
    low: Floats
    high: Floats


def cmapss(
    data: Path | None,
    progress: Callable[[str], None] = lambda _line: None,
    *,
    seeds: Sequence[int] = SEEDS,
    only: Sequence[str] | None = None,
) -> Result:
    """Score every subset that is there.

    Args:
        data: folder that holds CMAPSS, or CMAPSS itself.
        progress: told of each model.
        seeds: of folds and trees.
        only: names of subsets, e.g. FD001.

    Raises:
        StackError: no subset is there.
    """
    folder = find_data(data, "CMAPSS")
    names = [path.stem.removeprefix("train_") for path in sorted(folder.glob("train_*.txt"))]
    chosen = [name for name in names if only is None or name in only]
    if not chosen:
        raise StackError(
            f"no train_{only[0] if only else 'FD001'}.txt in {folder}; there are {', '.join(names) or 'none'}"
        )
    figures: dict[str, Figure] = {}
    controls: dict[str, dict[str, Figure]] = {}
    rows: list[Mapping[str, Any]] = []
    worst: list[str] = []
    for name in chosen:
        subset = read_subset(folder, name)
        models, told = [], []
        for seed in seeds:
            progress(f"{name}, seed {seed}: learning from {len(subset.train.units)} engines")
            models.append(fit(subset.train, seed=seed, cap=CAP))
            told.append(tell(models[-1], subset))
        figures |= _figures(name, models, told)
        rows += [row for basis in ("predicted", "true") for row in band_rows(name, told, basis)]
        worst += _worst(subset, told)
        for control, guess in blind(subset).items():
            controls.setdefault(control, {})[f"{name} RMSE"] = _rmse_figure([guess], subset.truth, CAP)
    return Result(
        benchmark="rul",
        protocol=_PROTOCOL,
        developed_on="training engines, five-fold cross-validation by engine; the reported subset's training file "
        "among them",
        scored_on=f"test engines of {', '.join(chosen)}, {len(seeds)} seeds",
        threshold="none; intervals at 90 % are calibrated on training engines that the trees had not seen",
        figures=figures,
        controls=controls,
        units=rows,
        not_detected=worst,
    )


def read_subset(folder: Path, name: str) -> Subset:
    """Read the three files of one subset."""
    train, _ = read_units(folder / f"train_{name}.txt", CMAPSS, Layout())
    test, _ = read_units(folder / f"test_{name}.txt", CMAPSS, Layout())
    path = folder / f"RUL_{name}.txt"
    try:
        truth = np.array([float(cell) for cell in path.read_text().split()])
    except (OSError, ValueError) as error:
        raise StackError(f"{path} cannot be read: {error}") from error
    if len(truth) != len(test.units):
        raise StackError(f"{path} has {len(truth)} lives for {len(test.units)} test engines")
    return Subset(name, train, test, truth)


def tell(model: LifeModel, subset: Subset) -> Told:
    """What the model says at every cycle of the test engines."""
    units = subset.test.units
    said = [model.predict(record) for record in units]
    sizes = [len(record.time) for record in units]
    truth = [left + record.time[-1] - record.time for left, record in zip(subset.truth, units, strict=True)]
    last = np.zeros(sum(sizes), np.bool_)
    last[np.cumsum(sizes) - 1] = True
    return Told(
        np.repeat(np.arange(len(units)), sizes),
        last,
        np.concatenate(truth),
        np.concatenate([life.rul for life in said]),
        np.concatenate([life.low for life in said]),
        np.concatenate([life.high for life in said]),
    )


def rmse(guess: Floats, truth: Floats, cap: float) -> float:
    """Root mean square error against the truth capped at `cap`."""
    return float(np.sqrt(((guess - np.minimum(cap, truth)) ** 2).mean()))


def nasa_score(guess: Floats, truth: Floats) -> float:
    """The sum of the PHM08 challenge: exp(-d / 13) - 1 where told too early, exp(d / 10) - 1 where too late."""
    off = guess - truth
    return float(np.where(off < 0, np.expm1(-off / 13), np.expm1(off / 10)).sum())


def blind(subset: Subset) -> dict[str, Floats]:
    """Guesses for the test engines by what does not look at a sensor."""
    units = subset.train.units
    left = [np.minimum(CAP, one) for one in lives(units)]
    age = np.concatenate([record.time - record.time[0] for record in units])
    capped = np.concatenate(left)
    told = np.concatenate(lives(units)) <= 1.2 * CAP
    ages = np.array([record.time[-1] - record.time[0] for record in subset.test.units])
    whole = float(np.median([record.time[-1] - record.time[0] for record in units]))
    by_age = []
    for one in ages:
        weight = np.exp(-0.5 * ((age - one) / _NEAR) ** 2) * told
        known = weight.sum() > 0
        by_age.append(float((weight * capped).sum() / weight.sum()) if known else float(capped[told].mean()))
    return {
        "constant (training mean)": np.full(len(ages), float(capped[told].mean())),
        "age only (training mean at that age)": np.array(by_age),
        "position (median life less age)": np.clip(whole - ages, 0.0, CAP),
    }


def band_rows(name: str, told: Sequence[Told], basis: str) -> list[dict[str, Any]]:
    """Coverage and width of the 90 % interval by band of life: at the engines' last cycles, and at every cycle.

    `uncapped` is the coverage of the true life, which may lie above the cap; the 95 % interval is over engines.

    Args:
        name: of the subset.
        told: one a seed; figures are means over them.
        basis: `predicted` or `true`: by which life rows are sorted into bands. The truth counts up to the cap.
    """
    rows = []
    for low, high in BANDS:
        row: dict[str, Any] = {"subset": name, "basis": basis, "life": f"{low}–{high}"}
        for where in ("last", "every"):
            found = [_covered(one, basis, (low, high), where == "last") for one in told]
            row |= {
                f"{where} n": round(float(np.mean([one.covered.size for one in found]))),
                f"{where} hold": _mean([one.covered for one in found], 3),
                f"{where} width": _mean([one.width for one in found], 1),
            }
            if where == "every" and found[0].covered.size:
                row["every 95 %"] = _coverage_interval(found[0])
                row["uncapped"] = _mean([one.uncapped for one in found], 3)
        rows.append(row)
    return rows


class _Band(NamedTuple):
    """Rows of a band: whether covered, by the capped truth and by the true one; widths up to the cap; engines."""

    covered: Floats
    uncapped: Floats
    width: Floats
    engine: np.ndarray[tuple[int], np.dtype[np.intp]]


def _mean(found: Sequence[Floats], digits: int) -> float | None:
    means = [float(one.mean()) for one in found if one.size]
    return round(float(np.mean(means)), digits) if means else None


def _covered(told: Told, basis: str, band: tuple[int, int], last: bool) -> _Band:  # noqa: FBT001  (which rows)
    truth = np.minimum(CAP, told.truth)
    by = told.rul if basis == "predicted" else truth
    chosen = (by >= band[0]) & ((by < band[1]) | ((band[1] >= CAP) & (by <= CAP)))
    if last:
        chosen &= told.last
    inside = (truth >= told.low) & (truth <= told.high)
    width = np.minimum(CAP, told.high) - told.low
    true = (told.truth >= told.low) & (told.truth <= told.high)
    return _Band(inside[chosen].astype(np.float64), true[chosen].astype(np.float64), width[chosen], told.engine[chosen])


def _coverage_interval(band: _Band) -> str:
    """95 % interval of the coverage over engines."""
    _, which = np.unique(band.engine, return_inverse=True)
    good = np.bincount(which, weights=band.covered)
    count = np.bincount(which)
    low, high = bootstrap(len(count), lambda drawn: float(good[drawn].sum() / count[drawn].sum()))
    return f"{low:.2f}–{high:.2f}"


def _figures(name: str, models: Sequence[LifeModel], told: Sequence[Told]) -> dict[str, Figure]:
    first = told[0]
    truth = first.truth[first.last]
    guesses = [one.rul[one.last] for one in told]
    covered = [(np.minimum(CAP, one.truth) >= one.low) & (np.minimum(CAP, one.truth) <= one.high) for one in told]
    uncapped = [(one.truth >= one.low) & (one.truth <= one.high) for one in told]
    return {
        f"{name} RMSE": _rmse_figure(guesses, truth, CAP),
        f"{name} RMSE, truth not capped": _rmse_figure(guesses, truth, np.inf),
        f"{name} RMSE, cross-validated in training": over_seeds([model.cross for model in models]),
        f"{name} NASA score": over_seeds([nasa_score(guess, np.minimum(CAP, truth)) for guess in guesses]),
        f"{name} coverage, last cycle": over_seeds(
            [float(c[one.last].mean()) for c, one in zip(covered, told, strict=True)]
        ),
        f"{name} coverage, every cycle": over_seeds([float(c.mean()) for c in covered]),
        f"{name} coverage, every cycle, truth not capped": over_seeds([float(c.mean()) for c in uncapped]),
    }


def _rmse_figure(guesses: Sequence[Floats], truth: Floats, cap: float) -> Figure:
    def statistic(drawn: np.ndarray[tuple[int], np.dtype[np.intp]]) -> float:
        return float(np.mean([rmse(guess[drawn], truth[drawn], cap) for guess in guesses]))

    low, high = bootstrap(len(truth), statistic)
    return over_seeds([rmse(guess, truth, cap) for guess in guesses], low, high)


def _worst(subset: Subset, told: Sequence[Told]) -> list[str]:
    """The engines that are told worst, for the reader."""
    guess = np.mean([one.rul[one.last] for one in told], axis=0)
    off = guess - np.minimum(CAP, subset.truth)
    order = np.argsort(-np.abs(off), kind="stable")[:3]
    units: Sequence[Record] = subset.test.units
    return [
        f"{subset.name} engine {units[i].unit}: {guess[i]:.0f} told, {subset.truth[i]:.0f} true, "
        f"{len(units[i].time)} cycles seen"
        for i in order
    ]
