"""Hears one channel of all devices on the real broker."""

from __future__ import annotations

import threading
from collections import defaultdict

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.connection import parse_url
from telemetry.topics import Channel, parse_topic, subscription


class Listener:
    """Keeps every payload heard, by `org/device`."""

    def __init__(self, url: str, channel: Channel) -> None:
        address = parse_url(url)
        self.heard: dict[str, list[bytes]] = defaultdict(list)
        self.changed = threading.Condition()
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"listener-{channel}")
        self._client.username_pw_set(address.user or "", address.password)
        self._client.on_connect = lambda client, *_: client.subscribe(subscription(channel), 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._take
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        assert self._ready.wait(10)

    def wait(self, device: str, count: int, seconds: float = 15.0) -> list[bytes]:
        """The payloads of a device, as soon as there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard[device]) >= count, seconds), self.heard[device]
            return list(self.heard[device])

    def last(self, device: str, payload: bytes, seconds: float = 15.0) -> None:
        """Wait until the newest payload of a device is this one."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.heard[device][-1:] == [payload], seconds), self.heard[device]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with self.changed:
            self.heard[str(parse_topic(message.topic)[0])].append(bytes(message.payload))
            self.changed.notify_all()
