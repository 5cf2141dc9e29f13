"""Roll-ups as they are read: complete buckets from the roll-up, the newest ones from the readings themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from storage.pool import Connection
from storage.rollup_levels import ORIGIN, Level, aggregates, columns, reading_table, rollup_table
from storage.rollups import done_of

_BUCKETS = sql.SQL("""
select device, bucket, n, {shown} from (
    select device, bucket, {columns} from {rollup}
    where (%(device)s::int is null or device = %(device)s) and bucket >= %(start)s and bucket < %(middle)s
    union all
    select device, date_bin(%(width)s, t, %(origin)s) as bucket, {aggregates} from {readings}
    where (%(device)s::int is null or device = %(device)s) and t >= %(middle)s and t < %(end)s group by 1, 2
) buckets order by device, bucket
""")
_SHOWN = sql.SQL("{low}, {high}, {total} / nullif({count}, 0) as {mean}, {count}")


def list_rollups(
    conn: Connection,
    kind: str,
    channels: Sequence[str],
    level: Level,
    *,
    start: datetime,
    end: datetime,
    device: int | None = None,
    from_readings: bool = False,
) -> list[dict[str, Any]]:
    """Buckets by device and time: n, and of each channel `_min`, `_max`, `_mean` and `_count`.

    Args:
        conn: a connection.
        kind: of appliance.
        channels: of the kind; unknown ones are columns that are not there.
        level: width of the buckets.
        start: where the first bucket begins.
        end: where the first bucket begins that is left out.
        device: one device, or None for all of the kind.
        from_readings: compute everything from the readings, as if there were no roll-ups.
    """
    done = None if from_readings else done_of(conn, kind)[level.name]
    parameters = {
        "device": device,
        "start": start,
        # Up to here roll-ups are complete; what comes after is computed now.
        "middle": start if done is None else min(max(done, start), end),
        "end": end,
        "width": level.width,
        "origin": ORIGIN,
    }
    shown = [
        _SHOWN.format(
            low=sql.Identifier(f"{channel}_min"),
            high=sql.Identifier(f"{channel}_max"),
            total=sql.Identifier(f"{channel}_sum"),
            count=sql.Identifier(f"{channel}_count"),
            mean=sql.Identifier(f"{channel}_mean"),
        )
        for channel in channels
    ]
    statement = _BUCKETS.format(
        shown=sql.SQL(", ").join(shown),
        columns=sql.SQL(", ").join(sql.Identifier(name) for name in columns(channels)),
        rollup=rollup_table(kind, level.name),
        aggregates=aggregates(channels, of_readings=True),
        readings=reading_table(kind),
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, parameters, binary=True).fetchall()
