"""The core of a worker: blocks in, one batch of rows out; no thread, socket or clock.

Between blocks it remembers, per partition, its position and its devices. What it needs from the database it asks of
`History` when it first hears of a device. When a transaction fails or is in doubt, its owner throws all of it away.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from detectors.engine import DetectorFactory
from storage.registry import DeviceRow
from storage.telemetry_rows import (
    Batch,
    ControlEffect,
    DeadLetter,
    DeviceHistory,
    Move,
    Observed,
    Snapshot,
)
from stream.port import Entry, Position
from telemetry.block import Block, Message, Reject, decode_block, refused
from telemetry.catalogue import Catalogue
from telemetry.control import ControlEntry, ControlKind
from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from telemetry.message import RECEIPT_RANGES, Receipt
from telemetry.progress import Progress
from worker.answers import warn_unknown
from worker.firmware import hear, speakers
from worker.gather import Gather, Placed, Status
from worker.history import History
from worker.hold import hold_of
from worker.memory import DeviceMemory, Rows
from worker.observer import advance, control, feed, observe
from worker.rebuild import rebuild
from worker.run import Run
from worker.unfold import Unfolder
from worker.verdict import check, to_stored, unknown

EntryId = tuple[int, str, int]
"""Partition, incarnation and seq of an entry."""
# A snapshot is some ten kilobytes to write; a restart reads back what came since, a thousand messages in a few ms.
_SNAPSHOT_EVERY = 400
_SNAPSHOTS_A_BATCH = 64
_NUMBERS = itertools.count(1)
_STORED = int(Status.STORED)


@dataclass(slots=True)
class _Partition:
    position: Position
    devices: dict[DeviceKey, DeviceMemory] = field(default_factory=dict)


@dataclass(slots=True)
class Outcome:
    """A batch to commit and the receipts that are owed once it is."""

    batch: Batch
    receipts: dict[tuple[DeviceKey, int], Progress]
    messages: int
    duplicates: int


class WorkerCore:
    """Turns entries of owned partitions into batches.

    Args:
        catalogue: kinds and channels.
        detectors: makes the detectors of a device.
        history: the database, asked within the batch's transaction.
    """

    def __init__(self, catalogue: Catalogue, detectors: DetectorFactory, history: History) -> None:
        self._catalogue = catalogue
        self._detectors = detectors
        self._history = history
        self._partitions: dict[int, _Partition] = {}

    def own(self, partition: int, position: Position) -> None:
        """Begin a partition at a committed position, with nothing remembered."""
        self._partitions[partition] = _Partition(position)

    def position(self, partition: int) -> Position:
        """Where the partition stands."""
        return self._partitions[partition].position

    @property
    def owned(self) -> list[int]:
        """Owned partitions."""
        return sorted(self._partitions)

    def decide(self, entries: Sequence[Entry], poison: Mapping[EntryId, str] | None = None) -> Outcome:
        """Work through entries in order. Memory moves on at once: commit the batch, or `own` the partitions anew.

        Args:
            entries: in order within each partition.
            poison: entries that the database refused, with its error: they are dead-lettered whole.
        """
        work = _Work(self._partitions, self._catalogue, self._detectors, self._history)
        return work.run(entries, poison or {})

    def disown(self, partition: int) -> Batch:
        """End a partition and forget it. Returns snapshots of its devices, for whoever goes on to start quickly."""
        return self._snapshots([self._partitions.pop(partition)])

    def forget(self, partition: int) -> None:
        """End a partition, if it is owned, and leave nothing behind."""
        self._partitions.pop(partition, None)

    def close(self) -> Batch:
        """Snapshots of every device that moved since its last one, to start quickly again."""
        return self._snapshots(self._partitions.values())

    def _snapshots(self, partitions: Iterable[_Partition]) -> Batch:
        batch = Batch()
        for memory in (memory for partition in partitions for memory in partition.devices.values()):
            if memory.since_snapshot and not memory.failed:
                _snapshot(memory, self._detectors.version, batch)
        return batch


class _Work:
    """One call of `decide`."""

    def __init__(
        self,
        partitions: dict[int, _Partition],
        catalogue: Catalogue,
        detectors: DetectorFactory,
        history: History,
    ) -> None:
        self._partitions = partitions
        self._catalogue = catalogue
        self._detectors = detectors
        self._history = history
        self._batch = Batch()
        self._gather = Gather(catalogue)
        self._receipts: dict[tuple[DeviceKey, int], Progress] = {}
        self._strangers: dict[tuple[DeviceKey, int], Progress] = {}
        self._touched: list[DeviceMemory] = []
        self._number = next(_NUMBERS)
        self._must_snapshot: set[int] = set()
        self._messages = 0
        self._duplicates = 0
        self._after_all: set[tuple[int, int, int]] = set()

    def run(self, entries: Sequence[Entry], poison: Mapping[EntryId, str]) -> Outcome:
        decoded: list[tuple[Entry, Block]] = []
        moved: dict[int, Position] = {}
        for entry in entries:
            at = moved.get(entry.partition, self._partitions[entry.partition].position)
            if entry.incarnation == at.incarnation and entry.seq <= at.seq:
                continue
            moved[entry.partition] = Position(entry.incarnation, entry.seq)
            decoded.append((entry, self._decode(entry, poison)))
        self._remember(decoded)
        effective = self._history.taken_effect([c.id for _, block in decoded for c in block.controls])
        unfolder = Unfolder(self._catalogue, self._history, self._batch)
        for entry, block in decoded:
            devices = self._partitions[entry.partition].devices
            self._take_block(entry, unfolder.unfold(block, devices), effective)
        unfolder.close()
        self._duplicates += unfolder.duplicates
        for partition, position in moved.items():
            old = self._partitions[partition].position
            self._batch.moves.append(Move(partition, old.incarnation, old.seq, position.incarnation, position.seq))
            self._partitions[partition].position = position
        self._finish()
        return Outcome(self._batch, self._receipts, self._messages, self._duplicates)

    def _decode(self, entry: Entry, poison: Mapping[EntryId, str]) -> Block:
        reason, detail = "poison", poison.get(entry_id(entry))
        if detail is None:
            try:
                return decode_block(entry.data)
            except WireError as error:
                reason, detail = error.reason, error.detail
        # A block that cannot be used is kept whole: nothing in the stream may be lost.
        return Block(rejects=[Reject(topic="", reason=reason, detail=detail, raw=entry.data, arrival=0)])

    def _remember(self, decoded: list[tuple[Entry, Block]]) -> None:
        """Load every device that is named and not yet in memory; unknown ones are asked for each time."""
        where = {key: entry.partition for entry, block in decoded for key in _keys(block)}
        missing = [key for key, partition in where.items() if key not in self._partitions[partition].devices]
        if not missing:
            return
        rows = self._history.find(missing)
        loaded = self._history.load([row.no for row in rows.values()])
        fresh: list[tuple[DeviceMemory, DeviceHistory]] = []
        for key, row in rows.items():
            if row.kind in self._catalogue:
                past = loaded[row.no]
                memory = _fresh(row, past, self._detectors, self._catalogue)
                self._partitions[where[key]].devices[key] = memory
                fresh.append((memory, past))
        rebuild(fresh, self._history, self._catalogue, self._detectors)
        strangers = [key for key in missing if key not in self._partitions[where[key]].devices]
        if strangers:
            self._strangers = self._history.load_strangers(strangers)

    def _take_block(self, entry: Entry, block: Block, effective: set[str]) -> None:
        devices = self._partitions[entry.partition].devices
        memories = [devices.get(key) for key in block.devices]
        placed = self._gather.add(block, memories)
        speak = speakers(block, memories)
        self._messages += len(block) + len(block.rejects)
        columns = (block.device.tolist(), block.epoch.tolist(), block.seq.tolist(), block.base.tolist())
        places = zip(placed.fit, placed.phase, placed.start, placed.n, strict=True)
        for row, ((index, epoch, seq, base), (fit, phase, start, n)) in enumerate(
            zip(zip(*columns, strict=True), places, strict=True)
        ):
            memory = memories[index]
            if memory is not None and fit:
                live = memory.live
                # The usual case, for which all is kept short: the very next message, and nothing waits or is missing.
                if (
                    live is not None
                    and live.upto + 1 == seq == memory.seq + 1
                    and live.epoch == epoch
                    and base <= seq
                    and not live.beyond
                ):
                    live.upto = memory.seq = seq
                    rows = memory.open
                    if rows is None or rows.phase != phase:
                        rows = memory.open = Rows(epoch, seq, phase)
                        memory.ready.append(rows)
                    rows.seq = seq
                    rows.starts.append(start)
                    rows.counts.append(n)
                    placed.status[row] = _STORED
                    continue
            message = block.message(row, int(placed.offsets[row]))
            if memory is None:
                self._bury(entry, row, refused(message, *unknown(message.device)), devices)
            else:
                dead = self._take_message(row, message, memory, placed, block.speed)
                if dead is not None:
                    self._bury_settled(entry, row, refused(message, *dead))
        if speak:
            hear(block, memories, placed.status, speak, self._batch)
        for memory in memories:
            if memory is not None:
                self._touch(memory)
        self._take_rest(entry, block, effective, devices)

    def _take_rest(
        self, entry: Entry, block: Block, effective: set[str], devices: dict[DeviceKey, DeviceMemory]
    ) -> None:
        """What ingest refused, then control entries."""
        for place, reject in enumerate(block.rejects, len(block)):
            self._bury(entry, place, reject, devices)
        tests = [item.id for item in block.controls if item.kind is ControlKind.SELF_TEST]
        asked = self._history.asked_tests(tests) if tests else {}
        for index, item in enumerate(block.controls):
            memory = devices.get(item.device)
            if item.kind is ControlKind.SELF_TEST and (memory is None or asked.get(item.id) != memory.row.no):
                # Only what we asked for changes a detector: a device does not speak in its own matter.
                place = len(block) + len(block.rejects) + index
                self._bury_settled(entry, place, _unasked(item))
                continue
            if memory is not None and item.id not in effective:
                effective.add(item.id)
                self._take_control(memory, item, entry.seq * 10_000 + index)

    def _take_message(
        self, row: int, message: Message, memory: DeviceMemory, placed: Placed, speed: float
    ) -> tuple[str, str] | None:
        """A message that is not simply the next one. Returns why it cannot be stored, or None."""
        spec = self._catalogue[memory.row.kind]
        progress = self._progress(memory, message.epoch, message.base, message.arrival)
        late = message.epoch < memory.epoch or memory.is_lost(message.epoch, message.seq)
        new = progress.add(message.seq)
        self._settled(memory, progress)
        if not new and not self._comes_after_all(memory, message.epoch, message.seq):
            self._duplicates += 1
            return None
        dead = check(message, spec, speed)
        if dead is None:
            placed.status[row] = Status.STORED_LATE if late else Status.STORED
            stored = to_stored(message, memory.row, spec, late=late)
            self._batch.events += stored.event_rows()
            # A message that holds nothing leaves no row, and is not observed: a rebuild would not find it.
            if not late and (len(stored.values) or stored.events):
                memory.remember(stored)
        memory.last_arrival = max(memory.last_arrival, message.arrival)
        advance(memory, self._history.read_back)
        return dead

    def _comes_after_all(self, memory: DeviceMemory, epoch: int, seq: int) -> bool:
        """Whether a settled message is one that was declared lost and comes for the first time."""
        place = memory.row.no, epoch, seq
        if not memory.is_lost(epoch, seq) or place in self._after_all:
            return False
        self._after_all.add(place)
        return not self._history.came_late(memory.row, epoch, seq)

    def _progress(self, memory: DeviceMemory, epoch: int, base: int, arrival: int) -> Progress:
        """The epoch's progress after what this message declares lost."""
        progress = memory.progress.get(epoch)
        if progress is None:
            if memory.live is not None:
                # The usual way through `_take_block` may have moved it within this batch; it is the live one no longer.
                self._settled(memory, memory.live)
            progress = memory.progress[epoch] = Progress(epoch)
            if epoch > memory.epoch:
                self._end_epochs(memory, epoch, arrival)
        # What an older epoch still says was not observed and is not told: its spool is gone, nobody waits for it.
        lost = progress.settle_below(base) if epoch >= memory.epoch else []
        if lost:
            self._batch.lost += memory.declare_lost(epoch, lost, arrival, "base")
        return progress

    def _end_epochs(self, memory: DeviceMemory, epoch: int, arrival: int) -> None:
        """A new epoch says that the spool of the one before is gone, and with it what is missing below.

        Epochs before that one were ended by it; what came of them since was not observed, and nothing is told of them.
        """
        for older in sorted(memory.progress.values(), key=lambda p: p.epoch):
            if memory.epoch <= older.epoch < epoch and older.beyond:
                lost = older.settle_below(older.beyond[-1][1] + 1)
                self._batch.lost += memory.declare_lost(older.epoch, lost, arrival, "epoch")
                self._settled(memory, older)

    def _settled(self, memory: DeviceMemory, progress: Progress) -> None:
        self._batch.progress[memory.row.no, progress.epoch] = progress
        self._receipts[memory.key, progress.epoch] = progress
        self._touch(memory)

    def _touch(self, memory: DeviceMemory) -> None:
        if memory.batch != self._number:
            memory.batch = self._number
            self._touched.append(memory)

    def _bury(self, entry: Entry, place: int, reject: Reject, devices: dict[DeviceKey, DeviceMemory]) -> None:
        """Dead-letter a message and settle its seq, so that its device can let go of it."""
        key = reject.device
        if key is not None and reject.epoch is not None and reject.seq is not None:
            memory = devices.get(key)
            if memory is not None:
                progress = self._progress(memory, reject.epoch, reject.base or 0, reject.arrival)
                self._settled(memory, progress)
            else:
                # Not settled by its base: nobody could tell later whether what is below has come.
                progress = self._strangers.setdefault((key, reject.epoch), Progress(reject.epoch))
                self._batch.strangers[key, reject.epoch] = progress
                self._receipts[key, reject.epoch] = progress
            new = progress.add(reject.seq)
            if not new and (memory is None or not self._comes_after_all(memory, reject.epoch, reject.seq)):
                self._duplicates += 1
                return
            if memory is not None:
                advance(memory, self._history.read_back)
        self._bury_settled(entry, place, reject)

    def _bury_settled(self, entry: Entry, place: int, reject: Reject) -> None:
        self._batch.dead.append(
            DeadLetter(
                partition=entry.partition,
                incarnation=entry.incarnation,
                stream_seq=entry.seq,
                position_in_block=place,
                device=reject.device,
                topic=reject.topic or None,
                reason=reject.reason,
                detail=reject.detail,
                raw=reject.raw,
                epoch=reject.epoch,
                seq=reject.seq,
                base=reject.base,
                arrival=reject.arrival,
            )
        )

    def _take_control(self, memory: DeviceMemory, entry: ControlEntry, order: int) -> None:
        if entry.kind is ControlKind.SELF_TEST:
            warn_unknown(self._catalogue[memory.row.kind], entry)
        observe([memory], self._gather, self._catalogue, self._detectors, self._batch)
        self._batch.controls.append(ControlEffect(entry.id, memory.epoch, memory.seq, order, memory.row.no, entry))
        arrival = max(memory.last_arrival, entry.at)
        if not memory.failed:
            memory.told.append(entry)
        control(memory, entry, arrival, self._batch)
        self._touch(memory)
        # The snapshot holds every entry that took effect at its own place: that is how a rebuild tells them apart.
        self._must_snapshot.add(memory.row.no)

    def _finish(self) -> None:
        observe(self._touched, self._gather, self._catalogue, self._detectors, self._batch)
        self._batch.readings = self._gather.stored()
        for memory in self._touched:
            if memory.failed and memory.told:
                self._tell_apart(memory)
            memory.told = []
            no = memory.row.no
            if memory.waiting:
                memory.trim()
            if memory.live is not None:
                self._batch.progress[no, memory.live.epoch] = memory.live
                self._receipts[memory.key, memory.live.epoch] = memory.live
            self._batch.observed[no] = Observed(
                no, memory.epoch, memory.seq, memory.last_t, memory.last_arrival, memory.health()
            )
        due = [m for m in self._touched if m.since_snapshot >= _SNAPSHOT_EVERY][:_SNAPSHOTS_A_BATCH]
        due += [m for m in self._touched if m.row.no in self._must_snapshot and m not in due]
        for memory in due:
            if not memory.failed:
                _snapshot(memory, self._detectors.version, self._batch)

    def _tell_apart(self, memory: DeviceMemory) -> None:
        """A detector failed on a run: tell it message by message, so that all before the one at fault counts.

        Where blocks and batches begin must not show in what is found. The detector starts anew from the database.
        """
        no = memory.row.no
        past = self._history.load([no])[no]
        fresh = _fresh(memory.row, past, self._detectors, self._catalogue)
        rebuild([(fresh, past)], self._history, self._catalogue, self._detectors)
        fresh.last_arrival = memory.last_arrival
        self._batch.findings = [reported for reported in self._batch.findings if reported.device.no != no]
        self._batch.errors = [error for error in self._batch.errors if error.device != no]
        apart = (one for told in memory.told for one in (told.apart() if isinstance(told, Run) else (told,)))
        feed([(fresh, deque(apart))], self._detectors, self._batch)
        memory.detector, memory.open_families, memory.failed = fresh.detector, fresh.open_families, fresh.failed


