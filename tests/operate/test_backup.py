"""Backup, destruction, restore: the stream gives back what the dump did not hold; nothing lost, nothing twice."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from stack.backup import DUMP, Manifest, back_up, digest
from stack.errors import StackError
from stack.restore import restore
from storage import backup_store
from storage.backup_store import PurgeFloor, purge_floor
from storage.pool import connect
from stream.heads import read_fill
from stream.nats_client import NatsStream
from stream.port import BLOCK_SUBJECT, STREAM
from telemetry.clock import system_wall
from tests.faults.auditor import audit, has_ticket, ledger_of, tickets
from tests.spine.rig import Publisher, Rig, make_folder, wait_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLUGS = [f"plug-{n}" for n in range(8)]
WASHERS = ["washer-1", "washer-2", "washer-3"]
RATE = 200.0


def position(url: str, partition: int, incarnation: str, seq: int) -> None:
    with connect(url, application="test") as conn:
        conn.execute(
            "insert into partition_position (partition, incarnation, seq) values (%s, %s, %s) "
            "on conflict (partition) do update set incarnation = excluded.incarnation, seq = excluded.seq",
            (partition, incarnation, seq),
        )


def test_without_a_backup_the_purge_goes_up_to_the_position() -> None:
    assert PurgeFloor({}, 0).upto(3, "a", 77) == 77


def test_the_floor_is_the_oldest_position_that_counts() -> None:
    floor = PurgeFloor({1: [("a", 10), ("a", 30)], 2: [("a", 10)], 3: [("a", 5), ("b", 9)]}, 2)
    assert floor.upto(1, "a", 77) == 10
    assert floor.upto(1, "a", 7) == 7
    assert floor.upto(2, "a", 77) == 0, "one of the backups does not know the partition"
    assert floor.upto(3, "b", 77) == 0, "one of the backups reads the new stream from its first entry"


@pytest.mark.stack
def test_a_running_backup_holds_and_a_killed_one_does_not(database_url: str) -> None:
    position(database_url, 0, "a", 10)
    with connect(database_url, application="test") as conn:
        assert purge_floor(conn).upto(0, "a", 99) == 99
        conn.commit()
        session = connect(database_url, application="test")
        assert backup_store.lock(session)
        other = connect(database_url, application="test")
        assert not backup_store.lock(other), "one backup at a time"
        other.close()
        backup_store.begin(session, uuid4(), "/nowhere", NOW)
        position(database_url, 0, "a", 50)
        assert purge_floor(conn).upto(0, "a", 50) == 10
        conn.commit()
        session.close()
        wait_for(lambda: purge_floor(conn).upto(0, "a", 50) == 50, 5, "the killed backup is forgotten")


@pytest.mark.stack
def test_the_next_backup_moves_the_floor_and_release_lifts_it(database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        assert backup_store.lock(conn)
        for seq in (10, 20):
            position(database_url, 0, "a", seq)
            backup = uuid4()
            backup_store.begin(conn, backup, "/nowhere", NOW)
            assert purge_floor(conn).upto(0, "a", 99) == 10
            backup_store.finish(conn, backup, NOW + timedelta(seconds=seq))
            assert purge_floor(conn).upto(0, "a", 99) == seq
        failed = uuid4()
        backup_store.begin(conn, failed, "/nowhere", NOW)
        backup_store.give_up(conn, failed)
        assert purge_floor(conn).upto(0, "a", 99) == 20
        assert backup_store.release(conn, NOW) == 2
        assert purge_floor(conn).upto(0, "a", 99) == 99


@pytest.mark.stack
def test_a_backup_whose_database_goes_away_says_so_and_holds_nothing(
    database_url: str, nats_url: str, tmp_path: Path
) -> None:
    failed: list[StackError] = []

    def take() -> None:
        try:
            back_up(tmp_path / "backup", database_url, nats_url, system_wall)
        except StackError as error:
            failed.append(error)

    with connect(database_url, application="test") as locking, connect(database_url, application="test") as conn:
        locking.execute("lock table device in access exclusive mode")
        backup = threading.Thread(target=take)
        backup.start()
        waiting = "select 1 from pg_stat_activity where application_name = 'pg_dump' and wait_event_type = 'Lock'"
        conn.autocommit = True
        wait_for(lambda: conn.execute(waiting).fetchone() is not None, 20, "the dump is under way")
        assert purge_floor(conn).backups == 1
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = any(array['wellkept-backup', 'wellkept-snapshot', 'pg_dump'])"
        )
        backup.join(20)
        assert not backup.is_alive()
        wait_for(lambda: purge_floor(conn).backups == 0, 5, "nothing is held")
    assert len(failed) == 1
    with pytest.raises(StackError, match="no finished backup"):
        Manifest.load(tmp_path / "backup")


def test_a_folder_is_a_backup_only_when_its_dump_is_what_the_manifest_says(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="no finished backup"):
        Manifest.load(tmp_path)
    (tmp_path / DUMP).write_bytes(b"dump")
    standing = backup_store.Standing({0: ("a", 7)}, 1, 2, 3, ["0001"], "18", None)
    Manifest("id", "t", "t", 4, "0" * 64, standing, "0.1").save(tmp_path)
    with pytest.raises(StackError, match="SHA-256 differs"):
        Manifest.load(tmp_path)
    Manifest("id", "t", "t", 4, digest(tmp_path / DUMP), standing, "0.1").save(tmp_path)
    assert Manifest.load(tmp_path).standing == standing


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = make_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Product:
    """One rig over the folder, with devices that keep publishing."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.rig.start()

    @property
    def url(self) -> str:
        return self.rig.database_url

    def back_up(self, folder: Path) -> Manifest:
        return back_up(folder, self.url, self.rig.supervisor.nats_url(), system_wall)

    def positions(self) -> dict[int, tuple[str, int]]:
        with connect(self.url, application="test") as conn:
            return backup_store.standing(conn).positions

    def has_come_to(self, positions: dict[int, tuple[str, int]]) -> bool:
        now = self.positions()
        return all(now[partition] >= at for partition, at in positions.items())

    def purged_to(self, positions: dict[int, tuple[str, int]]) -> bool:
        """Whether the stream holds exactly what lies behind the positions."""
        stream = NatsStream(self.rig.supervisor.nats_url(), name="test")
        try:
            return read_fill(stream).blocks == stream.ask(partial(count_behind, positions))
        finally:
            stream.close()

    def ticket(self, device: str) -> None:
        wait_for(partial(has_ticket, self.url, device), 30, f"a ticket of {device}")

    def lose_the_database(self) -> None:
        postgres = self.rig.supervisor.postgres
        assert postgres is not None
        cluster = postgres.cluster
        os.kill(self.rig.pid("postgres"), signal.SIGKILL)
        self.rig.stop()
        shutil.rmtree(cluster)


