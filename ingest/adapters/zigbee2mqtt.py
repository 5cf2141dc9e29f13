"""Zigbee2MQTT: `zigbee2mqtt/FRIENDLY_NAME` with a JSON object of what the device exposes.

Friendly names may hold slashes. `last_seen` is there when `advanced.last_seen` was switched on: ISO 8601 or
milliseconds. Source: its documentation, pages "MQTT Topics and Messages" and "Exposes".
"""

from __future__ import annotations

from ingest.adapters.base import Format, Options, Said, read_numbers, read_object, read_time

_NAMES = ("power", "voltage", "current", "temperature")
_OTHERS = ("set", "get", "availability")
_BRIDGE = "bridge"


def decode(topic: str, payload: bytes, options: Options) -> list[Said]:
    """See `Decode`."""
    levels = topic.split("/")[1:]
    if not levels or levels[0] == _BRIDGE or levels[-1] in _OTHERS:
        return []
    body = read_object(payload)
    numbers = read_numbers({name: body[name] for name in _NAMES if name in body})
    if not numbers:
        return []
    return [Said("/".join(levels), read_time(body.get("last_seen"), options.zone), numbers)]


FORMAT = Format("zigbee2mqtt", "Zigbee2MQTT", ("zigbee2mqtt/#",), decode)
