"""Evidence signals as people read them: one point a day (or hour), unknown stretches kept unknown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from statistics import median

from telemetry.clock import MICROS, to_datetime, to_micros
from telemetry.finding import Signal

_DAY = 86_400 * MICROS
_STEPS = (10 * 60 * MICROS, 3_600 * MICROS, 6 * 3_600 * MICROS, _DAY, 7 * _DAY)
_MOST_POINTS = 110
_LACK = 3


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a chart at the middle of its step; `value` is None where nothing is known.

    Attributes:
        t: microseconds.
        value: median of the step's values, in the feature's unit.
        low: usual band, lower edge; None where no band is known.
        high: its upper edge.
        weight: how many values went in.
    """

    t: int
    value: float | None
    low: float | None
    high: float | None
    weight: int = 0

    @property
    def outside(self) -> int:
        """+1 above the band, -1 below it, 0 in it or unknown."""
        if self.value is None or self.low is None or self.high is None:
            return 0
        return 1 if self.value > self.high else -1 if self.value < self.low else 0


@dataclass(frozen=True, slots=True)
class Series:
    """Points at multiples of a step; what is missing longer than is usual is there as points of unknown value."""

    feature: str
    step: int
    points: tuple[Point, ...]

    @property
    def last(self) -> Point | None:
        """The last point that is known."""
        return next((p for p in reversed(self.points) if p.value is not None), None)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a chart's table: a week, or a day when there are few."""

    start: datetime
    end: datetime
    value: float | None
    low: float | None
    high: float | None
    outside: int


def merge(signals: Sequence[Signal]) -> dict[str, Signal]:
    """Join the windows of several revisions, newest revision first: an older one only reaches further back."""
    found: dict[str, dict[int, tuple[float | None, float, float]]] = {}
    for signal in signals:
        rows = found.setdefault(signal.feature, {})
        first = min(rows, default=None)
        for t, value, low, high in zip(signal.t, signal.value, signal.low, signal.high, strict=True):
            if first is None or t < first:
                rows[t] = (value, low, high)
    merged: dict[str, Signal] = {}
    for feature, rows in found.items():
        times = sorted(rows)
        merged[feature] = Signal(
            feature=feature,
            t=tuple(times),
            value=tuple(rows[t][0] for t in times),
            low=tuple(rows[t][1] for t in times),
            high=tuple(rows[t][2] for t in times),
        )
    return merged


def series_of(signal: Signal, zone: tzinfo, scale: float = 1.0) -> Series:
    """Gather a signal into the finest step that keeps at most 110 points; days start at local midnight.

    Args:
        signal: times in microseconds.
        zone: the household's zone.
        scale: factor for values and band, to change the unit.
    """
    if not signal.t:
        return Series(signal.feature, _DAY, ())
    span = signal.t[-1] - signal.t[0]
    gaps = sorted(b - a for a, b in zip(signal.t, signal.t[1:], strict=False))
    usual = gaps[len(gaps) // 2] if gaps else _DAY
    rest = gaps[len(gaps) * 9 // 10] if gaps else _DAY
    step = next((s for s in _STEPS if s >= usual and span // s < _MOST_POINTS), _STEPS[-1])
    origin = midnight(signal.t[0], zone)
    bins: dict[int, list[int]] = defaultdict(list)
    for i, t in enumerate(signal.t):
        bins[(t - origin) // step].append(i)
    first, last = min(bins), max(bins)
    points = [_point(signal, bins.get(n, []), origin + n * step + step // 2, scale) for n in range(first, last + 1)]
    return Series(signal.feature, step, tuple(_carry_band(_without_rests(points, max(_LACK * rest, step)))))


def table_of(series: Series, zone: tzinfo) -> list[Row]:
    """Weeks, Monday first, or days when the series is shorter than a fortnight; newest last."""
    days = len(series.points) * series.step / _DAY
    weekly = days > 14  # noqa: PLR2004  (a fortnight)
    start_of: Callable[[datetime], datetime] = (lambda d: d - timedelta(days=d.weekday())) if weekly else (lambda d: d)
    groups: dict[datetime, list[Point]] = {}
    for point in series.points:
        groups.setdefault(start_of(_midnight(to_datetime(point.t), zone)), []).append(point)
    rows = []
    for start, points in groups.items():
        known = [p for p in points if p.value is not None]
        lows = [p.low for p in points if p.low is not None]
        highs = [p.high for p in points if p.high is not None]
        value = sum(p.value for p in known if p.value is not None) / len(known) if known else None
        low, high = (sum(lows) / len(lows), sum(highs) / len(highs)) if lows else (None, None)
        mean = Point(0, value, low, high)
        rows.append(Row(start, start + timedelta(days=6 if weekly else 0), value, low, high, mean.outside))
    return rows


def midnight(micros: int, zone: tzinfo) -> int:
    """The local midnight at or before a time, microseconds."""
    return to_micros(_midnight(to_datetime(micros), zone))


def _midnight(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _point(signal: Signal, at: list[int], t: int, scale: float) -> Point:
    if not at:
        return Point(t, None, None, None)
    values = [v for i in at if (v := signal.value[i]) is not None]
    return Point(
        t,
        median(values) * scale if values else None,
        median(signal.low[i] for i in at) * scale,
        median(signal.high[i] for i in at) * scale,
        len(values),
    )


def _without_rests(points: list[Point], longest: int) -> list[Point]:
    """Drop empty steps that no value could have fallen into: a rest between two cycles is no lack of data."""
    kept: list[Point] = []
    empty: list[Point] = []
    for point in points:
        if point.low is None:
            empty.append(point)
            continue
        if kept and point.t - kept[-1].t > longest:
            kept += empty
        empty = []
        kept.append(point)
    return kept + empty


def _carry_band(points: list[Point]) -> list[Point]:
    """Where nothing was measured the usual band is still known: that of the step before."""
    carried: list[Point] = []
    low = high = None
    for point in points:
        if point.low is not None:
            low, high = point.low, point.high
        carried.append(Point(point.t, point.value, low, high, point.weight))
    return carried
