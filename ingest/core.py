"""The core of ingest: messages and time in, blocks and acknowledgements out; no thread, socket or clock.

An acknowledgement belongs to the connection that delivered the message: after a reconnect the broker counts packet
ids anew, and an old one would acknowledge another message, which would then never come again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from telemetry.block import BlockBuilder, Reject
from telemetry.clock import ClockTrack, FleetClock
from telemetry.errors import WellkeptError, WireError
from telemetry.identity import DeviceKey, partition_of
from telemetry.message import MAX_MESSAGE_BYTES, Envelope, decode_envelope, read_identity
from telemetry.topics import Channel, parse_topic

MAX_AGE = 0.25
_MIN_AGE = 0.02
_FULL_AGE_MESSAGES = 8
_MAX_MESSAGES = 512
_RETRY = 0.2
_RATE_WINDOW = 1.0


class WindowTooSmallError(WellkeptError):
    """The broker's in-flight window cannot carry the configured rate."""


def check_window(window: int, rate: float) -> None:
    """Refuse a broker whose in-flight window caps throughput below the rate.

    Args:
        window: messages in flight to one client.
        rate: messages a second to carry.

    Raises:
        WindowTooSmallError: names both numbers and the mend.
    """
    # A message stays in flight for the age of its block and the way to the stream and back.
    carried = window / (MAX_AGE + _RETRY)
    if carried < rate:
        raise WindowTooSmallError(
            f"the broker keeps {window} messages in flight, which carries {carried:.0f}/s; {rate:.0f}/s is configured. "
            "Raise the broker's window (Mosquitto max_inflight_messages, EMQX max_inflight, NATS max_ack_pending) "
            "and tell WELLKEPT_MQTT_WINDOW, or lower WELLKEPT_RATE"
        )


@dataclass(frozen=True, slots=True)
class Token:
    """What acknowledges one message: the connection that brought it and its packet id there."""

    connection: int
    mid: int


@dataclass(frozen=True, slots=True)
class PublishBlock:
    """Effect: hand this to the stream; then call `published`."""

    partition: int
    block_id: str
    data: bytes


@dataclass(slots=True)
class _Waiting:
    block: PublishBlock
    tokens: list[Token]
    retry_at: float | None = None


@dataclass(slots=True)
class _Partition:
    builder: BlockBuilder = field(default_factory=BlockBuilder)
    tokens: list[Token] = field(default_factory=list)
    since: float = 0.0
    counted: int = 0
    counted_since: float = 0.0
    rate: float = 0.0


@dataclass(slots=True)
class Counts:
    """What ingest has seen since it started."""

    messages: int = 0
    rejects: int = 0
    blocks: int = 0
    retries: int = 0
    stale_acknowledgements: int = 0


