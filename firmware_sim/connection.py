"""One MQTT connection without a thread of its own: a paho client that a loop over many of them serves by its socket.

Each attempt to connect uses a fresh client: nothing of an old session survives here, the spool is the only memory of
what must still be sent. What the broker keeps of a session is what it has heard for the device meanwhile. All calls
come from the loop's thread.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

_KEEPALIVE = 20
_OPEN_S = 3.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a connection is made with.

    Attributes:
        address: of the broker.
        client_id: on it.
        filters: what it hears, with the quality of service.
        window: messages in flight at most.
        will: topic and payload of its last will, or None.
        kept: the broker keeps it while the client is away, and what comes for its filters of QoS 1 meanwhile.
    """

    address: Address
    client_id: str
    filters: Sequence[tuple[str, int]]
    window: int
    will: tuple[str, bytes] | None = None
    kept: bool = False


class Owner(Protocol):
    """Who is told of what happens on a connection."""

    def came_up(self, connection: Connection) -> None:
        """It is connected and subscribed."""
        ...

    def went_down(self, connection: Connection, why: str) -> None:
        """It is gone, or never came up."""
        ...

    def heard(self, connection: Connection, topic: str, payload: bytes) -> None:
        """A message came."""
        ...


class Connection:
    """A connection for some devices.

    Args:
        keys: `org/device` of each.
        session: how it is made.
        owner: is told.
        selector: watches its socket.

    Attributes:
        up: whether messages can go out.
        open: published and not yet acknowledged.
        began: wall time of the last attempt, microseconds.
    """

    def __init__(self, keys: Sequence[str], session: Session, owner: Owner, selector: selectors.BaseSelector) -> None:
        self.keys = tuple(keys)
        self.session = session
        self._owner, self._selector = owner, selector
        self._client: mqtt.Client | None = None
        self.up = False
        self.open = 0
        self.began = 0

    @property
    def idle(self) -> bool:
        """Whether there is neither a connection nor an attempt."""
        return self._client is None

    def connect(self, now: int) -> None:
        """Begin to connect; the owner hears how it ends.

        Raises:
            OSError: nobody listens there.
        """
        session = self.session
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=session.client_id,
            clean_session=not session.kept,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _OPEN_S
        client.max_inflight_messages_set(session.window)
        if session.address.user is not None:
            client.username_pw_set(session.address.user, session.address.password)
        if session.will is not None:
            client.will_set(session.will[0], session.will[1], qos=1, retain=True)
        self._client, self.up, self.open, self.began = client, False, 0, now
        self._bind(client)
        try:
            client.connect(session.address.host, session.address.port, _KEEPALIVE)
        except OSError:
            self.cut()
            raise

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send a message; without a connection it is lost."""
        client = self._client
        if client is None:
            return
        self.open += 1
        client.publish(topic, payload, qos=qos, retain=retain)
        self._watch(client)

    def serve(self, mask: int) -> None:
        """Read and write what the socket is ready for."""
        client = self._client
        if client is None:
            return
        if mask & selectors.EVENT_READ:
            client.loop_read()
        if self._client is client and client.want_write():
            client.loop_write()
        if self._client is client:
            self._watch(client)

    def tick(self) -> None:
        """Keep the connection alive; call it about once a second."""
        client = self._client
        if client is not None:
            client.loop_misc()
            if self._client is client:
                self._watch(client)

    def leave(self) -> None:
        """Say goodbye: the broker does not publish the last will."""
        client = self._client
        if client is not None:
            client.on_disconnect = None
            client.disconnect()
            if self._client is client and client.socket() is not None:
                client.loop_write()
            self.cut()

    def cut(self) -> None:
        """End the connection without a word, as a lost network does; the owner is not told."""
        client, self._client = self._client, None
        self.up, self.open = False, 0
        if client is None:
            return
        client.on_connect = client.on_subscribe = client.on_disconnect = None
        client.on_message = client.on_publish = client.on_socket_open = client.on_socket_close = None
        found = cast("socket.socket | None", client.socket())
        if found is not None:
            self._forget(found)
            found.close()

    def _bind(self, client: mqtt.Client) -> None:
        def on_connect(
            one: mqtt.Client, _data: object, _flags: mqtt.ConnectFlags, reason: ReasonCode, _p: Properties | None
        ) -> None:
            if not reason.is_failure:
                one.subscribe(list(self.session.filters))

        def on_subscribe(
            _one: mqtt.Client, _data: object, _mid: int, reasons: list[ReasonCode], _p: Properties | None
        ) -> None:
            if any(reason.is_failure for reason in reasons):
                wanted = ", ".join(name for name, _ in self.session.filters)
                self._down(f"the broker refused to let its user hear {wanted}: give it the right to them")
            else:
                self.up = True
                self._owner.came_up(self)

        def on_disconnect(
            _one: mqtt.Client, _data: object, _flags: mqtt.DisconnectFlags, reason: ReasonCode, _p: Properties | None
        ) -> None:
            self._down(f"connection lost ({reason})")

        def on_message(_one: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
            self._owner.heard(self, message.topic, bytes(message.payload))

        def on_publish(_one: mqtt.Client, _data: object, _mid: int, _reason: ReasonCode, _p: Properties | None) -> None:
            # With QoS 0: when it was written.
            self.open -= 1

        def on_open(_one: mqtt.Client, _data: object, sock: object) -> None:
            self._selector.register(cast("socket.socket", sock), selectors.EVENT_READ, self)

        def on_close(_one: mqtt.Client, _data: object, sock: object) -> None:
            self._forget(cast("socket.socket", sock))

        client.on_connect, client.on_subscribe, client.on_disconnect = on_connect, on_subscribe, on_disconnect
        client.on_message, client.on_publish = on_message, on_publish
        client.on_socket_open, client.on_socket_close = on_open, on_close

    def _down(self, why: str) -> None:
        self.cut()
        self._owner.went_down(self, why)

    def _watch(self, client: mqtt.Client) -> None:
        """Ask for writability exactly while something waits to be written."""
        found = cast("socket.socket | None", client.socket())
        if found is None or found.fileno() < 0:
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
        key = self._selector.get_map().get(found.fileno())
        if key is not None and key.events != wanted:
            self._selector.modify(found, wanted, self)

    def _forget(self, found: socket.socket) -> None:
        if found.fileno() >= 0 and found.fileno() in self._selector.get_map():
            self._selector.unregister(found)
