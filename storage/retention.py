"""Retention: readings go after their time, but never one that a detector has not read or would read again.

The rule, for each kind of appliance and in days of event time: readings before a bound are dropped, and the bound is
the earliest of

- fleet time less the time that readings are kept;
- the last day that is rolled up, and the day of the oldest late reading not yet rolled up;
- the day of the oldest reading that its device's detectors have not observed (it waits behind a gap, or the device is
  not observed at all) or that was observed after the device's last snapshot, from which a restart would read it back.

Readings that came after they were declared lost are never observed, so they hold nothing back. Check and drop are one
transaction, and what is stored meanwhile is not in it: a reading that comes in between stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import structlog
from psycopg import sql

from storage.pool import Connection
from storage.rollup_levels import DAY, LEVELS, rollup_table
from storage.rollups import done_of, horizon_of
from storage.timescale import present
from telemetry.catalogue import Catalogue

log = structlog.get_logger()

EVENTS = "device_event"

# Device by device along the index of device and time: what is younger than the bound is not touched.
_HELD = sql.SQL("""
select d.no, first.t from device d
left join device_observed o on o.device = d.no
left join detector_snapshot n on n.device = d.no
cross join lateral (
    select s.t from {table} s
    where s.device = d.no and s.t < %(bound)s and not s.late
      and (o.device is null or n.device is null
           or (s.epoch, s.seq) > (o.epoch, o.seq) or (s.epoch, s.seq) > (n.epoch, n.seq))
    order by s.t limit 1
) first
where %(kind)s::text is null or d.kind = %(kind)s
order by first.t, d.no limit 1
""")
_OLDEST = sql.SQL("""
select min(first.t) from device d
cross join lateral (select s.t from {table} s where s.device = d.no order by s.t limit 1) first
where %(kind)s::text is null or d.kind = %(kind)s
""")
# Readings below a bound that came since the last refresh: gone before the next one, they would be in no roll-up.
_LATE = "select exists (select from rollup_late where kind = %(kind)s and low < %(bound)s)"
# The extension notes a dropped chunk too, up to and with the time at which the next one begins.
_LATE_IN_CHUNKS = """
select exists (
    select from _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log l
    join _timescaledb_catalog.hypertable h on h.id = l.hypertable_id
    where h.table_name = %(table)s and _timescaledb_functions.to_timestamp(l.lowest_modified_value) < %(end)s
      and (_timescaledb_functions.to_timestamp(l.greatest_modified_value) > %(start)s
           or _timescaledb_functions.to_timestamp(l.lowest_modified_value) >= %(start)s)
)
"""
_ONE_SNAPSHOT = "set transaction isolation level repeatable read"
_DELETE = sql.SQL("""
delete from {table} where t < %(bound)s
    and device = any(array(select no from device where %(kind)s::text is null or kind = %(kind)s))
""")
_DELETE_ROLLUPS = sql.SQL("delete from {table} where bucket < %(bound)s")
_KEPT = """
update reading_horizon set kept_from = greatest(kept_from, coalesce(%(kept)s, '-infinity')),
                           held_by = %(device)s, held_from = %(held)s where kind = %(kind)s
"""
_ROLLUPS_KEPT = "update rollup_progress set kept_from = greatest(kept_from, %s) where kind = %s and level = %s"
_CHUNKS = """
select chunk_schema, chunk_name, range_start, range_end from timescaledb_information.chunks
where hypertable_name = %s and range_start < %s order by range_end
"""
_LOCK = sql.SQL("lock table {chunk} in access exclusive mode")
_LOCK_TIMEOUT = "set local lock_timeout = '5s'"
_DROP = "select drop_chunks(%s::regclass, older_than => %s::timestamptz)"
_DROP_ONE = "select drop_chunks(%s::regclass, older_than => %s::timestamptz, newer_than => %s::timestamptz)"


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept, in fleet time. What is coarser is kept at least as long.

    Attributes:
        readings: and events.
        minutes: roll-ups by minute.
        hours: by hour; None is for ever.
        days: by day; None is for ever.
    """

    readings: timedelta = timedelta(days=400)
    minutes: timedelta = timedelta(days=400)
    hours: timedelta | None = None
    days: timedelta | None = None

    def __post_init__(self) -> None:
        longest = timedelta.max
        order = [self.readings, self.minutes, self.hours or longest, self.days or longest]
        if order != sorted(order):
            raise ValueError("what is coarser must be kept at least as long: readings, minutes, hours, days")

    def of_level(self, level: str) -> timedelta | None:
        """How long a level of roll-ups is kept."""
        return {"minute": self.minutes, "hour": self.hours, "day": self.days}[level]


