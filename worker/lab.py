"""The engineers' bench in a worker: takes what pages asked for, one at a time, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import datetime
from uuid import UUID

import psycopg
import structlog

from storage.clock_store import read_clock
from storage.lab_store import beat_run, fail_run, get_run, take_run
from storage.pool import Connection, connect
from telemetry.clock import production_clock, system_wall, to_datetime

log = structlog.get_logger()

_LOOK = 0.5
_RETRY = 5.0
_BEAT = 5.0
_LONGEST = 600.0
_TAIL = 300


class Bench:
    """Looks for runs and has them carried out.

    Args:
        database_url: a connection of its own.
        longest: seconds after which a run is ended.
    """

    def __init__(self, database_url: str, longest: float = _LONGEST) -> None:
        self._url, self._longest = database_url, longest

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop."""
        while not stop.is_set():
            try:
                with connect(self._url, application="wellkept-bench", autocommit=True) as conn:
                    while not stop.is_set():
                        taken = take_run(conn, _wall())
                        if taken is None:
                            stop.wait(_LOOK)
                        else:
                            self._carry_out(conn, taken, stop)
            except psycopg.Error as error:
                log.warning("the bench starts anew", error=repr(error))
                stop.wait(_RETRY)

    def _carry_out(self, conn: Connection, ident: UUID, stop: threading.Event) -> None:
        process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-m", "worker.lab_run", str(ident)], stderr=subprocess.PIPE, text=True
        )
        began = beaten = time.monotonic()
        try:
            while process.poll() is None and not stop.wait(_LOOK / 5):
                now = time.monotonic()
                if now - began > self._longest:
                    fail_run(conn, ident, f"it took longer than {self._longest:g} s and was ended", _fleet(conn))
                    break
                if now - beaten >= _BEAT:
                    beaten = now
                    beat_run(conn, ident, _wall())
        finally:
            if process.poll() is None:
                process.kill()
            _, said = process.communicate()
        if process.returncode and not stop.is_set():
            run = get_run(conn, ident)
            if run is not None and run.open:
                log.warning("a run of the bench failed", run=str(ident), said=said[-_TAIL:])
                fail_run(
                    conn,
                    ident,
                    said.strip().splitlines()[-1][:_TAIL] if said.strip() else "it ended early",
                    _fleet(conn),
                )


def _wall() -> datetime:
    return to_datetime(system_wall())


def _fleet(conn: Connection) -> datetime:
    return to_datetime((read_clock(conn) or production_clock()).fleet_at(system_wall()))
