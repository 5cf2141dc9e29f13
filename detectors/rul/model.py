"""The life model: trees on causal features of each unit's history, cross-fitted, with calibrated intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from detectors.rul.conditions import Conditions, learn_conditions
from detectors.rul.features import Indices, index_features, learn_indices, sensor_features
from detectors.rul.forest import Forest, TreeRules, grow
from detectors.rul.intervals import Bounds, calibrate
from detectors.rul.records import HORIZON, Floats, LifeError, Record, Records, lives

_USUAL_ROWS = 200.0
_LEAST_UNITS = 5
_LEAST_ROWS = 3
CAP = 125.0
"""Cycles: the usual cap of remaining life on turbofans (Heimes, PHM 2008)."""


class Rules(msgspec.Struct, frozen=True):
    """How a model is made; one configuration for all data, chosen by cross-validation within training units.

    Attributes:
        folds: parts of the units; each part's trees are grown without it, and all parts' trees speak for a new unit.
        members: views of the features of which trees are grown: `indices` (age and health indices), `sensors` (these
            and each sensor).
        trees: how they grow.
    """

    folds: int = 10
    members: tuple[str, ...] = ("indices", "sensors")
    trees: TreeRules = TreeRules()


class Life(NamedTuple):
    """Remaining life at each row, in the unit of time of the records.

    Attributes:
        rul: the expectation, at most the cap.
        low: lower end of the 90 % interval.
        high: upper end; the cap or more where the unit cannot be told from those that last longer.
    """

    rul: Floats
    low: Floats
    high: Floats


class Part(msgspec.Struct, frozen=True, eq=False):
    """What was learned without one fold of the units."""

    conditions: Conditions
    indices: Indices
    forests: dict[str, Forest]

    def predict(self, record: Record, beat: float, cap: float) -> Floats:
        """Remaining life at each row."""
        view = views(self.conditions.deviations(record), record, self.indices, beat)
        found = [forest.predict(view(name)) for name, forest in self.forests.items()]
        return np.asarray(np.clip(np.mean(found, axis=0), 0.0, cap))


class LifeModel(msgspec.Struct, frozen=True, eq=False):
    """A fitted model.

    Attributes:
        settings: names of the columns of operating settings, in the order that records bring.
        sensors: names of the sensors' columns, likewise.
        cap: remaining life above which nothing is told apart, in the unit of time.
        beat: time between two training rows, in the unit of time; where a median life has far more or fewer than 200
            rows, a 200th of it. Windows are told in beats.
        seed: of folds and trees.
        trained: units and rows it was fitted on.
        cross: root mean square error over training rows whose unit the trees had not seen, lives up to 1.2 caps.
        parts: one a fold.
        bounds: of the intervals.
    """

    settings: tuple[str, ...]
    sensors: tuple[str, ...]
    cap: float
    beat: float
    seed: int
    trained: tuple[int, int]
    cross: float
    parts: tuple[Part, ...]
    bounds: Bounds

    def predict(self, record: Record) -> Life:
        """Remaining life at every row; a row's rests on it and the rows before alone.

        Raises:
            LifeError: the record has other columns than the model.
        """
        shape = record.settings.shape[1], record.sensors.shape[1]
        if shape != (len(self.settings), len(self.sensors)):
            raise LifeError(
                f"unit {record.unit} has {shape[0]} settings and {shape[1]} sensors, "
                f"the model {len(self.settings)} and {len(self.sensors)}"
            )
        told = [part.predict(record, self.beat, self.cap) for part in self.parts]
        rul = np.asarray(np.mean(told, axis=0))
        low, high = self.bounds.around(rul)
        return Life(rul, low, high)


def views(z: Floats, record: Record, indices: Indices, beat: float) -> Callable[[str], Floats]:
    """The features of one record, by the name of the view."""
    t = beats(record, beat)
    indexed = np.concatenate([t[:, None], index_features(indices.of(z), t)], axis=1)

    def view(name: str) -> Floats:
        return np.concatenate([indexed, sensor_features(z, t)], axis=1) if name == "sensors" else indexed

    return view


def beats(record: Record, beat: float) -> Floats:
    """Time since the first row, in beats."""
    return (record.time - record.time[:1]) / beat


def _beat(units: Sequence[Record]) -> float:
    """The unit of windows: see `LifeModel.beat`."""
    step = float(np.median(np.concatenate([np.diff(unit.time) for unit in units])))
    life = float(np.median([unit.time[-1] - unit.time[0] for unit in units]))
    # Windows are for lives of about 200 rows; half or twice as many are still about so many.
    return step if 0.5 <= life / step / _USUAL_ROWS <= 2.0 else life / _USUAL_ROWS  # noqa: PLR2004


def fit(
    records: Records,
    *,
    seed: int = 0,
    cap: float | None = None,
    rules: Rules | None = None,
    progress: Callable[[str], None] = lambda _line: None,
) -> LifeModel:
    """Learn from units that were observed until they failed.

    Args:
        records: at least five units of at least three rows; the last row of each is its failure.
        seed: of folds and trees. The same records and seed make the same model.
        cap: remaining life above which nothing is told apart; unless told, five eighths of the median life.
        rules: how the model is made.
        progress: told of each fold.

    Raises:
        LifeError: too few units, or nothing varies.
    """
    rules = rules or Rules()
    units = [unit for unit in records.units if len(unit.time) >= _LEAST_ROWS]
    if len(units) < _LEAST_UNITS:
        raise LifeError(
            f"{len(units)} units with at least {_LEAST_ROWS} rows: intervals need at least {_LEAST_UNITS} units that "
            "were observed until they failed"
        )
    remaining = lives(units)
    if cap is None:
        cap = 0.625 * float(np.median([life[0] for life in remaining]))
    beat = _beat(units)
    fold = np.arange(len(units)) % rules.folds
    np.random.default_rng(seed).shuffle(fold)
    parts: list[Part] = []
    held_out: list[Floats] = [np.zeros(0)] * len(units)
    for k in range(rules.folds):
        progress(f"fold {k + 1} of {rules.folds}")
        chosen = [i for i in range(len(units)) if fold[i] != k]
        part = _part([units[i] for i in chosen], (cap, beat), rules, seed + 1000 * k)
        parts.append(part)
        for i in np.flatnonzero(fold == k):
            held_out[i] = part.predict(units[i], beat, cap)
    predicted, life = np.concatenate(held_out), np.concatenate(remaining)
    which = np.repeat(np.arange(len(units)), [len(unit.time) for unit in units])
    told = life <= HORIZON * cap
    cross = float(np.sqrt(((predicted - np.minimum(cap, life))[told] ** 2).mean()))
    bounds = calibrate(predicted, life, which, cap)
    trained = len(units), len(predicted)
    return LifeModel(records.settings, records.sensors, cap, beat, seed, trained, cross, tuple(parts), bounds)


def _part(units: Sequence[Record], size: tuple[float, float], rules: Rules, seed: int) -> Part:
    cap, beat = size
    remaining = lives(units)
    conditions = learn_conditions(units)
    z = [conditions.deviations(unit) for unit in units]
    indices = learn_indices(z, [beats(unit, beat) for unit in units], remaining, cap)
    shown = [views(one, unit, indices, beat) for one, unit in zip(z, units, strict=True)]
    y = np.minimum(cap, np.concatenate(list(remaining)))
    forests = {
        name: grow(np.concatenate([view(name) for view in shown]), y, rules.trees, seed + i)
        for i, name in enumerate(rules.members)
    }
    return Part(conditions, indices, forests)


def table(model: LifeModel, records: Records, *, every_row: bool) -> Iterator[tuple[str, float, float, float, float]]:
    """Rows of `unit, time, rul, low, high`: each unit at its last row, or at all."""
    for record in records.units:
        if not len(record.time):
            continue
        life = model.predict(record)
        rows = range(len(record.time)) if every_row else (len(record.time) - 1,)
        for row in rows:
            yield (
                record.unit,
                float(record.time[row]),
                float(life.rul[row]),
                float(life.low[row]),
                float(life.high[row]),
            )
