"""The TimescaleDB lane: with the extension, tables of readings become hypertables and roll-ups continuous aggregates.

Nothing here leaves work to TimescaleDB's own policies: those follow the server's clock, and the product lives in fleet
time. Refresh and compression are called with explicit bounds; retention is in `storage.retention`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from psycopg import sql

from storage.pool import Connection
from storage.rollup_levels import (
    DAY,
    LEVELS,
    MINUTE,
    Level,
    aggregates,
    columns,
    rollup_table,
    source_of,
)
from storage.rollups import Refreshed, done_of, horizon_of, set_done
from telemetry.catalogue import Catalogue, KindSpec

log = structlog.get_logger()

# The Apache edition has neither compression nor continuous aggregates: there the plain lane it is.
_PRESENT = """
select exists (select from pg_extension where extname = 'timescaledb')
   and coalesce(current_setting('timescaledb.license', true), 'timescale') = 'timescale'
"""
# Without the preloaded library `create extension` would end the session.
_POSSIBLE = """
select exists (select from pg_available_extensions where name = 'timescaledb')
   and current_setting('shared_preload_libraries') ~ '\\mtimescaledb\\M'
"""
_CREATE = "create extension if not exists timescaledb"
_HYPERTABLES = "select hypertable_name from timescaledb_information.hypertables"
_DEVICES = "select kind, count(*) from device group by kind"
_HYPERTABLE = """
select create_hypertable(%s::regclass, by_range('t', %s::interval), create_default_indexes => false,
                         migrate_data => true)
"""
_INTERVAL = "select set_chunk_time_interval(%s::regclass, %s::interval)"
_COMPRESSION = sql.SQL("""
alter table {table} set (timescaledb.compress, timescaledb.compress_segmentby = 'device',
                         timescaledb.compress_orderby = 't, epoch, seq, sub')
""")
# An insert into compressed chunks must never be refused for its size: a device that was offline for long would stall
# its whole partition.
_LIMIT = "timescaledb.max_tuples_decompressed_per_dml_transaction"
_UNLIMITED = sql.SQL("alter database {database} set timescaledb.max_tuples_decompressed_per_dml_transaction = 0")

_PLAIN = "select relkind = 'r' from pg_class where oid = to_regclass(%s)"
_RENAME = sql.SQL("alter table {table} rename to {plain}")
_AGGREGATE = sql.SQL("""
create materialized view {table} with (timescaledb.continuous, timescaledb.materialized_only = true) as
select device, time_bucket({width}, {time}) as bucket, {aggregates}
from {source} group by device, time_bucket({width}, {time}) with no data
""")
_AGGREGATE_COMPRESSION = sql.SQL("""
alter materialized view {table} set (timescaledb.compress, timescaledb.compress_segmentby = 'device',
                                     timescaledb.compress_orderby = 'bucket')
""")
_MATERIALIZED = """
select materialization_hypertable_schema, materialization_hypertable_name
from timescaledb_information.continuous_aggregates where view_name = %s
"""
_KEEP_FINAL = sql.SQL("""
insert into {materialized} (device, bucket, {columns}) select device, bucket, {columns} from {plain}
where bucket < (select kept_from from reading_horizon where kind = {kind})
""")
_DROP = sql.SQL("drop table {plain}")
_START_OVER = """
with horizon as (update reading_horizon set rolled_to = '-infinity' where kind = %(kind)s),
     late as (delete from rollup_late where kind = %(kind)s)
