"""Sharing partitions: exactly fair, few moves, never two owners at once, whoever dies, freezes or loses the stream."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.memory_leases import MemoryLeases
from stream.port import Record, StreamError, Write
from worker.lease_records import LeaseRecord, read_owners
from worker.ownership import Holding, Ownership, Timing
from worker.settlement import Holdings, settle
from worker.shares import assign

PARTITIONS = 16
TIMING = Timing()
LOOK = 0.4


def shares(target: dict[int, str]) -> Counter[str]:
    return Counter(target.values())


def fair(counts: Counter[str], members: set[str]) -> bool:
    sizes = [counts[member] for member in members]
    return max(sizes) - min(sizes) <= 1


@given(
    partitions=st.integers(1, 64),
    members=st.sets(st.sampled_from([f"worker-{n}" for n in range(12)]), min_size=1),
    data=st.data(),
)
def test_shares_differ_by_one_and_no_more_move_than_must(
    partitions: int, members: set[str], data: st.DataObject
) -> None:
    owners = data.draw(
        st.dictionaries(
            st.integers(0, partitions - 1), st.sampled_from([*sorted(members), "gone"]), max_size=partitions
        )
    )
    target = assign(partitions, members, owners)
    assert sorted(target) == list(range(partitions))
    assert fair(shares(target), members)
    assert assign(partitions, sorted(members, reverse=True), owners) == target
    # The least: what is above the fair shares, the larger ones going to whoever holds most.
    held = sorted((list(owners.values()).count(member) for member in members), reverse=True)
    share, larger = divmod(partitions, len(members))
    least = sum(max(0, count - share - (rank < larger)) for rank, count in enumerate(held))
    moved = [p for p, owner in owners.items() if owner in members and target[p] != owner]
    assert len(moved) == least


def test_a_newcomer_takes_its_share_and_nothing_else_moves() -> None:
    before = assign(PARTITIONS, {"a", "b"}, {})
    after = assign(PARTITIONS, {"a", "b", "c"}, before)
    assert all(after[p] in {before[p], "c"} for p in before)
    assert shares(after)["c"] == 5
    again = assign(PARTITIONS, {"a", "b"}, {p: m for p, m in after.items() if m != "c"})
    assert all(again[p] == after[p] for p in after if after[p] != "c")


def test_a_settled_share_stays() -> None:
    settled = assign(PARTITIONS, {"a", "b", "c"}, {})
    assert assign(PARTITIONS, {"a", "b", "c"}, settled) == settled


def test_what_is_to_be_done_about_leases() -> None:
    held = {
        0: Holding(term=10, until=5.0, leaving=False),
        1: Holding(term=11, until=5.0, leaving=True),
        2: Holding(term=22, until=5.0, leaving=False),
        3: Holding(term=13, until=5.0, leaving=False),
        4: Holding(term=14, until=3.0, leaving=False),
        5: Holding(term=15, until=5.0, leaving=True),
    }
    todo = settle({0: 10, 1: 11, 2: 12, 6: 16}, Holdings(held, 4.0))
    assert (todo.lost, todo.waits) == ([2, 6], False), "another term is another holding"
    assert (todo.leaving, todo.unused) == ([1], {5: 15})
    assert todo.new == {2: 22, 3: 13}, "a lapsed lease may be another's by now: nobody's backend is ended for it"
    late = settle({0: 10}, Holdings(held, 5.5))
    assert late.waits
    assert not late.new
    assert settle({}, Holdings(held, 5.5)).new == {}


@dataclass
class Worker:
    """A shell without thread: looks every `LOOK` seconds, hands over what leaves at its next turn."""

    ownership: Ownership
    store: MemoryLeases
    next: float
    frozen: bool = False
    leaving: dict[int, int] = field(default_factory=dict)

    def turn(self, now: float) -> None:
        self.next = now + LOOK
        for partition, term in self.leaving.items():
            self.ownership.released(partition, term)
        try:
            self.ownership.observe(self.store.read_records(), now)
            while effects := self.ownership.step(now):
                joined = self.ownership.joined
                revisions = self.store.write_records([effect.write for effect in effects])
                for effect, revision in zip(effects, revisions, strict=True):
                    self.ownership.wrote(effect, revision, now)
                if joined or not self.ownership.joined:
                    break
        except StreamError:
            pass
        self.leaving = {p: holding.term for p, holding in self.ownership.holdings().items() if holding.leaving}

    def valid(self, now: float) -> set[int]:
        return {p for p, holding in self.ownership.holdings().items() if now <= holding.until}


class World:
    """Workers over one bucket, and the time."""

    def __init__(self) -> None:
        self.store = MemoryLeases()
        self.now = 100.0
        self.workers: dict[str, Worker] = {}
        self.count = 0

    def join(self, name: str) -> None:
        self.count += 1
        ownership = Ownership(name, f"token-{self.count}", PARTITIONS, TIMING)
        self.workers[name] = Worker(ownership, self.store, self.now)

    def leave(self, name: str) -> None:
        worker = self.workers.pop(name)
        if self.store.up:
            self.store.write_records([effect.write for effect in worker.ownership.leave()])

    def kill(self, name: str) -> None:
        del self.workers[name]

    def run(self, seconds: float) -> None:
        """Pass time; at no moment two workers may commit to the same partition."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.05
            for worker in sorted(self.workers.values(), key=lambda each: each.next):
                if worker.next <= self.now and not worker.frozen:
                    worker.turn(self.now)
                self.check()

    def check(self) -> None:
        holders = Counter(p for worker in self.workers.values() for p in worker.valid(self.now))
        doubled = [p for p, count in holders.items() if count > 1]
        assert not doubled, f"partitions {doubled} have two owners at {self.now:.2f}"

    def awake(self) -> dict[str, Worker]:
        return {name: worker for name, worker in self.workers.items() if not worker.frozen}

    def settled(self) -> bool:
        counts = Counter({name: len(worker.valid(self.now)) for name, worker in self.awake().items()})
        return sum(counts.values()) == PARTITIONS and fair(counts, set(self.awake()))

    def settle(self, seconds: float) -> float:
        began = self.now
        while not self.settled():
            assert self.now - began < seconds, f"not settled within {seconds} s"
            self.run(0.05)
        return self.now - began