def _fresh(row: DeviceRow, past: DeviceHistory, detectors: DetectorFactory, catalogue: Catalogue) -> DeviceMemory:
    """Memory of a device with what is settled, its detector still to be brought to where it was."""
    memory = DeviceMemory(row, detectors(row.key, catalogue[row.kind]))
    memory.progress = {progress.epoch: progress for progress in past.progress}
    memory.lost = {epoch: list(ranges) for epoch, ranges in past.lost.items()}
    memory.firmware = list(past.firmware)
    if past.held:
        last_t = None if past.observed is None else past.observed.last_t
        memory.hold = hold_of(past.progress, last_t, past.held)
    return memory


def entry_id(entry: Entry) -> EntryId:
    """What names an entry for ever."""
    return entry.partition, entry.incarnation, entry.seq


def receipt_of(progress: Progress) -> Receipt:
    """What a device is told: at most `RECEIPT_RANGES` ranges, the lowest first."""
    return Receipt(epoch=progress.epoch, upto=progress.upto, beyond=list(progress.beyond[:RECEIPT_RANGES]))


def _snapshot(memory: DeviceMemory, version: str, batch: Batch) -> None:
    state = memory.detector.snapshot()
    batch.snapshots.append(Snapshot(memory.row.no, memory.epoch, memory.seq, version, state))
    memory.since_snapshot = 0


def _keys(block: Block) -> Iterable[DeviceKey]:
    yield from block.devices
    yield from (reject.device for reject in block.rejects if reject.device is not None)
    yield from (entry.device for entry in block.controls)


def _unasked(item: ControlEntry) -> Reject:
    """An answer to a question that was not ours, as a dead letter keeps it."""
    detail = f"nobody asked for self-test {item.id}"
    raw = msgspec.json.encode(item)
    return Reject(topic="", reason="unasked", detail=detail, raw=raw, arrival=item.at, device=item.device)
