"""Hands due things at fleet time to the job queue, without a schedule there, and takes back what a dead worker held."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import structlog

from storage.desk_agenda import PgAgenda, take_back
from storage.jobs import defer, reap
from storage.pool import Connection, connect
from telemetry.clock import to_datetime
from worker import rollups
from worker.chores import FALL_DUE

log = structlog.get_logger()

_BATCH = 200
_WAIT = 0.05
_IDLE = 5.0
_RETRY = 0.5
_TAKE_BACK_EVERY = 10.0
_REAP_EVERY = 1.0
STALLED_AFTER = 5.0
"""Seconds without a heartbeat after which a worker's jobs are another's."""


def hand_over(conn: Connection, now: int) -> int:
    """Hand what is due at a fleet time (microseconds) to the queue, in one transaction. Returns how many."""
    due = PgAgenda(conn, "").next_due()
    if due is None or due > to_datetime(now):
        # Nearly always: one question instead of a transaction.
        return 0
    with conn.transaction():
        handed = PgAgenda(conn, "").hand_over(to_datetime(now), _BATCH)
        for each in handed:
            task, lock = (rollups.UPKEEP, rollups.UPKEEP) if each.kind in rollups.KINDS else (FALL_DUE, None)
            defer(conn, task, lock=lock, once=f"due:{each.id}", due=each.id, kind=each.kind, ref=str(each.ref))
    return len(handed)


def run(database_url: str, stop: threading.Event, fleet_now: Callable[[], int]) -> None:
    """Hand over until told to stop; a lost database is waited for.

    The table is looked at every 50 ms of wall time: fleet time may run, stand or step meanwhile, and an accelerated
    clock is held while anything due is open.
    """
    while not stop.is_set():
        try:
            with connect(database_url, application="wellkept-poller", autocommit=True, idle=_IDLE) as conn:
                _poll(conn, stop, fleet_now)
        except psycopg.Error as error:
            log.warning("the poller starts anew", error=str(error))
            stop.wait(_RETRY)


def _poll(conn: Connection, stop: threading.Event, fleet_now: Callable[[], int]) -> None:
    since, reaped = _TAKE_BACK_EVERY, _REAP_EVERY
    while not stop.is_set():
        if reaped >= _REAP_EVERY:
            reaped = 0.0
            for job, task in reap(conn, STALLED_AFTER):
                log.warning("a job's worker is gone; the job is taken over", job=job, task=task)
        if since >= _TAKE_BACK_EVERY:
            since = 0.0
            if count := take_back(conn):
                log.warning("due things whose job was lost are handed over again", count=count)
        if hand_over(conn, fleet_now()) < _BATCH:
            stop.wait(_WAIT)
            since += _WAIT
            reaped += _WAIT