class IngestCore:
    """Gathers messages into blocks per partition.

    Args:
        partitions: of the stream.
        max_block: bytes a block may have, below the stream's max_payload.
        new_id: gives block ids; repeats of a block carry the same.
    """

    def __init__(self, partitions: int, max_block: int, new_id: Callable[[], str] = lambda: uuid.uuid4().hex) -> None:
        self._partitions = [_Partition() for _ in range(partitions)]
        self._max_block = max_block
        self._new_id = new_id
        self._waiting: dict[str, _Waiting] = {}
        self._connection = 0
        self._clocks = ClockTrack()
        self._speed = 1.0
        self.counts = Counts()

    def connected(self) -> int:
        """A new connection begins. Returns its number, for tokens."""
        self._connection += 1
        return self._connection

    def hear_clock(self, clock: FleetClock, wall: int) -> None:
        """Stamp arrivals by this revision as soon as it takes effect."""
        self._clocks.hear(clock, wall)

    @property
    def in_flight(self) -> int:
        """Messages taken and not yet acknowledged."""
        held = sum(len(partition.tokens) for partition in self._partitions)
        return held + sum(len(waiting.tokens) for waiting in self._waiting.values())

    def receive(self, topic: str, payload: bytes, token: Token, now: float, wall: int) -> list[PublishBlock]:
        """Take one message.

        Args:
            topic: as delivered.
            payload: as delivered.
            token: acknowledges it later.
            now: monotonic seconds, for block age.
            wall: wall time in microseconds, for the arrival stamp.

        Raises:
            RuntimeError: the fleet clock was not heard yet; do not read before.
        """
        clock = self._clocks.in_force(wall)
        if clock is None:
            raise RuntimeError("the fleet clock is not known yet")
        arrival = clock.fleet_at(wall)
        self._speed = clock.speed
        self.counts.messages += 1
        key, reject = None, None
        try:
            key, channel = parse_topic(topic)
            envelope = _decode(key, channel, payload)
            number = partition_of(key, len(self._partitions))
            partition = self._partitions[number]
            self._begin(partition, now)
            partition.builder.add(key, envelope, arrival)
        except WireError as error:
            reject = _reject(topic, payload, key, error, arrival)
            number = partition_of(key or DeviceKey("", topic), len(self._partitions))
            partition = self._partitions[number]
            self._begin(partition, now)
            partition.builder.reject(reject)
            self.counts.rejects += 1
        partition.tokens.append(token)
        full = partition.builder.size >= self._max_block // 2 or len(partition.tokens) >= _MAX_MESSAGES
        return [self._close(number, now)] if full else []

    def step(self, now: float) -> list[PublishBlock]:
        """Close the blocks that are old enough and repeat those that the stream did not take."""
        effects: list[PublishBlock] = []
        for number, partition in enumerate(self._partitions):
            if partition.tokens and now - partition.since >= self._age(partition):
                effects.append(self._close(number, now))
        for waiting in self._waiting.values():
            if waiting.retry_at is not None and waiting.retry_at <= now:
                waiting.retry_at = None
                self.counts.retries += 1
                effects.append(waiting.block)
        return effects

    def next_step(self) -> float | None:
        """Monotonic time at which `step` has something to do, or None."""
        times = [p.since + self._age(p) for p in self._partitions if p.tokens]
        times += [w.retry_at for w in self._waiting.values() if w.retry_at is not None]
        return min(times, default=None)

    def published(self, block_id: str, error: Exception | None, now: float) -> list[Token]:
        """The stream answered. Returns the tokens to acknowledge, of the present connection only."""
        waiting = self._waiting.get(block_id)
        if waiting is None:
            return []
        if error is not None:
            waiting.retry_at = now + _RETRY
            return []
        del self._waiting[block_id]
        fresh = [token for token in waiting.tokens if token.connection == self._connection]
        self.counts.stale_acknowledgements += len(waiting.tokens) - len(fresh)
        return fresh

    def drain(self, now: float) -> list[PublishBlock]:
        """Close everything, before the process ends."""
        return [self._close(number, now) for number, partition in enumerate(self._partitions) if partition.tokens]

    def _begin(self, partition: _Partition, now: float) -> None:
        if not partition.tokens:
            partition.since = now
        partition.counted += 1
        elapsed = now - partition.counted_since
        if elapsed >= _RATE_WINDOW:
            partition.rate = partition.counted / elapsed
            partition.counted = 0
            partition.counted_since = now

    def _age(self, partition: _Partition) -> float:
        """A lone message hardly waits; a busy partition gathers, since a block costs a share of a transaction."""
        expected = partition.rate * MAX_AGE
        return _MIN_AGE + (MAX_AGE - _MIN_AGE) * min(1.0, expected / _FULL_AGE_MESSAGES)

    def _close(self, number: int, now: float) -> PublishBlock:
        partition = self._partitions[number]
        block = PublishBlock(number, self._new_id(), partition.builder.encode(self._speed))
        self._waiting[block.block_id] = _Waiting(block, partition.tokens)
        partition.builder, partition.tokens, partition.since = BlockBuilder(), [], now
        self.counts.blocks += 1
        return block


def _decode(key: DeviceKey, channel: Channel, payload: bytes) -> Envelope:
    if channel not in (Channel.TELEMETRY, Channel.EVENT):
        raise WireError("topic", f"{channel} is not a channel of readings")
    envelope = decode_envelope(payload)
    if envelope.device is not None and envelope.device != key.device:
        raise WireError("foreign_body", f"the body speaks for {envelope.device[:64]!r}, not {key.device!r}")
    return envelope


def _reject(topic: str, payload: bytes, key: DeviceKey | None, error: WireError, arrival: int) -> Reject:
    identity = read_identity(payload) if key is not None and error.reason != "topic" else None
    epoch, seq, base = identity if identity is not None else (None, None, None)
    return Reject(
        topic=topic,
        reason=error.reason,
        detail=error.detail,
        raw=payload[:MAX_MESSAGE_BYTES],
        arrival=arrival,
        device=key,
        epoch=epoch,
        seq=seq,
        base=base,
    )
