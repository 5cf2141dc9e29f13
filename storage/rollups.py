"""Roll-ups of readings by minute, hour and day: complete up to a bound, right again after readings that came late.

Two lanes keep the same rows under the same names. On TimescaleDB they are continuous aggregates (`storage.timescale`).
On plain PostgreSQL this module keeps ordinary tables, without a lock that a worker could meet:

- `reading_horizon.rolled_to` says up to where roll-ups are being made. A worker that stores readings before it notes
  device and times in `rollup_late`, in the readings' own transaction (`NOTE_LATE`).
- The bound is moved first and committed; then every transaction that may not have seen it is waited for; only then are
  the buckets up to the bound computed, so each reading is either seen here or noted as late.
- Notes are deleted before their buckets are computed anew: one that commits meanwhile is there for the next time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from psycopg import sql

from storage.pool import Connection
from storage.rollup_levels import LEVELS, MINUTE, ORIGIN, Level, aggregates, columns, rollup_table, source_of
from telemetry.catalogue import Catalogue

log = structlog.get_logger()

Span = tuple[int, datetime, datetime]
"""Device, first time, first time left out."""

NOTE_LATE = sql.SQL("""
insert into rollup_late (kind, device, low, high)
select h.kind, s.device, min(s.t), max(s.t)
from reading_horizon h join {stage} s on s.t < h.rolled_to
where h.kind = {kind} group by h.kind, s.device
""")
"""After the insert of what was staged, in its transaction: remember what came behind the roll-ups."""

_HORIZON = """
select nullif(h.rolled_to, '-infinity'), nullif(h.kept_from, '-infinity') from reading_horizon h where h.kind = %s
"""
_DONE = "select level, nullif(done, '-infinity') from rollup_progress where kind = %s"
_ADVANCE = "update reading_horizon set rolled_to = %(bound)s where kind = %(kind)s and rolled_to < %(bound)s"
_SET_DONE = "update rollup_progress set done = %s where kind = %s and level = %s"
_TAKE_LATE = """
with taken as (delete from rollup_late where kind = %s returning device, low, high)
select device, low, high from taken order by device, low
"""
# Who began before the bound was moved may not have seen it.
_RUNNING = "select pg_snapshot_xmax(pg_current_snapshot())::text"
_SETTLED = "select pg_snapshot_xmin(pg_current_snapshot()) >= %s::xid8"
_NEXT = sql.SQL("""
select min(first.at) from device d
cross join lateral (
    select s.{time} as at from {source} s
    where s.device = d.no and (%(low)s::timestamptz is null or s.{time} >= %(low)s) order by s.{time} limit 1
) first
where d.kind = %(kind)s
""")
_FILL = sql.SQL("""
insert into {target} (device, bucket, {columns})
select s.device, date_bin(%(width)s, s.{time}, %(origin)s), {aggregates}
from ({wanted}) w join {source} s on s.device = w.device and s.{time} >= w.low and s.{time} < w.high
group by 1, 2
on conflict (device, bucket) do update set {changes}
""")
_OF_KIND = sql.SQL(
    "select no as device, %(low)s::timestamptz as low, %(high)s::timestamptz as high from device where kind = %(kind)s"
)
_OF_SPANS = sql.SQL(
    "select * from unnest(%(devices)s::int[], %(lows)s::timestamptz[], %(highs)s::timestamptz[]) x (device, low, high)"
)
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh did.

    Attributes:
        kind: of appliance.
        late: notes of late readings worked off.
        complete: whether the bound was reached; False when a transaction that began before would not end, or this
            was to stop.
    """

    kind: str
    late: int
    complete: bool


