"""What one transaction of a worker writes, and what it reads back: plain rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from storage.registry import DeviceRow
from telemetry.cohort import CohortSummary
from telemetry.control import ControlEntry
from telemetry.finding import Finding
from telemetry.identity import DeviceKey
from telemetry.progress import Progress


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One code of a message with events; times in microseconds."""

    device: int
    kind: str
    t: int
    epoch: int
    seq: int
    sub: int
    code: str
    arrival: int
    late: bool


@dataclass(frozen=True, slots=True)
class SeqRange:
    """Seqs `low` to `high` of a device's epoch, both ends included."""

    device: int
    epoch: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it stands in the database; `values` in catalogue order, float32, NaN where absent.

    Attributes:
        device: number of the device.
        kind: of the device; names the table.
        epoch: spool epoch.
        seq: place in it.
        arrival: fleet time, microseconds.
        phase: or None.
        t: event times, microseconds, shape (n,).
        values: shape (n, channels).
        events: codes.
        late: came after it was declared lost: stored, never observed.
    """

    device: int
    kind: str
    epoch: int
    seq: int
    arrival: int
    phase: str | None
    t: NDArray[np.int64]
    values: NDArray[np.float32]
    events: tuple[str, ...] = ()
    late: bool = False

    def event_rows(self) -> list[StoredEvent]:
        """One row a code."""
        at = int(self.t[0])
        return [
            StoredEvent(self.device, self.kind, at, self.epoch, self.seq, sub, code, self.arrival, self.late)
            for sub, code in enumerate(self.events)
        ]


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one kind on their way into its table: columns with one element a row.

    Attributes:
        kind: names the table.
        device: numbers of devices, int32.
        t: event times, int64 microseconds.
        epoch: int64.
        seq: int64.
        sub: place in the message, int16.
        arrival: int64 microseconds.
        phase: points into `words`, -1 is none.
        late: came after it was declared lost.
        values: float32, shape (rows, channels), in catalogue order; NaN where absent.
        words: phases.
    """

    kind: str
    device: NDArray[np.int32]
    t: NDArray[np.int64]
    epoch: NDArray[np.int64]
    seq: NDArray[np.int64]
    sub: NDArray[np.int16]
    arrival: NDArray[np.int64]
    phase: NDArray[np.int16]
    late: NDArray[np.bool_]
    values: NDArray[np.float32]
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.seq)


@dataclass(slots=True)
class Replay:
    """What detectors observe again.

    Attributes:
        readings: by device, epoch, seq and sub.
        events: in the same order.
    """

    readings: Readings
    events: list[StoredEvent]

    def events_of(self, device: int) -> Iterator[StoredEvent]:
        """Those of one device."""
        return (event for event in self.events if event.device == device)


def to_messages(columns: Iterable[Readings], events: Iterable[StoredEvent]) -> Iterator[StoredMessage]:
    """The messages that readings and events belong to; those of events alone come last, without columns."""
    codes: dict[tuple[str, int, int, int], list[StoredEvent]] = {}
    for event in events:
        codes.setdefault((event.kind, event.device, event.epoch, event.seq), []).append(event)
    for readings in columns:
        if not len(readings):
            continue
        # The rows of a message stand together.
        whole = readings.device, readings.epoch, readings.seq
        other = np.logical_or.reduce([column[1:] != column[:-1] for column in whole])
        begins = np.concatenate([[0], np.flatnonzero(other) + 1])
        told = (*whole, readings.arrival, readings.phase, readings.late)
        rows = zip(begins.tolist(), [*begins[1:].tolist(), len(readings)], strict=True)
        firsts = zip(*(column[begins].tolist() for column in told), strict=True)
        for (begin, end), (device, epoch, seq, arrival, phase, late) in zip(rows, firsts, strict=True):
            yield StoredMessage(
                device=device,
                kind=readings.kind,
                epoch=epoch,
                seq=seq,
                arrival=arrival,
                phase=None if phase < 0 else readings.words[phase],
                t=readings.t[begin:end].copy(),
                values=readings.values[begin:end].copy(),
                events=tuple(e.code for e in codes.pop((readings.kind, device, epoch, seq), [])),
                late=late,
            )
    for (kind, device, epoch, seq), alone in codes.items():
        first = alone[0]
        yield StoredMessage(
            device=device,
            kind=kind,
            epoch=epoch,
            seq=seq,
            arrival=first.arrival,
            phase=None,
            t=np.array([first.t], dtype=np.int64),
            values=np.empty((0, 0), dtype=np.float32),
            events=tuple(e.code for e in alone),
            late=first.late,
        )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be stored as readings."""

    partition: int
    incarnation: str
    stream_seq: int
    position_in_block: int
    device: DeviceKey | None
    topic: str | None
    reason: str
    detail: str
    raw: bytes
    epoch: int | None
    seq: int | None
    base: int | None
    arrival: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Sequence numbers that will never come."""

    device: int
    epoch: int
    from_seq: int
    to_seq: int
    at: int
    why: str


