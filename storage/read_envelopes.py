"""Signals over any stretch of time, as envelopes: least, greatest and mean of each channel in equal steps.

Short stretches are made of the readings, longer ones of the roll-ups of minutes and hours, so that ninety days cost no
more than an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from storage.pool import Connection
from storage.rollup_levels import HOUR, MINUTE, ORIGIN, aggregates, columns, reading_table, rollup_table
from storage.rollups import done_of

_STEPS = tuple(
    timedelta(seconds=s)
    for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800)
)
_MOST = 500
_MOST_PHASES = 3_000
_OF_READINGS = sql.SQL("""
select date_bin(%(width)s, t, %(origin)s) as at, {aggregates}
from {readings} where device = %(device)s and t >= %(start)s and t < %(end)s group by 1 order by 1
""")
_OF_ROLLUPS = sql.SQL("""
select date_bin(%(width)s, bucket, %(origin)s) as at, {of_rollups} from (
    select bucket, {columns} from {rollup}
    where device = %(device)s and bucket >= %(start)s and bucket < %(middle)s
    union all
    select date_bin(%(level)s, t, %(origin)s) as bucket, {of_readings} from {readings}
    where device = %(device)s and t >= %(middle)s and t < %(end)s group by 1
) buckets group by 1 order by 1
""")
_SHOWN = sql.SQL("select at, n, {shown} from ({inner}) stepped order by at")
_ONE = sql.SQL("{low}, {high}, {total} / nullif({count}, 0)")
_PHASES = sql.SQL("""
select t, phase from (
    select t, phase, lag(phase) over w as before, row_number() over w as place
    from {table} where device = %s and t >= %s and t < %s window w as (order by t)
) r where place = 1 or phase is distinct from before order by t limit %s
""")


@dataclass(frozen=True, slots=True)
class Envelope:
    """Channels in equal steps; `low`, `high` and `mean` have a list for each channel, None where nothing was said.

    Attributes:
        width: of a step.
        at: where each step that holds readings begins.
        n: readings in it.
    """

    width: timedelta
    at: list[datetime]
    n: list[int]
    low: dict[str, list[float | None]]
    high: dict[str, list[float | None]]
    mean: dict[str, list[float | None]]


def step_of(span: timedelta, most: int = _MOST) -> timedelta:
    """The finest step that cuts a stretch into at most so many pieces."""
    return next((step for step in _STEPS if span / step <= most), _STEPS[-1])


def read_envelope(
    conn: Connection,
    device: int,
    kind: str,
    channels: Sequence[str],
    *,
    start: datetime,
    end: datetime,
    most: int = _MOST,
) -> Envelope:
    """Channels of one device between two event times.

    Args:
        conn: a connection.
        device: its number.
        kind: of appliance.
        channels: of the kind; names of columns.
        start: first event time; the first step begins at or before it.
        end: first event time left out.
        most: steps.
    """
    width = step_of(end - start, most)
    parameters: dict[str, Any] = {"device": device, "width": width, "origin": ORIGIN}
    parameters |= {"start": start - (start - ORIGIN) % width, "end": end}
    level = None if width < MINUTE.width else MINUTE if width < HOUR.width else HOUR
    if level is None:
        inner: sql.Composed = _OF_READINGS.format(
            aggregates=aggregates(channels, of_readings=True), readings=reading_table(kind)
        )
    else:
        done = done_of(conn, kind)[level.name]
        first = parameters["start"]
        # Up to here roll-ups are complete; what comes after is computed now.
        parameters |= {"level": level.width, "middle": first if done is None else min(max(done, first), end)}
        inner = _OF_ROLLUPS.format(
            of_rollups=aggregates(channels, of_readings=False),
            of_readings=aggregates(channels, of_readings=True),
            columns=sql.SQL(", ").join(sql.Identifier(name) for name in columns(channels)),
            rollup=rollup_table(kind, level.name),
            readings=reading_table(kind),
        )
    shown = sql.SQL(", ").join(
        _ONE.format(
            low=sql.Identifier(f"{channel}_min"),
            high=sql.Identifier(f"{channel}_max"),
            total=sql.Identifier(f"{channel}_sum"),
            count=sql.Identifier(f"{channel}_count"),
        )
        for channel in channels
    )
    rows: list[Any] = conn.execute(_SHOWN.format(shown=shown, inner=inner), parameters).fetchall()
    picked = [[row[i] for row in rows] for i in range(2 + 3 * len(channels))]
    return Envelope(
        width,
        picked[0],
        [int(n) for n in picked[1]],
        {c: picked[2 + 3 * i] for i, c in enumerate(channels)},
        {c: picked[3 + 3 * i] for i, c in enumerate(channels)},
        {c: picked[4 + 3 * i] for i, c in enumerate(channels)},
    )


def read_phases(
    conn: Connection, device: int, kind: str, *, start: datetime, end: datetime
) -> list[tuple[datetime, str | None]]:
    """When which phase began, between two event times; the first is the one that was there."""
    query = _PHASES.format(table=reading_table(kind))
    rows: list[Any] = conn.execute(query, (device, start, end, _MOST_PHASES)).fetchall()
    return [(t, phase) for t, phase in rows]
