"""Binds the core to paho, the stream and this machine's clocks: one thread takes events and carries out effects."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass

import structlog

from ingest.adapters.sources import load_sources
from ingest.core import Counts, IngestCore, PublishBlock, Token, check_window
from ingest.meters import State
from ingest.mqtt import MqttIngress
from ingest.settings import IngestSettings
from ingest.tell import tell_block
from ingest.wire import Delivery
from stream.nats_client import NatsStream
from stream.pulse import EVERY, send_pulse
from telemetry.clock import FleetClock, WallClock, system_wall
from telemetry.identity import DeviceKey
from telemetry.logs import debugging

log = structlog.get_logger()

_QUEUE = 20_000
_IDLE = 0.5
_DRAIN = 5.0
_MARGIN = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Received:
    connection: int
    messages: list[Delivery]


@dataclass(frozen=True, slots=True)
class _Published:
    block_id: str
    error: Exception | None


_Outgoing = tuple[DeviceKey, str, bytes]
_Event = _Received | _Published | _Outgoing | FleetClock


class _Room:
    """How many messages are queued between paho's thread and ours.

    The bound is on messages alone: answers of the stream must always find room, for they make it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self.used = 0

    def take(self, count: int, timeout: float) -> bool:
        """Wait for room; what came in one read goes in whole."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.used < self._limit, timeout):
                return False
            self.used += count
            return True

    def give(self, count: int) -> None:
        """They are taken."""
        with self._changed:
            full = self.used >= self._limit
            self.used -= count
            if full:
                self._changed.notify()


class IngestProcess:
    """Runs until `stop` is set; then drains.

    Raises:
        WindowTooSmallError: the broker's window cannot carry the configured rate.
        StreamError: the stream does not answer at the start.
    """

    def __init__(self, settings: IngestSettings, stop: threading.Event, wall: WallClock = system_wall) -> None:
        check_window(settings.mqtt_window, settings.rate)
        self._stop = stop
        self._wall = wall
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._room = _Room(_QUEUE)
        self._outgoing: list[_Outgoing] = []
        self._stream = NatsStream(
            settings.nats_url, name="ingest", partitions=settings.partitions, max_bytes=settings.stream_bytes
        )
        sources = load_sources(settings.adapters) if settings.adapters is not None else None
        self._core = IngestCore(
            self._stream.partitions, min(self._stream.max_payload(), 1024 * 1024) - _MARGIN, sources=sources
        )
        self._mqtt = MqttIngress(
            settings.mqtt_url,
            settings.mqtt_client_id,
            settings.share,
            self._core.connected,
            self._received,
            foreign=sources.filters if sources is not None else (),
        )
        self._clock: FleetClock | None = None
        self._told: FleetClock | None = None
        self._name = settings.mqtt_client_id
        self._next_pulse = 0.0
        self._debug = debugging()
        # For those who watch from other threads: replaced as a whole, never changed.
        self.state = State(limit=_QUEUE)

    @property
    def counts(self) -> Counts:
        """What has passed so far."""
        return self._core.counts

    def run(self) -> None:
        """Take events until told to stop, then hand over what is held."""
        self._stream.watch_clock(self._events.put)
        self._stream.hear(lambda key, channel, payload: self._events.put((key, channel, payload)))
        started = False
        try:
            while not self._stop.is_set():
                self._take(self._wait())
                if self._clock is not None and not started:
                    self._mqtt.start()
                    started = True
                self._tell_clock()
                self._mqtt.flush()
                now = time.monotonic()
                self._carry_out(self._core.step(now))
                if now >= self._next_pulse:
                    self._pulse(now)
            self._drain()
        finally:
            self._mqtt.stop()
            self._stream.close()

    def _pulse(self, now: float) -> None:
        self._next_pulse = now + EVERY
        clock = self._clock is not None
        self.state = State(
            connected=clock and self._mqtt.connected(),
            clock=clock,
            queued=self._room.used,
            limit=_QUEUE,
            in_flight=self._core.in_flight,
        )
        send_pulse(self._stream, self.state.pulse(self._name))

    def _wait(self) -> float:
        at = self._core.next_step()
        return _IDLE if at is None else min(_IDLE, max(0.0, at - time.monotonic()))

    def _take(self, timeout: float) -> None:
        """Wait for one event, then take all that are there."""
        try:
            event = self._events.get(timeout=timeout) if timeout > 0 else self._events.get_nowait()
            for _ in range(_QUEUE):
                self._handle(event)
                event = self._events.get_nowait()
            self._handle(event)
        except queue.Empty:
            pass
        if self._outgoing:
            self._mqtt.relay(self._outgoing)
            self._outgoing = []

    def _handle(self, event: _Event) -> None:
        now = time.monotonic()
        if isinstance(event, _Received):
            self._room.give(len(event.messages))
            self._carry_out(self._core.receive_many(event.connection, event.messages, now, self._wall()))
            self._acknowledge(self._core.take_idle())
        elif isinstance(event, _Published):
            if event.error is not None:
                log.warning("the stream did not take a block; repeating", error=repr(event.error))
            self._acknowledge(self._core.published(event.block_id, event.error, now))
        elif isinstance(event, tuple):
            self._outgoing.append(event)
        else:
            self._clock = event
            self._core.hear_clock(event, self._wall())

    def _acknowledge(self, tokens: list[Token]) -> None:
        asked = [token for token in tokens if token.mid]
        if asked:
            self._mqtt.acknowledge(asked[0].connection, [token.mid for token in asked])

    def _tell_clock(self) -> None:
        if self._mqtt.connected() and self._clock is not None and self._clock != self._told:
            self._mqtt.tell_clock(self._clock)
            self._told = self._clock

    def _carry_out(self, blocks: list[PublishBlock]) -> None:
        for block in blocks:
            if self._debug:
                tell_block(block.partition, block.block_id, block.data)

            def done(error: Exception | None, block_id: str = block.block_id) -> None:
                self._events.put(_Published(block_id, error))

            self._stream.publish(block.partition, block.block_id, block.data, done)

    def _received(self, connection: int, messages: list[Delivery]) -> None:
        """On paho's thread: queue, or wait for room, which stops reading from the broker."""
        if not self._room.take(len(messages), 0):
            log.warning("ingest is full and stops reading", queued=self._room.used, in_flight=self._core.in_flight)
            while not self._room.take(len(messages), _IDLE):
                if self._stop.is_set():
                    return
        self._events.put(_Received(connection, messages))

    def _drain(self) -> None:
        """Give the stream what is held; what it does not take in time the broker delivers again."""
        deadline = time.monotonic() + _DRAIN
        self._carry_out(self._core.drain(time.monotonic()))
        while self._core.in_flight and time.monotonic() < deadline:
            self._take(0.1)
            self._carry_out(self._core.drain(time.monotonic()))