@dataclass(frozen=True, slots=True)
class ControlEffect:
    """After which message a control entry took effect.

    Attributes:
        id: of the entry.
        epoch: of the last message observed before.
        seq: likewise.
        order: its place among several there.
        device: number of the device.
        entry: what it says, for a database that was restored from before it was entered.
    """

    id: str
    epoch: int
    seq: int
    order: int
    device: int
    entry: ControlEntry


@dataclass(frozen=True, slots=True)
class StoredControl:
    """A control entry with its effect, for replay."""

    id: str
    kind: str
    at: int
    body: dict[str, object]
    epoch: int
    seq: int
    order: int


class Observed(msgspec.Struct, frozen=True, gc=False):
    """How far a device was observed, and what that says of its health."""

    device: int
    epoch: int
    seq: int
    last_t: int | None
    last_arrival: int
    health: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State of a device's detectors after `(epoch, seq)`."""

    device: int
    epoch: int
    seq: int
    version: str
    state: bytes


@dataclass(frozen=True, slots=True)
class DetectorError:
    """A detector failed on a message."""

    device: int
    epoch: int
    seq: int
    at: int
    error: str


@dataclass(frozen=True, slots=True)
class Move:
    """A partition's position moves from old to new, or the transaction fails."""

    partition: int
    old_incarnation: str
    old_seq: int
    incarnation: str
    seq: int


@dataclass(frozen=True, slots=True)
class Reported:
    """A revision of a finding, with the device and the arrival that brought it about."""

    device: DeviceRow
    finding: Finding
    arrival: int


@dataclass(frozen=True, slots=True)
class HeldReading:
    """A reading of a device without a spool that waits for those before it.

    Attributes:
        device: its number.
        t: event time, microseconds.
        arrival: fleet time of arrival, microseconds.
        q: channel to number, as observed (float32).
    """

    device: int
    t: int
    arrival: int
    q: dict[str, float]


@dataclass(frozen=True, slots=True)
class FirmwareSpell:
    """A device runs a version from one of its messages on.

    Attributes:
        device: its number.
        epoch: of the first message that is known to have come from it.
        seq: likewise.
        since: event time of that message, microseconds.
        version: as the device says it.
    """

    device: int
    epoch: int
    seq: int
    since: int
    version: str

    @property
    def place(self) -> tuple[int, int]:
        """Of its first message in the device's own order."""
        return self.epoch, self.seq


@dataclass(slots=True)
class Batch:
    """All that one transaction writes.

    `summaries` are what devices tell of themselves, by number, with their arrival in fleet microseconds; the desk takes
    them. `held` are readings that begin to wait, or wait with more channels; `released` those that wait no longer.
    `firmware` are whole histories of devices that have said something new.
    """

    moves: list[Move] = field(default_factory=list)
    readings: list[Readings] = field(default_factory=list)
    events: list[StoredEvent] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    progress: dict[tuple[int, int], Progress] = field(default_factory=dict)
    strangers: dict[tuple[DeviceKey, int], Progress] = field(default_factory=dict)
    lost: list[Lost] = field(default_factory=list)
    observed: dict[int, Observed] = field(default_factory=dict)
    findings: list[Reported] = field(default_factory=list)
    controls: list[ControlEffect] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    errors: list[DetectorError] = field(default_factory=list)
    summaries: dict[int, tuple[CohortSummary, int]] = field(default_factory=dict)
    held: dict[tuple[int, int], HeldReading] = field(default_factory=dict)
    released: list[tuple[int, int]] = field(default_factory=list)
    firmware: dict[int, tuple[FirmwareSpell, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class DeviceHistory:
    """All that a worker loads of a device when it first hears of it.

    `entries`: so many control entries are in the snapshot; None where it holds all of its own place and before.
    """

    progress: list[Progress]
    lost: dict[int, list[tuple[int, int]]]
    observed: Observed | None
    snapshot: Snapshot | None
    open_families: set[str]
    entries: int | None = None
    held: list[HeldReading] = field(default_factory=list)
    firmware: list[FirmwareSpell] = field(default_factory=list)
