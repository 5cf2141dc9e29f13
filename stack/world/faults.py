"""What can go wrong in a world: a list drawn from the seed before anything runs, so that it can be shortened."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stack.world.worker import APPLIED, DECIDED, KNOWN, SENT, Worker
from telemetry.clock import MICROS

if TYPE_CHECKING:
    from stack.world.world import World

DAY = 86_400 * MICROS
_SKEWS = (-DAY, DAY, -20 * 365 * DAY, 70 * 365 * DAY, -90 * MICROS, 90 * MICROS)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        at: microseconds after the world's start.
        kind: a name in `KINDS`.
        which: picks a party among those of its sort.
        lasts: until it is mended, microseconds.
        how: draws what else there is to choose.
    """

    at: int
    kind: str
    which: int
    lasts: int
    how: int

    def __str__(self) -> str:
        return f"{self.at / MICROS:8.3f} s  {self.kind} #{self.which} for {self.lasts / MICROS:.3f} s ({self.how})"


def draw(rng: random.Random, span: int, most: int) -> list[Fault]:
    """Up to `most` faults within a span of microseconds, in order of time."""
    kinds = [*KINDS, *_FREQUENT]
    found = [
        Fault(
            at=rng.randrange(span),
            kind=rng.choice(kinds),
            which=rng.randrange(8),
            lasts=rng.choice((200_000, 2 * MICROS, 8 * MICROS, 20 * MICROS)) * rng.randint(50, 150) // 100,
            how=rng.randrange(1_000),
        )
        for _ in range(rng.randint(0, most))
    ]
    return sorted(found, key=lambda fault: (fault.at, fault.kind, fault.which, fault.lasts, fault.how))


Mend = Callable[[], None]


def _gateway_killed(world: World, fault: Fault) -> Mend:
    gateway = world.gateways[fault.which % len(world.gateways)]
    return _killed(gateway.kill, gateway.begin, lambda: gateway.alive)


def _spool_lost(world: World, fault: Fault) -> Mend:
    gateway = world.gateways[fault.which % len(world.gateways)]
    mend = _killed(gateway.kill, gateway.begin, lambda: gateway.alive)
    gateway.wipe()
    world.time.trace(gateway.name, "loses its spool")
    return mend


def _gateway_offline(world: World, fault: Fault) -> Mend:
    return _cut(world, world.gateways[fault.which % len(world.gateways)].name)


