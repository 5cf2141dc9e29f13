"""A lane under test: stores readings as a worker does, and what it must come to by plain arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from psycopg import sql

from storage.pool import Connection
from storage.registry import register_device
from storage.retention import Keep, Kept, retain
from storage.rollup_levels import LEVELS, Level, columns
from storage.rollups import PlainRollUps, Refreshed
from storage.telemetry_rows import Batch, Observed, Readings, Snapshot
from storage.telemetry_store import TelemetryStore
from storage.timescale import TimescaleRollUps, present
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_datetime, to_micros
from telemetry.identity import DeviceKey

CATALOGUE = load_catalogue()
KIND = "pump"
CHANNELS = list(CATALOGUE.kinds[KIND].channels)
DAY0 = datetime(2026, 3, 2, tzinfo=UTC)

Row = tuple[Any, ...]

_TABLES = """
select format('%I.%I', schemaname, tablename) from pg_tables
where schemaname = 'public' and tablename <> 'schema_migration'
  and tablename not like 'procrastinate%' and tablename not like 'audit%'
"""
_VIEWS = "select format('%I.%I', view_schema, view_name) from timescaledb_information.continuous_aggregates"


def empty(conn: Connection) -> None:
    """As after the migration: for a server that has one database only."""
    for statement in (_TABLES, _VIEWS):
        names = [sql.Identifier(*str(name).split(".")) for (name,) in conn.execute(statement)]
        conn.execute(sql.SQL("truncate {} restart identity cascade").format(sql.SQL(", ").join(names)))
    for kind in CATALOGUE.kinds:
        conn.execute("insert into reading_horizon (kind) values (%s)", (kind,))
        for level in LEVELS:
            conn.execute("insert into rollup_progress (kind, level) values (%s, %s)", (kind, level.name))


@dataclass
class Lane:
    """A migrated database with the store in front of it."""

    conn: Connection
    copies: bool
    stored: dict[tuple[int, int, int], tuple[int, list[float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chunked = present(self.conn)
        self.rollups = (TimescaleRollUps if self.chunked else PlainRollUps)(self.conn, CATALOGUE)
        self.store = TelemetryStore(self.conn, CATALOGUE, copies=self.copies)
        self.devices = [
            register_device(self.conn, DeviceKey("demo", f"p{i}"), KIND, registered=DAY0).no for i in range(3)
        ]

    def put(
        self, device: int, times: Sequence[datetime], *, epoch: int = 1, first_seq: int, scale: float = 1.0
    ) -> None:
        """Store one message a time, as a worker does; the values follow from device, seq and scale."""
        count = len(times)
        seq = np.arange(first_seq, first_seq + count)
        values = np.empty((count, len(CHANNELS)), np.float32)
        for index in range(len(CHANNELS)):
            values[:, index] = scale * ((seq * 37 + index * 11 + device) % 101) / 7
        values[seq % 5 == 0, 2] = np.nan
        values[:, 3] = np.nan
        t = np.array([to_micros(at) for at in times], np.int64)
        readings = Readings(
            kind=KIND,
            device=np.full(count, device, np.int32),
            t=t,
            epoch=np.full(count, epoch, np.int64),
            seq=seq.astype(np.int64),
            sub=np.zeros(count, np.int16),
            arrival=t + 1_000_000,
            phase=np.where(seq % 2 == 0, 0, -1).astype(np.int16),
            late=np.zeros(count, np.bool_),
            values=values,
            words=("running",),
        )
        for index in range(count):
            # The first stored wins.
            self.stored.setdefault((device, epoch, int(seq[index])), (int(t[index]), values[index].tolist()))
        with self.conn.transaction():
            self.store.stage([readings])
            self.store.write(Batch())

    def observed(self, device: int, seq: int, *, epoch: int = 1, snapshot: int | None) -> None:
        """Note how far detectors have come, and at which seq their state was kept."""
        batch = Batch()
        batch.observed[device] = Observed(device, epoch, seq, None, to_micros(DAY0), "ok")
        if snapshot is not None:
            batch.snapshots.append(Snapshot(device, epoch, snapshot, "v", b"state"))
        with self.conn.transaction():
            self.store.write(batch)

    def refresh(self, bound: datetime) -> list[Refreshed]:
        return self.rollups.refresh(bound)

    def retain(self, keep: Keep, now: datetime) -> dict[str, Kept]:
        return {kept.table: kept for kept in retain(self.conn, CATALOGUE, keep, now)}

    def rows(self, level: str) -> list[Row]:
        """What the roll-ups hold, by device and time."""
        statement = sql.SQL("select device, bucket, {names} from {table} order by device, bucket").format(
            names=sql.SQL(", ").join(map(sql.Identifier, columns(CHANNELS))),
            table=sql.Identifier(f"rollup_{KIND}_{level}"),
        )
        return self.conn.execute(statement, binary=True).fetchall()

    def readings(self) -> list[Row]:
        return self.conn.execute(
            "select device, epoch, seq, t, phase, accel_1, current from reading_pump order by device, epoch, seq"
        ).fetchall()

    def expected(self, level: Level, bound: datetime, *, since: datetime | None = None) -> list[Row]:
        """The same by plain arithmetic over what was put in: the memory form of the roll-ups."""
        buckets: dict[tuple[int, datetime], list[list[float]]] = {}
        for (device, _, _), (t, values) in self.stored.items():
            bucket = level.floor(to_datetime(t))
            if bucket + level.width <= level.floor(bound) and (since is None or bucket >= since):
                buckets.setdefault((device, bucket), []).append(values)
        return [
            (device, bucket, len(of_bucket), *_parts(zip(*of_bucket, strict=True)))
            for (device, bucket), of_bucket in sorted(buckets.items())
        ]

    def assert_rolled_up(self, bound: datetime) -> None:
        for level in LEVELS:
            assert self.rows(level.name) == self.expected(level, bound), level.name


def _parts(cells: Iterable[Sequence[float]]) -> Iterable[float | None]:
    for column in cells:
        there = [cell for cell in column if cell == cell]  # noqa: PLR0124  (NaN is absent)
        yield from (min(there), max(there), sum(there), len(there)) if there else (None, None, None, 0)


def every(seconds: float, count: int, start: datetime = DAY0) -> list[datetime]:
    return [start + timedelta(seconds=seconds * index) for index in range(count)]
