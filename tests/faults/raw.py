"""Devices that say whatever they are told to, on one connection, and hear their receipts; for disorder and fuzz."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from telemetry.message import Envelope, Receipt, decode_receipt, encode_envelope
from telemetry.topics import Channel, parse_topic, topic_of
from tests.spine.rig import wait_for

_WINDOW = 1_000


class Raw:
    """A gateway of the organisation `demo` without spool, order or sense.

    Args:
        url: `mqtt://user:password@host:port`.
        name: client id.
    """

    def __init__(self, url: str, name: str) -> None:
        parts = urlsplit(url)
        self.receipts: dict[tuple[str, int], Receipt] = {}
        self._waiting: dict[tuple[str, int], dict[int, float]] = {}
        self.delays: list[float] = []
        self._lock = threading.Lock()
        self._room = threading.Semaphore(_WINDOW)
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self._client.max_inflight_messages_set(_WINDOW)
        self._client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self._client.on_message = self._heard
        self._client.on_publish = self._published
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect(parts.hostname or "", parts.port or 0)
        self._client.loop_start()
        self._client.subscribe("wellkept/v1/demo/+/receipt")
        assert self._subscribed.wait(20)

    def send(self, topic: str, payload: bytes) -> None:
        """Publish; waits while a thousand are not acknowledged."""
        assert self._room.acquire(timeout=60), "the broker acknowledges nothing"
        self._client.publish(topic, payload, qos=1)

    def say(self, device: str, envelope: Envelope) -> None:
        """Publish a message, on the channel that it belongs on, and note when."""
        key = DeviceKey("demo", device)
        channel = Channel.EVENT if envelope.events else Channel.TELEMETRY
        with self._lock:
            self._waiting.setdefault((str(key), envelope.epoch), {}).setdefault(envelope.seq, time.monotonic())
        self.send(topic_of(key, channel), encode_envelope(envelope))

    def receipted(self, device: str, epoch: int, upto: int) -> bool:
        """Whether a device has its receipt up to a seq, without a gap."""
        with self._lock:
            known = self.receipts.get((f"demo/{device}", epoch))
        return known is not None and known.upto >= upto

    def wait(self, devices: Sequence[str], epoch: int, upto: int, seconds: float) -> float:
        """Wait for the receipts of devices. Returns the seconds it took."""
        return wait_for(
            lambda: all(self.receipted(device, epoch, upto) for device in devices),
            seconds,
            f"receipts of {len(devices)} devices up to {epoch}/{upto}",
        )

    def wait_published(self, seconds: float = 60.0) -> None:
        """Wait until the broker has acknowledged everything."""
        for _ in range(_WINDOW):
            assert self._room.acquire(timeout=seconds), "the broker acknowledges nothing"
        for _ in range(_WINDOW):
            self._room.release()

    def stop(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _published(
        self, _client: mqtt.Client, _data: object, _mid: int, _code: ReasonCode, _properties: object
    ) -> None:
        self._room.release()

    def _heard(self, _client: mqtt.Client, _data: object, got: mqtt.MQTTMessage) -> None:
        try:
            key, _ = parse_topic(got.topic)
            receipt = decode_receipt(bytes(got.payload))
        except WireError:
            return
        now = time.monotonic()
        with self._lock:
            at = str(key), receipt.epoch
            self.receipts[at] = receipt
            waiting = self._waiting.get(at, {})
            for seq in [seq for seq in waiting if covers(receipt, seq)]:
                self.delays.append(now - waiting.pop(seq))


def covers(receipt: Receipt, seq: int) -> bool:
    """Whether a receipt names a seq as kept."""
    return seq <= receipt.upto or any(low <= seq <= high for low, high in receipt.beyond)
