"""What the simulation found, each as the shortest story that shows it."""

from __future__ import annotations

import sqlite3

from firmware_sim.firmware import Body
from firmware_sim.gateway import GatewayCore
from firmware_sim.spool import OPEN, Spool
from stream.memory_leases import MemoryLeases
from tests.spine.test_core import Bench, message
from worker.ownership import Ownership


def test_an_epoch_that_ends_within_a_block_keeps_its_progress() -> None:
    bench = Bench()
    bench.give(message(1))
    receipts = bench.give(message(2), message(3), message(1, epoch=2))
    assert receipts[1] == [(0, 3)]
    assert bench.store.progress[1, 1].upto == 3
    live = bench.story()
    again = Bench(bench.store)
    again.give(message(2, epoch=2))
    whole = Bench()
    whole.give(*[message(seq) for seq in (1, 2, 3)])
    whole.give(message(1, epoch=2), message(2, epoch=2))
    assert bench.store.progress == whole.store.progress
    assert bench.story() == whole.story()
    assert len(live) == 4


def test_a_new_epoch_tells_nothing_of_those_before_the_last() -> None:
    def story(restart: bool) -> list[tuple[int, float]]:  # noqa: FBT001  (the one thing that differs)
        bench = Bench()
        bench.give(message(1, epoch=5))
        bench.give(message(9, epoch=1))
        bench.give(message(1, epoch=6))
        assert bench.store.lost == {}
        if restart:
            bench.begin()
        bench.give(message(2, epoch=6))
        # Still free to come: nobody declared it lost.
        bench.give(message(8, epoch=1))
        assert (1, 1, 8) in bench.store.messages
        return bench.story()

    assert story(restart=True) == story(restart=False)


def test_what_a_full_spool_dropped_is_not_waited_for() -> None:
    spool = Spool(sqlite3.connect(":memory:", **OPEN), lambda: 1, limit=300)
    core = GatewayCore(["demo/a"], spool, 0)
    for number in range(1, 40):
        core.offer(spool.append([("demo/a", Body(device=0, done=number, t=number, q={"power": 1.0}))]), number)
    held = spool.slot("demo/a").held
    assert len(held) < 10
    assert core.unreceipted() == len(held)


def test_an_older_view_of_the_members_does_not_end_a_worker() -> None:
    leases = MemoryLeases()

    def join(token: str) -> Ownership:
        one = Ownership("worker-1", token, 4)
        one.observe(leases.read_records(), 0.0)
        (beat,) = one.step(0.0)
        (revision,) = leases.write_records([beat.write])
        one.wrote(beat, revision, 0.0)
        assert one.joined
        return one

    first = join("before")
    old = leases.read_records()
    second = join("after")
    second.observe(old, 0.1)
    assert not second.replaced
    first.observe(leases.read_records(), 0.1)
    assert first.replaced
