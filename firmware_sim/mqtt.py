"""The shell of many devices on MQTT, one connection for all of them or one for each: binds cores and spool to paho.

One thread serves all connections by their sockets, so that a thousand of them need no thousand threads.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import structlog

from firmware_sim.attempts import Attempts
from firmware_sim.connection import Address, Connection, Session, parse_url
from firmware_sim.firmware import FIRMWARE
from firmware_sim.gateway import GatewayCore
from firmware_sim.limits import DescriptorError, allow_connections
from firmware_sim.spool import Spool, Spooled
from telemetry.clock import MICROS, FleetClock, WallClock
from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from telemetry.message import ClockMessage, State, decode_clock, decode_receipt, encode_json
from telemetry.topics import CLOCK_TOPIC, Channel, parse_topic, topic_of

__all__ = ["Address", "Counts", "DescriptorError", "Gateway", "fleet_clock", "parse_url"]
_ANSWER = 5 * MICROS
_LONGEST_WAIT = MICROS
_TICK = MICROS
_TELL = 10 * MICROS
"""How often it is said that connections are down, of many."""
_KEPT = 16
"""Answers, and commands, that are kept for a device that is away: the newest."""
_log = structlog.get_logger(__name__)
OnCommand = Callable[[str, bytes], None]
"""Called with `org/device` and the payload of a command, on the connections' thread: hand it on and return."""


@dataclass(slots=True)
class Counts:
    """What a gateway did and what is open.

    Attributes:
        published: messages sent, resends and copies included.
        resent: of these, sent again by their devices.
        receipts: heard.
        unreceipted: messages on their way without a receipt.
        held: messages that the network keeps back; not among `unreceipted`.
        lag: age of the oldest unreceipted message, wall seconds.
        connected: whether every connection is up that ought to be.
        connections: how many are up.
    """

    published: int = 0
    resent: int = 0
    receipts: int = 0
    unreceipted: int = 0
    held: int = 0
    lag: float = 0.0
    connected: bool = False
    connections: int = 0


