"""A server's side for tests: hears telemetry on the real broker and answers with receipts."""

from __future__ import annotations

import threading
from collections import defaultdict

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.mqtt import parse_url
from telemetry.clock import MICROS, FleetClock
from telemetry.identity import DeviceKey, parse_key
from telemetry.message import ClockMessage, Envelope, Receipt, decode_envelope, encode_json
from telemetry.progress import Progress
from telemetry.topics import CLOCK_TOPIC, Channel, parse_topic, subscription, topic_of


class Answering:
    """Stores every message once in memory; `mute` stops the receipts. A new one may take over what another stored."""

    def __init__(self, url: str, before: Answering | None = None) -> None:
        address = parse_url(url)
        self.mute = False
        self.seen: dict[DeviceKey, list[Envelope]] = defaultdict(list)
        self.repeats = 0
        self.changed = threading.Condition()
        self._progress: dict[DeviceKey, Progress] = {}
        if before is not None:
            self.seen, self._progress = before.seen, before._progress
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="answering")
        self._client.username_pw_set(address.user or "", address.password)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(subscription(Channel.TELEMETRY), 1), (subscription(Channel.EVENT), 1)]
        )
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._heard
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        assert self._ready.wait(10)

    def clock(self, clock: FleetClock) -> None:
        message = ClockMessage(rev=clock.rev, wall=clock.wall / MICROS, fleet=clock.fleet / MICROS, speed=clock.speed)
        self._client.publish(CLOCK_TOPIC, encode_json(message), qos=1, retain=True)

    def ask(self, device: str, payload: bytes) -> None:
        """Send a device a command, once; the broker has it when this returns."""
        told = self._client.publish(topic_of(parse_key(device), Channel.COMMAND), payload, qos=1)
        told.wait_for_publish(10)
        assert told.is_published()

    def count(self) -> int:
        return sum(len(found) for found in self.seen.values())

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _heard(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        key, _ = parse_topic(message.topic)
        envelope = decode_envelope(bytes(message.payload))
        with self.changed:
            progress = self._progress.setdefault(key, Progress(envelope.epoch))
            if progress.add(envelope.seq):
                self.seen[key].append(envelope)
            else:
                self.repeats += 1
            self.changed.notify_all()
        if not self.mute:
            receipt = Receipt(epoch=progress.epoch, upto=progress.upto, beyond=list(progress.beyond))
            client.publish(topic_of(key, Channel.RECEIPT), encode_json(receipt), qos=0)
