"""A block that the database refuses: kept whole as a dead letter, its partition and its neighbours go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from storage.pool import connect
from stream.nats_client import NatsStream
from telemetry.block import BlockBuilder
from telemetry.identity import DeviceKey, partition_of
from telemetry.message import Envelope
from tests.spine.rig import Rig, rig, wait_for

pytestmark = pytest.mark.stack

KEY = DeviceKey("demo", "plug")


@pytest.fixture
def running() -> Iterator[Rig]:
    with rig() as one:
        one.register("smart_plug", [KEY.device, "other"])
        yield one


def block(key: DeviceKey, seq: int, phase: str) -> bytes:
    """As an ingest of another version might make it: a NUL is text for MessagePack, not for the database."""
    builder = BlockBuilder()
    now = time.time()
    envelope = Envelope(v=1, epoch=1, seq=seq, base=1, t=now, phase=phase, q={"power": float(seq)})
    builder.add(key, envelope, int(now * 1e6))
    return builder.encode()


def test_a_refused_block_is_buried_and_all_others_pass(running: Rig) -> None:
    stream = NatsStream(running.supervisor.nats_url(), name="poison")
    other = DeviceKey("demo", "other")
    taken = threading.Semaphore(0)
    phases = ["on"] * 5 + ["a\0b"] + ["on"] * 5
    for seq, phase in enumerate(phases, 1):
        for key in (KEY, other):
            data = block(key, seq, phase if key == KEY else "on")
            stream.publish(partition_of(key), "", data, lambda _error: taken.release())
    assert all(taken.acquire(timeout=10) for _ in range(2 * len(phases)))
    with connect(running.database_url, application="look", autocommit=True) as conn:

        def stored() -> bool:
            query = """
            select d.device, count(*) from reading_smart_plug r join device d on d.no = r.device group by 1 order by 1
            """
            return conn.execute(query).fetchall() == [("other", 11), ("plug", 10)]

        wait_for(stored, 60, "everything but the poison")
        letters = conn.execute("select reason, raw from dead_letter").fetchall()
    assert [row[0] for row in letters] == ["poison"]
    assert bytes(letters[0][1]).count(b"a\0b") == 1  # type: ignore[call-overload]
    stream.close()
