"""What several workers do beside blocks is done once: clock mirror, control entries, due things, jobs of the dead."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from storage.clock_store import read_clock, write_clock
from storage.control_store import claim_controls, give_back_controls
from storage.desk_agenda import PgAgenda
from storage.jobs import defer, reap
from storage.pool import Connection, connect
from storage.registry import register_device
from stream.memory import MemoryServer, MemoryStream
from stream.port import Position
from telemetry.block import decode_block
from telemetry.clock import FleetClock, system_wall, to_datetime
from telemetry.identity import DeviceKey, partition_of
from tests.spine.rig import wait_for
from worker import poller
from worker.housekeeping import Housekeeping

pytestmark = pytest.mark.stack

KEY = DeviceKey("demo", "fridge")
AT = to_datetime(1_700_000_000_000_000)


class Workers:
    """The housekeeping of three workers over one database and one stream."""

    def __init__(self, url: str) -> None:
        self.server = MemoryServer(system_wall)
        self.stop = threading.Event()
        self._threads = [
            threading.Thread(target=Housekeeping(MemoryStream(self.server), url).run, args=(self.stop,))
            for _ in range(3)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with connect(database_url, application="test", autocommit=True) as one:
        yield one


@pytest.fixture
def workers(database_url: str) -> Iterator[Workers]:
    three = Workers(database_url)
    yield three
    three.end()


def enter_controls(conn: Connection, count: int) -> list[str]:
    device = register_device(conn, KEY, "refrigerator", registered=AT)
    ids = [UUID(int=n) for n in range(1, count + 1)]
    for n, entry in enumerate(ids):
        PgAgenda(conn, "").control(entry, device.no, "repair_done", AT + timedelta(seconds=n), {"family": "seal"})
    return [str(entry) for entry in ids]


def published(server: MemoryServer) -> list[str]:
    reader = MemoryStream(server)
    partition = partition_of(KEY, server.partitions)
    reader.seek(partition, Position("", 0))
    return [control.id for entry in reader.take(0, 1_000) for control in decode_block(entry.data).controls]


def test_control_entries_are_published_once_whoever_looks(conn: Connection, workers: Workers) -> None:
    ids = enter_controls(conn, 60)
    wait_for(lambda: len(published(workers.server)) >= len(ids), 10, "all published")
    workers.end()
    assert Counter(published(workers.server)) == Counter(ids)


def test_control_entries_that_the_stream_refused_are_published_when_it_is_back(
    conn: Connection, workers: Workers
) -> None:
    wait_for(lambda: workers.server.clock is not None, 10, "the housekeeping runs")
    workers.server.up = False
    ids = enter_controls(conn, 3)
    wait_for(lambda: read_clock(conn) is not None, 10, "a clock")
    workers.server.up = True
    wait_for(lambda: set(published(workers.server)) == set(ids), 9, "published long before the repeat of ten seconds")


def test_a_claimed_entry_is_nobody_elses_until_it_is_given_back(conn: Connection) -> None:
    ids = enter_controls(conn, 5)
    first = claim_controls(conn)
    assert [entry.id for entry in first] == ids
    assert claim_controls(conn) == []
    give_back_controls(conn, first[:2])
    assert [entry.id for entry in claim_controls(conn)] == ids[:2]


def mirrors(workers: Workers, clock: FleetClock) -> bool:
    return workers.server.clock == clock


def test_the_mirror_follows_the_row_whatever_it_held(conn: Connection, workers: Workers) -> None:
    wall = system_wall()
    for clock in (FleetClock(1, wall, 50, 60.0), FleetClock(2, wall, 60, 0.0), FleetClock(7, wall, 70, 3.0)):
        write_clock(conn, clock)
        wait_for(partial(mirrors, workers, clock), 5, "mirrored")
    # A mirror of another life, and one that was lost with the server's store.
    workers.server.put_clock(FleetClock(99, 1, 1, 1.0))
    wait_for(partial(mirrors, workers, clock), 5, "corrected")
    workers.server.clock = None
    wait_for(partial(mirrors, workers, clock), 5, "written again")


def test_a_due_thing_is_handed_over_once_by_many_pollers(conn: Connection, database_url: str) -> None:
    agenda = PgAgenda(conn, "")
    for n in range(300):
        agenda.set_due("plan", UUID(int=n + 1), AT)
    now = 1_700_000_000_000_001

    def hand(_: int) -> int:
        handed = 0
        with connect(database_url, application="test", autocommit=True) as own:
            while count := poller.hand_over(own, now):
                handed += count
        return handed

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(hand, range(4))) == 300
    row = conn.execute("select count(*), count(distinct args->>'due') from procrastinate_jobs").fetchone()
    assert row == (300, 300)


def doing(conn: Connection, silence: float, count: int) -> None:
    """Jobs in the hands of a worker whose heartbeat is so many seconds old."""
    row = conn.execute(
        "insert into procrastinate_workers (last_heartbeat) values (now() - make_interval(secs => %s)) returning id",
        (silence,),
    ).fetchone()
    for n in range(count):
        defer(conn, "work", once=f"work:{silence}:{n}", n=n)
        conn.execute(
            "update procrastinate_jobs set status = 'doing', worker_id = %s where queueing_lock = %s",
            (row[0] if row else None, f"work:{silence}:{n}"),
        )


def statuses(conn: Connection) -> dict[str, int]:
    rows = conn.execute("select status::text, count(*) from procrastinate_jobs group by 1").fetchall()
    return {str(status): int(str(count)) for status, count in rows}


def test_jobs_of_a_silent_worker_go_back_once_and_those_of_a_live_one_stay(conn: Connection, database_url: str) -> None:
    doing(conn, 60.0, 4)
    doing(conn, 0.5, 3)

    def once(_: int) -> int:
        with connect(database_url, application="test", autocommit=True) as own:
            return len(reap(own, 5.0))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(once, range(8))) == 4
    assert statuses(conn) == {"todo": 4, "doing": 3}


def test_a_job_that_waits_again_already_is_not_doubled(conn: Connection) -> None:
    doing(conn, 60.0, 1)
    assert defer(conn, "work", once="work:60.0:0", n=0)
    assert len(reap(conn, 5.0)) == 1
    assert statuses(conn) == {"todo": 1}
    assert reap(conn, 5.0) == []
