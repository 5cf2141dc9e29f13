"""paho-mqtt for ingest: its network thread only queues; acknowledgements are given by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from telemetry.clock import MICROS, FleetClock
from telemetry.errors import WellkeptError
from telemetry.identity import DeviceKey
from telemetry.message import ClockMessage, encode_json
from telemetry.topics import CLOCK_TOPIC, Channel, subscription, topic_of

log = structlog.get_logger()


class SubscriptionRefusedError(WellkeptError):
    """The broker does not let ingest hear its devices."""


_KEEPALIVE = 30
_DEFAULT_PORT = 1883


class MqttIngress:
    """The persistent session of ingest on any MQTT 3.1.1 broker.

    Args:
        url: `mqtt://user:password@host:port`.
        client_id: names the session that the broker keeps for us.
        on_connection: called on the network thread when a connection begins; returns its number.
        on_message: called on the network thread with connection, packet id, topic and payload; may block,
            which stops reading.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        on_connection: Callable[[], int],
        on_message: Callable[[int, int, str, bytes], None],
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or _DEFAULT_PORT
        self._on_connection = on_connection
        self._on_message = on_message
        # 0 while there is none; guarded so that no acknowledgement crosses from one connection to the next.
        self._connection = 0
        self._guard = threading.Lock()
        self.refused: str | None = None
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=mqtt.MQTTv311,
            manual_ack=True,
        )
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        self._client.reconnect_delay_set(min_delay=1, max_delay=2)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._received

    def start(self) -> None:
        """Connect in the background and keep connecting."""
        self._client.connect_async(self._host, self._port, _KEEPALIVE)
        self._client.loop_start()

    def connected(self) -> bool:
        """Whether the broker answers right now.

        Raises:
            SubscriptionRefusedError: it refused one of our subscriptions; the mend is in its rights or window.
        """
        if self.refused is not None:
            raise SubscriptionRefusedError(
                f"the broker at {self._host}:{self._port} refused a subscription ({self.refused}); "
                "give the user of ingest the right to read wellkept/v1/# and check the in-flight window"
            )
        return self._client.is_connected()

    def acknowledge(self, connection: int, mid: int) -> None:
        """Tell the broker that a message is safe, unless its connection is gone."""
        with self._guard:
            if connection == self._connection:
                self._client.ack(mid, 1)

    def relay(self, key: DeviceKey, channel: str, payload: bytes) -> None:
        """Pass on what servers send to a device; a receipt may be lost, a command may not."""
        known = Channel(channel)
        self._client.publish(topic_of(key, known), payload, qos=0 if known is Channel.RECEIPT else 1)

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
        client.subscribe([(subscription(Channel.TELEMETRY), 1), (subscription(Channel.EVENT), 1)])
        log.info("broker connected", broker=f"{self._host}:{self._port}", connection=self._connection)

    def _subscribed(
        self, _client: mqtt.Client, _data: object, _mid: int, codes: list[ReasonCode], _properties: object
    ) -> None:
        # A broker may refuse one of several subscriptions (NATS: when their windows add up to more than 65,535) and
        # would go on accepting messages for it that nobody hears.
        if any(code.is_failure for code in codes):
            self.refused = ", ".join(str(code) for code in codes)

    def _disconnected(
        self, _client: mqtt.Client, _data: object, _flags: mqtt.DisconnectFlags, code: ReasonCode, _properties: object
    ) -> None:
        with self._guard:
            self._connection = 0
        log.warning("broker disconnected", reason=str(code))

    def _received(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if message.qos == 0:
            log.warning("a reading came with QoS 0; its device risks its loss", topic=message.topic)
        self._on_message(self._connection, message.mid if message.qos else 0, message.topic, bytes(message.payload))