@dataclass(frozen=True, slots=True)
class Held:
    """The oldest reading that a detector would still read."""

    device: int
    t: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What retention came to for a table: kept from then on, and what held it back."""

    table: str
    kept_from: datetime | None
    held: Held | None


def retain(conn: Connection, catalogue: Catalogue, keep: Keep, now: datetime) -> list[Kept]:
    """Drop what need not be kept any longer.

    Args:
        conn: in autocommit.
        catalogue: kinds.
        keep: how long.
        now: fleet time.
    """
    chunked = present(conn)
    results: list[Kept] = []
    for kind in catalogue.kinds:
        table = f"reading_{kind}"
        wanted = _rolled_up(conn, kind, DAY.floor(now - keep.readings))
        held = None
        if wanted is not None:
            kept_from, held = (_drop_chunks if chunked else _delete)(conn, table, kind, wanted)
            values = {"kept": kept_from, "kind": kind, "device": held and held.device, "held": held and held.t}
            conn.execute(_KEPT, values)
        results.append(Kept(table, horizon_of(conn, kind)[1], held))
        if held is not None:
            log.warning("readings are kept: a detector has not read them", kind=kind, device=held.device, t=str(held.t))
        _retain_rollups(conn, kind, keep, now, chunked=chunked)
    bounds = [kept.kept_from for kept in results]
    if all(bounds):
        wanted = min(bound for bound in bounds if bound is not None)
        kept_from, held = (_drop_chunks if chunked else _delete)(conn, EVENTS, None, wanted)
        results.append(Kept(EVENTS, kept_from, held))
    return results


def _rolled_up(conn: Connection, kind: str, wanted: datetime) -> datetime | None:
    """The wanted bound, not past what every level of the roll-ups has seen."""
    done = done_of(conn, kind)[DAY.name]
    return None if done is None else min(wanted, done)


def _held(conn: Connection, table: str, kind: str | None, bound: datetime) -> Held | None:
    row = conn.execute(_HELD.format(table=sql.Identifier(table)), {"bound": bound, "kind": kind}).fetchone()
    return Held(int(str(row[0])), row[1]) if row is not None and isinstance(row[1], datetime) else None


def _true(conn: Connection, question: LiteralString, parameters: dict[str, object]) -> bool:
    row = conn.execute(question, parameters).fetchone()
    return row is not None and bool(row[0])


def _delete(conn: Connection, table: str, kind: str | None, wanted: datetime) -> tuple[datetime | None, Held | None]:
    """Day after day, each in a transaction with one snapshot. Returns what is kept from then on, and what holds it."""
    name = sql.Identifier(table)
    while True:
        oldest = conn.execute(_OLDEST.format(table=name), {"kind": kind}).fetchone()
        if oldest is None or not isinstance(oldest[0], datetime) or oldest[0] >= wanted:
            return wanted, None
        bound = min(DAY.floor(oldest[0]) + DAY.width, wanted)
        with conn.transaction():
            conn.execute(_ONE_SNAPSHOT)
            held = _held(conn, table, kind, bound)
            if held is not None or _true(conn, _LATE, {"kind": kind, "bound": bound}):
                return DAY.floor(oldest[0]), held
            conn.execute(_DELETE.format(table=name), {"bound": bound, "kind": kind})


def _drop_chunks(
    conn: Connection,
    table: str,
    kind: str | None,
    wanted: datetime,
) -> tuple[datetime | None, Held | None]:
    """Chunk after chunk; a chunk is closed to writers while it is looked through and dropped."""
    held = _held(conn, table, kind, wanted)
    bound = wanted if held is None else DAY.floor(held.t)
    for schema, chunk, start, end in conn.execute(_CHUNKS, (table, wanted)).fetchall():
        if not isinstance(start, datetime) or not isinstance(end, datetime):
            continue
        if end > bound:
            return DAY.ceil(min(start, bound)), held
        with conn.transaction():
            conn.execute(_LOCK_TIMEOUT)
            conn.execute(_LOCK.format(chunk=sql.Identifier(str(schema), str(chunk))))
            come_since = _held(conn, table, kind, end)
            if come_since is not None or _true(conn, _LATE_IN_CHUNKS, {"table": table, "start": start, "end": end}):
                return DAY.ceil(start), come_since
            conn.execute(_DROP_ONE, (table, end, start))
    return bound, held


def _retain_rollups(conn: Connection, kind: str, keep: Keep, now: datetime, *, chunked: bool) -> None:
    for level in LEVELS:
        time = keep.of_level(level.name)
        kept_from = horizon_of(conn, kind)[1]
        if time is None or kept_from is None:
            continue
        # A roll-up outlives what it was made of.
        bound = min(DAY.floor(now - time), kept_from)
        if chunked:
            conn.execute(_DROP, (f"rollup_{kind}_{level.name}", bound))
        else:
            conn.execute(_DELETE_ROLLUPS.format(table=rollup_table(kind, level.name)), {"bound": bound})
        conn.execute(_ROLLUPS_KEPT, (bound, kind, level.name))
