"""The levels of the roll-ups, and the SQL that both lanes share: what a bucket holds of each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import sql

ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)
"""Buckets of every level begin at a multiple of their width from here."""


@dataclass(frozen=True, slots=True)
class Level:
    """One width of buckets.

    Attributes:
        name: last part of the table's name.
        width: of a bucket.
        source: the next finer level, None for readings.
        slice: how much is rolled up in one transaction.
    """

    name: str
    width: timedelta
    source: str | None
    slice: timedelta

    def floor(self, at: datetime) -> datetime:
        """Where the bucket of a time begins."""
        return at - (at - ORIGIN) % self.width

    def ceil(self, at: datetime) -> datetime:
        """Where the first bucket begins that holds nothing before a time."""
        begin = self.floor(at)
        return at if begin == at else begin + self.width


MINUTE = Level("minute", timedelta(minutes=1), None, timedelta(days=1))
HOUR = Level("hour", timedelta(hours=1), "minute", timedelta(days=30))
DAY = Level("day", timedelta(days=1), "hour", timedelta(days=365))
LEVELS = (MINUTE, HOUR, DAY)
"""From fine to coarse."""


def reading_table(kind: str) -> sql.Identifier:
    """Readings of a kind."""
    return sql.Identifier(f"reading_{kind}")


def rollup_table(kind: str, level: str) -> sql.Identifier:
    """Roll-ups of a kind; a table, or a continuous aggregate."""
    return sql.Identifier(f"rollup_{kind}_{level}")


def source_of(kind: str, level: Level) -> tuple[sql.Identifier, sql.Identifier]:
    """What a level is computed from, and the name of its time column."""
    if level.source is None:
        return reading_table(kind), sql.Identifier("t")
    return rollup_table(kind, level.source), sql.Identifier("bucket")


def columns(channels: Sequence[str]) -> list[str]:
    """Names of what a bucket holds beside device and bucket: n, then min, max, sum and count of each channel."""
    return ["n", *(f"{channel}_{part}" for channel in channels for part in ("min", "max", "sum", "count"))]


_FROM_READINGS = sql.SQL(
    "min({c}) as {c_min}, max({c}) as {c_max}, sum({c}::double precision) as {c_sum}, count({c}) as {c_count}"
)
_FROM_ROLLUPS = sql.SQL(
    "min({c_min}) as {c_min}, max({c_max}) as {c_max}, sum({c_sum}) as {c_sum}, sum({c_count})::bigint as {c_count}"
)


def aggregates(channels: Sequence[str], *, of_readings: bool) -> sql.Composed:
    """The select list of a bucket, in the order of `columns`; float32 is summed as float64, without loss."""
    each = _FROM_READINGS if of_readings else _FROM_ROLLUPS
    parts: list[sql.Composable] = [sql.SQL("count(*) as n" if of_readings else "sum(n)::bigint as n")]
    parts += [
        each.format(
            c=sql.Identifier(channel),
            c_min=sql.Identifier(f"{channel}_min"),
            c_max=sql.Identifier(f"{channel}_max"),
            c_sum=sql.Identifier(f"{channel}_sum"),
            c_count=sql.Identifier(f"{channel}_count"),
        )
        for channel in channels
    ]
    return sql.SQL(", ").join(parts)