def three() -> World:
    world = World()
    for name in ("worker-1", "worker-2", "worker-3"):
        world.join(name)
    world.settle(5)
    return world


def test_the_first_worker_has_everything_at_once() -> None:
    world = World()
    world.join("worker-1")
    assert world.settle(1) <= LOOK


def test_join_and_leave_balance_within_three_looks() -> None:
    world = three()
    world.join("worker-4")
    assert world.settle(10) <= 3 * LOOK + 0.1
    world.leave("worker-2")
    assert world.settle(10) <= 3 * LOOK + 0.1


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_partitions_of_a_dead_worker_are_taken_within_four_seconds(how: str) -> None:
    world = three()
    if how == "kill":
        world.kill("worker-2")
    else:
        world.workers["worker-2"].frozen = True
    assert TIMING.grace < world.settle(10) <= TIMING.expiry + 2 * LOOK + 0.1


def test_a_successor_under_the_same_name_has_its_partitions_at_once() -> None:
    world = three()
    before = world.workers["worker-2"].valid(world.now)
    world.kill("worker-2")
    world.run(1)
    world.join("worker-2")
    world.run(2 * LOOK)
    assert world.workers["worker-2"].valid(world.now) == before


def test_who_wakes_up_has_nothing_until_it_looked_and_never_its_old_terms() -> None:
    world = three()
    sleeper = world.workers["worker-3"]
    terms = {p: h.term for p, h in sleeper.ownership.holdings().items()}
    sleeper.frozen = True
    world.run(10)
    assert sleeper.valid(world.now) == set()
    sleeper.frozen = False
    world.run(5)
    assert world.settled()
    now = sleeper.ownership.holdings()
    assert all(now[p].term != terms[p] for p in terms.keys() & now.keys())