update rollup_progress set done = '-infinity' where kind = %(kind)s
"""
_LOCK_TIMEOUT = "set local lock_timeout = '10s'"

_REFRESH = "call refresh_continuous_aggregate(%s::regclass, %s::timestamptz, %s::timestamptz)"
_CHUNK_ENDS = """
select distinct range_end from timescaledb_information.chunks
where hypertable_name = %s and range_end < %s and (%s::timestamptz is null or range_end > %s) order by range_end
"""
# Status 2: unordered, 8: partly compressed; both after late inserts.
_TO_COMPRESS = """
select format('%%I.%%I', i.chunk_schema, i.chunk_name)
from timescaledb_information.chunks i
join _timescaledb_catalog.chunk c on (c.schema_name, c.table_name) = (i.chunk_schema, i.chunk_name)
where i.hypertable_name = %s and i.range_end <= %s and (not i.is_compressed or c.status & 10 <> 0)
order by i.range_start
"""
_COMPRESS = "select compress_chunk(%s::regclass, if_not_compressed => true)"

ROWS_A_CHUNK = 2_000_000
"""With its indexes such a chunk takes some 400 MB before compression: several stay in memory while they are written."""
INTERVALS = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 7 * 24, 28 * 24))
"""What a chunk may span."""
_UNKNOWN = timedelta(days=7)


def chunk_interval(rows_per_second: float) -> timedelta:
    """The longest of `INTERVALS` that brings at most `ROWS_A_CHUNK` rows at a rate; the shortest if none does."""
    if rows_per_second <= 0:
        return _UNKNOWN
    seconds = ROWS_A_CHUNK / rows_per_second
    fitting = [interval for interval in INTERVALS if interval.total_seconds() <= seconds]
    return fitting[-1] if fitting else INTERVALS[0]


def reading_rate(spec: KindSpec) -> float:
    """Readings a second that a device of a kind sends in its busiest phase; one, when the catalogue names no phase."""
    return max((1 / phase.every for phase in spec.phases.values()), default=1.0)


def present(conn: Connection) -> bool:
    """Whether this database has the extension, in the edition with compression and continuous aggregates."""
    row = conn.execute(_PRESENT).fetchone()
    return row is not None and bool(row[0])


def create(conn: Connection) -> None:
    """Create the extension in this database, where the server has it loaded."""
    conn.execute(_CREATE)


def adopt(conn: Connection, catalogue: Catalogue) -> bool:
    """Bring a migrated database into this lane, as far as it is not there; may be repeated at any time.

    The extension is created where the server has it loaded. What is stored already moves into chunks, and roll-ups
    whose readings were dropped are taken over; the others are computed by the next refresh.

    Args:
        conn: in autocommit.
        catalogue: kinds and channels.

    Returns:
        Whether the database is in this lane.
    """
    if not present(conn):
        row = conn.execute(_POSSIBLE).fetchone()
        if row is None or not row[0]:
            return False
        create(conn)
        if not present(conn):
            return False
    _lift_limit(conn)
    have = {str(row[0]) for row in conn.execute(_HYPERTABLES)}
    for name in (*(f"reading_{kind}" for kind in catalogue.kinds), "device_event"):
        if name not in have:
            with conn.transaction():
                conn.execute(_LOCK_TIMEOUT)
                conn.execute(_HYPERTABLE, (name, _UNKNOWN))
                conn.execute(_COMPRESSION.format(table=sql.Identifier(name)))
    fit_chunks(conn, catalogue)
    for kind, spec in catalogue.kinds.items():
        if _is_plain(conn, f"rollup_{kind}_{MINUTE.name}"):
            with conn.transaction():
                conn.execute(_LOCK_TIMEOUT)
                _convert(conn, kind, list(spec.channels))
    return True


def fit_chunks(conn: Connection, catalogue: Catalogue) -> dict[str, timedelta]:
    """Set how much time new chunks span, by the devices that are registered. Returns it by kind."""
    devices = {str(kind): int(str(count)) for kind, count in conn.execute(_DEVICES)}
    chosen = {kind: chunk_interval(devices.get(kind, 0) * reading_rate(spec)) for kind, spec in catalogue.kinds.items()}
    for kind, interval in chosen.items():
        conn.execute(_INTERVAL, (f"reading_{kind}", interval))
    return chosen


def _lift_limit(conn: Connection) -> None:
    row = conn.execute("select current_database(), current_setting(%s, true)", (_LIMIT,)).fetchone()
    if row is not None and row[1] != "0":
        conn.execute(_UNLIMITED.format(database=sql.Identifier(str(row[0]))))


def _is_plain(conn: Connection, name: str) -> bool:
    row = conn.execute(_PLAIN, (name,)).fetchone()
    return row is not None and bool(row[0])


def _convert(conn: Connection, kind: str, channels: list[str]) -> None:
    """Put continuous aggregates in the place of a kind's three tables."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns(channels))
    for level in LEVELS:
        table, plain = rollup_table(kind, level.name), rollup_table(kind, f"{level.name}_plain")
        conn.execute(_RENAME.format(table=table, plain=plain))
    for level in LEVELS:
        table, plain = rollup_table(kind, level.name), rollup_table(kind, f"{level.name}_plain")
        source, time_column = source_of(kind, level)
        conn.execute(
            _AGGREGATE.format(
                table=table,
                width=sql.Literal(level.width),
                time=time_column,
                aggregates=aggregates(channels, of_readings=level.source is None),
                source=source,
            )
        )
        found = conn.execute(_MATERIALIZED, (f"rollup_{kind}_{level.name}",)).fetchone()
        if found is None:
            raise LookupError(f"rollup_{kind}_{level.name} was not created")
        materialized = sql.Identifier(str(found[0]), str(found[1]))
        conn.execute(_KEEP_FINAL.format(materialized=materialized, columns=names, plain=plain, kind=sql.Literal(kind)))
        conn.execute(_DROP.format(plain=plain))
        conn.execute(_AGGREGATE_COMPRESSION.format(table=table))
    conn.execute(_START_OVER, {"kind": kind})


