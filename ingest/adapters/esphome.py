"""ESPHome: `PREFIX/sensor/OBJECT_ID/state` with one number as text, on change or every update interval.

An object id names its quantity by its end (`fridge_plug_power`); what stands before it becomes part of the device's
name, so that one board may meter several appliances. Source: its documentation, page "MQTT Client Component".
"""

from __future__ import annotations

from ingest.adapters.base import Format, Options, Said, read_number
from telemetry.errors import WireError

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
    number = read_number(text_of(payload), quantity)
    prefix = "/".join(levels[:-3])
    device = f"{prefix}-{name}" if name else prefix
    return [] if number is None else [Said(device, None, {quantity: number})]


def split_name(object_id: str, options: Options) -> tuple[str, str] | None:
    """What an object id says: the name before the quantity, and the quantity; None when it is of no interest."""
    for quantity, suffix in options.suffix.items():
        if object_id == suffix:
            return "", quantity
        if object_id.endswith(f"_{suffix}"):
            return object_id[: -len(suffix) - 1], quantity
    return None


def text_of(payload: bytes) -> str:
    """A payload of plain text.

    Raises:
        WireError: reason `malformed`.
    """
    try:
        return payload.decode()
    except UnicodeDecodeError as cause:
        raise WireError("malformed", "the payload is not text") from cause


FORMAT = Format("esphome", "ESPHome", ("+/sensor/+/state",), decode)
