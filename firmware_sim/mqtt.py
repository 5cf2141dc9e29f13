"""The shell of many devices on one MQTT connection: binds their cores and the spool to paho.

One thread owns cores and connection; paho's own thread only leaves events in an inbox. Each attempt to connect uses a
fresh client: nothing of an old session survives, the spool is the only memory of what must still be sent.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import numpy as np
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from firmware_sim.firmware import FIRMWARE
from firmware_sim.gateway import GatewayCore
from firmware_sim.spool import Spool, Spooled
from telemetry.clock import MICROS, FleetClock, WallClock
from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from telemetry.message import ClockMessage, State, decode_clock, decode_receipt, encode_json
from telemetry.topics import CLOCK_TOPIC, Channel, parse_topic, topic_of

_RETRY = (200_000, 2 * MICROS)
_ANSWER = 5 * MICROS
_KEEPALIVE = 20
_LONGEST_WAIT = MICROS
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is."""

    host: str
    port: int
    user: str | None
    password: str | None


def parse_url(url: str) -> Address:
    """Read `mqtt://user:password@host:port`.

    Raises:
        ValueError: it is something else.
    """
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname:
        raise ValueError(f"{parts.scheme}://… is not mqtt://user:password@host:port")
    user = unquote(parts.username) if parts.username else None
    return Address(parts.hostname, parts.port or 1883, user, unquote(parts.password) if parts.password else None)


@dataclass(slots=True)
class Counts:
    """What a gateway did and what is open; `lag` in wall seconds."""

    published: int = 0
    resent: int = 0
    receipts: int = 0
    unreceipted: int = 0
    lag: float = 0.0
    connected: bool = False


@dataclass(frozen=True, slots=True)
class _Event:
    client: mqtt.Client
    topic: str = ""
    payload: bytes = b""
    up: bool | None = None


@dataclass(slots=True)
class _Link:
    """One connection. `window` bounds what is published and not yet acknowledged."""

    client: mqtt.Client
    window: int
    began: int
    up: bool = False
    open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def room(self) -> int:
        return self.window - self.open


