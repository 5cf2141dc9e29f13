"""ingest in the world: binds its core to the broker and the stream, as its shell does with paho and NATS."""

from __future__ import annotations

import itertools

from ingest.core import IngestCore, PublishBlock, Token
from stack.world.broker import Broker
from stack.world.invariants import Auditor
from stack.world.network import Link, Network
from stack.world.scheduler import Party, Scheduler
from stack.world.streaming import StreamNode
from stream.port import StreamError
from telemetry.clock import MICROS, FleetClock
from telemetry.identity import DeviceKey
from telemetry.message import ClockMessage, encode_json
from telemetry.topics import CLOCK_TOPIC, Channel, subscription, topic_of

_TIMEOUT = 5 * MICROS
_RETRY = (1 * MICROS, 2 * MICROS)
_DRAIN = 5 * MICROS
_MAX_BLOCK = 20_000
_FILTERS = (subscription(Channel.TELEMETRY), subscription(Channel.EVENT))


class Ingest(Party):
    """The process.

    Args:
        time: the world's.
        network: to broker and stream.
        broker: keeps a session for it.
        stream: takes its blocks.
        auditor: told what is acknowledged.
    """

    core_type: type[IngestCore] = IngestCore

    def __init__(self, time: Scheduler, network: Network, broker: Broker, stream: StreamNode, auditor: Auditor) -> None:
        super().__init__(time, "ingest")
        self._network, self._broker, self._stream, self._auditor = network, broker, stream, auditor
        stream.server.listen(lambda key, channel, payload: network.datagram(self, self._relay, key, channel, payload))
        self._asked = itertools.count(1)

    def begin(self) -> None:
        """Start empty: what was not acknowledged comes again."""
        super().begin()
        numbers = itertools.count(1)
        life = self.life
        self.core = self.core_type(self._stream.server.partitions, _MAX_BLOCK, lambda: f"{life}-{next(numbers)}")
        self._link: Link | None = None
        self.connection = 0
        self._clock: FleetClock | None = None
        self._told: FleetClock | None = None
        self._open: dict[int, str] = {}
        self._planned: float | None = None
        self._leaving = False
        self.later(self._network.delay(), self._ask_clock)

    def kill(self) -> None:
        """End at once."""
        super().kill()
        self._network.reset(self.name)

    @property
    def leaving(self) -> bool:
        """Whether it was told to stop and has not ended yet."""
        return self.alive and self._leaving

    def leave(self) -> None:
        """Stop as on SIGTERM: read no more, hand over what is held, then end."""
        self._leaving = True
        self._end_connection()
        self._carry_out(self.core.drain(self._now()))
        self.later(_DRAIN, self.kill)

    def _now(self) -> float:
        return self.time.now / MICROS

    # The clock

    def _ask_clock(self) -> None:
        clock = self._stream.server.clock
        if self._stream.alive and clock is not None and clock != self._clock:
            first = self._clock is None
            self._clock = clock
            self.core.hear_clock(clock, self.time.now)
            self._tell_clock()
            if first:
                self._connect()
        self.later(MICROS // 5 if self._clock is None else MICROS // 2, self._ask_clock)

    def _tell_clock(self) -> None:
        clock, link = self._clock, self._link
        if clock is not None and link is not None and self.connection and clock != self._told:
            message = ClockMessage(
                rev=clock.rev, wall=clock.wall / MICROS, fleet=clock.fleet / MICROS, speed=clock.speed
            )
            link.to_server(lambda: self._broker.publish(link, CLOCK_TOPIC, encode_json(message), 1, retain=True))
            self._told = clock

    # The broker

    def _connect(self) -> None:
        if self._link is not None or self._leaving:
            return
        if self._network.is_cut(self.name, self._broker.name) or not self._broker.alive:
            self.later(_RETRY[0], self._connect)
            return
        link = self._link = Link(self._network, self, self._broker, self._lost, self._broker.lost)
        link.to_server(lambda: self._broker.connect(link, self.name, self, _FILTERS, clean=False))
        self.later(_TIMEOUT, self._watch, link)

    def _watch(self, link: Link) -> None:
        if link is self._link and not self.connection:
            self._lost(link)

    def _lost(self, link: Link) -> None:
        if link is self._link:
            self._end_connection()
            self.later(_RETRY[0], self._connect)

    def _end_connection(self) -> None:
        link, self._link, self.connection = self._link, None, 0
        if link is not None:
            link.cut()

    def granted(self, link: Link) -> None:
        """See `broker.Client`."""
        if link is self._link:
            self.connection = self.core.connected()
            self.time.trace(self.name, "is connected", self.connection)
            self._told = None
            self._tell_clock()

    def message(self, link: Link, mid: int, topic: str, payload: bytes) -> None:
        """See `broker.Client`."""
        if link is self._link and self.connection:
            token = Token(self.connection, mid)
            self._carry_out(self.core.receive(topic, payload, token, self._now(), self.time.now))
            self._plan()

    def puback(self, link: Link, mid: int) -> None:
        """See `broker.Client`; nothing waits for it."""

    def acknowledge(self, token: Token) -> None:
        """Tell the broker that a message is safe, on the connection that brought it."""
        link = self._link
        if link is not None and token.mid and token.connection == self.connection:
            link.to_server(self._settle, link, token.mid)

    def _settle(self, link: Link, mid: int) -> None:
        done = self._broker.ack(link, mid)
        if done is not None:
            self._auditor.acknowledged(*done)

    def _relay(self, key: DeviceKey, channel: str, payload: bytes) -> None:
        link = self._link
        if link is not None and self.connection:
            link.to_server(self._broker.publish, link, topic_of(key, Channel(channel)), payload, 0)

    # The stream

    def _carry_out(self, blocks: list[PublishBlock]) -> None:
        for block in blocks:
            number = next(self._asked)
            self._open[number] = block.block_id
            self.time.trace(self.name, "publishes block", block.block_id, "partition", block.partition)
            self._stream.publish(self, block.partition, block.block_id, block.data, self._answered, number)
            self.later(_TIMEOUT, self._answered, number, StreamError("no answer within 5 s"))

    def _answered(self, number: int, error: Exception | None) -> None:
        block_id = self._open.pop(number, None)
        if block_id is None:
            return
        if error is not None:
            self.time.trace(self.name, "has no answer for", block_id, error)
        for token in self.core.published(block_id, error, self._now()):
            self.acknowledge(token)
        if self._leaving and not self.core.in_flight:
            self.kill()
        self._plan()

    def _plan(self) -> None:
        at = self.core.next_step()
        if at is not None and (self._planned is None or at < self._planned):
            self._planned = at
            self.later_at(round(at * MICROS) + 1, self._on_time, at)

    def _on_time(self, planned: float) -> None:
        if planned == self._planned:
            self._planned = None
            self._carry_out(self.core.step(self._now()))
            self._plan()