def _broker_killed(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (faults share a shape)
    return _killed(world.broker.kill, world.broker.begin, lambda: world.broker.alive)


def _broker_store_lost(world: World, fault: Fault) -> Mend:
    mend = _broker_killed(world, fault)
    world.broker.wipe()
    return mend


def _broker_forgets(world: World, fault: Fault) -> Mend:
    world.broker.forgets = 0.05 + fault.how / 2_000
    return lambda: setattr(world.broker, "forgets", 0.0)


def _broker_doubles(world: World, fault: Fault) -> Mend:
    world.broker.twice = fault.how / 1_000
    return lambda: setattr(world.broker, "twice", 0.0)


def _broker_shuffles(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    world.broker.shuffles = True
    return lambda: setattr(world.broker, "shuffles", False)


def _ingest_killed(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    return _killed(world.ingest.kill, world.ingest.begin, lambda: world.ingest.alive)


def _ingest_stopped(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    ingest = world.ingest
    if ingest.alive and not ingest.frozen:
        ingest.leave()

    def again() -> None:
        if ingest.leaving:
            ingest.kill()
        if not ingest.alive:
            ingest.begin()

    return again


def _ingest_frozen(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    world.ingest.freeze()
    return world.ingest.wake


def _ingest_reset(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    world.network.reset(world.ingest.name)
    return _nothing


def _stream_killed(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    return _killed(world.stream.kill, world.stream.begin, lambda: world.stream.alive)


def _stream_again(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    world.stream.recreate()
    return _nothing


def _stream_full(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    usual, world.stream.server.max_bytes = world.stream.server.max_bytes, 0
    return lambda: setattr(world.stream.server, "max_bytes", max(usual, world.stream_bytes))


def _reconnect_under_way(world: World, fault: Fault) -> Mend:
    """The stream answers late, and meanwhile ingest's connection to the broker breaks: blocks are under way."""
    world.stream.late = 300_000 + 4_000 * fault.how
    world.time.after(min(fault.lasts, 2 * MICROS) // 2, world.network.reset, world.ingest.name)
    return lambda: setattr(world.stream, "late", 0)


def _leases_lost(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    world.stream.leases.recreate()
    return _nothing


def _ingest_from_stream(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    return _cut(world, world.ingest.name)


def _worker_killed(world: World, fault: Fault) -> Mend:
    worker = _worker(world, fault)
    return _killed(worker.kill, worker.begin, lambda: worker.alive)


def _worker_killed_at(world: World, fault: Fault) -> Mend:
    worker = _worker(world, fault)
    moment = (DECIDED, SENT, APPLIED, KNOWN)[fault.how % 4]
    worker.traps.setdefault(moment, []).append(worker.kill)
    return lambda: None if worker.alive else worker.begin()


def _worker_frozen_at(world: World, fault: Fault) -> Mend:
    worker = _worker(world, fault)
    moment = (SENT, DECIDED, SENT, KNOWN)[fault.how % 4]
    worker.traps.setdefault(moment, []).append(worker.freeze)
    return worker.wake


def _worker_frozen(world: World, fault: Fault) -> Mend:
    worker = _worker(world, fault)
    worker.freeze()
    return worker.wake


def _worker_offline(world: World, fault: Fault) -> Mend:
    return _cut(world, _worker(world, fault).name)


def _commit_in_doubt(world: World, fault: Fault) -> Mend:
    """The connection breaks around COMMIT: it took effect and nobody was told, or it did not."""
    worker = _worker(world, fault)
    worker.traps.setdefault((SENT, APPLIED)[fault.how % 2], []).append(worker.break_connection)
    return _nothing


def _database_down(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    world.database.up = False
    world.database.end_sessions()
    return lambda: setattr(world.database, "up", True)


def _backends_ended(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    world.database.end_sessions()
    return _nothing


def _network_slow(world: World, fault: Fault) -> Mend:
    world.network.slow = 2.0 + fault.how / 20
    return lambda: setattr(world.network, "slow", 1.0)


def _datagrams_dropped(world: World, fault: Fault) -> Mend:
    world.network.drop = fault.how / 1_000
    return lambda: setattr(world.network, "drop", 0.0)


def _datagrams_doubled(world: World, fault: Fault) -> Mend:
    world.network.twice = fault.how / 1_000
    return lambda: setattr(world.network, "twice", 0.0)


def _clock_changed(world: World, fault: Fault) -> Mend:
    world.change_clock((0.0, 1.0, 60.0, 3_600.0)[fault.how % 4])
    return _nothing


def _device_clock_wrong(world: World, fault: Fault) -> Mend:
    key = world.keys[fault.which % len(world.keys)]
    world.skews[key] = _SKEWS[fault.how % len(_SKEWS)]
    return lambda: world.skews.__setitem__(key, 0)


def _nonsense(world: World, fault: Fault) -> Mend:
    world.say_nonsense(fault.which, fault.how)
    return _nothing


def _clerk_killed(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    return _killed(world.clerk.kill, world.clerk.begin, lambda: world.clerk.alive)


def _jobs_twice(world: World, fault: Fault) -> Mend:
    world.clerk.twice += 1 + fault.how % 4
    return _nothing


def _ticket_cancelled(world: World, fault: Fault) -> Mend:  # noqa: ARG001  (likewise)
    world.clerk.cancel_one()
    return _nothing


def _repair(world: World, fault: Fault) -> Mend:
    world.clerk.repair_one(fault.which)
    return _nothing


def _worker(world: World, fault: Fault) -> Worker:
    return world.workers[fault.which % len(world.workers)]


def _killed(kill: Callable[[], None], begin: Callable[[], None], alive: Callable[[], bool]) -> Mend:
    if alive():
        kill()
    return lambda: None if alive() else begin()


def _cut(world: World, name: str) -> Mend:
    world.network.cut(name)
    return lambda: world.network.mend(name)


def _nothing() -> None:
    """It mends itself."""


_FREQUENT = ("worker frozen at a moment", "worker killed at a moment", "commit in doubt", "broker killed") * 2
"""Drawn more often than the others: what they break is narrow."""

KINDS: dict[str, Callable[[World, Fault], Mend]] = {
    "gateway killed": _gateway_killed,
    "spool lost": _spool_lost,
    "gateway offline": _gateway_offline,
    "broker killed": _broker_killed,
    "broker's store deleted": _broker_store_lost,
    "broker forgets what it acknowledged": _broker_forgets,
    "broker delivers twice": _broker_doubles,
    "broker delivers out of order": _broker_shuffles,
    "ingest killed": _ingest_killed,
    "ingest stopped": _ingest_stopped,
    "ingest frozen": _ingest_frozen,
    "ingest's connections reset": _ingest_reset,
    "ingest cut off": _ingest_from_stream,
    "stream killed": _stream_killed,
    "stream made again": _stream_again,
    "stream full": _stream_full,
    "ingest reconnects with blocks under way": _reconnect_under_way,
    "leases lost": _leases_lost,
    "worker killed": _worker_killed,
    "worker killed at a moment": _worker_killed_at,
    "worker frozen": _worker_frozen,
    "worker frozen at a moment": _worker_frozen_at,
    "worker cut off": _worker_offline,
    "commit in doubt": _commit_in_doubt,
    "database down": _database_down,
    "backends ended": _backends_ended,
    "network slow": _network_slow,
    "receipts dropped": _datagrams_dropped,
    "receipts doubled": _datagrams_doubled,
    "fleet clock changed": _clock_changed,
    "device's clock wrong": _device_clock_wrong,
    "nonsense published": _nonsense,
    "clerk killed": _clerk_killed,
    "jobs done twice": _jobs_twice,
    "ticket cancelled": _ticket_cancelled,
    "device repaired": _repair,
}
