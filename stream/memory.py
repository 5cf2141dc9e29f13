"""The stream's ports in memory: the same promises as NATS JetStream's, for tests and the deterministic simulation.

`MemoryServer` is what survives its clients: blocks, incarnation, the window of block ids, the clock. `MemoryStream` is
one client. Both work at once and on the caller's thread; whoever wants delays, losses or time-outs puts them between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stream.port import Done, Entry, Outgoing, Position, StreamError
from telemetry.clock import MICROS, FleetClock, WallClock
from telemetry.identity import PARTITIONS, DeviceKey

DEDUPLICATION = 120 * MICROS
"""A block id is remembered for this long."""
_OVERHEAD = 64
"""Bytes that a block takes beside its data."""


class MemoryServer:
    """Bounded partitions of blocks under one numbering; refuses when full, never discards.

    Args:
        wall: wall time, for the window in which a repeated block id is recognised.
        partitions: fixed.
        max_bytes: beyond it blocks are refused.
    """

    def __init__(self, wall: WallClock, *, partitions: int = PARTITIONS, max_bytes: int = 64 * 1024 * 1024) -> None:
        self.partitions = partitions
        self.max_bytes = max_bytes
        self.up = True
        self.clock: FleetClock | None = None
        self.clock_revision = 0
        self._wall = wall
        self._count = 0
        self._listeners: list[Outgoing] = []
        self._watchers: list[Callable[[FleetClock], None]] = []
        self.recreate()

    def recreate(self) -> None:
        """Delete the stream and make it again: another incarnation, empty, numbered anew."""
        self._count += 1
        self.incarnation = f"memory-{self._count}"
        self._blocks: list[deque[tuple[int, bytes]]] = [deque() for _ in range(self.partitions)]
        self._last = 0
        self._bytes = 0
        self._ids: dict[str, tuple[int, int]] = {}

    def publish(self, partition: int, block_id: str, data: bytes) -> int:
        """Take a block. Returns its seq; of a repeat within the window, that of the first.

        Raises:
            StreamError: the server is down or full.
        """
        self.check()
        now = self._wall()
        self._expire(now)
        if block_id in self._ids:
            return self._ids[block_id][0]
        if self._bytes + len(data) + _OVERHEAD > self.max_bytes:
            raise StreamError(f"the stream is full: {self._bytes} of {self.max_bytes} bytes")
        self._last += 1
        self._bytes += len(data) + _OVERHEAD
        self._blocks[partition].append((self._last, data))
        if block_id:
            self._ids[block_id] = self._last, now
        return self._last

    def read(self, partition: int, after: int, most: int) -> list[tuple[int, bytes]]:
        """Blocks of a partition behind a seq, in order; none while the server is down."""
        if not self.up:
            return []
        found: list[tuple[int, bytes]] = []
        for seq, data in self._blocks[partition]:
            if len(found) >= most:
                break
            if seq > after:
                found.append((seq, data))
        return found

    def purge(self, partition: int, upto: int) -> None:
        """Drop a partition's blocks up to a seq."""
        blocks = self._blocks[partition]
        while blocks and blocks[0][0] <= upto:
            self._bytes -= len(blocks.popleft()[1]) + _OVERHEAD

    @property
    def height(self) -> int:
        """Seq of the newest block of all partitions since the stream was made, or 0."""
        return self._last

    def last(self, partition: int) -> int:
        """Seq of a partition's newest block that is still held, or 0."""
        blocks = self._blocks[partition]
        return blocks[-1][0] if blocks else 0

    def listen(self, heard: Outgoing) -> None:
        """Hear what servers send to devices."""
        self._listeners.append(heard)

    def mute(self, heard: Outgoing) -> None:
        """Hear it no more."""
        self._listeners.remove(heard)

    def send(self, key: DeviceKey, channel: str, payload: bytes) -> None:
        """Pass on to whoever listens now; lost while the server is down."""
        if self.up:
            for heard in list(self._listeners):
                heard(key, channel, payload)

    def put_clock(self, clock: FleetClock) -> None:
        """Keep the clock and tell the watchers. Raises StreamError while the server is down."""
        self.check()
        self.clock = clock
        self.clock_revision += 1
        for heard in list(self._watchers):
            heard(clock)

    def watch_clock(self, heard: Callable[[FleetClock], None]) -> None:
        """Call back with the present clock and every one from now on."""
        if self.clock is not None:
            heard(self.clock)
        self._watchers.append(heard)

    def check(self) -> None:
        """Raise StreamError while the server is down."""
        if not self.up:
            raise StreamError("the stream's server does not answer")

    def _expire(self, now: int) -> None:
        for block_id, (_, at) in list(self._ids.items()):
            if now - at < DEDUPLICATION:
                break
            del self._ids[block_id]


