"""Times as tables write them: ISO 8601, days with points or slashes, Unix seconds to nanoseconds."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

_DAY = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?$")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?$")
_YEAR_DIGITS = 4
_MONTHS = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Unix times of the years 1973 to 5138 in each unit.
_UNITS = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3))


@dataclass(frozen=True, slots=True)
class MomentFormat:
    """How a column writes its times.

    Attributes:
        scale: seconds a unit of a number; None for dates.
        month_first: the month stands before the day, where the year comes last.
    """

    scale: float | None
    month_first: bool = False


def moment_format(first: str) -> MomentFormat:
    """The format that a column's first cell shows. A day that may be either is taken for the day before the month."""
    try:
        value = abs(float(first))
    except ValueError:
        parts = _DAY.match(first)
        ordered = parts is not None and len(parts[1]) < _YEAR_DIGITS
        return MomentFormat(None, month_first=ordered and parts is not None and int(parts[3]) > _MONTHS)
    return MomentFormat(next((scale for least, scale in _UNITS if value >= least), 1.0))


@dataclass(frozen=True, slots=True)
class Moments:
    """Reads the cells of one column."""

    form: MomentFormat

    def seconds(self, text: str) -> float:
        """Unix seconds, of a clock without a zone as if it were UTC; NaN when it is no time."""
        if self.form.scale is not None:
            try:
                value = float(text) * self.form.scale
            except ValueError:
                return math.nan
            return value if math.isfinite(value) else math.nan
        found = _iso(text)
        if found is None:
            found = self._day(text)
        return math.nan if found is None else (found - _EPOCH).total_seconds()

    def _day(self, text: str) -> datetime | None:
        parts = _DAY.match(text)
        if parts is None:
            return None
        first, second, third = int(parts[1]), int(parts[3]), int(parts[4])
        if len(parts[1]) == _YEAR_DIGITS:
            year, month, day = first, second, third
        elif self.form.month_first:
            year, month, day = third, first, second
        else:
            year, month, day = third, second, first
        if year < 100:  # noqa: PLR2004  (two digits)
            year += 2000
        hour, minute, second_of = (int(part or 0) for part in parts.group(5, 6, 7))
        micros = int((parts[8] or "").ljust(6, "0")[:6])
        try:
            return datetime(year, month, day, hour, minute, second_of, micros, tzinfo=UTC)
        except ValueError:
            return None


def is_date(text: str) -> bool:
    """Whether a cell is a date, with a time of day or without; a bare number is none."""
    if text.isdigit():
        return False
    return _iso(text) is not None or _DAY.match(text) is not None


def is_clock_time(text: str) -> bool:
    """Whether a cell is a time of day alone."""
    return _CLOCK.match(text) is not None


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
