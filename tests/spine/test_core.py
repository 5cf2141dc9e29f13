"""The worker's core over the memory store: order, losses, epochs, restarts, strangers and poison."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.memory_telemetry import MemoryTelemetry
from storage.registry import DeviceRow
from storage.telemetry_store import PositionLostError
from stream.port import Entry, Position
from telemetry.block import BlockBuilder, Reject
from telemetry.catalogue import load_catalogue
from telemetry.control import ControlEntry, ControlKind
from telemetry.identity import DeviceKey
from telemetry.message import Envelope, telemetry_message
from tests.spine.recorder import Recorders
from worker.core import WorkerCore

CATALOGUE = load_catalogue()
KEY = DeviceKey("demo", "plug-1")
NOW = 1_800_000_000_000_000
ROW = DeviceRow(
    1, "demo", "plug-1", "smart_plug", None, None, None, "en", None, None, None, datetime(2026, 1, 1, tzinfo=UTC)
)


class Bench:
    """A core with its store; blocks are given by lists of envelopes."""

    def __init__(self, store: MemoryTelemetry | None = None, poison: float | None = None) -> None:
        self.store = store or MemoryTelemetry([ROW])
        self.recorders = Recorders(poison)
        self.seq = 0
        self.begin()

    def begin(self) -> None:
        """As after a restart: memory gone, positions from the store."""
        self.core = WorkerCore(CATALOGUE, self.recorders, self.store)
        incarnation, seq = self.store.take([0])[0]
        self.core.own(0, Position(incarnation, seq))
        self.seq = max(self.seq, seq)

    def give(self, *items: Envelope | Reject | ControlEntry, key: DeviceKey = KEY) -> dict[int, list[tuple[int, int]]]:
        """One block, committed. Returns receipts: epoch to upto and beyond."""
        builder = BlockBuilder()
        for item in items:
            if isinstance(item, Reject):
                builder.reject(item)
            elif isinstance(item, ControlEntry):
                builder.control(item)
            else:
                builder.add(key, item, NOW)
        self.seq += 1
        outcome = self.core.decide([Entry(0, "a", self.seq, builder.encode(), 0)])
        self.store.write(outcome.batch)
        return {epoch: [(0, p.upto), *p.beyond] for (_, epoch), p in outcome.receipts.items()}

    def story(self) -> list[tuple[int, float]]:
        """All revisions: what the detector was told, digested."""
        return [(k[1], r.finding.score) for k, r in sorted(self.store.revisions.items(), key=lambda x: x[0][1])]


def message(seq: int, epoch: int = 1, base: int = 0, power: float | None = None, ahead: int = 0) -> Envelope:
    value = float(seq) if power is None else power
    t = NOW - 3_600_000_000 + seq * 1_000_000 + ahead
    return telemetry_message(epoch=epoch, seq=seq, base=base, t_micros=t, q={"power": value}, phase="on")


def in_order(count: int) -> list[tuple[int, float]]:
    bench = Bench()
    bench.give(*[message(seq) for seq in range(1, count + 1)])
    return bench.story()


@settings(deadline=None, max_examples=60)
@given(
    st.permutations(range(1, 31)),
    st.lists(st.integers(1, 30), max_size=20),
    st.integers(1, 7),
    st.sets(st.integers(0, 49)),
)
def test_any_order_duplicates_and_restarts_give_the_same_story(
    order: list[int], again: list[int], block: int, restarts: set[int]
) -> None:
    bench = Bench()
    seqs = [*order, *again]
    random.Random(1).shuffle(seqs)
    for number, at in enumerate(range(0, len(seqs), block)):
        if number in restarts:
            bench.begin()
        bench.give(*[message(seq) for seq in seqs[at : at + block]])
    assert bench.story() == in_order(30)
    assert len(bench.store.messages) == 30


def test_a_gap_waits_and_base_declares_it_lost_once() -> None:
    bench = Bench()
    bench.give(message(1), message(4))
    assert len(bench.story()) == 1
    assert bench.store.observed[1].health == "unknown"
    assert bench.give(message(5, base=4)) == {1: [(0, 5)]}
    assert bench.store.lost == {1: {1: [(2, 3)]}}
    told = bench.story()
    assert len(told) == 4  # 1, the loss, 4, 5
    bench.begin()
    bench.give(message(6, base=4))
    whole = Bench()
    whole.give(message(1), message(4), message(5, base=4), message(6, base=4))
    assert bench.story() == whole.story()
    # What was declared lost and comes after all is stored, not observed.
    bench.give(message(2, base=2))
    assert (1, 1, 2) in bench.store.messages
    assert bench.story() == whole.story()


def test_a_new_epoch_ends_the_old_ones_gaps() -> None:
    bench = Bench()
    bench.give(message(1), message(3))
    receipts = bench.give(message(1, epoch=2))
    assert receipts == {1: [(0, 3)], 2: [(0, 1)]}
    assert bench.store.observed[1].epoch == 2
    assert len(bench.story()) == 4
    bench.give(message(9, epoch=1))
    assert bench.store.messages[1, 1, 9].late
    assert len(bench.story()) == 4


def test_the_first_stored_wins() -> None:
    bench = Bench()
    bench.give(message(1, power=1.0))
    bench.give(message(1, power=2.0))
    assert bench.store.messages[1, 1, 1].values[0, 0] == 1.0
    assert len(bench.story()) == 1


def test_unfit_messages_are_dead_lettered_with_reason_and_receipt() -> None:
    bench = Bench()
    strange = telemetry_message(epoch=1, seq=2, base=0, t_micros=NOW, q={"colour": 1.0})
    foreign = Reject(topic="t", reason="foreign_body", detail="", raw=b"x", arrival=NOW, device=KEY, epoch=1, seq=4)
    unreadable = Reject(topic="t", reason="malformed", detail="", raw=b"\xff", arrival=NOW, device=KEY)
    receipts = bench.give(message(1), strange, message(3, ahead=10 * 3_600_000_000), foreign, unreadable, message(5))
    assert receipts == {1: [(0, 5)]}
    assert [d.reason for d in bench.store.dead.values()] == ["unknown_channel", "future", "foreign_body", "malformed"]
    assert {seq for _, _, seq in bench.store.messages} == {1, 5}
    assert len(bench.story()) == 2


def test_a_stranger_gets_its_receipt_once() -> None:
    bench = Bench()
    stranger = DeviceKey("demo", "nobody")
    assert bench.give(message(1), message(2), key=stranger) == {1: [(0, 2)]}
    bench.begin()
    assert bench.give(message(2), message(3), key=stranger) == {1: [(0, 3)]}
    assert [(d.reason, d.seq) for d in bench.store.dead.values()] == [("unknown_device", n) for n in (1, 2, 3)]


def test_a_block_that_cannot_be_read_is_kept_whole() -> None:
    bench = Bench()
    outcome = bench.core.decide([Entry(0, "a", 1, b"\xc1nonsense", 0)])
    bench.store.write(outcome.batch)
    assert [(d.reason, d.raw) for d in bench.store.dead.values()] == [("block", b"\xc1nonsense")]
    assert bench.store.positions[0] == ("a", 1)


def test_another_incarnation_is_read_from_its_first_entry() -> None:
    bench = Bench()
    bench.give(message(1))
    builder = BlockBuilder()
    builder.add(KEY, message(2), NOW)
    outcome = bench.core.decide([Entry(0, "b", 1, builder.encode(), 0)])
    bench.store.write(outcome.batch)
    assert bench.store.positions[0] == ("b", 1)
    assert (1, 1, 2) in bench.store.messages


def test_a_zombie_owner_is_fenced() -> None:
    bench = Bench()
    zombie = Bench(bench.store)
    bench.give(message(1))
    with pytest.raises(PositionLostError):
        zombie.give(message(1))


def test_control_entries_take_effect_once_and_survive_restarts() -> None:
    def run(restart_at: set[int]) -> list[tuple[int, float]]:
        bench = Bench()
        for step in range(6):
            if step in restart_at:
                bench.begin()
            entry = ControlEntry(id=f"c{step}", device=KEY, kind=ControlKind.REPAIR_DONE, at=step)
            bench.store.enter_control(entry)
            bench.give(message(2 * step + 1), entry, message(2 * step + 2), entry)
            bench.give(entry)
        return bench.story()

    assert run(set()) == run({1, 3, 4}) == run({2, 5})
    assert len(run(set())) == 18


@pytest.mark.parametrize("borders", [(6,), (1, 2, 3, 4, 5, 6), (2, 6), (5, 6)])
def test_what_comes_before_poison_counts_wherever_blocks_begin(borders: tuple[int, ...]) -> None:
    def told(ends: tuple[int, ...]) -> tuple[list[tuple[int, float]], list[tuple[int, int]], str]:
        bench, at = Bench(poison=666.0), 1
        for end in ends:
            bench.give(*[message(seq, power=666.0 if seq == 5 else None) for seq in range(at, end + 1)])
            at = end + 1
        return bench.story(), [(e.epoch, e.seq) for e in bench.store.errors], bench.store.observed[1].health

    found = told(borders)
    assert found == told((4, 5, 6))
    assert (len(found[0]), found[1:]) == (4, ([(1, 5)], "unknown"))


def test_poison_is_confined_to_its_device() -> None:
    other = DeviceRow(
        2, "demo", "plug-2", "smart_plug", None, None, None, "en", None, None, None, datetime(2026, 1, 1, tzinfo=UTC)
    )
    bench = Bench(MemoryTelemetry([ROW, other]), poison=666.0)
    bench.give(message(1), message(2, power=666.0), message(3))
    bench.give(message(1), key=other.key)
    assert bench.store.observed[1].health == "unknown"
    assert bench.store.observed[2].health == "faulty"
    assert len([key for key in bench.store.messages if key[0] == 1]) == 3
    bench.begin()
    bench.give(message(4))
    assert bench.store.observed[1].health == "unknown"
