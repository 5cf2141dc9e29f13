"""What every scored benchmark shares: where recordings are, intervals, blind controls, and the shape of a result."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stack.errors import StackError

Floats = NDArray[np.float64]
Control = Callable[[Floats, np.random.Generator], Floats]
"""Scores of shape (n,), 0 to 1, from values of shape (n, channels): what a detector must beat."""

SEEDS = (0, 1, 2, 3, 4)
"""Every random choice of a protocol is made five times; the mean and the standard deviation are reported."""
ENVIRONMENT = "WELLKEPT_DATA"
_BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
_DRAWS = 2_000
_LEVEL = 0.95


def find_data(given: Path | None, part: str) -> Path:
    """The folder of one set of recordings.

    Args:
        given: the folder that holds the sets, or the set's own folder; None looks at `$WELLKEPT_DATA`, then at
            `shared/data` beside the checkout.
        part: name of the set's folder, e.g. `NAB`.

    Raises:
        StackError: it is not there; says where it was looked for.
    """
    told = os.environ.get(ENVIRONMENT)
    base = given if given is not None else Path(told) if told else _BESIDE
    for folder in (base / part, base):
        if folder.is_dir() and folder.name == part:
            return folder
    raise StackError(
        f"no recordings {part} in {base}: give their folder with --data or {ENVIRONMENT}; "
        "docs/results.md says where the public originals are"
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        value: over all units; with seeds, the mean over them.
        low: lower end of its 95 % interval; None where there is none.
        high: upper end.
        sd: standard deviation over the seeds; None where nothing is random.
    """

    value: float
    low: float | None = None
    high: float | None = None
    sd: float | None = None

    def __str__(self) -> str:
        """As in a table for people."""
        spread = "" if self.sd is None else f" ± {self.sd:.3g}"
        interval = "" if self.low is None or self.high is None else f" ({self.low:.4g} to {self.high:.4g})"
        return f"{self.value:.4g}{spread}{interval}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark reports, the same shape for each.

    Attributes:
        benchmark: its name.
        protocol: how it is scored, in words.
        developed_on: what thresholds and design were chosen on.
        scored_on: what the figures are of.
        threshold: the rule of the threshold, in words.
        figures: by name.
        controls: blind controls by name, each with the figures it has.
        units: one row a file, device or fault.
        not_detected: what was missed, one line each.
    """

    benchmark: str
    protocol: str
    developed_on: str
    scored_on: str
    threshold: str
    figures: Mapping[str, Figure]
    controls: Mapping[str, Mapping[str, Figure]] = field(default_factory=dict)
    units: Sequence[Mapping[str, Any]] = ()
    not_detected: Sequence[str] = ()

    def plain(self) -> dict[str, Any]:
        """For JSON; figures that are not finite become null."""
        found = _plain(asdict(self))
        assert isinstance(found, dict)  # noqa: S101  (asdict yields a dict)
        return found

    def tables(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """For people: titles with rows."""
        figures = [{"figure": name, "value": str(figure)} for name, figure in self.figures.items()]
        controls = [
            {"blind control": name} | {key: str(figure) for key, figure in row.items()}
            for name, row in self.controls.items()
        ]
        found = [(self.protocol, figures), ("Beside it, without looking:", controls)]
        return [*found, ("Each:", [dict(row) for row in self.units])]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def bootstrap(units: int, statistic: Callable[[NDArray[np.intp]], float], *, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of a statistic over units drawn with replacement (Efron 1979).

    Args:
        units: how many files, devices or days there are.
        statistic: of the drawn units' numbers, shape (units,), some of them repeated. NaN draws are left out.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    found = np.array([statistic(rng.integers(0, units, units)) for _ in range(_DRAWS)])
    low, high = np.nanquantile(found, ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
    return float(low), float(high)


def over_seeds(values: Sequence[float], low: float | None = None, high: float | None = None) -> Figure:
    """The mean over seeds with its standard deviation (of the sample; 0 for one seed)."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Figure(float(np.mean(values)), low, high, sd)


def always(values: Floats, _rng: np.random.Generator) -> Floats:
    """An alarm on every row."""
    return np.ones(len(values))


def random(values: Floats, rng: np.random.Generator) -> Floats:
    """A fair draw a row."""
    return rng.random(len(values))


def periodic(period: int) -> Control:
    """An alarm every `period` rows, whatever they hold."""

    def control(values: Floats, _rng: np.random.Generator) -> Floats:
        found = np.zeros(len(values))
        found[period - 1 :: period] = 1.0
        return found

    return control


def position(first: int, last: int) -> Control:
    """An alarm on rows `first` to `last`, whatever they hold."""

    def control(values: Floats, _rng: np.random.Generator) -> Floats:
        found = np.zeros(len(values))
        found[first : last + 1] = 1.0
        return found

    return control


def rolling_median(window: int = 100) -> Control:
    """|x − median of the `window` rows before|, in units of its own mean so far, the greatest of the channels.

    d / (1 + d) brings it to 0 to 1. Absent values count as usual.
    """

    def control(values: Floats, _rng: np.random.Generator) -> Floats:
        found = np.zeros(len(values))
        for column in values.T:
            filled = _hold(column)
            padded = np.concatenate([np.full(window, filled[0] if len(filled) else 0.0), filled])
            before = np.lib.stride_tricks.sliding_window_view(padded, window)[: len(filled)]
            away = np.abs(filled - np.median(before, axis=1))
            usual = np.cumsum(away) / np.arange(1, len(away) + 1)
            ratio = away / np.maximum(usual, np.finfo(float).tiny)
            found = np.maximum(found, ratio / (1 + ratio))
        return found

    return control


def _hold(column: Floats) -> Floats:
    """Absent values repeat the last one; 0 before the first."""
    at = np.maximum.accumulate(np.where(np.isfinite(column), np.arange(len(column)), -1))
    return np.where(at >= 0, column[np.maximum(at, 0)], 0.0)


def blind_controls(*, period: int, first: int, last: int, window: int = 100) -> dict[str, Control]:
    """The controls every benchmark prints beside its result."""
    return {
        "always": always,
        "random": random,
        "periodic": periodic(period),
        "position only": position(first, last),
        "|x - rolling median|": rolling_median(window),
    }
