"""paho-mqtt for ingest: its network thread only queues; acknowledgements are given by hand, many at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.share import ShareProof, filters, shared
from ingest.sorting_socket import SortingSocket, without_delay
from ingest.wire import Delivery, puback_packets, publish_packet
from telemetry.clock import MICROS, FleetClock
from telemetry.errors import WellkeptError
from telemetry.identity import DeviceKey
from telemetry.message import ClockMessage, encode_json
from telemetry.relay import decode_relayed
from telemetry.topics import CLOCK_TOPIC, Channel, topic_of

log = structlog.get_logger()


class SubscriptionRefusedError(WellkeptError):
    """The broker does not let ingest hear its devices."""


_KEEPALIVE = 30
_DEFAULT_PORT = 1883


class _Client(mqtt.Client):
    """paho over a socket that takes messages out before it."""

    def __init__(self, client_id: str, on_messages: Callable[[list[Delivery]], None]) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=mqtt.MQTTv311,
            manual_ack=True,
        )
        self._on_messages = on_messages
        self.sorting: SortingSocket | None = None

    def _create_socket_connection(self) -> SortingSocket:  # type: ignore[override]
        self.sorting = SortingSocket(without_delay(super()._create_socket_connection()), self._on_messages)
        return self.sorting


class MqttIngress:
    """The persistent session of ingest on any MQTT 3.1.1 broker.

    Args:
        url: `mqtt://user:password@host:port`.
        client_id: names the session that the broker keeps for us.
        share: group of a shared subscription, or nothing.
        on_connection: called on the network thread when a connection begins; returns its number.
        on_messages: called on the network thread with the connection and what one read brought; may block, which
            stops reading.
        foreign: filters of other grammars. Where the broker does not grant one with QoS 1, it is heard with QoS 0,
            which is what such devices publish with anyway.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        share: str,
        on_connection: Callable[[], int],
        on_messages: Callable[[int, list[Delivery]], None],
        *,
        foreign: Sequence[str] = (),
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or _DEFAULT_PORT
        self._on_connection = on_connection
        self._on_messages = on_messages
        # 0 while there is none; guarded so that no acknowledgement crosses from one connection to the next.
        self._connection = 0
        self._guard = threading.Lock()
        self.refused: str | None = None
        self._filters = filters(share)
        self._foreign = shared(share, foreign)
        self._asked: dict[int, tuple[list[str], int]] = {}
        self._proof = ShareProof(share, f"{self._host}:{self._port}") if share else None
        self._proof_mid: int | None = None
        self._warned = False
        self._client = _Client(client_id, self._received)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        self._client.reconnect_delay_set(min_delay=1, max_delay=2)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._subscribed

    def start(self) -> None:
        """Connect in the background and keep connecting."""
        self._client.connect_async(self._host, self._port, _KEEPALIVE)
        self._client.loop_start()

    def connected(self) -> bool:
        """Whether the broker answers right now.

        Raises:
            SubscriptionRefusedError: it refused one of our subscriptions; the mend is in its rights or window.
            SharedSubscriptionError: it grants shared subscriptions and does not serve them.
        """
        if self._proof is not None:
            self._proof.check(time.monotonic())
        if self.refused is not None:
            raise SubscriptionRefusedError(
                f"the broker at {self._host}:{self._port} refused a subscription ({self.refused}); "
                "give the user of ingest the right to read wellkept/v1/# and the adapters' topics, "
                "and check the in-flight window"
            )
        return self._client.is_connected()

    def acknowledge(self, connection: int, mids: Sequence[int]) -> None:
        """Tell the broker that messages are safe, unless their connection is gone."""
        packets = puback_packets(mids)
        with self._guard:
            if connection == self._connection and self._client.sorting is not None:
                self._client.sorting.write(packets)

    def flush(self) -> None:
        """Try again with what the network did not take."""
        if self._client.sorting is not None:
            self._client.sorting.flush()

    def relay(self, messages: Sequence[tuple[DeviceKey, str, bytes]]) -> None:
        """Pass on what servers send to devices and homes; a receipt may be lost, a command may not."""
        receipts: list[bytes] = []
        for key, channel, payload in messages:
            if channel == Channel.RECEIPT:
                receipts.append(publish_packet(topic_of(key, Channel.RECEIPT), payload))
            elif channel == Channel.COMMAND:
                self._client.publish(topic_of(key, Channel.COMMAND), payload, qos=1)
            elif channel == Channel.HOME:
                relayed = decode_relayed(payload)
                self._client.publish(relayed.topic, relayed.payload, qos=1, retain=relayed.retain)
            else:
                log.warning(
                    "nothing but receipts, commands and what homes are told is relayed",
                    device=str(key),
                    channel=channel,
                )
        with self._guard:
            if receipts and self._connection and self._client.sorting is not None:
                self._client.sorting.write(b"".join(receipts), may_drop=True)

    def tell_clock(self, clock: FleetClock) -> None:
        """Publish the fleet clock, retained."""
        message = ClockMessage(rev=clock.rev, wall=clock.wall / MICROS, fleet=clock.fleet / MICROS, speed=clock.speed)
        self._client.publish(CLOCK_TOPIC, encode_json(message), qos=1, retain=True)

    def stop(self) -> None:
        """Leave; the broker keeps the session."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(
        self, client: mqtt.Client, _data: object, _flags: mqtt.ConnectFlags, code: ReasonCode, _properties: object
    ) -> None:
        if code.is_failure:
            log.warning("broker refused", broker=f"{self._host}:{self._port}", reason=str(code))
            return
        with self._guard:
            self._connection = self._on_connection()
        if self._proof is None or self._proof.given:
            self._subscribe()
        else:
            self._proof_mid = client.subscribe(self._proof.filter, 1)[1]
        log.info("broker connected", broker=f"{self._host}:{self._port}", connection=self._connection)

    def _subscribe(self) -> None:
        self._client.subscribe([(each, 1) for each in self._filters])
        self._asked.clear()
        if self._foreign:
            self._ask(self._foreign, 1)

    def _ask(self, foreign: list[str], qos: int) -> None:
        mid = self._client.subscribe([(each, qos) for each in foreign])[1]
        if mid is not None:
            self._asked[mid] = foreign, qos

    def _answered(self, asked: list[str], qos: int, codes: list[ReasonCode]) -> None:
        """What the broker says to foreign filters; one that it refuses with either QoS is a matter for a person."""
        refused = [each for each, code in zip(asked, codes, strict=False) if code.is_failure]
        if refused and qos:
            log.warning("the broker does not grant these with QoS 1; they are heard with QoS 0", filters=refused)
            self._ask(refused, 0)
        elif refused:
            self.refused = ", ".join(refused)

    def _subscribed(
        self, client: mqtt.Client, _data: object, mid: int, codes: list[ReasonCode], _properties: object
    ) -> None:
        # A broker may refuse one of several subscriptions (NATS: when their windows add up to more than 65,535) and
        # would go on accepting messages for it that nobody hears.
        proof = self._proof if self._proof is not None and mid == self._proof_mid else None
        if proof is not None and any(code.is_failure for code in codes):
            proof.refused(", ".join(str(code) for code in codes))
        elif (asked := self._asked.pop(mid, None)) is not None:
            self._answered(*asked, codes)
        elif any(code.is_failure for code in codes):
            self.refused = ", ".join(str(code) for code in codes)
        elif proof is not None:
            client.publish(proof.topic, b"", qos=1)
            proof.sent(time.monotonic())

    def _disconnected(
        self, _client: mqtt.Client, _data: object, _flags: mqtt.DisconnectFlags, code: ReasonCode, _properties: object
    ) -> None:
        with self._guard:
            self._connection = 0
        log.warning("broker disconnected", reason=str(code))

    def _prove(self, proof: ShareProof, messages: list[Delivery]) -> list[Delivery]:
        others, own = proof.take(messages)
        if own:
            self.acknowledge(self._connection, [mid for _, _, mid in own if mid])
            log.info("the shared subscription serves", filters=self._filters)
            self._client.unsubscribe(proof.filter)
            self._subscribe()
        return others

    def _received(self, messages: list[Delivery]) -> None:
        if self._proof is not None and not self._proof.given:
            messages = self._prove(self._proof, messages)
        if not self._warned and any(mid == 0 for _, _, mid in messages):
            self._warned = True
            topic = next(topic for topic, _, mid in messages if mid == 0)
            log.warning("readings come with QoS 0; their devices risk their loss", topic=topic.decode(errors="replace"))
        if messages:
            self._on_messages(self._connection, messages)
