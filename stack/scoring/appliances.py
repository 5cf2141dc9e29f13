"""Appliance days: is a faulty day told from a healthy one of the same appliance?

Plug power of household appliances, one reading a minute, a file a day: healthy days, and the same days with a simulated
malfunction (A. Papaioannou et al., "Simulation of Malfunctions in Home Appliances' Power Consumption", Energies 2024,
17(17), 4529): rows are inserted where the load runs. That makes a day longer, and the number of rows alone would tell
it: every file is cut after 1,440 rows. A faulty day made from a day of the reference repeats it but for the fault; the
main figure therefore takes only faulty days whose originals the detector has not seen.
"""

from __future__ import annotations

import copy
import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stack.errors import StackError
from stack.scoring.common import SEEDS, Figure, Floats, Result, always, find_data, over_seeds, random, rolling_median

SET = "appliances_papaioannou"
ROWS = 1_440
"""Rows of a day that are read, of every file."""
_MINUTE = 60.0
_DRAWS = 2_000
_HARDLY = 0.65
_HEALTHY = "normal"
_ORIGINAL = re.compile(r"day_?(\d+)", re.IGNORECASE)

Scorer = Callable[[Floats], Floats]
"""Scores of a day's rows."""
Trainer = Callable[[Sequence[Floats]], Scorer]
"""A scorer from the reference's days."""
GATHERED: Mapping[str, Callable[[Floats], float]] = {
    "mean": lambda scores: float(scores.mean()),
    "highest": lambda scores: float(scores.max()),
}
"""A day's number from its rows' scores."""


@dataclass(frozen=True, slots=True)
class Day:
    """One file.

    Attributes:
        original: number of the day that it is, or that it was made from.
        power: readings, NaN where absent, at most ROWS.
        rows: readings of the file before it was cut.
    """

    original: int
    power: Floats
    rows: int


@dataclass(frozen=True, slots=True)
class Device:
    """One appliance's days.

    Attributes:
        name: its folder.
        healthy: days.
        faulty: days by fault.
    """

    name: str
    healthy: tuple[Day, ...]
    faulty: Mapping[str, tuple[Day, ...]]


def devices(folder: Path) -> list[Device]:
    """Every appliance below a folder: a folder with a part `Normal` and parts with faults.

    Raises:
        StackError: there is none, or a file is no such day.
    """
    found = []
    for healthy in sorted(path for path in folder.rglob("*") if path.is_dir() and path.name.lower() == _HEALTHY):
        parts = [part for part in sorted(healthy.parent.iterdir()) if part.is_dir() and part != healthy]
        faulty = {_fault(part.name): _days(part) for part in parts}
        found.append(Device(healthy.parent.name, _days(healthy), {name: days for name, days in faulty.items() if days}))
    if not found:
        raise StackError(f"{folder} holds no appliance: a folder with `Normal` and faults beside it")
    return found


def _fault(folder: str) -> str:
    return re.sub(r"^anomal(y|ies)_", "", folder, flags=re.IGNORECASE)


def _days(folder: Path) -> tuple[Day, ...]:
    return tuple(sorted((_day(path) for path in folder.glob("*.csv")), key=lambda day: day.original))


def _day(path: Path) -> Day:
    named = _ORIGINAL.search(path.stem)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if named is None or rows.fieldnames is None or "activePower" not in rows.fieldnames:
            raise StackError(f"{path} is no appliance day: `…day<number>….csv` with a column activePower")
        power = np.array([_number(row["activePower"]) for row in rows])
    return Day(int(named[1]), power[:ROWS], len(power))


