"""NATS JetStream behind the ports of this package; nats-py's coroutines are sealed in here and in `nats_reader`."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, KeyValueConfig, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import BadRequestError, KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from stream.loop import LoopThread
from stream.nats_publish import BlockPublisher
from stream.nats_reader import PartitionReaders
from stream.port import BLOCK_SUBJECT, OUT_SUBJECT, STREAM, Done, Entry, Outgoing, Position, StreamError
from telemetry.clock import FleetClock
from telemetry.identity import DeviceKey

log = structlog.get_logger()

T = TypeVar("T")

CLOCK_BUCKET = "wk_clock"
_CLOCK_KEY = "clock"
_PARTITIONS = "partitions"
_CALL_TIMEOUT = 10.0
_PUBLISH_TIMEOUT = 5.0
# A worker's hot path waits for it.
_PURGE_TIMEOUT = 1.0
_CLOCK_POLL = 0.2
_DEDUPLICATION = 120.0
MANY_SUBJECT = f"{OUT_SUBJECT}.many"
"""Many messages to devices at once: MessagePack, a list of device, channel and payload."""
_MANY = 2_000
_RELAYS = "relays"
_encode_many = msgspec.msgpack.Encoder().encode
_decode_many = msgspec.msgpack.Decoder(list[tuple[DeviceKey, str, bytes]]).decode
_UNANSWERED = (NatsError, OSError, TimeoutError, concurrent.futures.TimeoutError, concurrent.futures.CancelledError)
_clock_decode = msgspec.json.Decoder(tuple[int, int, int, float]).decode


class NatsStream:
    """One connection to NATS: block sink and source, outbox and clock mirror.

    Args:
        url: `nats://user:password@host:port`, several by commas.
        name: shown in the server's monitoring.
        partitions: fixed when the stream is created; afterwards its own number counts, whatever is said here.
        max_bytes: the stream refuses beyond it; it never discards old blocks.
        replicas: 1 embedded, 3 on a cluster.

    Raises:
        StreamError: the server does not answer within ten seconds.
    """

    def __init__(
        self, url: str, *, name: str, partitions: int = 16, max_bytes: int = 2 * 1024**3, replicas: int = 1
    ) -> None:
        self.partitions = partitions
        self._max_bytes = max_bytes
        self._replicas = replicas
        self._thread = LoopThread(f"nats-{name}")
        self._client = Client()
        self._js: JetStreamContext = self._client.jetstream(timeout=_PUBLISH_TIMEOUT)
        self._readers = PartitionReaders(self._thread, self._client, self._js, self._open)
        self._publisher = BlockPublisher(self._thread, self._client, _PUBLISH_TIMEOUT)
        self._clock_watch: concurrent.futures.Future[None] | None = None
        self._closing = False
        try:
            self._thread.call(self._connect(url, name), _CALL_TIMEOUT)
        except _UNANSWERED as cause:
            self._thread.close()
            raise StreamError(f"the stream's server did not answer at {_safe(url)}: {cause!r}") from cause

    async def _connect(self, url: str, name: str) -> None:
        async def reconnected() -> None:
            log.info("stream reconnected")
            self._readers.reopen()

        async def disconnected() -> None:
            if not self._closing:
                log.warning("stream disconnected")

        async def failed(error: Exception) -> None:
            log.debug("stream client", error=repr(error))

        await self._client.connect(
            url.split(","),
            name=name,
            reconnected_cb=reconnected,
            disconnected_cb=disconnected,
            error_cb=failed,
            reconnect_time_wait=0.2,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            connect_timeout=2,
            ping_interval=5,
            max_outstanding_pings=2,
            pending_size=64 * 1024 * 1024,
        )
        info = await self._find()
        told = (info.config.metadata or {}).get(_PARTITIONS)
        if told is not None and int(told) != self.partitions:
            log.warning("the stream's own number of partitions counts", told=self.partitions, found=int(told))
            self.partitions = int(told)
        await self._publisher.start()

    async def _open(self) -> str:
        """Make sure that the stream is there. Returns its incarnation."""
        return incarnation_of(await self._find())

    async def _find(self) -> StreamInfo:
        try:
            return await self._js.stream_info(STREAM)
        except NotFoundError:
            return await self._create()

    async def _create(self) -> StreamInfo:
        config = StreamConfig(
            name=STREAM,
            subjects=[f"{BLOCK_SUBJECT}.*"],
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            max_bytes=self._max_bytes,
            num_replicas=self._replicas,
            duplicate_window=_DEDUPLICATION,
            metadata={_PARTITIONS: str(self.partitions)},
        )
        try:
            return await self._js.add_stream(config)
        except BadRequestError:
            # Another process created it in the same moment.
            return await self._js.stream_info(STREAM)

    def ask(self, work: Callable[[Client, JetStreamContext], Coroutine[Any, Any, T]], timeout: float = 5.0) -> T:
        """Run a coroutine on the connection and wait for it; for the other files of this package.

        Raises:
            StreamError: the server does not answer within `timeout` seconds, or refuses.
        """
        try:
            return self._thread.call(work(self._client, self._js), timeout)
        except _UNANSWERED as cause:
            raise StreamError(f"the stream did not answer: {cause!r}") from cause

    def begin(self, work: Callable[[Client, JetStreamContext], Coroutine[Any, Any, None]]) -> None:
        """Likewise, beside the caller and without an answer."""
        if not self._closing:
            self._thread.start(work(self._client, self._js))

    def max_payload(self) -> int:
        """Largest message the server takes, in bytes."""
        return int(self._client.max_payload)

    # BlockSink

    def publish(self, partition: int, block_id: str, data: bytes, done: Done) -> None:
        """See `BlockSink.publish`; `done` is called on the stream's thread."""
        self._publisher.publish(partition, block_id, data, done)

    # BlockSource

    def seek(self, partition: int, position: Position) -> None:
        """See `BlockSource.seek`."""
        self._readers.seek(partition, position)

    def unseek(self, partition: int) -> None:
        """See `BlockSource.unseek`."""
        self._readers.unseek(partition)

    def take(self, timeout: float, most: int) -> list[Entry]:
        """See `BlockSource.take`."""
        return self._readers.take(timeout, most)

    def purge(self, partition: int, position: Position) -> None:
        """See `BlockSource.purge`; a failure is harmless: the next purge covers it."""

        async def drop() -> None:
            if self._client.is_connected and await self._open() == position.incarnation:
                await self._js.purge_stream(STREAM, seq=position.seq + 1, subject=f"{BLOCK_SUBJECT}.{partition}")

        try:
            self._thread.call(drop(), _PURGE_TIMEOUT)
        except _UNANSWERED as error:
            log.info("purge put off", partition=partition, error=repr(error))

    # Outbox

    def send(self, key: DeviceKey, channel: str, payload: bytes) -> None:
        """See `Outbox.send`."""
        self.send_many([(key, channel, payload)])

    def send_many(self, messages: Sequence[tuple[DeviceKey, str, bytes]]) -> None:
        """See `Outbox.send_many`."""

        async def publish() -> None:
            if not self._client.is_connected:
                return
            if len(messages) == 1:
                key, channel, payload = messages[0]
                await self._client.publish(f"{OUT_SUBJECT}.{key.org}.{key.device}.{channel}", payload)
                return
            # A thousand receipts a second, one message each, cost sender and hearer as much as the readings do.
            for at in range(0, len(messages), _MANY):
                await self._client.publish(MANY_SUBJECT, _encode_many(messages[at : at + _MANY]))

        if messages:
            self._thread.start(publish())

    def hear(self, heard: Outgoing) -> None:
        """Call back with everything that servers send to devices (ingest relays it)."""

        async def relay(msg: Msg) -> None:
            parts = msg.subject.split(".")
            heard(DeviceKey(parts[2], parts[3]), parts[4], msg.data)

        async def relay_many(msg: Msg) -> None:
            for key, channel, payload in _decode_many(msg.data):
                heard(key, channel, payload)

        async def subscribe() -> None:
            # Of several ingest processes one relays: all publish to the same broker.
            await self._client.subscribe(f"{OUT_SUBJECT}.*.*.*", queue=_RELAYS, cb=relay)
            await self._client.subscribe(MANY_SUBJECT, queue=_RELAYS, cb=relay_many)
            await self._client.flush()  # from here on the server knows

        self._thread.call(subscribe(), _CALL_TIMEOUT)

    # ClockMirror

    def put_clock(self, clock: FleetClock) -> None:
        """See `ClockMirror.put_clock`.

        Raises:
            StreamError: the server does not answer.
        """

        async def put(_client: Client, js: JetStreamContext) -> None:
            await (await self._clocks(js)).put(_CLOCK_KEY, _encode_clock(clock))

        self.ask(put, _CALL_TIMEOUT)

    def mirrored(self) -> tuple[FleetClock | None, int]:
        """See `ClockMirror.mirrored`."""

        async def get(_client: Client, js: JetStreamContext) -> tuple[FleetClock | None, int]:
            try:
                entry = await (await self._clocks(js)).get(_CLOCK_KEY)
            except KeyNotFoundError:
                return None, 0
            return decode_clock(entry.value or b""), entry.revision or 0

        return self.ask(get, _PUBLISH_TIMEOUT)

    def replace_clock(self, clock: FleetClock, revision: int) -> bool:
        """See `ClockMirror.replace_clock`."""

        async def replace(_client: Client, js: JetStreamContext) -> bool:
            try:
                await (await self._clocks(js)).update(_CLOCK_KEY, _encode_clock(clock), last=revision)
            except KeyWrongLastSequenceError:
                return False
            return True

        return self.ask(replace, _PUBLISH_TIMEOUT)

    async def _clocks(self, js: JetStreamContext) -> KeyValue:
        try:
            return await js.key_value(CLOCK_BUCKET)
        except NotFoundError:
            config = KeyValueConfig(bucket=CLOCK_BUCKET, history=1, replicas=self._replicas)
            return await js.create_key_value(config)

    def watch_clock(self, heard: Callable[[FleetClock], None]) -> None:
        """See `ClockMirror.watch_clock`. It asks every 0.2 s: a change takes effect at least a second ahead."""

        async def watch() -> None:
            last: bytes | None = None
            while True:
                try:
                    bucket = await self._js.key_value(CLOCK_BUCKET)
                    data = (await bucket.get(_CLOCK_KEY)).value
                except (NotFoundError, KeyNotFoundError, NatsError, OSError, TimeoutError):
                    data = last
                if data is not None and data != last:
                    last = data
                    heard(decode_clock(data))
                await asyncio.sleep(_CLOCK_POLL)

        self._clock_watch = self._thread.start(watch())

    def close(self) -> None:
        """Send what is buffered and leave."""
        self._closing = True
        self._readers.close()

        async def leave() -> None:
            await self._publisher.close()
            if self._client.is_connected:
                await self._client.flush(2)
            await self._client.close()

        try:
            self._thread.call(leave(), _CALL_TIMEOUT)
        except _UNANSWERED as error:
            log.info("stream left in haste", error=repr(error))
        finally:
            self._thread.close()


def incarnation_of(info: StreamInfo) -> str:
    """What tells a stream from another one of its name that was there before."""
    return info.created.isoformat() if info.created is not None else ""


def decode_clock(data: bytes) -> FleetClock:
    """A revision as `put_clock` mirrors it."""
    return FleetClock(*_clock_decode(data))


def _encode_clock(clock: FleetClock) -> bytes:
    return msgspec.json.encode((clock.rev, clock.wall, clock.fleet, clock.speed))


def _safe(url: str) -> str:
    """The address without its password."""
    return url.rsplit("@", 1)[-1]
