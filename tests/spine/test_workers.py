"""Several workers on the real stack: they share, join, leave, die and freeze under load; nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from stack.process import tail
from stream.nats_client import NatsStream
from stream.nats_leases import NatsLeases
from tests.faults.auditor import Ledger, audit
from tests.faults.stage import PATIENCE
from tests.spine.rig import Publisher, Rig, rig, wait_for
from worker.lease_records import read_owners
from worker.ownership import Timing

pytestmark = pytest.mark.stack

DEVICES = 48
# Nominal: on a slow machine the devices' own spool publishes less.
RATE = 500.0
BALANCE = 10.0 * PATIENCE
TAKE_OVER = 5.0 * PATIENCE
# A process starts, imports and joins; on a busy machine that alone takes seconds.
START = 60.0 * PATIENCE


class Watched:
    """A rig with three workers, and who owns what according to the leases."""

    def __init__(self, running: Rig) -> None:
        self.rig = running
        self.stream = NatsStream(running.supervisor.nats_url(), name="watch")
        self._leases = NatsLeases(self.stream)

    def owners(self) -> dict[int, str]:
        return read_owners(self._leases.read_records())[1]

    def members(self) -> list[str]:
        return read_owners(self._leases.read_records())[0]

    def has(self, name: str) -> bool:
        return name in self.members()

    def join(self, name: str) -> None:
        supervisor = self.rig.supervisor
        supervisor.add(name, ("-m", "worker"), supervisor._environment("worker"))

    def shared(self, *names: str) -> bool:
        counts = Counter(self.owners().values())
        sizes = [counts[name] for name in names]
        return sum(sizes) == self.stream.partitions and max(sizes) - min(sizes) <= 1


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with rig() as one:
        found = Watched(one)
        wait_for(lambda: found.shared("worker-1"), START, "the first worker owns everything")
        yield found
        found.stream.close()


@dataclass
class Plugs:
    """Numbered devices of one test."""

    prefix: str
    publisher: Publisher
    logs: Path

    def recovered(self, seconds: float) -> float:
        """Everything published up to now, and one more of each device, has its receipt."""
        mark = {key: (epoch, seq + 1) for key, (epoch, seq) in self.publisher.last().items()}
        try:
            return wait_for(partial(self.publisher.receipted, mark), seconds * PATIENCE, "a receipt after the fault")
        except AssertionError:
            slots = {key: self.publisher.spool.slot(key) for key in mark}
            late = {
                key: (mark[key], slot.base, slot.next_seq) for key, slot in slots.items() if slot.base <= mark[key][1]
            }
            logs = "\n".join(f"== {log.name}\n{tail(log)}" for log in sorted(self.logs.glob("*.log")))
            pytest.fail(f"{len(late)} without a receipt, {self.publisher.gateway.counts()}: {late}\n{logs}")

    def nothing_lost(self, url: str) -> None:
        ledger = Ledger()
        ledger.sent(self.publisher.end())
        found = audit(url, self.prefix, ledger)
        assert found.clean, found
        assert not found.declared
        assert found.messages > 1_000


@pytest.fixture
def plugs(watched: Watched, tmp_path: Path) -> Plugs:
    prefix = f"{tmp_path.name[-20:].strip('_')}-"
    names = [f"{prefix}{n}" for n in range(DEVICES)]
    watched.rig.register("smart_plug", names)
    publisher = Publisher(watched.rig, tmp_path, names, RATE)
    wait_for(lambda: publisher.receipted(dict.fromkeys(publisher.keys, (1, 5))), 60, "the first receipts")
    return Plugs(prefix, publisher, watched.rig.supervisor.data_dir / "logs")


def alone(watched: Watched) -> None:
    """Whatever test ran before, only the first worker is left."""
    children = watched.rig.supervisor.children
    for child in [each for each in children if each.name in {"worker-2", "worker-3"}]:
        child.stop()
        children.remove(child)
    wait_for(lambda: watched.shared("worker-1"), START, "the first worker owns everything")


def three(watched: Watched) -> None:
    for name in ("worker-2", "worker-3"):
        if not any(child.name == name for child in watched.rig.supervisor.children):
            watched.join(name)
    wait_for(lambda: watched.shared("worker-1", "worker-2", "worker-3"), START, "three workers share")


def test_workers_share_leave_and_die_under_load(watched: Watched, plugs: Plugs) -> None:
    supervisor = watched.rig.supervisor
    took: dict[str, float] = {}
    alone(watched)

    for name in ("worker-2", "worker-3"):
        watched.join(name)
        wait_for(partial(watched.has, name), START, f"{name} joined")
        everybody = sorted(watched.members())
        took[f"{name} joins"] = wait_for(partial(watched.shared, *everybody), BALANCE, "balanced after a join")
    plugs.recovered(10)

    leaver = next(child for child in supervisor.children if child.name == "worker-2")
    before = watched.owners()
    leaver.stop()
    took["worker-2 leaves"] = wait_for(
        lambda: watched.shared("worker-1", "worker-3"), BALANCE, "balanced after a leave"
    )
    after = watched.owners()
    assert all(after[p] == owner for p, owner in before.items() if owner != "worker-2"), "only what it had moved"
    supervisor.children.remove(leaver)
    watched.join("worker-2")
    wait_for(lambda: watched.shared("worker-1", "worker-2", "worker-3"), START, "it came back")

    os.kill(watched.rig.pid("worker-3"), signal.SIGKILL)
    took["receipts after kill -9"] = plugs.recovered(10)
    wait_for(lambda: watched.shared("worker-1", "worker-2", "worker-3"), START, "three again")

    plugs.nothing_lost(watched.rig.database_url)
    print({what: round(seconds, 2) for what, seconds in took.items()})  # noqa: T201  (shown with -s)


def test_a_worker_that_freezes_is_replaced_and_harmless_when_it_wakes(watched: Watched, plugs: Plugs) -> None:
    three(watched)
    pid = watched.rig.pid("worker-1")
    had = {p for p, owner in watched.owners().items() if owner == "worker-1"}
    wait_for(lambda: plugs.publisher.gateway.counts().unreceipted >= 50, 10, "messages under way")
    os.kill(pid, signal.SIGSTOP)
    try:
        took = wait_for(lambda: watched.shared("worker-2", "worker-3"), TAKE_OVER, "taken over")
        receipts = plugs.recovered(10)
    finally:
        os.kill(pid, signal.SIGCONT)
    back = wait_for(lambda: watched.shared("worker-1", "worker-2", "worker-3"), BALANCE, "balanced after it woke")
    assert watched.rig.pid("worker-1") == pid, "it went on, it was not started again"
    assert had
    plugs.nothing_lost(watched.rig.database_url)
    print(f"taken over in {took:.2f} s, receipts in {receipts:.2f} s, balanced {back:.2f} s after it woke")  # noqa: T201  (shown with -s)


def test_nobody_dies_when_the_server_of_the_leases_does(watched: Watched, plugs: Plugs) -> None:
    three(watched)
    pids = {name: watched.rig.pid(name) for name in ("worker-1", "worker-2", "worker-3")}
    os.kill(watched.rig.pid("nats"), signal.SIGKILL)
    began = time.monotonic()
    receipts = plugs.recovered(15)
    wait_for(lambda: watched.shared("worker-1", "worker-2", "worker-3"), BALANCE, "shared again")
    assert {name: watched.rig.pid(name) for name in pids} == pids
    plugs.nothing_lost(watched.rig.database_url)
    print(f"receipts in {receipts:.2f} s, shared in {time.monotonic() - began:.2f} s after the server's death")  # noqa: T201  (shown with -s)


def test_everybody_holds_still_while_the_server_of_the_leases_is_frozen(watched: Watched, plugs: Plugs) -> None:
    three(watched)
    before = watched.owners()
    pid = watched.rig.pid("nats")
    os.kill(pid, signal.SIGSTOP)
    try:
        # Longer than a lease lasts: who counted now would take what nobody could renew.
        frozen = time.monotonic()
        held = plugs.publisher.gateway.counts().unreceipted
        wait_for(lambda: time.monotonic() - frozen > 2 * Timing().expiry, 10, "six seconds")
        assert plugs.publisher.gateway.counts().unreceipted > held, "nothing is receipted meanwhile"
    finally:
        os.kill(pid, signal.SIGCONT)
    receipts = plugs.recovered(30)
    wait_for(lambda: watched.shared("worker-1", "worker-2", "worker-3"), BALANCE, "shared as before")
    assert watched.owners() == before
    plugs.nothing_lost(watched.rig.database_url)
    print(f"receipts {receipts:.2f} s after the server woke")  # noqa: T201  (shown with -s)
