"""One world from one seed: devices, broker, ingest, stream, workers, database and desk on virtual time."""

from __future__ import annotations

import random
import time as machine
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from detectors.bank import Bank
from detectors.engine import DetectorFactory
from firmware_sim.firmware import Body
from servicedesk.memory import MemoryDesk
from servicedesk.model import Contact, Household
from servicedesk.seed_demo import demo_parts, demo_technicians
from stack.world.broker import Broker
from stack.world.chronicle import Chronicles
from stack.world.clerk import Clerk
from stack.world.database import Database
from stack.world.devices import Gateway
from stack.world.faults import KINDS, Fault, Mend
from stack.world.ingest import Ingest
from stack.world.invariants import Auditor, BrokenPromiseError, breach
from stack.world.network import Network
from stack.world.scheduler import Scheduler, generator
from stack.world.shape import Shape
from stack.world.speech import Voice
from stack.world.streaming import StreamNode
from stack.world.verdict import Account, settle_accounts
from stack.world.worker import Worker
from storage.memory_telemetry import MemoryTelemetry
from storage.registry import DeviceRow
from stream.port import StreamError
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS, ClockTrack, FleetClock
from telemetry.identity import DeviceKey
from worker.desk import appliance_of

START = 1_800_000_000 * MICROS
"""Wall and fleet time at which every world begins."""
_PATIENCE = 240
"""Virtual seconds within which all must be quiet once nothing goes wrong any more."""
_HOUSEHOLD = UUID("00000000-0000-7000-8000-000000000001")
_CONTACT = UUID("00000000-0000-7000-8000-000000000002")


@cache
def catalogue() -> Catalogue:
    """The product's, read once."""
    return load_catalogue()


@cache
def _bank() -> Bank:
    return Bank(catalogue())


@dataclass(frozen=True, slots=True)
class Parts:
    """What a world is made of. Tests put broken parts in, to see that their faults are found."""

    gateway: type[Gateway] = Gateway
    ingest: type[Ingest] = Ingest
    worker: type[Worker] = Worker
    store: type[MemoryTelemetry] = MemoryTelemetry
    stream: type[StreamNode] = StreamNode


@dataclass(frozen=True, slots=True)
class Report:
    """How a world ended.

    Attributes:
        shape: of the world.
        broken: the promise that was broken, or None.
        account: of its messages.
        digest: of its trace.
        lines: of its trace, when they were kept.
        events: that happened.
        commits: transactions of workers.
        receipts: that workers sent.
        virtual: seconds that passed in it.
        cpu: seconds it took.
    """

    shape: Shape
    broken: BrokenPromiseError | None
    account: Account
    digest: str
    lines: list[str] = field(repr=False)
    events: int
    commits: int
    receipts: int
    virtual: float
    cpu: float


