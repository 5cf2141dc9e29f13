"""What a worker remembers of a device between blocks; thrown away whenever a transaction is in doubt."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeAlias

from detectors.engine import DeviceDetector
from storage.registry import DeviceRow
from storage.telemetry_rows import FirmwareSpell, Lost, StoredMessage
from telemetry.identity import DeviceKey
from telemetry.progress import Progress
from worker.hold import Hold
from worker.run import Told

_WAITING = 256


@dataclass(slots=True)
class Rows:
    """Messages of the present batch, one behind the other, of one epoch and phase and without events.

    Attributes:
        seq: of the last one.
        starts: where each message's readings begin in the batch's columns.
        counts: how many readings each has.
    """

    epoch: int
    seq: int
    phase: str | None
    starts: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Loss:
    """Everything up to here that was not observed will never come."""

    epoch: int
    seq: int


Ready: TypeAlias = Rows | StoredMessage | Loss


@dataclass(slots=True)
class DeviceMemory:
    """One device of an owned partition.

    Attributes:
        row: its registration.
        detector: all its detectors, fed up to `(epoch, seq)`.
        progress: settled sequence numbers by epoch.
        lost: declared lost, by epoch, ascending.
        epoch: of the last observed message; 0 before the first.
        seq: of the last observed message, or the last seq passed over.
        last_t: event time of the last observed reading.
        open_families: families with an open episode.
        failed: a detector failed on this device; readings are stored, health is unknown.
        waiting: stored messages beyond a gap; between batches the newest `_WAITING` of them, others are read back.
        ready: what is gapless and was not yet shown to the detector; empty between batches.
        told: what its detector was told in this batch; empty between batches.
        live: progress of `epoch`, None before the first message.
        open: the rows at the end of `ready`, if it ends with some.
        batch: number of the last batch that touched it.
        since_snapshot: messages observed since the last snapshot.
        told_day: of the newest summary that was handed out since this memory began.
        hold: of a device without a spool, from its first message on.
        firmware: the versions that it said of itself, in its own order.
    """

    row: DeviceRow
    detector: DeviceDetector
    progress: dict[int, Progress] = field(default_factory=dict)
    lost: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    epoch: int = 0
    seq: int = 0
    last_t: int | None = None
    last_arrival: int = 0
    open_families: set[str] = field(default_factory=set)
    failed: bool = False
    waiting: OrderedDict[tuple[int, int], StoredMessage] = field(default_factory=OrderedDict)
    ready: list[Ready] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    live: Progress | None = None
    open: Rows | None = None
    batch: int = 0
    key: DeviceKey = field(init=False)
    since_snapshot: int = 0
    told_day: int = -1
    hold: Hold | None = None
    firmware: list[FirmwareSpell] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = self.row.key

    def remember(self, message: StoredMessage) -> None:
        """Keep a message until it can be observed. Within a batch none makes room: it cannot be read back yet."""
        self.waiting[message.epoch, message.seq] = message

    def trim(self) -> None:
        """At the end of a batch the oldest waiting ones make room."""
        while len(self.waiting) > _WAITING:
            self.waiting.popitem(last=False)

    def declare_lost(self, epoch: int, ranges: list[tuple[int, int]], at: int, why: str) -> list[Lost]:
        """Record what will never come."""
        self.lost.setdefault(epoch, []).extend(ranges)
        return [Lost(self.row.no, epoch, low, high, at, why) for low, high in ranges]

    def is_lost(self, epoch: int, seq: int) -> bool:
        """Whether a seq was declared lost (and may still arrive late)."""
        return any(low <= seq <= high for low, high in self.lost.get(epoch, ()))

    def health(self) -> str:
        """Health as of the last observation; a gap that waits is unknown."""
        progress = self.progress.get(self.epoch)
        if self.failed or (progress is not None and progress.beyond):
            return "unknown"
        return "faulty" if self.open_families else "ok"
