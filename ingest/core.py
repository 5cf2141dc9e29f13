"""The core of ingest: messages and time in, blocks and acknowledgements out; no thread, socket or clock.

An acknowledgement belongs to the connection that delivered the message: after a reconnect the broker counts packet
ids anew, and an old one would acknowledge another message, which would then never come again.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.adapters.sources import Reading, Source, Sources
from ingest.share import HEARD
from ingest.wire import Delivery
from telemetry.block import BlockBuilder, Reject
from telemetry.clock import MICROS, ClockTrack, FleetClock
from telemetry.command import Name, Status, decode_response
from telemetry.control import ControlEntry, ControlKind
from telemetry.errors import WellkeptError, WireError
from telemetry.identity import DeviceKey, partition_of
from telemetry.message import (
    MAX_CHANNELS,
    MAX_MESSAGE_BYTES,
    NO_SPOOL,
    WIRE_VERSION,
    Envelope,
    check_envelope,
    decode_envelope,
    is_word,
    read_identity,
)
from telemetry.plain import PlainDecoder
from telemetry.topics import ROOT, Channel, parse_topic

MAX_AGE = 0.08
_MIN_AGE = 0.02
_FULL_AGE_MESSAGES = 8
_MAX_MESSAGES = 512
_RETRY = 0.2
_RATE_WINDOW = 1.0
_ROUTES = 131_072


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


class Token(NamedTuple):
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
    number: int
    builder: BlockBuilder = field(default_factory=BlockBuilder)
    tokens: list[Token] = field(default_factory=list)
    since: float = 0.0
    counted: int = 0
    counted_since: float = 0.0
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class _Route:
    """What a topic says, looked up once.

    Attributes:
        topic: as text.
        key: the device, None when the topic names none.
        partition: where its messages go.
        refused: why nothing on this topic is a reading, if so.
        source: reads it when it is not of our own grammar.
        answers: whether devices answer commands on it.
    """

    topic: str
    key: DeviceKey | None
    partition: _Partition
    refused: WireError | None
    source: Source | None = None
    answers: bool = False


@dataclass(slots=True)
class Counts:
    """What ingest has seen since it started; `ignored` are foreign payloads that say nothing of interest."""

    messages: int = 0
    ignored: int = 0
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
        sources: what is read beside our own topics.
    """

    def __init__(
        self,
        partitions: int,
        max_block: int,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        sources: Sources | None = None,
    ) -> None:
        self._partitions = [_Partition(number) for number in range(partitions)]
        self._routes: dict[bytes, _Route] = {}
        self._plain = PlainDecoder()
        self._max_block = max_block
        self._new_id = new_id
        self._sources = sources
        # A foreign payload may speak of several devices: it is acknowledged when all their blocks are in the stream.
        self._owed: dict[Token, int] = {}
        self._idle: list[Token] = []
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
        """Take one message; see `receive_many`."""
        return self.receive_many(token.connection, [(topic.encode(), payload, token.mid)], now, wall)

    def receive_many(self, connection: int, messages: Sequence[Delivery], now: float, wall: int) -> list[PublishBlock]:
        """Take messages that came together.

        Args:
            connection: that delivered them.
            messages: topic, payload and packet id, as delivered.
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
        self.counts.messages += len(messages)
        effects: list[PublishBlock] = []
        routes, plain, half = self._routes, self._plain.decode, self._max_block // 2
        for topic, payload, mid in messages:
            route = routes.get(topic) or self._route(topic)
            if route.source is not None or route.answers:
                take = self._take_foreign if route.source is not None else self._take_answer
                effects += self._credit(take(route, payload, arrival), Token(connection, mid), now)
                continue
            partition = route.partition
            tokens = partition.tokens
            if not tokens:
                self._begin(partition, now)
            read = plain(payload) if route.refused is None else None
            if read is not None and route.key is not None:
                partition.builder.append(route.key, *read, arrival)
            else:
                self._take_unusual(route, payload, arrival)
            tokens.append(Token(connection, mid))
            if len(tokens) >= _MAX_MESSAGES or partition.builder.size >= half:
                effects.append(self._close(partition, now))
        return effects

    def step(self, now: float) -> list[PublishBlock]:
        """Close the blocks that are old enough and repeat those that the stream did not take."""
        # When one is old all are closed: blocks that come together cost the worker one transaction instead of sixteen.
        old = any(p.tokens and now - p.since >= self._age(p) for p in self._partitions)
        effects = self.drain(now) if old else []
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
        tokens = [token for token in waiting.tokens if self._settles(token)] if self._owed else waiting.tokens
        fresh = [token for token in tokens if token.connection == self._connection]
        self.counts.stale_acknowledgements += len(tokens) - len(fresh)
        return fresh

    def take_idle(self) -> list[Token]:
        """Tokens of foreign payloads that said nothing of interest: nothing of them waits for the stream."""
        idle, self._idle = self._idle, []
        return [token for token in idle if token.connection == self._connection]

    def drain(self, now: float) -> list[PublishBlock]:
        """Close everything."""
        return [self._close(partition, now) for partition in self._partitions if partition.tokens]

    def _take_foreign(self, route: _Route, payload: bytes, arrival: int) -> list[_Partition]:
        """A payload of another grammar: its readings go to their devices' partitions, or it is kept as unfit."""
        taken: list[_Partition] = []
        try:
            messages = [(each.key, _unnumbered(each.t, each.q, arrival)) for each in _read_foreign(route, payload)]
            for key, message in messages:
                partition = self._partitions[partition_of(key, len(self._partitions))]
                partition.builder.add(key, message, arrival)
                taken.append(partition)
        except WireError as error:
            taken.append(self._refuse(route, payload, error, arrival))
        self.counts.ignored += not taken
        return taken

    def _take_answer(self, route: _Route, payload: bytes, arrival: int) -> list[_Partition]:
        """A device's answer to a command. A self-test's changes a detector: it travels as a control entry."""
        try:
            entry = None if route.key is None else _answer_entry(route.key, payload, arrival)
        except WireError as error:
            return [self._refuse(route, payload, error, arrival)]
        if entry is None:
            return []
        route.partition.builder.control(entry)
        return [route.partition]

    def _refuse(self, route: _Route, payload: bytes, error: WireError, arrival: int) -> _Partition:
        """An unfit payload travels, too. Returns the partition that carries it."""
        route.partition.builder.reject(_reject(route, payload, error, arrival))
        self.counts.rejects += 1
        return route.partition

    def _credit(self, taken: list[_Partition], token: Token, now: float) -> list[PublishBlock]:
        """A message is acknowledged when all partitions that took of it are in the stream; at once when none did."""
        if not taken:
            self._idle.append(token)
        elif len(taken) > 1:
            self._owed[token] = len(taken)
        for partition in taken:
            if not partition.tokens:
                self._begin(partition, now)
            partition.tokens.append(token)
        each_once = {partition.number: partition for partition in taken}.values()
        return [self._close(p, now) for p in each_once if self._is_full(p)]

    def _is_full(self, partition: _Partition) -> bool:
        return len(partition.tokens) >= _MAX_MESSAGES or partition.builder.size >= self._max_block // 2

    def _settles(self, token: Token) -> bool:
        """Whether nothing else of the message waits for the stream."""
        owed = self._owed.get(token)
        if owed is None:
            return True
        if owed == 1:
            del self._owed[token]
            return True
        self._owed[token] = owed - 1
        return False

    def _route(self, topic: bytes) -> _Route:
        text = topic.decode(errors="backslashreplace")
        key, channel, refused = None, None, None
        source = None if self._sources is None or text.startswith(f"{ROOT}/") else self._sources.find(text)
        try:
            key, channel = parse_topic(text)
            if channel not in HEARD:
                refused = WireError("topic", f"{channel} is not a channel that devices speak on")
        except WireError as error:
            refused = error
        number = partition_of(key or DeviceKey("", text), len(self._partitions))
        if len(self._routes) >= _ROUTES:
            self._routes.clear()
        route = self._routes[topic] = _Route(
            text, key, self._partitions[number], refused, source, channel is Channel.RESPONSE
        )
        return route

    def _take_unusual(self, route: _Route, payload: bytes, arrival: int) -> None:
        """A message that is not plain: arrays, events, a new form, or unfit."""
        builder = route.partition.builder
        try:
            if route.refused is not None or route.key is None:
                raise route.refused or WireError("topic", "no device")
            builder.add(route.key, _decode(route.key, payload), arrival)
        except WireError as error:
            self._refuse(route, payload, error, arrival)

    def _begin(self, partition: _Partition, now: float) -> None:
        """A block begins; now and then the partition's rate is taken."""
        partition.since = now
        elapsed = now - partition.counted_since
        if elapsed >= _RATE_WINDOW:
            partition.rate = partition.counted / elapsed
            partition.counted = 0
            partition.counted_since = now

    def _age(self, partition: _Partition) -> float:
        """A lone message hardly waits; a busy partition gathers, since a block costs a share of a transaction."""
        expected = partition.rate * MAX_AGE
        return _MIN_AGE + (MAX_AGE - _MIN_AGE) * min(1.0, expected / _FULL_AGE_MESSAGES)

    def _close(self, partition: _Partition, now: float) -> PublishBlock:
        block = PublishBlock(partition.number, self._new_id(), partition.builder.encode(self._speed))
        self._waiting[block.block_id] = _Waiting(block, partition.tokens)
        partition.counted += len(partition.tokens)
        partition.builder, partition.tokens, partition.since = BlockBuilder(), [], now
        self.counts.blocks += 1
        return block