class TimescaleRollUps:
    """Refreshes the continuous aggregates.

    Args:
        conn: in autocommit: a refresh does not run inside a transaction.
        catalogue: kinds.
        stopping: asked between transactions; once it is true what is left is left for the next time.
    """

    def __init__(self, conn: Connection, catalogue: Catalogue, *, stopping: Callable[[], bool] = lambda: False) -> None:
        self._stopping = stopping
        self._conn = conn
        self._kinds = list(catalogue.kinds)

    def refresh(self, bound: datetime) -> list[Refreshed]:
        """Complete every bucket that ends by a time, and compute those anew that late readings fell into."""
        for kind in self._kinds:
            for level in LEVELS:
                self._refresh(kind, level, level.floor(bound))
        return [Refreshed(kind, 0, complete=not self._stopping()) for kind in self._kinds]

    def _refresh(self, kind: str, level: Level, bound: datetime) -> None:
        """Everything from where readings are kept: the extension itself knows what has changed there."""
        done = done_of(self._conn, kind)[level.name]
        _, low = horizon_of(self._conn, kind)
        for high in (*self._steps(kind, level, done, bound), bound):
            if self._stopping():
                return
            if low is None or low < high:
                self._conn.execute(_REFRESH, (f"rollup_{kind}_{level.name}", low, high))
        if done is None or done < bound:
            set_done(self._conn, kind, level, bound)

    def _steps(self, kind: str, level: Level, done: datetime | None, bound: datetime) -> list[datetime]:
        """Ends of chunks on the way, so that a first refresh of much is not one transaction."""
        if level.source is not None:
            return []
        rows = self._conn.execute(_CHUNK_ENDS, (f"reading_{kind}", bound, done, done))
        return [level.floor(end) for (end,) in rows if isinstance(end, datetime)]


def compress(conn: Connection, catalogue: Catalogue, *, readings: datetime, minutes: datetime) -> int:
    """Compress chunks that end by a time, also those that late readings came into since. Returns how many.

    Args:
        conn: in autocommit; each chunk is a transaction.
        catalogue: kinds.
        readings: bound for readings and events, event time.
        minutes: bound for roll-ups.
    """
    wanted = [(f"reading_{kind}", readings) for kind in catalogue.kinds] + [("device_event", readings)]
    for kind in catalogue.kinds:
        for level in LEVELS:
            found = conn.execute(_MATERIALIZED, (f"rollup_{kind}_{level.name}",)).fetchone()
            if found is not None:
                wanted.append((str(found[1]), minutes))
    count = 0
    for name, bound in wanted:
        for (chunk,) in conn.execute(_TO_COMPRESS, (name, DAY.floor(bound))).fetchall():
            conn.execute(_COMPRESS, (chunk,))
            count += 1
    return count