class World:
    """A world that has not run yet.

    Args:
        shape: what it is like.
        parts: what it is made of.
        keep: whether to keep the lines of the trace.
    """

    def __init__(self, shape: Shape, parts: Parts | None = None, *, keep: bool = False) -> None:
        parts = parts or Parts()
        self.shape = shape
        self.time = Scheduler(START, keep=keep)
        self.network = Network(self.time, self._rng("network"))
        self.auditor = Auditor()
        self.broker = Broker(
            self.time,
            self.network,
            self._rng("broker"),
            durable=shape.durable,
            window=shape.window,
            ack_wait=shape.ack_wait,
        )
        self.stream_bytes = 4 * 1024 * 1024
        self.stream = parts.stream(
            self.time, self.network, self.auditor, partitions=shape.partitions, max_bytes=self.stream_bytes
        )
        groups = [
            [DeviceKey("demo", f"d{gateway}{number}") for number in range(shape.devices)]
            for gateway in range(shape.gateways)
        ]
        registered = [key for group in groups for key in group]
        if shape.stranger:
            groups[-1].append(DeviceKey("demo", "stranger"))
        self.keys = [key for group in groups for key in group]
        self.skews = dict.fromkeys(self.keys, 0)
        self.detectors: DetectorFactory = _bank() if shape.bank else Chronicles()
        self.database = self._found(parts, registered)
        self.auditor.watch(self.database)
        self.gateways = [
            parts.gateway(
                self.time,
                self.network,
                self.broker,
                self.auditor,
                self._rng(f"gateway {number}"),
                name=f"gateway-{number}",
                keys=group,
                limit=shape.limit,
                window=shape.window,
            )
            for number, group in enumerate(groups)
        ]
        self._home = {key: self.gateways[number] for number, group in enumerate(groups) for key in group}
        self._voices = {
            key: Voice(self._rng(f"voice {key}"), catalogue()[shape.kind], fails=shape.poisoned and key == self.keys[0])
            for key in self.keys
        }
        self.ingest = parts.ingest(self.time, self.network, self.broker, self.stream, self.auditor)
        self.workers = [
            parts.worker(
                self.time,
                self.network,
                stream=self.stream,
                database=self.database,
                auditor=self.auditor,
                catalogue=catalogue(),
                detectors=self.detectors,
                name=f"worker-{number}",
            )
            for number in range(shape.workers)
        ]
        self.clerk = Clerk(
            self.time,
            self.network,
            stream=self.stream,
            database=self.database,
            auditor=self.auditor,
            fleet_now=self.fleet_now,
        )
        self._clock = FleetClock(1, START, START, shape.speed)
        self._track = ClockTrack(self._clock)
        self._mends: dict[int, Mend] = {}

    def run(self) -> Report:
        """Let it happen, then quieten it, restart all workers, and settle the accounts."""
        began = machine.process_time()
        broken, account = None, Account()
        try:
            self._begin()
            self.time.run(START + self.shape.span)
            self._mend_all()
            self._until_quiet("after the faults")
            for worker in self.workers:
                worker.kill()
                worker.begin()
            for key in self.keys:
                self._say(key, self._voices[key].farewell(self.fleet_now(), self.time.now))
            self._until_quiet("after the farewell")
            states = {no: state for worker in self.workers for no, state in worker.snapshots().items()}
            account = settle_accounts(self.auditor, catalogue(), self.detectors, states)
        except BrokenPromiseError as error:
            broken = error
            self.time.trace("auditor", str(error))
        return Report(
            shape=self.shape,
            broken=broken,
            account=account,
            digest=self.time.digest(),
            lines=self.time.lines,
            events=self.time.events,
            commits=self.auditor.commits,
            receipts=self.auditor.receipts,
            virtual=(self.time.now - START) / MICROS,
            cpu=machine.process_time() - began,
        )

    def fleet_now(self) -> int:
        """Fleet time, microseconds."""
        return (self._track.in_force(self.time.now) or self._clock).fleet_at(self.time.now)

    def change_clock(self, speed: float) -> None:
        """Change the fleet clock's speed, a second ahead; mirrored to the stream as soon as that answers."""
        if self._track.next is None:
            self._clock = self._clock.change(self.time.now + MICROS, speed)
            self._track.hear(self._clock, self.time.now)
            self.time.trace("clock", "runs at", speed)
            self._mirror()

    def say_nonsense(self, which: int, how: int) -> None:
        """Something unfit on a device's topic: unreadable, or speaking for somebody else."""
        gateway = self.gateways[which % len(self.gateways)]
        key = self.keys[which % len(self.keys)]
        foreign = f'{{"v":1,"epoch":1,"seq":{how + 1},"base":0,"t":1,"device":"other","q":{{"power":1}}}}'
        gateway.say_raw(key, (b"\xc1\xff", b"{]", foreign.encode())[how % 3])

    # inside

    def _rng(self, name: str) -> random.Random:
        return generator(self.shape.seed, name)

    def _found(self, parts: Parts, registered: list[DeviceKey]) -> Database:
        """The database with devices, a household, technicians and stock."""
        since = datetime(2026, 1, 1, tzinfo=UTC)
        rows = [
            DeviceRow(no, key.org, key.device, self.shape.kind, None, None, None, "en", _HOUSEHOLD, None, None, since)
            for no, key in enumerate(registered, 1)
        ]
        desk = MemoryDesk()
        zone = "Asia/Shanghai"
        desk.people.households[_HOUSEHOLD] = Household(
            id=_HOUSEHOLD, org="demo", name="Li", lang="en", tz=zone, registered=since
        )
        desk.people.contact_rows.append(Contact(id=_CONTACT, household=_HOUSEHOLD, email="li@example.org"))
        desk.people.appliances = {row.no: appliance_of(row) for row in rows}
        desk.people.technician_rows.extend(demo_technicians("demo", zone))
        desk.parts.rows = {(part.org, part.sku): part for part in demo_parts("demo", catalogue())}
        desk.agenda.devices = {row.key: row.no for row in rows}
        rng = self._rng("database")
        return Database(parts.store(rows), desk, catalogue(), self.auditor, rng, fences=self.shape.fences)

    def _begin(self) -> None:
        for number, party in enumerate((self.stream, self.broker, self.ingest, *self.workers, self.clerk)):
            self.time.after(number * 10_000, party.begin)
        self._mirror()
        rng = self._rng("rhythm")
        for gateway in self.gateways:
            self.time.after(rng.randrange(500_000), gateway.begin)
        for key in self.keys:
            at = START + MICROS + rng.randrange(self.shape.every)
            while at < START + self.shape.span:
                self.time.at(at, self._speak, key)
                at += round(self.shape.every * rng.uniform(0.2, 1.8))
        for number, fault in enumerate(self.shape.faults):
            self.time.after(fault.at, self._strike, number, fault)

    def _mirror(self) -> None:
        try:
            self.stream.server.put_clock(self._clock)
        except StreamError:
            self.time.after(MICROS // 5, self._mirror)

    def _speak(self, key: DeviceKey) -> None:
        self._say(key, self._voices[key].next(self.fleet_now() + self.skews[key], self.time.now))

    def _say(self, key: DeviceKey, body: Body) -> None:
        gateway = self._home[key]
        gateway.hear(gateway.produce, key, body)

    def _strike(self, number: int, fault: Fault) -> None:
        self.time.trace("fault", fault.kind, fault.which, fault.how)
        self._mends[number] = KINDS[fault.kind](self, fault)
        self.time.after(fault.lasts, self._mend, number)

    def _mend(self, number: int) -> None:
        mend = self._mends.pop(number, None)
        if mend is not None:
            self.time.trace("fault", "is mended:", self.shape.faults[number].kind)
            mend()

    def _mend_all(self) -> None:
        """Nothing goes wrong from here on."""
        for number in list(self._mends):
            self._mend(number)
        for party in (self.stream, self.broker, self.ingest, *self.workers, self.clerk, *self.gateways):
            party.wake()
            if not party.alive:
                party.begin()
        for worker in self.workers:
            worker.traps.clear()
        self.time.trace("fault", "none from here on")
        for key in self.keys:
            self._speak(key)

    def _until_quiet(self, when: str) -> None:
        reasons: list[str] = []
        for _ in range(_PATIENCE):
            self.time.run(self.time.now + MICROS)
            reasons = [name for name, quiet in self._signs() if not quiet()]
            if not reasons:
                return
        breach("never-quiet", f"{when}, {_PATIENCE} s later: {', '.join(reasons)}")

    def _signs(self) -> list[tuple[str, Callable[[], bool]]]:
        """By what it is known that nothing is under way."""
        store, server = self.database.store, self.stream.server
        held = [(p, store.positions.get(p, ("", 0))) for p in range(server.partitions)]
        return [
            ("spools are not empty", lambda: all(g.connected and not g.core.unreceipted() for g in self.gateways)),
            ("the broker holds messages", lambda: self.broker.waiting(self.ingest.name) == 0),
            ("ingest holds messages", lambda: self.ingest.core.in_flight == 0),
            (
                "the stream was not read to its end",
                lambda: all(server.last(p) <= (seq if name == server.incarnation else 0) for p, (name, seq) in held),
            ),
            ("a worker is at work", lambda: all(worker.idle for worker in self.workers)),
            (
                "partitions are not shared out",
                lambda: sorted(p for w in self.workers for p in w.owned()) == list(range(server.partitions)),
            ),
            (
                "a worker's memory is not the database's",
                lambda: all(
                    store.positions[p] == (at.incarnation, at.seq) for w in self.workers for p, at in w.owned().items()
                ),
            ),
            ("jobs wait", lambda: not self.database.desk.agenda.jobs),
            ("control entries wait", lambda: all(effect is not None for _, effect in store.controls.values())),
        ]