def _number(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return float("nan")


def profile(reference: Sequence[Floats]) -> Scorer:
    """The profile `cycles`: it is told the reference's days, one after another, and then the day."""
    from detectors.profiles.registry import PROFILES  # noqa: PLC0415  (numba, only when it is run)

    x = np.concatenate(reference)[:, None]
    trained = PROFILES["cycles"](1, len(x))
    trained.observe(_MINUTE * np.arange(len(x), dtype=np.float64), x)

    def score(day: Floats) -> Floats:
        t = _MINUTE * np.arange(len(x), len(x) + len(day), dtype=np.float64)
        return copy.deepcopy(trained).observe(t, day[:, None]).score

    return score


def auc(healthy: Floats, faulty: Floats) -> Floats:
    """Of each pair of a healthy and a faulty day (healthy, faulty): 1 where the faulty scores higher, ½ for a tie."""
    return np.asarray(0.5 + 0.5 * np.sign(faulty[None] - healthy[:, None]), np.float64)


@dataclass(frozen=True, slots=True)
class _Split:
    """One seed's comparison of an appliance's days.

    Attributes:
        healthy: originals of the healthy days that are not in the reference.
        pairs: by fault, the originals of the faulty days and `auc` of the pairs.
        reference: originals in the reference.
    """

    healthy: NDArray[np.int64]
    pairs: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
    reference: NDArray[np.int64]


def splits(device: Device, trainer: Trainer) -> dict[str, list[_Split]]:
    """Half of the healthy days are the reference, the others and the faulty days are scored; once a seed.

    Args:
        device: whose days.
        trainer: what is scored.

    Returns:
        By how a day's number is gathered, a split a seed.
    """
    found: dict[str, list[_Split]] = {name: [] for name in GATHERED}
    for seed in SEEDS:
        order = np.random.default_rng(seed).permutation(len(device.healthy))
        half = (len(order) + 1) // 2
        reference = [device.healthy[i] for i in order[:half]]
        scorer = trainer([day.power for day in reference])
        healthy = [device.healthy[i] for i in order[half:]]
        rows = [scorer(day.power) for day in healthy]
        rows_by_fault = {fault: [scorer(day.power) for day in days] for fault, days in device.faulty.items()}
        for name, gather in GATHERED.items():
            usual = np.array([gather(scores) for scores in rows])
            pairs = {
                fault: (
                    np.array([day.original for day in days]),
                    auc(usual, np.array([gather(scores) for scores in rows_by_fault[fault]])),
                )
                for fault, days in device.faulty.items()
            }
            used = np.array([day.original for day in reference])
            found[name].append(_Split(np.array([day.original for day in healthy]), pairs, used))
    return found


def figure(parts: Sequence[_Split], faults: Sequence[str], *, unseen: bool) -> Figure:
    """AUC over all pairs of days: mean and deviation over the seeds, interval over days drawn with replacement.

    Healthy days and the originals of faulty days are drawn apart: drawn together, a day would meet itself too often.

    Args:
        parts: of `splits`.
        faults: which count.
        unseen: leave out faulty days whose original is in the reference.
    """
    values = []
    most = max(int(max(part.healthy.max(), part.reference.max())) for part in parts) + 1
    hits, counts = np.zeros((len(parts), most, most)), np.zeros((len(parts), most, most))
    for n, part in enumerate(parts):
        for fault in faults:
            originals, won = part.pairs[fault]
            kept = ~np.isin(originals, part.reference) if unseen else np.ones(len(originals), np.bool_)
            for column in np.flatnonzero(kept).tolist():
                if originals[column] < most:
                    hits[n, part.healthy, originals[column]] += won[:, column]
                    counts[n, part.healthy, originals[column]] += 1
        values.append(float(hits[n].sum() / counts[n].sum()))
    days = np.unique(np.concatenate([np.concatenate([part.healthy, part.reference]) for part in parts]))
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(_DRAWS):
        u, v = (np.bincount(rng.choice(days, len(days)), minlength=most).astype(float) for _ in range(2))
        below = np.einsum("i,nij,j->n", u, counts, v)
        if (below > 0).all():
            drawn.append(float((np.einsum("i,nij,j->n", u, hits, v) / below).mean()))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return over_seeds(values, float(low), float(high))


def appliances(data: Path | None, say: Callable[[str], None] = lambda _line: None) -> Result:
    """Score every appliance there is; see the module.

    Args:
        data: folder of the sets, or the set's own; None looks where `find_data` does.
        say: takes a line of progress.
    """
    found = devices(find_data(data, SET))
    figures: dict[str, Figure] = {}
    units: list[dict[str, Any]] = []
    missed: list[str] = []
    for device in found:
        say(device.name)
        faults = list(device.faulty)
        by_number = splits(device, profile)
        figures[device.name] = figure(by_number["mean"], faults, unseen=True)
        figures[f"{device.name}, a day's highest score"] = figure(by_number["highest"], faults, unseen=True)
        figures[f"{device.name}, every faulty day"] = figure(by_number["mean"], faults, unseen=False)
        for fault in faults:
            one = figure(by_number["mean"], [fault], unseen=True)
            added = _added(device, fault)
            units.append(
                {
                    "device": device.name,
                    "fault": fault,
                    "auc": round(one.value, 3),
                    "sd": round(one.sd or 0.0, 3),
                    "low": round(one.low or 0.0, 3),
                    "high": round(one.high or 0.0, 3),
                    "minutes_added_a_day": added,
                }
            )
            if one.value < _HARDLY:
                missed.append(
                    f"{device.name}, {fault}: AUC {one.value:.2f}; the fault adds {added:.0f} minutes of load a day, "
                    f"healthy days differ by {_load_spread(device):.0f} (standard deviation)"
                )
    return Result(
        benchmark="appliances",
        protocol=(
            "AUC of day against day: half of the healthy days are the reference, five draws; a day's number is the "
            f"mean of its rows' scores; every file cut after {ROWS:,} rows; faulty days only where the healthy day "
            "that they were made from is not in the reference"
        ),
        developed_on="Fridge_1, Dishwasher_1, Water_Heater_1, Washing_machine_1 (see docs/results/appliances.md)",
        scored_on=f"{len(found)} appliances: {', '.join(device.name for device in found)}",
        threshold="none: ranks of days",
        figures=figures,
        controls=_controls(found),
        units=units,
        not_detected=missed,
    )


def _controls(found: Sequence[Device]) -> dict[str, dict[str, Figure]]:
    """Scores that never look at cycles; and the leak that cutting blocks, to show what it would be worth."""
    rng = np.random.default_rng(0)
    median = rolling_median()
    blind: dict[str, Scorer] = {
        "always": lambda day: always(day[:, None], rng),
        "random": lambda day: random(day[:, None], rng),
        "position only": lambda day: np.linspace(0.0, 1.0, len(day)),
        "|x - rolling median|": lambda day: median(day[:, None], rng),
        "the day's mean power": np.nan_to_num,
    }
    table: dict[str, dict[str, Figure]] = {}
    for name, scorer in blind.items():
        by_device = {device.name: splits(device, _untrained(scorer))["mean"] for device in found}
        table[name] = {
            device.name: figure(by_device[device.name], list(device.faulty), unseen=True) for device in found
        }
    table["rows of the uncut file (the leak)"] = {device.name: _leak(device) for device in found}
    return table


def _untrained(scorer: Scorer) -> Trainer:
    return lambda _reference: scorer


def _leak(device: Device) -> Figure:
    healthy = np.array([day.rows for day in device.healthy], float)
    faulty = np.array([day.rows for days in device.faulty.values() for day in days], float)
    return Figure(float(auc(healthy, faulty).mean()))


def _added(device: Device, fault: str) -> float:
    """Median of the rows that the fault added to a day."""
    usual = {day.original: day.rows for day in device.healthy}
    return float(np.median([day.rows - usual[day.original] for day in device.faulty[fault] if day.original in usual]))


def _load_spread(device: Device) -> float:
    """How far healthy days are apart in minutes of load: the standard deviation of energy over peak power."""
    peak = max(float(np.nanmax(day.power)) for day in device.healthy)
    return float(np.std([np.nansum(day.power) / peak for day in device.healthy], ddof=1))
