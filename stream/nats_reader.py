"""Reads partitions from given positions: one ephemeral push consumer each, opened anew after every trouble.

nats-py's own fetch holds a half-filled batch until its deadline, and its ordered consumer stalls for 15 s after a
server was killed; hence the consumer, its heartbeat and its gap check are ours.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from stream.loop import LoopThread
from stream.port import BLOCK_SUBJECT, STREAM, Entry, Position

log = structlog.get_logger()

_HEARTBEAT = 1.0
_SILENCE = 3.0
_STATUS_CONTROL = "100"
_INACTIVE = 30.0
_RETRY = 0.1
_BUFFER_BYTES = 64 * 1024 * 1024
_GATHER = 0.02
"""Seconds that a busy reader waits for the blocks behind the first: what is taken together is one transaction."""
_BUSY = 4
_BUFFER_WAIT = 0.02


@dataclass(slots=True)
class _Reader:
    partition: int
    position: Position
    generation: int
    task: asyncio.Task[None] | None = None


class PartitionReaders:
    """Fills a bounded buffer from the partitions that were sought."""

    def __init__(
        self,
        thread: LoopThread,
        client: Client,
        js: JetStreamContext,
        incarnation: Callable[[], Awaitable[str]],
    ) -> None:
        self._thread = thread
        self._client = client
        self._js = js
        self._incarnation = incarnation
        self._readers: dict[int, _Reader] = {}
        self._ready = threading.Condition()
        self._buffer: deque[Entry] = deque()
        self._bytes = 0
        self._taken = 0
        self._generation = 0

    def seek(self, partition: int, position: Position) -> None:
        """Forget what is buffered of a partition and read it from behind the position."""
        with self._ready:
            self._generation += 1
            reader = _Reader(partition, position, self._generation)
            self._drop(partition)
            old = self._readers.get(partition)
            self._readers[partition] = reader

        def start() -> None:
            if old is not None and old.task is not None:
                old.task.cancel()
            reader.task = self._thread.loop.create_task(self._run(reader))

        self._thread.loop.call_soon_threadsafe(start)

    def unseek(self, partition: int) -> None:
        """Read a partition no more and forget what is buffered of it."""
        with self._ready:
            old = self._readers.pop(partition, None)
            self._drop(partition)

        def stop() -> None:
            if old is not None and old.task is not None:
                old.task.cancel()

        self._thread.loop.call_soon_threadsafe(stop)

    def take(self, timeout: float, most: int) -> list[Entry]:
        """Entries in order within a partition; waits for the first one, and when busy a little for those behind it."""
        with self._ready:
            if self._ready.wait_for(lambda: bool(self._buffer), timeout) and self._taken >= _BUSY:
                self._ready.wait_for(lambda: len(self._buffer) >= most, _GATHER)
            taken = [self._buffer.popleft() for _ in range(min(most, len(self._buffer)))]
            self._bytes -= sum(len(entry.data) for entry in taken)
            if taken:
                self._taken = len(taken)
            return taken

    def _drop(self, partition: int) -> None:
        kept = [entry for entry in self._buffer if entry.partition != partition]
        self._bytes = sum(len(entry.data) for entry in kept)
        self._buffer = deque(kept)

    def reopen(self) -> None:
        """Open every consumer anew; called on the loop after a reconnect."""
        for reader in list(self._readers.values()):
            if reader.task is not None:
                reader.task.cancel()
            reader.task = self._thread.loop.create_task(self._run(reader))

    def close(self) -> None:
        """Stop reading."""

        def stop() -> None:
            for reader in list(self._readers.values()):
                if reader.task is not None:
                    reader.task.cancel()

        self._thread.loop.call_soon_threadsafe(stop)

    async def _run(self, reader: _Reader) -> None:
        while True:
            try:
                await self._read(reader)
            except (TimeoutError, NatsError, OSError) as error:
                log.debug("partition is opened anew", partition=reader.partition, error=repr(error))
                await asyncio.sleep(_RETRY)

    async def _read(self, reader: _Reader) -> None:
        """Read until the stream is another one, an entry is missing or the heartbeat stops."""
        incarnation = await self._incarnation()
        if incarnation != reader.position.incarnation:
            reader.position = Position(incarnation, 0)
        session = _Session(reader, incarnation, asyncio.get_running_loop())

        async def receive(message: Msg) -> None:
            if not session.ended.done():
                await self._receive(session, message)

        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox, cb=receive)
        try:
            await self._js.add_consumer(
                STREAM,
                ConsumerConfig(
                    name=f"r{reader.partition}-{uuid.uuid4().hex}",
                    deliver_subject=inbox,
                    deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                    opt_start_seq=reader.position.seq + 1,
                    ack_policy=AckPolicy.NONE,
                    filter_subject=f"{BLOCK_SUBJECT}.{reader.partition}",
                    flow_control=True,
                    idle_heartbeat=_HEARTBEAT,
                    inactive_threshold=_INACTIVE,
                    mem_storage=True,
                    num_replicas=1,
                ),
            )
            while not session.ended.done():
                await asyncio.wait({session.ended}, timeout=_HEARTBEAT)
                session.check()
        finally:
            session.end()
            if self._client.is_connected:
                await subscription.unsubscribe()

    async def _receive(self, session: _Session, message: Msg) -> None:
        """Take one message on the subscription's own task: a queue and a timer for each would cost as much again."""
        session.seen = session.loop.time()
        if message.headers is not None and message.headers.get("Status") == _STATUS_CONTROL:
            # A heartbeat says how far the server has come; flow control wants an answer once we are there.
            if message.reply:
                await self._client.publish(message.reply)
            last = message.headers.get("Nats-Last-Consumer")
            missed = last is not None and int(last) != session.delivered
        else:
            sequence = message.metadata.sequence
            missed = sequence.consumer != session.delivered + 1
            if not missed:
                session.delivered = sequence.consumer
                await self._put(session, sequence.stream, message.data)
        if missed:
            reader = session.reader
            log.info("entries were missed; reading anew", partition=reader.partition, at=reader.position.seq)
            session.end()

    async def _put(self, session: _Session, seq: int, data: bytes) -> None:
        session.full = True
        while self._bytes > _BUFFER_BYTES:  # noqa: ASYNC110  (the buffer is emptied by another thread)
            await asyncio.sleep(_BUFFER_WAIT)
        session.full = False
        session.seen = session.loop.time()
        reader = session.reader
        if session.ended.done():
            return
        entry = Entry(reader.partition, session.incarnation, seq, data, reader.generation)
        with self._ready:
            current = self._readers.get(entry.partition)
            if current is not None and current.generation == entry.generation:
                self._buffer.append(entry)
                self._bytes += len(entry.data)
                self._ready.notify()
        reader.position = Position(session.incarnation, seq)


class _Session:
    """One consumer's life."""

    def __init__(self, reader: _Reader, incarnation: str, loop: asyncio.AbstractEventLoop) -> None:
        self.reader = reader
        self.incarnation = incarnation
        self.loop = loop
        self.delivered = 0
        self.seen = loop.time()
        self.full = False
        self.ended: asyncio.Future[None] = loop.create_future()

    def check(self) -> None:
        """Raise TimeoutError when not even a heartbeat came; a full buffer is our own silence."""
        if not self.full and self.loop.time() - self.seen > _SILENCE:
            raise TimeoutError

    def end(self) -> None:
        """Take nothing more."""
        if not self.ended.done():
            self.ended.set_result(None)