@dataclass(slots=True)
class _Reader:
    position: Position
    generation: int


class MemoryStream:
    """One client: block sink and source, outbox and clock mirror.

    Args:
        server: whose.
    """

    def __init__(self, server: MemoryServer) -> None:
        self._server = server
        self._readers: dict[int, _Reader] = {}
        self._generation = 0
        self._turn = 0

    @property
    def partitions(self) -> int:
        """Of the stream."""
        return self._server.partitions

    # BlockSink

    def publish(self, partition: int, block_id: str, data: bytes, done: Done) -> None:
        """See `BlockSink.publish`; `done` is called before this returns."""
        try:
            self._server.publish(partition, block_id, data)
        except StreamError as error:
            done(error)
        else:
            done(None)

    # BlockSource

    def seek(self, partition: int, position: Position) -> None:
        """See `BlockSource.seek`."""
        self._generation += 1
        self._readers[partition] = _Reader(position, self._generation)

    def unseek(self, partition: int) -> None:
        """See `BlockSource.unseek`."""
        self._readers.pop(partition, None)

    def take(self, timeout: float, most: int) -> list[Entry]:  # noqa: ARG002  (nobody else could fill it meanwhile)
        """See `BlockSource.take`; never waits. Partitions take turns at being first."""
        found: list[Entry] = []
        order = sorted(self._readers)
        self._turn += 1
        for offset in range(len(order)):
            partition = order[(self._turn + offset) % len(order)]
            found += self._read(partition, self._readers[partition], most - len(found))
        return found

    def purge(self, partition: int, position: Position) -> None:
        """See `BlockSource.purge`; a position of another incarnation drops nothing."""
        if self._server.up and position.incarnation == self._server.incarnation:
            self._server.purge(partition, position.seq)

    def _read(self, partition: int, reader: _Reader, most: int) -> list[Entry]:
        incarnation = self._server.incarnation
        if self._server.up and reader.position.incarnation != incarnation:
            reader.position = Position(incarnation, 0)
        found = [
            Entry(partition, incarnation, seq, data, reader.generation)
            for seq, data in self._server.read(partition, reader.position.seq, most)
        ]
        if found:
            reader.position = Position(incarnation, found[-1].seq)
        return found

    # Outbox

    def send(self, key: DeviceKey, channel: str, payload: bytes) -> None:
        """See `Outbox.send`."""
        self._server.send(key, channel, payload)

    def send_many(self, messages: Sequence[tuple[DeviceKey, str, bytes]]) -> None:
        """See `Outbox.send_many`."""
        for key, channel, payload in messages:
            self._server.send(key, channel, payload)

    def hear(self, heard: Outgoing) -> None:
        """Call back with everything that servers send to devices (ingest relays it)."""
        self._server.listen(heard)

    # ClockMirror

    def put_clock(self, clock: FleetClock) -> None:
        """See `ClockMirror.put_clock`. Raises StreamError while the server is down."""
        self._server.put_clock(clock)

    def mirrored(self) -> tuple[FleetClock | None, int]:
        """See `ClockMirror.mirrored`. Raises StreamError while the server is down."""
        self._server.check()
        return self._server.clock, self._server.clock_revision

    def replace_clock(self, clock: FleetClock, revision: int) -> bool:
        """See `ClockMirror.replace_clock`. Raises StreamError while the server is down."""
        if self.mirrored()[1] != revision:
            return False
        self._server.put_clock(clock)
        return True

    def watch_clock(self, heard: Callable[[FleetClock], None]) -> None:
        """See `ClockMirror.watch_clock`."""
        self._server.watch_clock(heard)

    def close(self) -> None:
        """Leave."""
        self._readers.clear()
