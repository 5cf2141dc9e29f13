"""The core of ingest: blocks by count and age, acknowledgements bound to their connection, rejects that travel."""

from __future__ import annotations

import itertools

import pytest

from ingest.core import IngestCore, PublishBlock, Token, WindowTooSmallError, check_window
from telemetry.block import decode_block
from telemetry.clock import FleetClock
from telemetry.message import MAX_MESSAGE_BYTES

TOPIC = "wellkept/v1/demo/a/telemetry"
WALL = 1_800_000_000_000_000


def message(seq: int, extra: str = "") -> bytes:
    return f'{{"v":1,"epoch":1,"seq":{seq},"base":1,"t":1,"q":{{"power":{seq}}}{extra}}}'.encode()


class Bench:
    def __init__(self, max_block: int = 900_000) -> None:
        ids = itertools.count()
        self.core = IngestCore(4, max_block, lambda: str(next(ids)))
        self.core.hear_clock(FleetClock(1, WALL, 5_000_000, 60.0), WALL)
        self.connection = self.core.connected()
        self.mids = itertools.count(1)

    def give(
        self, payload: bytes, topic: str = "wellkept/v1/demo/a/telemetry", now: float = 10.0
    ) -> list[PublishBlock]:
        token = Token(self.connection, next(self.mids))
        return self.core.receive(topic, payload, token, now, WALL + 1_000_000)


def test_a_lone_message_hardly_waits_and_is_stamped_in_fleet_time() -> None:
    bench = Bench()
    assert bench.give(message(1)) == []
    assert bench.core.step(10.01) == []
    (block,) = bench.core.step(10.03)
    decoded = decode_block(block.data)
    assert [(m.seq, m.arrival) for m in decoded.messages] == [(1, 65_000_000)]
    assert decoded.speed == 60.0
    assert bench.core.published(block.block_id, None, 10.1) == [Token(1, 1)]
    assert bench.core.in_flight == 0


def test_a_change_of_the_clock_counts_from_its_own_moment() -> None:
    bench = Bench()
    bench.core.hear_clock(FleetClock(2, WALL + 2_000_000, 125_000_000, 0.0), WALL + 500_000)
    bench.give(message(1))
    (block,) = bench.core.step(11)
    assert [m.arrival for m in decode_block(block.data).messages] == [65_000_000]


def test_blocks_close_by_count_and_by_size() -> None:
    bench = Bench()
    blocks = [block for seq in range(1, 1_025) for block in bench.give(message(seq))]
    assert [len(decode_block(block.data).messages) for block in blocks] == [512, 512]
    small = Bench(max_block=4_000)
    blocks = [block for seq in range(1, 201) for block in small.give(message(seq))]
    assert len(blocks) > 5
    assert all(len(block.data) < 4_000 for block in blocks)


def test_an_acknowledgement_dies_with_its_connection() -> None:
    bench = Bench()
    bench.give(message(1))
    (first,) = bench.core.step(11)
    bench.connection = bench.core.connected()
    bench.give(message(2), now=11.0)
    (second,) = bench.core.step(12)
    assert bench.core.published(first.block_id, None, 12) == []
    assert bench.core.published(second.block_id, None, 12) == [Token(2, 2)]
    assert bench.core.counts.stale_acknowledgements == 1


def test_a_block_that_the_stream_did_not_take_is_repeated_with_its_id() -> None:
    bench = Bench()
    bench.give(message(1))
    (block,) = bench.core.step(11)
    assert bench.core.published(block.block_id, OSError("gone"), 11) == []
    assert bench.core.next_step() == pytest.approx(11.2)
    assert bench.core.step(11.3) == [block]
    assert bench.core.published(block.block_id, None, 12) == [Token(1, 1)]


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "seq"),
    [
        ("wellkept/v1/demo/a/telemetry", b"\xff\xfe", "malformed", None),
        ("wellkept/v1/demo/a/telemetry", message(3, ',"device":"b"'), "foreign_body", 3),
        ("wellkept/v1/demo/a/telemetry", message(3).replace(b'"v":1', b'"v":7'), "version", 3),
        ("wellkept/v1/demo/a/telemetry", message(3).replace(b'"power":3', b'"power":1e39'), "not_finite", 3),
        ("wellkept/v1/demo/a/telemetry", message(3) + b" " * MAX_MESSAGE_BYTES, "oversized", 3),
        ("wellkept/v1/demo/a/state", message(3), "topic", None),
        ("somewhere/else", message(3), "topic", None),
    ],
)
def test_what_is_unfit_travels_with_its_reason_and_neighbours_pass(
    topic: str, payload: bytes, reason: str, seq: int | None
) -> None:
    bench = Bench()
    bench.give(message(1))
    bench.give(payload, topic)
    bench.give(message(2))
    blocks = [decode_block(block.data) for block in bench.core.drain(11)]
    (reject,) = [reject for block in blocks for reject in block.rejects]
    assert (reject.reason, reject.seq) == (reason, seq)
    assert reject.raw == payload[:MAX_MESSAGE_BYTES]
    assert sorted(m.seq for block in blocks for m in block.messages) == [1, 2]


def test_a_window_that_cannot_carry_the_rate_is_refused_with_numbers() -> None:
    check_window(16_383, 1_500)
    with pytest.raises(WindowTooSmallError, match="20 messages in flight, which carries 71/s; 1500/s"):
        check_window(20, 1_500)
