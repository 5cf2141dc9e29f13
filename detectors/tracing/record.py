"""What a traced detector has seen, as columns: the newest rows, features with their bands, scores with their bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

BAND = 2.5
"""Half width of the expected band in standard deviations, as in evidence."""
ROWS = 2_000
"""So many newest rows are kept."""
_TRIM = 500


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a score opens an episode, and where it lets one end; None where it does not count for that.

    Attributes:
        opens: at or above.
        ends: below.
        rows: so many judgements in a row.
    """

    opens: float | None
    ends: float | None
    rows: int = 1

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"opens": self.opens, "ends": self.ends, "rows": self.rows}


@dataclass(slots=True)
class Row:
    """One judgement: a cycle, or a look at a plant.

    Attributes:
        at: event time from which it is known, microseconds.
        start: when the cycle began.
        value: features; NaN where it cannot tell.
        usual: expected.
        half: half of the expected band.
        scores: by family and score; empty where nothing was judged yet.
    """

    at: int
    start: int
    value: Sequence[float]
    usual: Sequence[float]
    half: Sequence[tuple[float, float]]
    scores: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """Rows of one device, oldest first.

    Attributes:
        features: names of the columns.
        bounds: of each score by family.
        rows: the newest ones.
        seen: all that there were.
        judged: of these, with scores.
    """

    features: list[str]
    bounds: dict[str, dict[str, Bound]]
    rows: list[Row] = field(default_factory=list)
    seen: int = 0
    judged: int = 0

    def add(self, row: Row) -> None:
        """Take a row; the oldest go when there are too many."""
        self.rows.append(row)
        self.seen += 1
        if len(self.rows) > ROWS + _TRIM:
            del self.rows[:_TRIM]

    def plain(self, until: int | None = None) -> dict[str, Any]:
        """Columns for JSON.

        Args:
            until: rows known after this event time are left out.
        """
        rows = sorted((row for row in self.rows if until is None or row.at <= until), key=lambda row: row.at)[-ROWS:]
        scores = {
            family: {
                name: {
                    **bound.plain(),
                    "value": [_short(row.scores.get(family, {}).get(name, math.nan)) for row in rows],
                }
                for name, bound in of_family.items()
            }
            for family, of_family in self.bounds.items()
        }
        features = {
            name: {
                "value": _column(row.value[i] for row in rows),
                "low": _column(row.usual[i] - row.half[i][0] for row in rows),
                "high": _column(row.usual[i] + row.half[i][1] for row in rows),
            }
            for i, name in enumerate(self.features)
        }
        return {
            "t": [row.at for row in rows],
            "start": [row.start for row in rows],
            "seen": self.seen,
            "judged": self.judged,
            "features": {
                name: column for name, column in features.items() if any(v is not None for v in column["value"])
            },
            "scores": scores,
        }


def _column(values: Iterable[float]) -> list[float | None]:
    return [_short(value) for value in values]


def _short(value: float) -> float | None:
    """Six significant digits; NaN is nothing."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