def _decode(key: DeviceKey, payload: bytes) -> Envelope:
    envelope = decode_envelope(payload)
    if envelope.device is not None and envelope.device != key.device:
        raise WireError("foreign_body", f"the body speaks for {envelope.device[:64]!r}, not {key.device!r}")
    return envelope


def _answer_entry(key: DeviceKey, payload: bytes, arrival: int) -> ControlEntry | None:
    """What a self-test measured, under the id of its request; None for the answer to another command.

    Raises:
        WireError: it is not an answer, its id not one of ours, or a number none.
    """
    said = decode_response(payload)
    if said.command != Name.SELF_TEST or said.status is Status.BUSY:
        # A busy device is asked again.
        return None
    try:
        ident = str(uuid.UUID(said.id))
    except ValueError as cause:
        raise WireError("word", f"{said.id[:64]!r} is not the id of a request of ours") from cause
    if len(said.values) > MAX_CHANNELS or not all(
        is_word(name) and math.isfinite(x) for name, x in said.values.items()
    ):
        raise WireError("shape", f"a self-test has at most {MAX_CHANNELS} finite values with printable names")
    body = {"status": str(said.status), "values": said.values, "error": (said.error or "")[:500]}
    return ControlEntry(id=ident, device=key, kind=ControlKind.SELF_TEST, at=arrival, body=body)