class Gateway:
    """A connection for many devices of one organisation.

    Args:
        url: `mqtt://user:password@host:port`.
        keys: `org/device` of each.
        spool: holds their messages.
        wall: wall clock.
        rng: jitter of reconnects.
        client_id: of the connection.
        on_clock: called with every fleet clock heard.
        window: messages in flight at most.
    """

    def __init__(
        self,
        url: str,
        keys: Sequence[str],
        spool: Spool,
        wall: WallClock,
        *,
        rng: np.random.Generator,
        client_id: str,
        on_clock: Callable[[FleetClock], None] | None = None,
        window: int = 500,
    ) -> None:
        self._address, self._spool, self._wall, self._rng = parse_url(url), spool, wall, rng
        self._id, self._on_clock, self._window = client_id, on_clock, window
        self._core = GatewayCore(keys, spool, wall())
        self._devices = self._core.devices
        self._orgs = sorted({key.org for key in self._devices.values()})
        self._inbox: deque[_Event] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._link: _Link | None = None
        self._retry_at, self._retry = 0, _RETRY[0]
        self._counts = Counts()
        self._thread = threading.Thread(target=self._run, name=client_id, daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def offer(self, messages: Sequence[Spooled]) -> None:
        """Take messages that are in the spool."""
        now = self._wall()
        with self._changed:
            self._core.offer(messages, now)
            self._changed.notify_all()

    def counts(self) -> Counts:
        """Numbers as they are now."""
        now = self._wall()
        with self._changed:
            oldest = self._core.oldest()
            return Counts(
                published=self._counts.published,
                resent=self._core.resent(),
                receipts=self._counts.receipts,
                unreceipted=self._core.unreceipted(),
                lag=0.0 if oldest is None else (now - oldest) / MICROS,
                connected=self._link is not None and self._link.up,
            )

    def settled(self, timeout: float | None) -> bool:
        """Wait until every message has its receipt, seconds or for ever; whether it came to that."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._core.unreceipted(), timeout)

    def stop(self, timeout: float = 5.0) -> None:
        """Say that the devices are offline, disconnect, end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._inbox and not self._stopping:
                    self._changed.wait(self._patience() / MICROS)
                while self._inbox:
                    self._take(self._inbox.popleft())
                if self._stopping:
                    break
                due = self._due()
                self._watch()
            self._publish(due)
            self._flush()
            self._connect()
        self._flush(final=True)
        self._leave()

    def _patience(self) -> int:
        """How long nothing will be due, microseconds."""
        now = self._wall()
        moments = [now + _LONGEST_WAIT]
        if self._core.flush_at is not None:
            moments.append(self._core.flush_at)
        if self._link is None:
            moments.append(self._retry_at)
        elif self._link.up and self._link.room() > 0 and (due := self._core.next_due()) is not None:
            moments.append(due)
        return max(0, min(moments) - now)

    def _take(self, event: _Event) -> None:
        link = self._link
        if link is None or event.client is not link.client:
            return
        if event.up is None:
            self._heard(event.topic, event.payload)
        elif event.up:
            link.up = True
            self._retry = _RETRY[0]
            self._core.connected(self._wall(), lambda: float(self._rng.random()))
            state = encode_json(State(online=True, fw=FIRMWARE))
            for key in self._devices.values():
                link.client.publish(topic_of(key, Channel.STATE), state, qos=0, retain=True)
            _log.info("gateway connected", client=self._id, devices=len(self._devices))
        else:
            self._drop("connection lost")

    def _heard(self, topic: str, payload: bytes) -> None:
        try:
            if topic == CLOCK_TOPIC:
                if self._on_clock is not None:
                    self._on_clock(fleet_clock(decode_clock(payload)))
                return
            device, channel = parse_topic(topic)
            if str(device) not in self._devices or channel is not Channel.RECEIPT:
                return
            gone = self._core.receipt(str(device), decode_receipt(payload), self._wall())
        except WireError as cause:
            _log.warning("not understood", topic=topic, reason=cause.reason, detail=cause.detail)
            return
        self._counts.receipts += 1
        if gone:
            self._changed.notify_all()

    def _due(self) -> list[Spooled]:
        """What is to be published now, as far as the window has room."""
        link = self._link
        if link is None or not link.up:
            return []
        return self._core.step(self._wall(), link.room())

    def _publish(self, messages: list[Spooled]) -> None:
        """Without our lock: paho takes its own here, and holds it while it tells us of an acknowledgement."""
        link = self._link
        if link is None:
            return
        for message in messages:
            with link.lock:
                link.open += 1
            self._counts.published += 1
            topic = topic_of(self._devices[message.device], message.channel)
            link.client.publish(topic, message.payload, qos=1)

    def _flush(self, *, final: bool = False) -> None:
        with self._changed:
            at = self._core.flush_at
            if at is None or (self._wall() < at and not final):
                return
            gone = self._core.flush()
        self._spool.delete(gone)

    def _connect(self) -> None:
        if self._link is not None or self._stopping or self._wall() < self._retry_at:
            return
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=self._id, clean_session=True, reconnect_on_failure=False
        )
        client.max_inflight_messages_set(self._window)
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        if len(self._devices) == 1:
            only = next(iter(self._devices.values()))
            client.will_set(topic_of(only, Channel.STATE), encode_json(State(online=False)), qos=1, retain=True)
        link = _Link(client, self._window, self._wall())
        self._bind(link)
        with self._changed:
            self._link = link
        try:
            client.connect(self._address.host, self._address.port, _KEEPALIVE)
        except OSError as cause:
            with self._changed:
                self._drop(str(cause))
            return
        client.loop_start()

    def _bind(self, link: _Link) -> None:
        filters = [(CLOCK_TOPIC, 1), *((topic_of(DeviceKey(org, "+"), Channel.RECEIPT), 0) for org in self._orgs)]

        def on_connect(
            client: mqtt.Client, _data: object, _flags: mqtt.ConnectFlags, reason: ReasonCode, _p: Properties | None
        ) -> None:
            if reason.is_failure:
                self._note(_Event(client, up=False))
            else:
                client.subscribe(filters)

        def on_subscribe(
            client: mqtt.Client, _data: object, _mid: int, reasons: list[ReasonCode], _p: Properties | None
        ) -> None:
            if any(reason.is_failure for reason in reasons):
                _log.error("the broker refused a subscription", filters=[name for name, _ in filters])
            self._note(_Event(client, up=not any(reason.is_failure for reason in reasons)))

        def on_disconnect(
            client: mqtt.Client, _data: object, _flags: mqtt.DisconnectFlags, _reason: ReasonCode, _p: Properties | None
        ) -> None:
            self._note(_Event(client, up=False))

        def on_message(client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
            self._note(_Event(client, message.topic, bytes(message.payload)))

        def on_publish(
            _client: mqtt.Client, _data: object, _mid: int, _reason: ReasonCode, _p: Properties | None
        ) -> None:
            with link.lock:
                full = link.open >= link.window
                link.open -= 1
            if full:
                with self._changed:
                    self._changed.notify_all()

        client = link.client
        client.on_connect, client.on_subscribe, client.on_disconnect = on_connect, on_subscribe, on_disconnect
        client.on_message, client.on_publish = on_message, on_publish

    def _note(self, event: _Event) -> None:
        with self._changed:
            self._inbox.append(event)
            self._changed.notify_all()

    def _watch(self) -> None:
        """Give a connection up that the broker does not answer."""
        link = self._link
        if link is not None and not link.up and self._wall() - link.began > _ANSWER:
            self._drop("no answer from the broker")

    def _drop(self, why: str) -> None:
        """Forget the connection; called with the lock held."""
        link, self._link = self._link, None
        self._core.disconnected()
        self._retry_at = self._wall() + round(self._retry * (0.5 + 0.5 * float(self._rng.random())))
        self._retry = min(self._retry * 2, _RETRY[1])
        _log.warning("gateway is offline", client=self._id, why=why, host=self._address.host, port=self._address.port)
        if link is not None:
            _abandon(link.client)

    def _leave(self) -> None:
        link = self._link
        if link is None:
            return
        if link.up:
            state = encode_json(State(online=False, fw=FIRMWARE))
            sent = [
                link.client.publish(topic_of(key, Channel.STATE), state, qos=1, retain=True)
                for key in self._devices.values()
            ]
            if sent:
                sent[-1].wait_for_publish(2.0)
        link.client.disconnect()
        link.client.loop_stop()


def _abandon(client: mqtt.Client) -> None:
    """End a client's thread without waiting for it: it may wait for our lock."""
    client.on_message = client.on_publish = client.on_disconnect = None
    threading.Thread(target=lambda: (client.disconnect(), client.loop_stop()), daemon=True).start()


def fleet_clock(message: ClockMessage) -> FleetClock:
    """The clock that a message says."""
    return FleetClock(message.rev, round(message.wall * MICROS), round(message.fleet * MICROS), message.speed)