class Gateway:
    """Connections of devices.

    Args:
        url: `mqtt://user:password@host:port`.
        keys: `org/device` of each.
        spool: holds their messages.
        wall: wall clock.
        rng: jitter of reconnects.
        client_id: of the connection; with `each` a number follows.
        on_clock: called with every fleet clock heard.
        on_command: called with every command; without it commands are not heard.
        window: messages in flight on one connection at most.
        each: give every device a connection with a last will of its own, else one connection speaks for all.
        url_of: a device's own address with its own user; `url` for all by default.
        fw: the firmware version that a device says in its state.
        kept: whether a device's own connection keeps its session with the broker, asked at each attempt to connect.

    Raises:
        DescriptorError: more connections than this process may open files.
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
        on_command: OnCommand | None = None,
        window: int = 500,
        each: bool = False,
        url_of: Callable[[str], str] | None = None,
        fw: Callable[[str], str] = lambda _key: FIRMWARE,
        kept: Callable[[str], bool] = lambda _key: False,
    ) -> None:
        if each:
            allow_connections(len(keys))
        self._spool, self._wall, self._rng, self._fw = spool, wall, rng, fw
        self._on_clock, self._on_command = on_clock, on_command
        self._core = GatewayCore(keys, spool, wall())
        self._devices = self._core.devices
        self._each, self._kept, self._client_id = each, kept, client_id
        self._changed = threading.Condition()
        self._counts = Counts()
        self._held: set[str] = set()
        # Of devices that are away: answers they could not give, and what their gateway heard for them meanwhile.
        self._unsaid: dict[str, deque[bytes]] = {}
        self._missed: dict[str, deque[bytes]] = {}
        self._stopping = False
        # What other threads want of the connections' thread.
        self._wishes: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._alarm, self._bell = socket.socketpair()
        for end in (self._alarm, self._bell):
            end.settimeout(0.0)
        self._selector.register(self._alarm, selectors.EVENT_READ)
        groups = [[key] for key in keys] if each else [list(keys)]
        self._lines = [
            Connection(
                group,
                self._session(parse_url(url if url_of is None or not each else url_of(group[0])), group, name, window),
                self,
                self._selector,
            )
            for group, name in ((group, f"{client_id}-{n}" if each else client_id) for n, group in enumerate(groups))
        ]
        self._line_of = {key: line for line in self._lines for key in line.keys}
        self._capacity = window * len(self._lines)
        self._number = {line: number for number, line in enumerate(self._lines)}
        self._ticked = wall()
        self._attempts = Attempts(len(self._lines), rng, self._ticked, spread=each)
        self._why, self._told = "", 0
        self._thread = threading.Thread(target=self._run, name=client_id, daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def offer(self, messages: Sequence[Spooled], *, late: bool = False) -> None:
        """Take messages that are in the spool; `late` ones go out once they are let through."""
        if messages:
            with self._changed:
                self._core.offer(messages, self._wall(), late=late)
            self._ring()

    def let(self, messages: Sequence[tuple[Spooled, bool]]) -> None:
        """The network lets messages through, see `GatewayCore.let`."""
        if messages:
            with self._changed:
                self._core.let(messages, self._wall())
            self._ring()

    def hold(self, key: str) -> None:
        """A device loses its connection, until `release`: nothing comes from it, its last will is published."""
        with self._changed:
            self._core.hold(key)
            self._held.add(key)
        self._wish(lambda: self._go_dark(key))

    def release(self, key: str) -> None:
        """A device finds its connection again."""
        now, jitter = self._wall(), float(self._rng.random())
        with self._changed:
            self._core.release(key, now, jitter)
            self._held.discard(key)
        self._wish(lambda: self._come_back(key))

    def renew(self, key: str) -> None:
        """The spool lost what it held of a device."""
        with self._changed:
            self._core.renew(key, self._wall())
            self._changed.notify_all()

    def announce(self, key: str) -> None:
        """Say a device's state again: its firmware is another."""
        self._wish(lambda: self._say_state(key, online=True))

    def respond(self, key: str, payload: bytes) -> None:
        """Publish the answer to a command, of a device that is away once it is back."""
        self._wish(lambda: self._answer(key, payload))

    def counts(self) -> Counts:
        """Numbers as they are now."""
        now = self._wall()
        with self._changed:
            oldest, held = self._core.oldest(), self._core.held()
            up = sum(line.up for line in self._lines)
            dark = sum(1 for line in self._lines if self._is_dark(line))
            return Counts(
                published=self._counts.published,
                resent=self._core.resent(),
                receipts=self._counts.receipts,
                unreceipted=self._core.unreceipted() - held,
                held=held,
                lag=0.0 if oldest is None else max(now - oldest, 0) / MICROS,
                connected=up + dark >= len(self._lines),
                connections=up,
            )

    def settled(self, timeout: float | None) -> bool:
        """Wait until every message that is not held back has its receipt, seconds or for ever.

        Returns:
            Whether it came to that.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._core.unreceipted() == self._core.held(), timeout)

    def stop(self, timeout: float = 5.0) -> None:
        """Say that the devices are offline, disconnect, end the thread."""
        self._stopping = True
        self._ring()
        self._thread.join(timeout)

    # What connections tell, on their thread

    def came_up(self, connection: Connection) -> None:
        """See `connection.Owner`."""
        self._attempts.came_up(self._number[connection])
        with self._changed:
            self._core.connected(self._wall(), lambda: float(self._rng.random()), connection.keys)
        for key in connection.keys:
            if key not in self._held:
                self._say_state(key, online=True)
                self._catch_up(key)
        if not self._each:
            _log.info("gateway connected", client=connection.session.client_id, devices=len(self._devices))

    def went_down(self, connection: Connection, why: str) -> None:
        """See `connection.Owner`."""
        with self._changed:
            self._core.disconnected(connection.keys)
        self._attempts.lost(self._number[connection], self._wall())
        self._why = why
        if not self._each:
            host = connection.session.address.host
            _log.warning("gateway is offline", client=connection.session.client_id, why=why, host=host)

    def heard(self, connection: Connection, topic: str, payload: bytes) -> None:
        """See `connection.Owner`."""
        try:
            if topic == CLOCK_TOPIC:
                if self._on_clock is not None:
                    self._on_clock(fleet_clock(decode_clock(payload)))
                return
            device, channel = parse_topic(topic)
            key = str(device)
            if self._line_of.get(key) is not connection:
                return
            if key in self._held:
                if channel is Channel.COMMAND:
                    self._missed.setdefault(key, deque(maxlen=_KEPT)).append(payload)
                return
            if channel is Channel.COMMAND and self._on_command is not None:
                self._on_command(key, payload)
            elif channel is Channel.RECEIPT:
                with self._changed:
                    self._counts.receipts += 1
                    if self._core.receipt(key, decode_receipt(payload), self._wall()):
                        self._changed.notify_all()
        except WireError as cause:
            _log.warning("not understood", topic=topic, reason=cause.reason, detail=cause.detail)

    # The loop

    def _run(self) -> None:
        while not self._stopping:
            self._serve(self._patience())
            while self._wishes:
                self._wishes.popleft()()
            self._publish()
            self._flush()
            self._connect()
            self._tick()
        self._publish()
        self._flush(final=True)
        self._leave()
        self._selector.close()
        self._alarm.close()
        self._bell.close()

    def _serve(self, patience: int) -> None:
        for key, mask in self._selector.select(patience / MICROS):
            if key.data is None:
                self._answer_bell()
            else:
                key.data.serve(mask)

    def _patience(self) -> int:
        """How long nothing will be due, microseconds."""
        now = self._wall()
        moments = [now + _LONGEST_WAIT, self._ticked + _TICK]
        if (attempt := self._attempts.next_due()) is not None:
            moments.append(attempt)
        with self._changed:
            if self._core.flush_at is not None:
                moments.append(self._core.flush_at)
            if self._room() > 0 and (due := self._core.next_due()) is not None:
                moments.append(due)
        return max(0, min(moments) - now)

    def _room(self) -> int:
        return self._capacity - sum(line.open for line in self._lines)

    def _publish(self) -> None:
        with self._changed:
            messages = self._core.step(self._wall(), self._room())
            self._counts.published += len(messages)
        for message in messages:
            topic = topic_of(self._devices[message.device], message.channel)
            self._line_of[message.device].publish(topic, message.payload)

    def _flush(self, *, final: bool = False) -> None:
        with self._changed:
            at = self._core.flush_at
            if at is None or (self._wall() < at and not final):
                return
            gone = self._core.flush()
        self._spool.delete(gone)

    def _connect(self) -> None:
        """Begin the attempts whose time has come; a broker that nobody reaches is tried by one of them only."""
        now = self._wall()
        while (number := self._attempts.take(now)) is not None:
            line = self._lines[number]
            if not line.idle or self._is_dark(line):
                continue
            if self._each:
                line.session = self._kept_or_not(line)
            try:
                line.connect(now)
            except OSError as cause:
                self._attempts.unreachable(now)
                self.went_down(line, str(cause))
            else:
                self._attempts.opening(number)

    def _tick(self) -> None:
        """Once a second: keep connections alive, and give up those that the broker does not answer."""
        now = self._wall()
        if now - self._ticked < _TICK:
            return
        self._ticked = now
        if self._each and self._why and now - self._told >= _TELL:
            self._told, why, self._why = now, self._why, ""
            down = sum(not line.up and not self._is_dark(line) for line in self._lines)
            _log.warning("connections are down", down=down, of=len(self._lines), why=why)
        for line in self._lines:
            if line.up:
                line.tick()
            elif not line.idle and now - line.began > _ANSWER:
                line.cut()
                self.went_down(line, "no answer from the broker")

    def _is_dark(self, line: Connection) -> bool:
        """Whether the one device of a connection is held back."""
        return self._each and line.keys[0] in self._held

    def _go_dark(self, key: str) -> None:
        line = self._line_of[key]
        if not self._each:
            self._say_state(key, online=False)
        elif not line.idle:
            # No goodbye: the broker publishes the last will.
            self._attempts.given_up(self._number[line])
            line.cut()
            with self._changed:
                self._core.disconnected(line.keys)

    def _come_back(self, key: str) -> None:
        line = self._line_of[key]
        if not self._each:
            if key not in self._held:
                self._say_state(key, online=True)
                self._catch_up(key)
        elif line.idle and key not in self._held:
            self._attempts.plan(self._number[line], self._wall())

    def _answer(self, key: str, payload: bytes) -> None:
        if key in self._held or not self._line_of[key].up:
            self._unsaid.setdefault(key, deque(maxlen=_KEPT)).append(payload)
        else:
            self._line_of[key].publish(topic_of(self._devices[key], Channel.RESPONSE), payload)

    def _catch_up(self, key: str) -> None:
        """A device is back: it gives the answers it owes, and hears what its gateway kept for it."""
        if not self._line_of[key].up:
            return
        for payload in self._unsaid.pop(key, ()):
            self._answer(key, payload)
        missed = self._missed.pop(key, ())
        if self._on_command is not None:
            for payload in missed:
                self._on_command(key, payload)

    def _say_state(self, key: str, *, online: bool) -> None:
        state = encode_json(State(online=online, fw=self._fw(key)))
        self._line_of[key].publish(topic_of(self._devices[key], Channel.STATE), state, qos=0, retain=True)

    def _leave(self) -> None:
        for line in self._lines:
            if line.up:
                for key in line.keys:
                    state = encode_json(State(online=False, fw=self._fw(key)))
                    line.publish(topic_of(self._devices[key], Channel.STATE), state, retain=True)
        deadline = self._wall() + 2 * MICROS
        while (now := self._wall()) < deadline and any(line.up and line.open for line in self._lines):
            self._serve(deadline - now)
        for line in self._lines:
            line.leave()

    def _wish(self, what: Callable[[], None]) -> None:
        self._wishes.append(what)
        self._ring()

    def _ring(self) -> None:
        # Full: it rings already. Closed: the thread has ended.
        with suppress(OSError):
            self._bell.send(b"\0")

    def _answer_bell(self) -> None:
        with suppress(BlockingIOError):
            self._alarm.recv(4096)

    def _session(self, address: Address, keys: Sequence[str], name: str, window: int) -> Session:
        alone = len(keys) == 1
        devices = [self._devices[key] for key in keys]
        whose = devices if alone else [DeviceKey(org, "+") for org in sorted({one.org for one in devices})]
        filters = [(topic_of(one, Channel.RECEIPT), 0) for one in whose]
        if self._on_clock is not None and keys[0] == next(iter(self._devices)):
            filters.append((CLOCK_TOPIC, 1))
        if self._on_command is not None:
            # NATS keeps a consumer for every subscription with QoS 1 and allows a thousand of them (measured). A device
            # with a connection of its own, whose firmware keeps no session, hears nothing while it is away; who asks
            # asks again under the same id until there is an answer.
            filters += [(topic_of(one, Channel.COMMAND), 0 if self._each else 1) for one in whose]
        will = (topic_of(devices[0], Channel.STATE), encode_json(State(online=False))) if alone else None
        return Session(address=address, client_id=name, filters=tuple(filters), window=window, will=will)

    def _kept_or_not(self, line: Connection) -> Session:
        """The session of a device's own connection, as the firmware that it runs now has it."""
        key, now = line.keys[0], line.session
        command = topic_of(self._devices[key], Channel.COMMAND)
        kept = self._kept(key)
        # The broker knows a session by its client id, which then has to outlive this process. No id of ours holds a
        # tilde; NATS refuses dots and slashes.
        name = f"wellkept~{key.replace('/', '~')}" if kept else f"{self._client_id}-{self._number[line]}"
        filters = tuple((topic, int(kept) if topic == command else qos) for topic, qos in now.filters)
        return replace(now, client_id=name, filters=filters, kept=kept)


def fleet_clock(message: ClockMessage) -> FleetClock:
    """The clock that a message says."""
    return FleetClock(message.rev, round(message.wall * MICROS), round(message.fleet * MICROS), message.speed)
