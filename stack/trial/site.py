"""A site: some devices of the fleet with all that leads from them to findings, on the stepped fleet clock.

Fleet, firmware, spools, network, ingest's core, the stream in memory, the worker's core with the detectors and the
telemetry tables. A step takes it to a fleet time; the site stands there until it is told what people and the desk have
done meanwhile. What a device sends, and what is found on it, does not depend on the other devices of its site.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Sequence

import msgspec

from detectors.bank import Bank
from firmware_sim.fleet import Fleet
from firmware_sim.wear import DAY, Fault
from ingest.core import IngestCore, PublishBlock
from ingest.wire import Delivery
from stack.trial.asking import Answered, Asked, Asking, answers
from stack.trial.control import ControlFleet
from stack.trial.handed import Counts, Ended, Reported, SitePlan, Told
from stack.trial.spool import MemorySpool
from stack.trial.store import TrialTelemetry
from storage.telemetry_rows import FirmwareSpell
from stream.memory import MemoryServer, MemoryStream
from stream.port import Position, StreamError
from telemetry.block import BlockBuilder
from telemetry.catalogue import Catalogue
from telemetry.clock import MICROS, production_clock
from telemetry.cohort import CohortSummary
from telemetry.control import ControlEntry
from telemetry.identity import DeviceKey
from telemetry.message import decode_receipt, encode_json
from telemetry.topics import Channel, topic_of
from worker.core import Outcome, WorkerCore, receipt_of

_MAX_BLOCK = 4 * 1024 * 1024
_STREAM_BYTES = 256 * 1024 * 1024
_TAKE = 256
_SNAPSHOTS_EVERY = DAY


class Site:
    """Makes and runs everything a plan asks for.

    Args:
        plan: see there.
        base: the product's catalogue.
        catalogue: with the scenario's own kinds, models and faults.
        bank: makes detectors; sites of one process share it.
    """

    def __init__(self, plan: SitePlan, base: Catalogue, catalogue: Catalogue, bank: Bank) -> None:
        indices = [row.no - 1 for row in plan.rows]
        self.now = plan.start
        self._fleet = Fleet(plan.scenario, plan.seed, plan.start, base, only=indices)
        self._control = ControlFleet(plan.scenario, plan.seed, plan.start, base, indices) if plan.control else None
        self._keys = {row.no - 1: row.key for row in plan.rows}
        self._asking = Asking(self._fleet, self._keys)
        self._answers: list[Answered] = []
        self._said: dict[int, tuple[FirmwareSpell, ...]] = {}
        self._numbers = {row.key: row.no for row in plan.rows}
        self._topics = {index: topic_of(key, Channel.TELEMETRY).encode() for index, key in self._keys.items()}
        self._events = {index: topic_of(key, Channel.EVENT).encode() for index, key in self._keys.items()}
        self._spools = {index: MemorySpool(plan.start) for index in indices}
        self._of_key = {key: self._spools[index] for index, key in self._keys.items()}
        self._air: list[tuple[int, int, int, bytes, bytes]] = []
        self._failed: set[tuple[str, int]] = set()
        self.counts = Counts()
        self._dead: Counter[str] = Counter()
        self._summaries: dict[int, tuple[CohortSummary, int]] = {}
        self._begin_product(plan, catalogue, bank)

    def _begin_product(self, plan: SitePlan, catalogue: Catalogue, bank: Bank) -> None:
        """Ingest, stream and worker: one partition, since a site is as small as one."""
        numbers = itertools.count(1)
        self._ingest = IngestCore(1, _MAX_BLOCK, lambda: f"{plan.number}-{next(numbers)}")
        self._ingest.hear_clock(production_clock(), plan.start)
        self._connection = self._ingest.connected()
        self._server = MemoryServer(lambda: self.now, partitions=1, max_bytes=_STREAM_BYTES)
        self._stream = MemoryStream(self._server)
        self._stream.hear(self._relay)
        self._store = TrialTelemetry(plan.rows)
        self._core = WorkerCore(catalogue, bank, self._store)
        for partition, (incarnation, seq) in self._store.take([0]).items():
            self._core.own(partition, Position(incarnation, seq))
            self._stream.seek(partition, Position(incarnation, seq))
        self._next_snapshots = plan.start + _SNAPSHOTS_EVERY

    def advance(self, to: int, controls: Sequence[ControlEntry], asked: Sequence[Asked] = ()) -> Told:
        """Take up control entries and requests for self-tests, then let time pass.

        Args:
            to: fleet time, microseconds.
            controls: entries of the desk for devices of this site.
            asked: self-tests that the desk wants of them.
        """
        self._answers, self._said, self._summaries = [], {}, {}
        findings: list[Reported] = []
        if controls:
            builder = BlockBuilder()
            for entry in controls:
                self._store.enter_control(entry)
                builder.control(entry)
            self._publish(PublishBlock(0, "", builder.encode()))
            findings += self._work()
        self._ask(asked)
        self._send(to)
        findings += self._receive(to)
        self.now = to
        if self._control is not None:
            self._control.advance(to)
        if to >= self._next_snapshots:
            self._next_snapshots += _SNAPSHOTS_EVERY
            self._store.write(self._core.close())
            self._store.forget()
        said = [spell for spells in self._said.values() for spell in spells]
        return Told(
            findings=findings,
            failed=self._newly_failed(),
            answers=self._answers,
            firmware=said,
            summaries=self._summaries,
        )

    def find(self, device: str) -> list[Fault]:
        """The faults that an appliance has now, by onset."""
        return [one for one in self._fleet.truth() if one.device == device and one.repaired is None]

    def mend(self, device: str, family: str, at: int, by: str) -> Fault | None:
        """Mend a family's fault, at the earliest now."""
        return self._fleet.repair(device, family, at, by)

    def close(self) -> Ended:
        """Hand in what the site has seen."""
        self.counts.dead = dict(sorted(self._dead.items()))
        return Ended(
            counts=self.counts,
            truth=self._fleet.truth(),
            control=[] if self._control is None else self._control.truth(),
            peaks=[] if self._control is None else self._control.peaks(),
        )

    # inside

    def _ask(self, asked: Sequence[Asked]) -> None:
        """Requests go to devices; what they answer arrives like everything else they say."""
        self._store.asked |= {one.id: self._numbers[one.device] for one in asked}
        for at, index, topic, payload in self._asking.ask(asked):
            heapq.heappush(self._air, (at, index, -1, topic, payload))

    def _send(self, to: int) -> None:
        """Devices complete messages and spool them; the network says when each arrives."""
        deliveries = self._fleet.comms.network.deliveries
        for body in self._fleet.advance(to):
            index = body.device
            seq, payload = self._spools[index].append(body)
            topic = self._events[index] if body.events else self._topics[index]
            for at in deliveries(index, seq, body.done):
                heapq.heappush(self._air, (at, index, seq, topic, payload))

    def _receive(self, to: int) -> list[Reported]:
        """What arrives until a fleet time goes through ingest and stream to the worker."""
        air, take = self._air, self._ingest.receive_many
        blocks: list[PublishBlock] = []
        while air and air[0][0] <= to:
            at, together = air[0][0], list[Delivery]()
            while air and air[0][0] == at:
                _, _, _, topic, payload = heapq.heappop(air)
                together.append((topic, payload, 0))
            blocks += take(self._connection, together, at / MICROS, at)
        blocks += self._ingest.drain(to / MICROS)
        for block in blocks:
            self._publish(block)
        return self._work()

    def _publish(self, block: PublishBlock) -> None:
        """Hand a block to the stream; as long as nothing is purged too late it has room."""

        def done(error: Exception | None) -> None:
            if error is not None:
                raise StreamError(f"site: block {block.block_id} was not taken") from error
            self._ingest.published(block.block_id, None, self.now / MICROS)

        self._stream.publish(block.partition, block.block_id, block.data, done)

    def _work(self) -> list[Reported]:
        """What a worker's pipeline does: entries in, one transaction, receipts."""
        found: list[Reported] = []
        while entries := self._stream.take(0.0, _TAKE):
            outcome = self._core.decide(entries)
            self._store.write(outcome.batch)
            self._count(outcome)
            self._answers += answers(outcome.batch)
            self._said |= outcome.batch.firmware
            self._summaries |= outcome.batch.summaries
            found += [
                Reported(one.device.no, one.arrival, msgspec.structs.replace(one.finding, evidence=()))
                for one in outcome.batch.findings
            ]
            self._stream.send_many(
                [
                    (key, Channel.RECEIPT, encode_json(receipt_of(progress)))
                    for (key, _), progress in outcome.receipts.items()
                ]
            )
            self._stream.purge(0, self._core.position(0))
        return found

    def _relay(self, key: DeviceKey, channel: str, payload: bytes) -> None:
        """A receipt reaches its device."""
        if channel == Channel.RECEIPT:
            self._of_key[key].receipt(decode_receipt(payload))

    def _count(self, outcome: Outcome) -> None:
        counts, batch = self.counts, outcome.batch
        counts.messages += outcome.messages - outcome.duplicates - len(batch.dead)
        counts.duplicates += outcome.duplicates
        counts.readings += sum(len(readings) for readings in batch.readings)
        counts.lost += sum(one.to_seq - one.from_seq + 1 for one in batch.lost)
        counts.errors += len(batch.errors)
        self._dead.update(letter.reason for letter in batch.dead)

    def _newly_failed(self) -> list[Fault]:
        found = []
        for fault in self._fleet.truth():
            key = fault.device, fault.onset
            if fault.repaired is None and fault.failure <= self.now and key not in self._failed:
                self._failed.add(key)
                found.append(fault)
        return found
