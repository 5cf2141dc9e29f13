"""`wellkept bench storage`: bytes a reading and query times, on the embedded database, PGlite or a server of your own.

Readings go in as a worker stores them, through staging, in batches of one minute of the whole fleet: what lies on disk
is ordered by time, not by device, as in service. Values wander slowly about a level and are rounded to a hundredth, as
a sensor's are. Each query runs once unmeasured; of the measured runs the median counts, seen from the client.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stack.embedded_postgres import EmbeddedPostgres
from stack.errors import StackError
from stack.pglite import Pglite
from storage.footprint import Footprint, create_database, drop_database, footprint, rollup_footprint, server, settle
from storage.migrate import migrate
from storage.pool import Connection, connect
from storage.read_devices import list_readings
from storage.read_rollups import list_rollups
from storage.registry import register_device
from storage.rollup_levels import HOUR, MINUTE
from storage.rollups import PlainRollUps
from storage.telemetry_rows import Batch, Readings
from storage.telemetry_store import TelemetryStore
from storage.timescale import TimescaleRollUps, compress, fit_chunks, present
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_micros
from telemetry.identity import DeviceKey

KIND = "pump"
START = datetime(2026, 1, 5, tzinfo=UTC)
_SEED = 20260105
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_ROWS_A_BATCH = 5_000
_RUNS = 7
Told = Callable[[str], None]
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is stored.

    Attributes:
        devices: pumps, eight channels each.
        days: of readings, at least 8: a week and a day.
        every: seconds between readings.
        url: of your own server, whose user may create databases; None for an embedded one.
        pglite: TimescaleDB in Node.js instead.
    """

    devices: int
    days: int = 8
    every: int = 60
    url: str | None = None
    pglite: bool = False


def storage(plan: Plan, told: Told) -> Figures:
    """Store, measure, and remove what was stored.

    Raises:
        StackError: both a server and PGlite are asked for, or roll-ups and readings disagree.
        StartError: the embedded server or PGlite cannot be started.
        psycopg.Error: your server does not answer or refuses.
    """
    if plan.pglite and plan.url is not None:
        raise StackError("measure either PGlite or a server of your own")
    with _database(plan) as url:
        migrate(url)
        with connect(url, application="wellkept-bench", autocommit=True) as conn:
            return _measure(conn, plan, told)


@contextmanager
def _database(plan: Plan) -> Iterator[str]:
    name = f"wellkept_bench_{os.getpid()}"
    if plan.url is not None:
        url = create_database(plan.url, name)
        try:
            yield url
        finally:
            drop_database(plan.url, name)
        return
    with tempfile.TemporaryDirectory(prefix="wellkept-bench-") as folder:
        # The database's own account must reach it.
        Path(folder).chmod(0o711)
        made: Pglite | EmbeddedPostgres = Pglite(Path(folder)) if plan.pglite else EmbeddedPostgres(Path(folder) / "pg")
        made.start()
        try:
            yield made.url if isinstance(made, Pglite) else made.url()
        finally:
            if isinstance(made, Pglite):
                made.stop()
            else:
                made.remove()


def _measure(conn: Connection, plan: Plan, told: Told) -> Figures:
    catalogue = load_catalogue()
    channels = list(catalogue.kinds[KIND].channels)
    chunked = present(conn)
    numbers = [
        register_device(conn, DeviceKey("bench", f"p{i}"), KIND, registered=START).no for i in range(plan.devices)
    ]
    interval = fit_chunks(conn, catalogue)[KIND] if chunked else None
    told(f"storing {plan.devices} devices x {plan.days} days, a reading every {plan.every} s")
    store = TelemetryStore(conn, catalogue, copies=not plan.pglite)
    began = time.perf_counter()
    rows = 0
    for readings in _readings(plan, numbers, len(channels)):
        with conn.transaction():
            store.stage([readings])
            store.write(Batch())
        rows += len(readings)
    stored_s = time.perf_counter() - began
    end = START + timedelta(days=plan.days)
    told("rolling up")
    began = time.perf_counter()
    (TimescaleRollUps if chunked else PlainRollUps)(conn, catalogue).refresh(end)
    refreshed_s = time.perf_counter() - began
    settle(conn, KIND)
    version, extension = server(conn)
    figures: Figures = {
        "lane": "timescaledb" if chunked else "plain",
        "server": version,
        "timescaledb": extension,
        "devices": plan.devices,
        "days": plan.days,
        "every_s": plan.every,
        "channels": len(channels),
        "readings": rows,
        "chunk_hours": None if interval is None else round(interval.total_seconds() / 3600),
        "stored_per_s": round(rows / stored_s),
        "rolled_up_per_s": round(rows / refreshed_s),
        "bytes_a_reading": _by_row(footprint(conn, f"reading_{KIND}"), rows),
        "rollup_bytes_a_reading": {
            level: round(size.total / rows, 2) for level, size in rollup_footprint(conn, KIND).items()
        },
        "query_ms": _queries(conn, channels, numbers, end, told),
    }
    if chunked:
        told("compressing")
        compress(conn, catalogue, readings=end + 60 * _DAY, minutes=end + 60 * _DAY)
        figures["compressed_bytes_a_reading"] = _by_row(footprint(conn, f"reading_{KIND}"), rows)
        figures["compression_ratio"] = round(
            figures["bytes_a_reading"]["total"] / figures["compressed_bytes_a_reading"]["total"], 2
        )
        figures["compressed_query_ms"] = _queries(conn, channels, numbers, end, told)
    return figures