async def count_behind(positions: dict[int, tuple[str, int]], _client: Client, js: JetStreamContext) -> int:
    found = 0
    for partition, (_, floor) in positions.items():
        behind = floor
        with suppress(NotFoundError):
            while True:
                entry = await js.get_msg(STREAM, seq=behind + 1, subject=f"{BLOCK_SUBJECT}.{partition}", next=True)
                assert entry.seq is not None
                behind, found = entry.seq, found + 1
    return found


def work(product: Product, folder: Path, spool: Path) -> dict[str, tuple[int, int]]:
    """Messages and tickets before and after a backup, every one receipted and gone from its device."""
    product.rig.register("smart_plug", PLUGS)
    product.rig.register("washing_machine", WASHERS)
    devices = Publisher(product.rig, spool, PLUGS + WASHERS, RATE)
    wait_for(lambda: devices.receipted(dict.fromkeys(devices.keys, (1, 20))), 60, "the first receipts")
    devices.say("washer-1", "leak")
    product.ticket("washer-1")
    manifest = product.back_up(folder)
    assert manifest.standing.tickets >= 1
    devices.say("washer-2", "leak")
    product.ticket("washer-2")
    mark = {key: (epoch, seq + 100) for key, (epoch, seq) in devices.last().items()}
    wait_for(lambda: devices.receipted(mark), 60, "receipts after the backup")
    sent = {key: at for key, at in devices.end().items() if "plug" in key}
    assert audit(product.url, "", ledger_of(sent)).lost == set()
    assert manifest.standing.messages < sum(last for _, last in sent.values())
    # As far as purges go: not a block more than the backup needs is left, and not one less.
    wait_for(lambda: product.purged_to(manifest.standing.positions), 60, "the purge comes to the floor and stays there")
    return sent


@pytest.mark.long
@pytest.mark.stack
def test_a_restore_reads_the_stream_again_and_nothing_is_lost_or_doubled(folder: Path, tmp_path: Path) -> None:
    first = Product(folder)
    try:
        sent = work(first, folder / "backup", tmp_path)
        before, committed = tickets(first.url), first.positions()
    finally:
        first.lose_the_database()
    settings = first.rig.supervisor.settings
    restored = restore(folder / "backup", settings)
    assert restored.complete
    assert restored.blocks_to_read > 0

    second = Product(folder)
    try:
        wait_for(lambda: second.has_come_to(committed), 60, "the stream is read again")
        found = audit(second.url, "", ledger_of(sent))
        assert (found.lost, found.duplicated, found.changed) == (set(), set(), set())
        assert tickets(second.url) == before
        assert before["washer-1"] == before["washer-2"] == 1
        with pytest.raises(StackError, match="not empty"):
            second.back_up(folder / "backup")
        second.back_up(folder / "later")
    finally:
        second.rig.stop()
    # The later backup moved the floor, and an occupied database is not dropped unasked.
    with pytest.raises(StackError, match="a later backup"):
        restore(folder / "backup", settings)
    with pytest.raises(StackError, match="--replace"):
        restore(folder / "later", settings)
    assert restore(folder / "later", settings, replace_data=True).tickets == sum(before.values())
    # Loaded by other means, it is checked and the rest is done.
    assert restore(folder / "later", settings, loaded=True).complete
    # And when the stream is gone too, it is said before anything is touched.
    shutil.rmtree(folder / "data" / "nats" / "jetstream")
    with pytest.raises(StackError, match="the stream is another one"):
        restore(folder / "later", settings, replace_data=True)
    assert not restore(folder / "later", settings, replace_data=True, accept_loss=True).complete
    assert second.rig.supervisor.postgres is not None
    second.rig.supervisor.postgres.remove()
