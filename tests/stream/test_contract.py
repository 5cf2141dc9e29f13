"""One contract for both forms of the stream: NATS JetStream on the embedded server, and memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest

from stack.embedded_nats import EmbeddedNats
from stream.memory import MemoryServer, MemoryStream
from stream.nats_client import NatsStream
from stream.port import STREAM, BlockSink, BlockSource, ClockMirror, Entry, Outbox, Outgoing, Position
from telemetry.clock import FleetClock, system_wall
from telemetry.identity import DeviceKey

KEY = DeviceKey("demo", "a")
_PATIENCE = 10.0
_MAX_BYTES = 40_000


class Client(BlockSink, BlockSource, Outbox, ClockMirror, Protocol):
    """What one client of either form can do."""

    def hear(self, heard: Outgoing) -> None: ...


class Form(Protocol):
    """A stream of four partitions that is full at `_MAX_BYTES`."""

    def client(self, name: str) -> Client: ...
    def recreate(self) -> None: ...


class Memory:
    def __init__(self) -> None:
        self.server = MemoryServer(system_wall, partitions=4, max_bytes=_MAX_BYTES)

    def client(self, name: str) -> Client:
        assert name
        return MemoryStream(self.server)

    def recreate(self) -> None:
        self.server.recreate()


class Nats:
    def __init__(self, url: str) -> None:
        self.url = url
        self.clients: list[NatsStream] = []

    def client(self, name: str) -> Client:
        client = NatsStream(self.url, name=name, partitions=4, max_bytes=_MAX_BYTES)
        self.clients.append(client)
        return client

    def recreate(self) -> None:
        client = self.clients[0]

        async def again() -> None:
            await client._js.delete_stream(STREAM)
            await client._open()

        client._thread.call(again(), _PATIENCE)


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.stack)])
def form(request: pytest.FixtureRequest) -> Iterator[Form]:
    if request.param == "memory":
        yield Memory()
        return
    server: EmbeddedNats = request.getfixturevalue("nats")
    nats = Nats(server.nats_url("worker"))
    yield nats
    for client in nats.clients:
        client.close()


def put(client: Client, partition: int, block_id: str, data: bytes) -> Exception | None:
    """Publish and wait for the answer."""
    answered = threading.Event()
    answers: list[Exception | None] = []

    def done(error: Exception | None) -> None:
        answers.append(error)
        answered.set()

    client.publish(partition, block_id, data, done)
    assert answered.wait(_PATIENCE)
    return answers[0]


def gather(client: Client, count: int) -> list[Entry]:
    """Take until there are so many."""
    found: list[Entry] = []
    for _ in range(200):
        found += client.take(0.1, 100)
        if len(found) >= count:
            break
    return found


def hear_until(heard: list[object], count: int) -> None:
    waited = threading.Event()
    for _ in range(200):
        if len(heard) >= count:
            return
        waited.wait(0.05)
    raise AssertionError(f"{len(heard)} of {count} heard")


def test_a_partition_is_read_in_order_from_behind_a_position(form: Form) -> None:
    sink, source = form.client("sink"), form.client("source")
    for number in range(6):
        assert put(sink, number % 2, f"b{number}", b"%d" % number) is None
    source.seek(0, Position("", 0))
    first = gather(source, 3)
    assert [(e.partition, e.data) for e in first] == [(0, b"0"), (0, b"2"), (0, b"4")]
    assert [e.seq for e in first] == sorted({e.seq for e in first})
    source.seek(0, Position(first[0].incarnation, first[0].seq))
    again = gather(source, 2)
    assert [e.data for e in again] == [b"2", b"4"]
    assert again[0].generation > first[0].generation
    source.seek(1, Position("", 0))
    assert [e.data for e in gather(source, 3)] == [b"1", b"3", b"5"]


def test_a_repeated_block_id_is_one_block_and_an_empty_id_none(form: Form) -> None:
    sink, source = form.client("sink"), form.client("source")
    for block_id, data in (("x", b"x"), ("x", b"x"), ("", b"c"), ("", b"c"), ("y", b"end")):
        assert put(sink, 3, block_id, data) is None
    source.seek(3, Position("", 0))
    assert [e.data for e in gather(source, 4)] == [b"x", b"c", b"c", b"end"]


def test_a_full_stream_refuses_and_keeps_what_it_has(form: Form) -> None:
    sink, source = form.client("sink"), form.client("source")
    refused = 0
    for number in range(10):
        refused += put(sink, 0, f"b{number}", b"%d" % number + bytes(9_000)) is not None
    assert 1 <= refused <= 7
    source.seek(0, Position("", 0))
    entries = gather(source, 10 - refused)
    assert [e.data[:1] for e in entries] == [b"%d" % number for number in range(10 - refused)]
    # What was refused may come again under its id once there is room.
    source.purge(0, Position(entries[-1].incarnation, entries[-1].seq))
    assert put(sink, 0, "b9", b"9" + bytes(9_000)) is None
    assert [e.data[:1] for e in gather(source, 1)] == [b"9"]


def test_a_purge_drops_one_partition_up_to_a_position(form: Form) -> None:
    sink, source = form.client("sink"), form.client("source")
    for number in range(6):
        assert put(sink, number % 2, f"b{number}", b"%d" % number) is None
    source.seek(0, Position("", 0))
    entries = gather(source, 3)
    source.purge(0, Position("another", entries[-1].seq))
    source.purge(0, Position(entries[1].incarnation, entries[1].seq))
    source.seek(0, Position("", 0))
    source.seek(1, Position("", 0))
    found = gather(source, 4)
    assert [e.data for e in found if e.partition == 0] == [b"4"]
    assert [e.data for e in found if e.partition == 1] == [b"1", b"3", b"5"]


def test_a_stream_made_again_is_another_incarnation_read_from_its_first(form: Form) -> None:
    sink, source = form.client("sink"), form.client("source")
    for number in range(4):
        assert put(sink, 0, f"b{number}", b"old") is None
    source.seek(0, Position("", 0))
    old = gather(source, 4)
    form.recreate()
    # The ids of before are forgotten with it.
    assert put(sink, 0, "b0", b"new") is None
    source.seek(0, Position(old[-1].incarnation, old[-1].seq))
    (entry,) = gather(source, 1)
    assert (entry.data, entry.seq) == (b"new", 1)
    assert entry.incarnation != old[-1].incarnation


def test_a_reader_goes_over_to_the_next_incarnation_by_itself(form: Form) -> None:
    sink, source = form.client("sink"), form.client("source")
    assert put(sink, 0, "b0", b"old") is None
    source.seek(0, Position("", 0))
    (old,) = gather(source, 1)
    form.recreate()
    assert put(sink, 0, "b1", b"new") is None
    (entry,) = gather(source, 1)
    assert (entry.data, entry.incarnation != old.incarnation) == (b"new", True)


def test_servers_reach_devices_through_whoever_listens(form: Form) -> None:
    worker, ingest = form.client("worker"), form.client("ingest")
    heard: list[object] = []
    ingest.hear(lambda key, channel, payload: heard.append((key, channel, payload)))
    worker.send(KEY, "receipt", b"1")
    worker.send(KEY, "command", b"2")
    hear_until(heard, 2)
    assert heard == [(KEY, "receipt", b"1"), (KEY, "command", b"2")]


@pytest.mark.parametrize("late", [False, True])
def test_the_clock_reaches_its_watchers_the_present_one_first(form: Form, late: bool) -> None:  # noqa: FBT001  (a parameter)
    writer, reader = form.client("writer"), form.client("reader")
    heard: list[object] = []
    watch: Callable[[], None] = lambda: reader.watch_clock(heard.append)  # noqa: E731  (either now or later)
    first, second = FleetClock(1, 10, 20, 60.0), FleetClock(2, 30, 40, 0.5)
    if not late:
        watch()
    writer.put_clock(first)
    if late:
        watch()
    hear_until(heard, 1)
    writer.put_clock(second)
    hear_until(heard, 2)
    assert heard == [first, second]


def test_a_partition_that_is_left_is_read_no_more_and_another_goes_on(form: Form) -> None:
    sink, source = form.client("sink"), form.client("source")
    for number in range(4):
        assert put(sink, number % 2, f"b{number}", b"%d" % number) is None
    source.seek(0, Position("", 0))
    source.seek(1, Position("", 0))
    assert len(gather(source, 4)) == 4
    source.unseek(0)
    source.unseek(3)
    for number in range(4, 8):
        assert put(sink, number % 2, f"b{number}", b"%d" % number) is None
    assert [e.data for e in gather(source, 2)] == [b"5", b"7"]
    source.seek(0, Position("", 0))
    source.unseek(0)
    assert put(sink, 1, "end", b"end") is None
    assert [e.data for e in gather(source, 1)] == [b"end"]


def test_several_messages_to_devices_arrive_in_their_order(form: Form) -> None:
    worker, ingest = form.client("worker"), form.client("ingest")
    heard: list[object] = []
    ingest.hear(lambda key, channel, payload: heard.append((key, channel, payload)))
    other = DeviceKey("demo", "b")
    sent = [(KEY, "receipt", b"1"), (other, "receipt", b"2"), (KEY, "command", b"3")]
    worker.send_many([])
    worker.send_many(sent)
    hear_until(heard, 3)
    assert heard == sent


def test_the_mirrored_clock_is_replaced_by_who_knows_its_revision(form: Form) -> None:
    one, other = form.client("one"), form.client("other")
    first, second, third = (FleetClock(rev, 10 * rev, 20, 1.0) for rev in (1, 2, 3))
    assert one.mirrored() == (None, 0)
    assert one.replace_clock(first, 0)
    assert not other.replace_clock(second, 0)
    clock, revision = other.mirrored()
    assert clock == first
    one.put_clock(third)
    assert not other.replace_clock(second, revision)
    clock, revision = other.mirrored()
    assert clock == third
    # An older one too: the row is the truth, and a database may be restored.
    assert other.replace_clock(second, revision)
    assert one.mirrored()[0] == second


@pytest.mark.stack
def test_the_streams_own_number_of_partitions_counts(nats: EmbeddedNats) -> None:
    first = NatsStream(nats.nats_url("worker"), name="first", partitions=4)
    second = NatsStream(nats.nats_url("worker"), name="second", partitions=16)
    assert (first.partitions, second.partitions) == (4, 4)
    first.close()
    second.close()
