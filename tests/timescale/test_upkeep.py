"""The upkeep as due things: through the real job worker, and by hand where there is one connection only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest
from pydantic import ValidationError

from storage.clock_store import write_clock
from storage.desk import open_due
from storage.desk_agenda import PgAgenda
from storage.pool import connect
from storage.rollup_levels import LEVELS
from storage.rollups import PlainRollUps
from storage.upkeep import APPLICATION, alone
from telemetry.clock import FleetClock, to_micros
from tests.timescale.lane import CATALOGUE, DAY0, KIND, Lane, every
from worker import jobs_main
from worker.jobs_main import JobSettings
from worker.rollups import KINDS, LAG, ROLL_UP, TIDY, Keeper, KeepSettings, roll_up, tidy

pytestmark = pytest.mark.stack

DAYS = timedelta(days=1)
HOURS = timedelta(hours=1)


def waiting(lane: Lane) -> dict[str, datetime]:
    rows = lane.conn.execute("select kind, due from due where done_at is null and kind = any(%s)", (list(KINDS),))
    return {str(kind): due for kind, due in rows if isinstance(due, datetime)}


def test_the_job_worker_rolls_up_in_fleet_time(plain: Lane, database_url: str) -> None:
    now = [DAY0]
    stop = threading.Event()
    worker = threading.Thread(
        target=jobs_main.run, args=(database_url, stop, lambda: to_micros(now[0]), JobSettings()), daemon=True
    )
    plain.put(plain.devices[0], every(60, 3000), first_seq=1)
    worker.start()
    try:
        until(lambda: waiting(plain).keys() == set(KINDS))
        assert plain.rows("minute") == []
        for day in (1, 2, 3):
            now[0] = DAY0 + day * DAYS
            # Polled like the very function that holds an accelerated clock.
            until(lambda: open_due(plain.conn, now[0]) == 0 and waiting(plain)[ROLL_UP] > now[0])
            plain.assert_rolled_up(now[0] - LAG)
        assert waiting(plain) == {ROLL_UP: now[0] + timedelta(minutes=5), TIDY: now[0] + DAYS}
    finally:
        stop.set()
        worker.join(20)
    assert not worker.is_alive()


def until(condition: Callable[[], bool], patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "not in time"
        threading.Event().wait(0.02)


def test_an_accelerated_clock_is_not_held_at_every_turn(plain: Lane, database_url: str) -> None:
    """Work is due again after thirty seconds of wall time at the earliest."""
    write_clock(plain.conn, FleetClock(1, 0, to_micros(DAY0), 7200.0))
    keeper = Keeper(database_url, CATALOGUE, lambda: to_micros(DAY0 + 3 * DAYS))
    keeper.begin()
    keeper.begin()
    (due,) = [each for each in PgAgenda(plain.conn, "").hand_over(DAY0 + 10 * DAYS, 10) if each.kind == ROLL_UP]
    keeper.work(due.kind, due.id)
    # A repeat, as after a crash between the work and its note, is harmless.
    keeper.work(due.kind, due.id)
    assert waiting(plain)[ROLL_UP] == DAY0 + 3 * DAYS + timedelta(seconds=30) * 7200


def test_a_day_of_upkeep(lane: Lane) -> None:
    """Roll-ups, retention and compression by one call; a second changes nothing."""
    keep = KeepSettings(readings=10, minutes=12, compress_after=3)
    if lane.chunked:
        lane.conn.execute("select set_chunk_time_interval('reading_pump', interval '1 day')")
    for device in lane.devices:
        lane.put(device, every(3600, 480), first_seq=1)
        lane.observed(device, 480, snapshot=480)
    now = DAY0 + 20 * DAYS
    tidy(lane.conn, CATALOGUE, keep, now)
    once = lane.readings(), [lane.rows(level.name) for level in LEVELS]
    assert len(once[0]) == 3 * 10 * 24
    assert once[1][2] == lane.expected(LEVELS[2], now - LAG)
    if lane.chunked:
        rows = lane.conn.execute(
            "select range_end <= %s, is_compressed from timescaledb_information.chunks where hypertable_name = %s",
            (now - 3 * DAYS, f"reading_{KIND}"),
        ).fetchall()
        assert rows
        assert all(old == compressed for old, compressed in rows)
    tidy(lane.conn, CATALOGUE, keep, now)
    assert (lane.readings(), [lane.rows(level.name) for level in LEVELS]) == once


def test_a_transaction_that_does_not_end_delays_the_rollups_and_loses_nothing(plain: Lane, database_url: str) -> None:
    bound = DAY0 + 2 * DAYS
    with connect(database_url, application="wellkept-worker") as other:
        other.execute(
            "insert into reading_pump (device, t, epoch, seq, sub, arrival, accel_1) values (%s, %s, 1, 1, 0, %s, 1)",
            (plain.devices[0], DAY0 + HOURS, DAY0 + HOURS),
        )
        slow = PlainRollUps(plain.conn, CATALOGUE, patience=0.2)
        assert not any(done.complete for done in slow.refresh(bound))
        assert plain.rows("minute") == []
        other.commit()
    assert all(done.complete for done in roll_up(plain.conn, CATALOGUE, bound + LAG))
    assert [row[:3] for row in plain.rows("minute")] == [(plain.devices[0], DAY0 + HOURS, 1)]


def test_a_frozen_workers_session_is_ended(plain: Lane, database_url: str) -> None:
    with (
        connect(database_url, application=APPLICATION, autocommit=True) as frozen,
        connect(database_url, application=APPLICATION, autocommit=True) as taker,
        connect(database_url, application=APPLICATION, autocommit=True) as bystander,
    ):
        alone(frozen)
        alone(taker)
        with pytest.raises(psycopg.OperationalError):
            frozen.execute("select 1")
        bystander.execute("select 1")
        alone(taker)
    # The lock ends with the session.
    locks = "select count(*) from pg_locks where locktype = 'advisory'"
    until(lambda: plain.conn.execute(locks).fetchone() == (0,))


def test_settings_that_contradict_each_other_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLKEPT_KEEP_READINGS", "30")
    monkeypatch.setenv("WELLKEPT_KEEP_MINUTES", "20")
    with pytest.raises(ValueError, match="coarser"):
        KeepSettings().policy()
    monkeypatch.setenv("WELLKEPT_KEEP_MINUTES", "0")
    with pytest.raises(ValidationError):
        KeepSettings()
