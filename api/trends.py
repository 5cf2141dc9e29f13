"""How an appliance has run of late, a point a day: the signal of its open finding, else its own power.

Without a finding no detector has drawn a band. The one shown then is the appliance's own: the median of its last four
weeks and three times their spread (median absolute deviation; Hampel, "The Influence Curve and Its Role in Robust
Estimation", Journal of the American Statistical Association 69, 1974), known from a week on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from statistics import median
from uuid import UUID

from api.evidence import Point, merge, series_of
from api.units import HOURS_A_DAY, Unit, unit_of
from storage.pool import Connection
from storage.read_devices import DeviceView, FindingView, evidence_of
from storage.read_rollups import list_rollups
from storage.rollup_levels import DAY
from telemetry.catalogue import KindSpec, Text
from telemetry.clock import to_micros

SHOWN = 28
"""Days."""
_WINDOW = 28
_LEAST = 7
_SIGMA = 3 * 1.4826
_FLOOR = 0.02
_WATTS_TO_KWH = Unit(0.024, "kWh", "千瓦时", 2)
_ELECTRICITY = Text(zh="每天用电", en="Electricity a day")
_RUNNING = Text(zh="每天运转时间", en="Running time a day")


@dataclass(frozen=True, slots=True)
class Trend:
    """A signal of the last weeks.

    Attributes:
        title: what is shown.
        unit: of the values.
        finding: whose evidence it is; None where the band is the appliance's own past.
        points: oldest first; a missing day is a point without a value.
    """

    title: Text
    unit: Unit
    finding: UUID | None
    points: tuple[Point, ...]

    @property
    def known(self) -> list[Point]:
        """Points with a value and a band."""
        return [each for each in self.points if each.value is not None and each.low is not None]

    @property
    def outside(self) -> int:
        """How many of them lie outside it."""
        return sum(1 for each in self.known if each.outside)


def trend_of(  # noqa: PLR0917  (all of them say which trend)
    conn: Connection,
    device: DeviceView,
    kind: KindSpec | None,
    finding: FindingView | None,
    now: datetime,
    zone: tzinfo,
) -> Trend | None:
    """What can be shown of an appliance; None where there is nothing."""
    if kind is None:
        return None
    found = _of_finding(conn, kind, finding, zone) if finding is not None else None
    return found if found is not None else _of_power(conn, device, kind, now)


def _of_finding(conn: Connection, kind: KindSpec, finding: FindingView, zone: tzinfo) -> Trend | None:
    evidence = merge(evidence_of(conn, finding.id))
    ranked = [each.feature for each in finding.finding.evidence if each.feature in evidence]
    plain = [name for name in ranked if name in kind.features and not kind.features[name].technical]
    name = next(iter(plain or ranked), None)
    if name is None:
        return None
    signal, spec = evidence[name], kind.features.get(name)
    sizes = sorted(abs(v) for v in signal.value if v is not None)
    unit = unit_of(spec.unit if spec is not None else "", sizes[len(sizes) // 2] if sizes else 1.0)
    per_day = spec is not None and spec.per_day
    if per_day:
        unit = HOURS_A_DAY
    points = series_of(signal, zone, unit.scale).points[-SHOWN:]
    title = _RUNNING if per_day or spec is None else spec.title
    return Trend(title, unit, finding.id, points) if any(p.value is not None for p in points) else None


def _of_power(conn: Connection, device: DeviceView, kind: KindSpec, now: datetime) -> Trend | None:
    """The mean of each whole day of the channel by which cycles are told, or of power."""
    channel = kind.cycle.channel if kind.cycle is not None else "power" if "power" in kind.channels else None
    if channel is None:
        channel = next(iter(kind.channels))
    end = DAY.floor(now)
    start = end - timedelta(days=SHOWN + _WINDOW)
    rows = list_rollups(conn, kind.kind, [channel], DAY, start=start, end=end, device=device.no)
    by_day = {row["bucket"]: row[f"{channel}_mean"] for row in rows}
    if not by_day:
        return None
    spec, first = kind.channels[channel], min(by_day)
    watts = spec.unit == "W"
    known = [abs(v) for v in by_day.values() if v is not None]
    unit = _WATTS_TO_KWH if watts else unit_of(spec.unit, median(known) if known else 1.0)
    days = [first + timedelta(days=n) for n in range((end - first).days)]
    values = [None if (v := by_day.get(day)) is None else v * unit.scale for day in days]
    points = own_band([to_micros(day + timedelta(hours=12)) for day in days], values)[-SHOWN:]
    title = _ELECTRICITY if watts else spec.title
    return Trend(title, unit, None, tuple(points)) if any(p.value is not None for p in points) else None


def own_band(times: Sequence[int], values: Sequence[float | None]) -> list[Point]:
    """Each day with the range of the four weeks before it; without one until a week is known.

    Args:
        times: microseconds, a day apart.
        values: of the same days, None where nothing came.
    """
    points = []
    for i, (t, value) in enumerate(zip(times, values, strict=True)):
        before = [v for v in values[max(0, i - _WINDOW) : i] if v is not None]
        if len(before) < _LEAST:
            points.append(Point(t, value, None, None, int(value is not None)))
            continue
        middle = median(before)
        spread = max(_SIGMA * median(abs(v - middle) for v in before), _FLOOR * abs(middle))
        points.append(
            Point(t, value, max(0.0, middle - spread) if middle >= 0 else middle - spread, middle + spread, 1)
        )
    return points