class PlainRollUps:
    """The roll-ups of plain PostgreSQL.

    Args:
        conn: in autocommit, used by nobody else meanwhile.
        catalogue: kinds and channels.
        patience: wall seconds to wait for transactions that began before the bound was moved.
        stopping: asked between transactions; once it is true what is left is left for the next time.
    """

    def __init__(
        self,
        conn: Connection,
        catalogue: Catalogue,
        *,
        patience: float = 10.0,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stopping = stopping
        self._conn = conn
        self._kinds = {kind: list(spec.channels) for kind, spec in catalogue.kinds.items()}
        self._patience = patience

    def refresh(self, bound: datetime) -> list[Refreshed]:
        """Complete every bucket that ends by a time, and compute those anew that late readings fell into."""
        bound = MINUTE.floor(bound)
        for kind in self._kinds:
            self._conn.execute(_ADVANCE, {"kind": kind, "bound": bound})
        settled = self._settle()
        return [self._refresh(kind, bound, settled=settled) for kind in self._kinds]

    def _settle(self) -> bool:
        """Wait for whoever may not have seen the moved bound."""
        running = self._conn.execute(_RUNNING).fetchone()
        until = time.monotonic() + self._patience
        pause = threading.Event()
        while True:
            row = self._conn.execute(_SETTLED, running).fetchone()
            if row is not None and row[0]:
                return True
            if self._stopping():
                return False
            if time.monotonic() >= until:
                log.warning("a transaction will not end; roll-ups stay where they are", seconds=self._patience)
                return False
            pause.wait(_LOOK_S)

    def _refresh(self, kind: str, bound: datetime, *, settled: bool) -> Refreshed:
        late = self._work_off(kind)
        if settled:
            for level in LEVELS:
                self._go_on(kind, level, level.floor(bound))
        return Refreshed(kind, late, settled and not self._stopping())

    def _work_off(self, kind: str) -> int:
        """Buckets that late readings fell into, one transaction for all levels. Returns how many notes there were."""
        with self._conn.transaction():
            notes = [
                (int(str(device)), low, high)
                for device, low, high in self._conn.execute(_TAKE_LATE, (kind,))
                if isinstance(low, datetime) and isinstance(high, datetime)
            ]
            if not notes:
                return 0
            done, (_, kept_from) = done_of(self._conn, kind), horizon_of(self._conn, kind)
            for level in LEVELS:
                spans = merge(_clip(notes, level, kept_from, done[level.name]))
                if spans:
                    devices, lows, highs = zip(*spans, strict=True)
                    wanted = {"devices": list(devices), "lows": list(lows), "highs": list(highs)}
                    self._fill(kind, level, _OF_SPANS, wanted)
        return len(notes)

    def _go_on(self, kind: str, level: Level, bound: datetime) -> None:
        """Buckets from where the level stands up to the bound, a slice a transaction."""
        at = done_of(self._conn, kind)[level.name]
        while (at is None or at < bound) and not self._stopping():
            first = self._first(kind, level, at)
            low = bound if first is None else min(level.floor(first), bound)
            high = min(low + level.slice, bound)
            with self._conn.transaction():
                if low < high:
                    self._fill(kind, level, _OF_KIND, {"kind": kind, "low": low, "high": high})
                self._conn.execute(_SET_DONE, (high, kind, level.name))
            at = high

    def _first(self, kind: str, level: Level, low: datetime | None) -> datetime | None:
        source, time_column = source_of(kind, level)
        row = self._conn.execute(_NEXT.format(source=source, time=time_column), {"kind": kind, "low": low}).fetchone()
        return row[0] if row is not None and isinstance(row[0], datetime) else None

    def _fill(self, kind: str, level: Level, wanted: sql.SQL, parameters: Mapping[str, object]) -> None:
        channels = self._kinds[kind]
        source, time_column = source_of(kind, level)
        names = [sql.Identifier(name) for name in columns(channels)]
        statement = _FILL.format(
            target=rollup_table(kind, level.name),
            columns=sql.SQL(", ").join(names),
            time=time_column,
            aggregates=aggregates(channels, of_readings=level.source is None),
            wanted=wanted,
            source=source,
            changes=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names),
        )
        self._conn.execute(statement, {"width": level.width, "origin": ORIGIN, **parameters})


def horizon_of(conn: Connection, kind: str) -> tuple[datetime | None, datetime | None]:
    """Up to where a kind is rolled up, and from where on its readings are kept; None is no bound."""
    row = conn.execute(_HORIZON, (kind,)).fetchone()
    if row is None:
        raise LookupError(f"no roll-ups for kind {kind!r}: a migration must call rollup_create")
    return _time(row[0]), _time(row[1])


def done_of(conn: Connection, kind: str) -> dict[str, datetime | None]:
    """Up to where each level of a kind is complete."""
    return {str(level): _time(done) for level, done in conn.execute(_DONE, (kind,))}


def set_done(conn: Connection, kind: str, level: Level, done: datetime) -> None:
    """Note up to where a level is complete."""
    conn.execute(_SET_DONE, (done, kind, level.name))


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same times in spans that do not touch, by device and time: no bucket is computed twice."""
    merged: list[Span] = []
    for device, low, high in sorted(spans):
        if merged and merged[-1][0] == device and low <= merged[-1][2]:
            merged[-1] = (device, merged[-1][1], max(high, merged[-1][2]))
        else:
            merged.append((device, low, high))
    return merged


def _clip(
    notes: Sequence[tuple[int, datetime, datetime]], level: Level, kept_from: datetime | None, done: datetime | None
) -> Iterator[Span]:
    """Whole buckets of a level: complete ones, and none whose readings were dropped in part."""
    if done is None:
        return
    for device, first, last in notes:
        low, high = level.floor(first), level.floor(last) + level.width
        if kept_from is not None:
            low = max(low, kept_from)
        high = min(high, done)
        if low < high:
            yield device, low, high


def _time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
