"""Numbered messages of one device over paho, acknowledged by the broker."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def publish(url: str, count: int, topic: str = "wellkept/v1/demo/a/telemetry") -> None:
    """Publish seq 1 to `count` with QoS 1 and wait for the broker's answers."""
    parts = urlsplit(url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    if parts.username:
        client.username_pw_set(parts.username, parts.password)
    client.max_inflight_messages_set(1_000)
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    try:
        sent = [client.publish(topic, payload(seq), qos=1) for seq in range(1, count + 1)]
        for each in sent:
            each.wait_for_publish(30)
    finally:
        client.disconnect()
        client.loop_stop()


def payload(seq: int) -> bytes:
    """A message of a smart plug."""
    return json.dumps({"v": 1, "epoch": 1, "seq": seq, "base": 1, "t": 1.5, "q": {"power": float(seq)}}).encode()