def _read_foreign(route: _Route, payload: bytes) -> list[Reading]:
    if len(payload) > MAX_MESSAGE_BYTES:
        raise WireError("oversized", f"{len(payload)} bytes; the limit is {MAX_MESSAGE_BYTES}")
    return [] if route.source is None else route.source.read(route.topic, payload)


def _unnumbered(t: float | None, q: dict[str, float], arrival: int) -> Envelope:
    """A reading as a message that the worker numbers; dated by its arrival where it names no time.

    Raises:
        WireError: a time or a channel that no message can have.
    """
    at = arrival / MICROS if t is None else t
    message = Envelope(v=WIRE_VERSION, epoch=NO_SPOOL, seq=1, base=1, t=at, q=dict(q))
    check_envelope(message)
    return message


def _reject(route: _Route, payload: bytes, error: WireError, arrival: int) -> Reject:
    identity = read_identity(payload) if route.key is not None and error.reason != "topic" else None
    epoch, seq, base = identity if identity is not None else (None, None, None)
    return Reject(
        topic=route.topic,
        reason=error.reason,
        detail=error.detail,
        raw=payload[:MAX_MESSAGE_BYTES],
        arrival=arrival,
        device=route.key,
        epoch=epoch,
        seq=seq,
        base=base,
    )