def _readings(plan: Plan, numbers: list[int], channels: int) -> Iterator[Readings]:
    """Batches in the order of time; within one, device by device."""
    rng = np.random.default_rng(_SEED)
    ticks = max(1, _ROWS_A_BATCH // plan.devices)
    total = plan.days * 86_400 // plan.every
    level = rng.uniform(1, 50, (plan.devices, channels))
    state = np.zeros((plan.devices, channels))
    start = to_micros(START)
    for first in range(0, total, ticks):
        count = min(ticks, total - first)
        values: NDArray[np.float64] = np.empty((plan.devices, count, channels))
        for tick in range(count):
            state = 0.98 * state + rng.normal(0, 0.02, state.shape) * level
            values[:, tick] = np.round(level + state, 2)
        seq = np.tile(np.arange(first + 1, first + count + 1, dtype=np.int64), plan.devices)
        t = start + (seq - 1) * plan.every * 1_000_000
        yield Readings(
            kind=KIND,
            device=np.repeat(np.array(numbers, np.int32), count),
            t=t,
            epoch=np.ones(len(seq), np.int64),
            seq=seq,
            sub=np.zeros(len(seq), np.int16),
            arrival=t + 400_000,
            phase=np.zeros(len(seq), np.int16),
            late=np.zeros(len(seq), np.bool_),
            values=values.reshape(-1, channels).astype(np.float32),
            words=("running",),
        )


def _by_row(size: Footprint, rows: int) -> dict[str, float]:
    return {
        "heap": round(size.heap / rows, 1),
        "index": round(size.index / rows, 1),
        "total": round(size.total / rows, 1),
    }


def _queries(conn: Connection, channels: list[str], numbers: list[int], end: datetime, told: Told) -> dict[str, float]:
    """Medians in milliseconds. The two ways to a fleet's day must give the same rows."""
    one, week, day = numbers[len(numbers) // 2], end - _WEEK, end - 2 * _DAY

    def device(*, hours: bool) -> list[dict[str, Any]]:
        level = HOUR if hours else MINUTE
        return list_rollups(conn, KIND, channels, level, start=week, end=end, device=one)

    def fleet(*, from_readings: bool) -> list[dict[str, Any]]:
        return list_rollups(conn, KIND, channels, HOUR, start=day, end=day + _DAY, from_readings=from_readings)

    if fleet(from_readings=True) != fleet(from_readings=False):
        raise StackError("roll-ups and readings do not agree; nothing was measured")
    queries: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "device_week_readings": lambda: list_readings(conn, one, KIND, channels, start=week, end=end, limit=1_000_000),
        "device_week_minutes": lambda: device(hours=False),
        "device_week_hours": lambda: device(hours=True),
        "fleet_day_from_readings": lambda: fleet(from_readings=True),
        "fleet_day_from_hours": lambda: fleet(from_readings=False),
    }
    found: dict[str, float] = {}
    for name, query in queries.items():
        query()
        found[name] = round(statistics.median(_timed(query) for _ in range(_RUNS)), 2)
        told(f"{name}: {found[name]} ms")
    return found


def _timed(query: Callable[[], list[dict[str, Any]]]) -> float:
    began = time.perf_counter()
    query()
    return (time.perf_counter() - began) * 1_000
