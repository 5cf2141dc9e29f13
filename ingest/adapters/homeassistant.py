"""Home Assistant's `mqtt_statestream`: `BASE/sensor/OBJECT_ID/state` with the state as text.

`unavailable` and `unknown` are no readings. With `publish_attributes` each attribute comes on a topic of its own,
which is of no interest here. Source: its documentation, integration "MQTT Statestream".
"""

from __future__ import annotations

from ingest.adapters.base import Format, Options, Said, read_number
from ingest.adapters.esphome import split_name, text_of

_LEVELS = 4


def decode(topic: str, payload: bytes, options: Options) -> list[Said]:
    """See `Decode`."""
    levels = topic.split("/")
    if len(levels) < _LEVELS or levels[-3] != "sensor" or levels[-1] != "state":
        return []
    found = split_name(levels[-2], options)
    if found is None:
        return []
    name, quantity = found
    # Some versions send text as a JSON string.
    number = read_number(text_of(payload).strip('"'), quantity)
    return [] if number is None else [Said(name or levels[-2], None, {quantity: number})]


FORMAT = Format("homeassistant", "Home Assistant, MQTT statestream", ("homeassistant/sensor/+/state",), decode)
