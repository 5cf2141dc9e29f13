"""What the product asks of a stream, whoever serves it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from telemetry.clock import FleetClock
from telemetry.errors import WellkeptError
from telemetry.identity import DeviceKey

STREAM = "WK_BLOCKS"
BLOCK_SUBJECT = "wk.block"
OUT_SUBJECT = "wk.out"
EVENTS = "WK_EVENTS"
EVENT_SUBJECT = "wk.events"
Done = Callable[[Exception | None], None]
"""Called once when the stream has a block (None), or could not take it."""
Outgoing = Callable[[DeviceKey, str, bytes], None]
"""Called with device, channel (`receipt`, `command`) and payload."""


class StreamError(WellkeptError):
    """The stream cannot be reached or refuses; the cause is kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One block as it lies in a partition.

    Attributes:
        partition: which.
        incarnation: of the stream; another one starts numbering anew.
        seq: place in the stream.
        data: the block's bytes.
        generation: of the reader's last `seek`; older entries are to be ignored.
    """

    partition: int
    incarnation: str
    seq: int
    data: bytes
    generation: int


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a partition is committed. `seq` 0 of an empty incarnation means from the first."""

    incarnation: str
    seq: int


@dataclass(frozen=True, slots=True)
class Record:
    """A value in the bucket of leases, with the revision of its last write."""

    revision: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """A compare-and-set.

    Attributes:
        key: letters, digits, `_`, `-` and dots between.
        value: new.
        revision: that the key must have, 0 for none.
    """

    key: str
    value: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Event:
    """A change as other systems are told of it.

    Attributes:
        org: whose; it is heard on `wk.events.{org}.{kind}`.
        kind: ticket, visit, …
        id: the same when it is told again.
        body: what is told.
        media_type: of the body.
    """

    org: str
    kind: str
    id: str
    body: bytes
    media_type: str


class EventSink(Protocol):
    """Where changes are told."""

    def tell(self, events: Sequence[Event]) -> None:
        """Tell, in order; returns when the server has all of them. A repeat is told once to who reads the stream.

        Raises:
            StreamError: not all of them were taken; the same may be told again.
        """
        ...


class BlockSink(Protocol):
    """Where ingest publishes."""

    def publish(self, partition: int, block_id: str, data: bytes, done: Done) -> None:
        """Hand over a block; the id, unless empty, makes a repeat within two minutes harmless."""
        ...


class BlockSource(Protocol):
    """Where a worker reads."""

    def seek(self, partition: int, position: Position) -> None:
        """Read a partition from behind a position, or from its first entry when the incarnation is another."""
        ...

    def unseek(self, partition: int) -> None:
        """Read a partition no more and forget what was read of it."""
        ...

    def take(self, timeout: float, most: int) -> list[Entry]:
        """Wait up to `timeout` seconds for entries; in order within a partition."""
        ...

    def purge(self, partition: int, position: Position) -> None:
        """Drop what lies up to the position."""
        ...


class Outbox(Protocol):
    """How servers reach devices."""

    def send(self, key: DeviceKey, channel: str, payload: bytes) -> None:
        """Send on its way once; a lost one is repeated by its owner's rules."""
        ...

    def send_many(self, messages: Sequence[tuple[DeviceKey, str, bytes]]) -> None:
        """Send several `(device, channel, payload)` at the price of one."""
        ...


class LeaseStore(Protocol):
    """Membership and leases: few small records, changed by compare-and-set."""

    def read_records(self) -> dict[str, Record]:
        """All records.

        Raises:
            StreamError: no answer.
        """
        ...

    def write_records(self, writes: Sequence[Write]) -> list[int | None]:
        """Carry out writes side by side. Returns each new revision, or None where another one had come first.

        Raises:
            StreamError: not all were answered; which of them took effect is not known.
        """
        ...


class ClockMirror(Protocol):
    """The fleet clock as the stream mirrors it."""

    def put_clock(self, clock: FleetClock) -> None:
        """Mirror a revision."""
        ...

    def mirrored(self) -> tuple[FleetClock | None, int]:
        """What is mirrored, with its revision in the mirror; 0 for nothing.

        Raises:
            StreamError: no answer.
        """
        ...

    def replace_clock(self, clock: FleetClock, revision: int) -> bool:
        """Mirror a clock if the mirror still has that revision. Returns whether it had.

        Raises:
            StreamError: no answer.
        """
        ...

    def watch_clock(self, heard: Callable[[FleetClock], None]) -> None:
        """Call back with every revision from now on, the present one first."""
        ...