def test_nothing_moves_when_the_server_was_away_and_nobody_may_commit_meanwhile() -> None:
    world = three()
    before = {name: worker.valid(world.now) for name, worker in world.workers.items()}
    world.store.up = False
    world.run(TIMING.grace + 0.1)
    assert not any(worker.valid(world.now) for worker in world.workers.values())
    world.run(60)
    world.store.up = True
    world.run(2 * LOOK)
    assert {name: worker.valid(world.now) for name, worker in world.workers.items()} == before


def test_a_bucket_that_was_lost_is_filled_again() -> None:
    world = three()
    world.run(20)
    before = {name: worker.valid(world.now) for name, worker in world.workers.items()}
    world.store.recreate()
    world.run(2)
    assert {name: worker.valid(world.now) for name, worker in world.workers.items()} == before


def test_two_processes_of_one_name_the_older_one_ends() -> None:
    world = three()
    older = world.workers["worker-1"]
    world.join("worker-1")
    world.run(LOOK)
    older.turn(world.now)
    assert older.ownership.replaced
    assert older.ownership.holdings() == {}
    assert older.ownership.step(world.now) == []
    world.run(LOOK)
    assert not world.workers["worker-1"].ownership.replaced
    assert world.settled()


def test_an_answer_that_was_lost_is_learned_from_the_next_look() -> None:
    store = MemoryLeases()
    one = Ownership("one", "token", 1, TIMING)
    one.observe({}, 0.0)
    (beat,) = one.step(0.0)
    one.wrote(beat, store.write_records([beat.write])[0], 0.0)
    (take,) = one.step(0.0)
    store.write_records([take.write])
    assert one.holdings() == {}
    one.observe(store.read_records(), 0.5)
    (again,) = one.step(0.5)
    one.wrote(again, store.write_records([again.write])[0], 0.5)
    assert list(one.holdings()) == [0]
    renewal = next(effect for effect in one.step(1.5) if effect.partition == 0)
    store.write_records([renewal.write])
    one.observe(store.read_records(), 2.0)
    renewal = next(effect for effect in one.step(2.0) if effect.partition == 0)
    assert store.write_records([renewal.write]) != [None]


def test_records_that_nobody_can_read_are_nobodys() -> None:
    world = World()
    world.store.write_records([Write("lease.3", b"\xff", 0), Write("member.odd", b"[]", 0), Write("lease.x", b"", 0)])
    world.join("worker-1")
    world.settle(2)


def test_owners_as_the_records_say() -> None:
    lease = msgspec.json.encode(LeaseRecord("worker-1", "t", 1))
    free = msgspec.json.encode(LeaseRecord("", "", 2))
    world = three()
    world.leave("worker-2")
    members, _ = read_owners(world.store.read_records())
    assert members == ["worker-1", "worker-3"]
    assert read_owners({"lease.1": Record(1, lease), "lease.2": Record(2, free)}) == ([], {1: "worker-1"})


ACTIONS = ("join", "leave", "kill", "freeze", "thaw", "down", "up", "recreate", "restart")


@settings(max_examples=30, deadline=None)
@given(
    script=st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.integers(1, 5), st.floats(0.05, 6.0)), min_size=1, max_size=14
    )
)
def test_never_two_owners_and_always_fair_in_the_end(script: list[tuple[str, int, float]]) -> None:
    world = three()
    for action, number, wait in script:
        act(world, action, f"worker-{number}")
        world.run(wait)
    world.store.up = True
    for worker in world.workers.values():
        worker.frozen = False
    if not world.workers:
        world.join("worker-1")
    world.settle(10)


def act(world: World, action: str, name: str) -> None:
    worker = world.workers.get(name)
    if action in {"down", "up"}:
        world.store.up = action == "up"
    elif action == "recreate":
        world.store.recreate()
        # Who joins an empty bucket cannot know of anybody: then the position in the database alone fences.
        world.run(TIMING.expiry)
    elif worker is None:
        if action in {"join", "restart"}:
            world.join(name)
    elif action == "leave" and not worker.frozen:
        world.leave(name)
    elif action in {"kill", "restart"}:
        world.kill(name)
        if action == "restart":
            world.join(name)
    elif action in {"freeze", "thaw"}:
        worker.frozen = action == "freeze"
