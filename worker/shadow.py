"""Detectors in the shadow: they observe what was stored, control entries included, and open no tickets.

A pass takes each device from where the shadow stands to where the live detectors stand, by the same way on which a
worker's memory is made anew. What is found, and the state there, is one transaction. So a shadow over history and one
on the live stream are the same, passes may be as seldom as one likes, and the worker's own way of a reading knows
nothing of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
import structlog

from detectors.bank import Bank
from detectors.engine import DetectorFactory
from storage import shadow_store
from storage.pool import Connection, connect
from storage.registry import DeviceRow
from storage.session_locks import SessionLock, try_lock
from storage.shadow_store import FAILED, ShadowState
from storage.telemetry_rows import Batch, Snapshot
from storage.telemetry_store import TelemetryStore
from telemetry.catalogue import Catalogue
from telemetry.catalogue.override import override
from telemetry.clock import to_datetime, to_micros
from worker.memory import DeviceMemory
from worker.rebuild import rebuild

log = structlog.get_logger()

_DEVICES = 64
_EVERY = 5.0
_RETRY = 5.0


@dataclass(frozen=True, slots=True)
class Shadow:
    """Detectors to be tried.

    Attributes:
        name: under which their findings stand.
        catalogue: kinds, some of them changed.
        detectors: made from it.
        config: what was changed, as it was written; empty for other code alone.
    """

    name: str
    catalogue: Catalogue
    detectors: DetectorFactory
    config: str = ""


def read_shadow(name: str, catalogue: Catalogue, config: Path | None) -> Shadow:
    """A shadow from a file of catalogue entries; without one it is the present code and catalogue.

    Raises:
        CatalogueError: the file is not valid.
    """
    if config is None:
        return Shadow(name, catalogue, Bank(catalogue))
    changed = override(catalogue, config)
    return Shadow(name, changed, Bank(changed), config.read_text(encoding="utf-8"))


def catch_up(
    conn: Connection, shadow: Shadow, devices: Sequence[int] | None = None, since: datetime | None = None
) -> int:
    """One pass over some devices that are behind, committed. Returns how many there were; 0 means that none is behind.

    Args:
        conn: between transactions.
        shadow: entered by `begin`.
        devices: among these; None means all.
        since: findings that opened before are not kept.
    """
    with conn.transaction():
        shadow_store.one_view(conn)
        rows = [
            row for row in shadow_store.behind(conn, shadow.name, devices, _DEVICES) if row.kind in shadow.catalogue
        ]
        if rows:
            _observe(conn, shadow, rows, since)
    return len(rows)


def _observe(conn: Connection, shadow: Shadow, rows: Sequence[DeviceRow], since: datetime | None) -> None:
    store = TelemetryStore(conn, shadow.catalogue)
    numbers = [row.no for row in rows]
    loaded, stands = store.load(numbers), shadow_store.states(conn, shadow.name, numbers)
    entries = {no: len(told) for no, told in store.read_controls(numbers).items()}
    memories: list[DeviceMemory] = []
    for row in rows:
        past, stand = loaded[row.no], stands.get(row.no)
        past.snapshot = None if stand is None else stand.snapshot
        same = stand is not None and stand.snapshot.version == shadow.detectors.version
        past.entries = stand.entries if stand is not None and same else None
        memory = DeviceMemory(row, shadow.detectors(row.key, shadow.catalogue[row.kind]))
        memory.progress = {progress.epoch: progress for progress in past.progress}
        memory.lost = {epoch: list(ranges) for epoch, ranges in past.lost.items()}
        memories.append(memory)
    told = Batch()
    rebuild([(m, loaded[m.row.no]) for m in memories], store, shadow.catalogue, shadow.detectors, told)
    for error in told.errors:
        log.warning("a shadow detector failed; its device is passed over", shadow=shadow.name, error=error.error)
    kept = (
        (each.device.no, each.finding)
        for each in told.findings
        if since is None or to_datetime(each.finding.opened) >= since
    )
    progress = (_stand(conn, shadow, memory, entries[memory.row.no]) for memory in memories)
    shadow_store.write(conn, shadow.name, progress, kept)


def _stand(conn: Connection, shadow: Shadow, memory: DeviceMemory, entries: int) -> ShadowState:
    no = memory.row.no
    version = FAILED if memory.failed else shadow.detectors.version
    state = b"" if memory.failed else memory.detector.snapshot()
    first = shadow_store.first_reading(conn, memory.row)
    snapshot = Snapshot(no, memory.epoch, memory.seq, version, state)
    return ShadowState(snapshot, entries, None if first is None else to_micros(first), memory.last_t)


class ShadowKeeper:
    """Follows the live detectors at a short distance, in one of the workers.

    Args:
        database_url: a connection of its own.
        shadow: what is tried.
        fleet_now: fleet time, microseconds.
        every: seconds between passes once no device is behind.
    """

    def __init__(self, database_url: str, shadow: Shadow, fleet_now: Callable[[], int], every: float = _EVERY) -> None:
        self._url = database_url
        self._shadow = shadow
        self._fleet_now = fleet_now
        self._every = every

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop."""
        while not stop.is_set():
            try:
                with connect(self._url, application="wellkept-shadow", autocommit=True) as conn:
                    self._follow(conn, stop)
            except psycopg.Error as error:
                log.warning("the shadow starts anew", error=repr(error))
            stop.wait(_RETRY)

    def _follow(self, conn: Connection, stop: threading.Event) -> None:
        if not try_lock(conn, SessionLock.SHADOW):
            return
        shadow = self._shadow
        with conn.transaction():
            now = to_datetime(self._fleet_now())
            shadow_store.begin(conn, shadow.name, shadow.detectors.version, config=shadow.config, since=None, now=now)
        log.info("shadow", shadow=shadow.name, version=shadow.detectors.version)
        while not stop.is_set():
            if not catch_up(conn, shadow):
                stop.wait(self._every)
