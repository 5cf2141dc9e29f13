"""What the scoreboard shows beside precision: how long detectors watched, and how early their true findings came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row

from storage.pool import Connection
from storage.read_models import DEVICE_SCOPE, Scope

_WATCHED = (
    """
select d.org, d.kind, coalesce(d.model, '') as model, count(*)::int as devices,
       (sum(greatest(0, extract(epoch from o.last_t - d.registered))) / 31557600)::float8 as years
from device d join device_observed o on o.device = d.no
"""
    + DEVICE_SCOPE
    + " and o.last_t is not null group by 1, 2, 3"
)
_EARLY = (
    """
select v.org, v.detector, v.kind, v.model, v.family,
       percentile_cont(0.5) within group (order by extract(epoch from t.done - f.opened) / 86400)::float8 as days,
       count(*)::int as repaired,
       count(*) filter (where t.done <= r.observed + make_interval(secs => r.life_low))::int as in_time,
       count(*) filter (where r.life_low is not null)::int as told
from verdict v
join device d on d.no = v.device
join ticket t on t.id = v.ticket and t.done is not null
join finding f on f.id = v.finding
join finding_revision r on r.finding = f.id and r.revision = 0
"""
    + DEVICE_SCOPE
    + " and v.hit group by 1, 2, 3, 4, 5"
)
_WRONG = (
    """
select v.org, v.detector, v.kind, v.model, v.family, count(*)::int as wrong
from verdict v join device d on d.no = v.device
"""
    + DEVICE_SCOPE
    + " and v.truth <> 'missed' and not v.hit group by 1, 2, 3, 4, 5"
)
Key = tuple[str, str, str, str, str]
"""Organisation, detector, kind, model, family."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How long devices of a model were observed since they were registered."""

    org: str
    kind: str
    model: str
    devices: int
    years: float


@dataclass(frozen=True, slots=True)
class Early:
    """Of true findings that were repaired: median days until the repair, and how many before the earliest told end.

    Attributes:
        told: those whose first revision told a remaining life.
    """

    org: str
    detector: str
    kind: str
    model: str
    family: str
    days: float
    repaired: int
    in_time: int
    told: int

    @property
    def key(self) -> Key:
        """Whose it is."""
        return self.org, self.detector, self.kind, self.model, self.family


def watched(conn: Connection, scope: Scope) -> dict[tuple[str, str, str], Watched]:
    """Exposure by organisation, kind and model."""
    with conn.cursor(row_factory=class_row(Watched)) as cursor:
        return {(row.org, row.kind, row.model): row for row in cursor.execute(_WATCHED, scope.parameters())}


def early(conn: Connection, scope: Scope) -> dict[Key, Early]:
    """How early true findings came."""
    with conn.cursor(row_factory=class_row(Early)) as cursor:
        return {row.key: row for row in cursor.execute(_EARLY, scope.parameters())}


def wrong(conn: Connection, scope: Scope) -> dict[Key, int]:
    """Findings whose fault was not there, all that there ever were."""
    rows: Any = conn.execute(_WRONG, scope.parameters()).fetchall()
    return {tuple(map(str, row[:5])): int(row[5]) for row in rows}  # type: ignore[misc]
