"""One contract for both forms of the bucket of leases: NATS on the embedded server, and memory."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import pytest

from stack.embedded_nats import EmbeddedNats
from stream.memory_leases import MemoryLeases
from stream.nats_client import NatsStream
from stream.nats_leases import LEASE_BUCKET, NatsLeases
from stream.port import LeaseStore, Record, StreamError, Write


class Form(Protocol):
    """A bucket that several clients share."""

    one: LeaseStore
    other: LeaseStore

    def recreate(self) -> None: ...


class Memory:
    one: LeaseStore
    other: LeaseStore

    def __init__(self) -> None:
        self.one = self.other = self.bucket = MemoryLeases()

    def recreate(self) -> None:
        self.bucket.recreate()


class Nats:
    one: LeaseStore
    other: LeaseStore

    def __init__(self, streams: list[NatsStream]) -> None:
        self.streams = streams
        self.one, self.other = (NatsLeases(stream) for stream in streams)

    def recreate(self) -> None:
        self.streams[0].ask(lambda _client, js: js.delete_key_value(LEASE_BUCKET))


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.stack)])
def form(request: pytest.FixtureRequest) -> Iterator[Form]:
    if request.param == "memory":
        yield Memory()
        return
    server: EmbeddedNats = request.getfixturevalue("nats")
    streams = [NatsStream(server.nats_url("worker"), name=name) for name in ("one", "other")]
    yield Nats(streams)
    for stream in streams:
        stream.close()


def test_a_bucket_is_empty_until_somebody_writes(form: Form) -> None:
    assert form.one.read_records() == {}
    assert form.one.write_records([]) == []
    (revision,) = form.one.write_records([Write("member.a-1_b", b"here", 0)])
    assert revision is not None
    assert form.other.read_records() == {"member.a-1_b": Record(revision, b"here")}


def test_only_who_knows_the_revision_writes(form: Form) -> None:
    form.other.read_records()
    (first,) = form.one.write_records([Write("lease.1", b"one", 0)])
    assert first is not None
    assert form.other.write_records([Write("lease.1", b"other", 0)]) == [None]
    (second,) = form.other.write_records([Write("lease.1", b"other", first)])
    assert second is not None
    assert second > first
    assert form.one.write_records([Write("lease.1", b"one", first)]) == [None]
    assert form.one.read_records() == {"lease.1": Record(second, b"other")}


def test_writes_stand_side_by_side(form: Form) -> None:
    form.one.read_records()
    revisions = form.one.write_records([Write(f"lease.{n}", bytes([n]), 0) for n in range(64)])
    assert None not in revisions
    assert len(set(revisions)) == 64
    found = form.other.read_records()
    assert {key: record.value for key, record in found.items()} == {f"lease.{n}": bytes([n]) for n in range(64)}
    mixed = form.one.write_records([Write("lease.1", b"x", 999_999), Write("lease.2", b"x", found["lease.2"].revision)])
    assert mixed[0] is None
    assert mixed[1] is not None


def test_of_two_at_once_one_wins(form: Form) -> None:
    form.one.read_records()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            known = form.one.read_records().get("lease.7")
            write = Write("lease.7", b"x", 0 if known is None else known.revision)
            answers = list(pool.map(lambda s, w: s.write_records([w]), (form.one, form.other), (write, write)))
            assert sum(answer != [None] for answer in answers) == 1


def test_a_bucket_that_was_lost_begins_empty(form: Form) -> None:
    form.one.read_records()
    (revision,) = form.one.write_records([Write("lease.1", b"one", 0)])
    assert revision is not None
    form.recreate()
    assert form.other.read_records() == {}
    assert form.one.write_records([Write("lease.1", b"one", revision)]) == [None]
    assert form.one.write_records([Write("lease.1", b"one", 0)]) != [None]


@pytest.mark.stack
def test_a_server_that_is_away_is_said_at_once_and_nothing_is_sent_later(nats: EmbeddedNats) -> None:
    stream = NatsStream(nats.nats_url("worker"), name="one")
    leases = NatsLeases(stream)
    leases.read_records()
    nats.stop()
    with pytest.raises(StreamError):
        leases.write_records([Write("lease.1", b"late", 0)])
    with pytest.raises(StreamError):
        leases.read_records()
    stream.close()


def test_memory_that_is_down_says_so() -> None:
    bucket = MemoryLeases()
    bucket.up = False
    with pytest.raises(StreamError):
        bucket.read_records()
