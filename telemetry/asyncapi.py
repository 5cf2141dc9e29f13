"""The AsyncAPI 3 document of the MQTT interface, written from the types and bounds that the wire codec itself uses."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from telemetry.command import Command, Name, Response, Status
from telemetry.message import (
    MAX_CHANNELS,
    MAX_EVENTS,
    MAX_MESSAGE_BYTES,
    MAX_READINGS,
    MAX_SEQ,
    MAX_STEP,
    MAX_WORD,
    RECEIPT_RANGES,
    TIME_LIMIT,
    WIRE_VERSION,
    ClockMessage,
    Envelope,
    Receipt,
    State,
)
from telemetry.topics import CLOCK_TOPIC, ROOT, Channel

Json = dict[str, Any]
_TYPES: tuple[type[msgspec.Struct], ...] = (Envelope, State, Receipt, Command, Response, ClockMessage)
_WORD: Json = {"minLength": 1, "maxLength": MAX_WORD}
_TIME: Json = {"minimum": 0, "exclusiveMaximum": TIME_LIMIT}
_BOUNDS: Mapping[str, Mapping[str, Json]] = {
    "Envelope": {
        "v": {"const": WIRE_VERSION},
        "epoch": {"minimum": 0, "exclusiveMaximum": MAX_SEQ},
        "seq": {"minimum": 1, "exclusiveMaximum": MAX_SEQ},
        "base": {"minimum": 0},
        "t": _TIME,
        "dt": {"exclusiveMinimum": 0, "maximum": MAX_STEP},
        "phase": _WORD,
        "fw": _WORD,
        "q": {"maxProperties": MAX_CHANNELS},
        "events": {"maxItems": MAX_EVENTS},
    },
    "Receipt": {"beyond": {"maxItems": RECEIPT_RANGES}},
    "Command": {"command": {"examples": [name.value for name in Name]}},
}
"""What the codec checks beyond the types."""
_ABOUT: Mapping[Channel, tuple[str, type[msgspec.Struct], str, int, bool]] = {
    Channel.TELEMETRY: (
        "receive",
        Envelope,
        "Readings, one or an array of them, under the device's own sequence.",
        1,
        False,
    ),
    Channel.EVENT: ("receive", Envelope, "Event codes, in the same sequence as the readings.", 1, False),
    Channel.STATE: ("receive", State, "Whether the device is there; retained, and its last will.", 1, True),
    Channel.RECEIPT: ("send", Receipt, "What the server has for ever: the device deletes it from its spool.", 0, False),
    Channel.COMMAND: ("send", Command, "What the server asks of the device.", 1, False),
    Channel.RESPONSE: ("receive", Response, "What became of a command.", 1, False),
}
"""Of each channel of a device: what the server does, the message, what it is, quality of service, retained."""
_EXAMPLES: Mapping[Channel, tuple[Json, ...]] = {
    Channel.TELEMETRY: (
        {
            "v": 1,
            "epoch": 1,
            "seq": 41,
            "base": 40,
            "t": 1795000000.0,
            "phase": "cooling",
            "fw": "2.4.1",
            "q": {"power": 91.5},
        },
        {"v": 1, "epoch": 1, "seq": 42, "base": 40, "t": 1795000060.0, "dt": 60.0, "q": {"power": [91.5, None, 90.0]}},
    ),
    Channel.EVENT: ({"v": 1, "epoch": 1, "seq": 43, "base": 40, "t": 1795000240.0, "events": ["door_open"]},),
    Channel.STATE: ({"v": 1, "online": True, "fw": "2.4.1"},),
    Channel.RECEIPT: ({"v": 1, "epoch": 1, "upto": 41, "beyond": [[43, 43]]},),
    Channel.COMMAND: ({"v": 1, "id": "c-17", "command": "self_test", "args": {"test": "fan"}},),
    Channel.RESPONSE: (
        {
            "v": 1,
            "id": "c-17",
            "command": "self_test",
            "status": "ok",
            "t": 1795000300.0,
            "values": {"fan_rpm": 1250.0},
        },
    ),
}
_HOME = "What a home's own automation is told of the appliance: health, finding, next visit; retained."
_CLOCK_EXAMPLE: Json = {"rev": 3, "wall": 1795000000.0, "fleet": 1795600000.0, "speed": 60.0}


def document(version: str) -> Json:
    """The whole document.

    Args:
        version: of the product.
    """
    channels, operations, messages = {}, {}, {}
    for channel, (action, kind, about, qos, retained) in _ABOUT.items():
        name = channel.value
        channels[name] = {
            "address": f"{ROOT}/{{org}}/{{device}}/{channel}",
            "description": about,
            "parameters": {part: {"$ref": f"#/components/parameters/{part}"} for part in ("org", "device")},
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        }
        operations[f"{action}_{name}"] = _operation(action, name, about, qos, retained=retained)
        messages[name] = _message(name, kind, _EXAMPLES[channel])
    channels["home"] = {
        "address": f"{ROOT}/{{org}}/{{device}}/{Channel.HOME}",
        "description": _HOME,
        "parameters": {part: {"$ref": f"#/components/parameters/{part}"} for part in ("org", "device")},
        "messages": {"home": {"$ref": "#/components/messages/home"}},
    }
    operations["send_home"] = _operation("send", "home", _HOME, 1, retained=True)
    messages["home"] = {
        "name": "home",
        "title": "An appliance as a home's automation shows it.",
        "contentType": "application/json",
        "payload": {"type": "object"},
    }
    about = "The fleet clock, retained; a change takes effect at a wall time of at least a second ahead."
    channels["clock"] = {
        "address": CLOCK_TOPIC,
        "description": about,
        "messages": {"clock": {"$ref": "#/components/messages/clock"}},
    }
    operations["send_clock"] = _operation("send", "clock", about, 1, retained=True)
    messages["clock"] = _message("clock", ClockMessage, (_CLOCK_EXAMPLE,))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wellkept over MQTT",
            "version": version,
            "description": "How a device tells its readings and hears what is stored for ever. Payloads are JSON or "
            f"MessagePack, told apart by the first byte, of at most {MAX_MESSAGE_BYTES} bytes; arrays hold at most "
            f"{MAX_READINGS} readings. `receive` and `send` are the server's.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "parameters": {
                "org": {"description": "organisation, 1 to 64 of A-Z a-z 0-9 _ -"},
                "device": {"description": "device, 1 to 64 of A-Z a-z 0-9 _ -"},
            },
            "messages": messages,
            "schemas": _schemas(),
        },
    }


def examples() -> dict[Channel, tuple[Json, ...]]:
    """A payload or more of each channel of a device."""
    return dict(_EXAMPLES)


def _operation(action: str, name: str, about: str, qos: int, *, retained: bool) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": about,
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        "bindings": {"mqtt": {"qos": qos, "retain": retained, "bindingVersion": "0.2.0"}},
    }


def _message(name: str, kind: type[msgspec.Struct], given: tuple[Json, ...]) -> Json:
    return {
        "name": name,
        "title": inspect.getdoc(kind).splitlines()[0],  # type: ignore[union-attr]  # each has one
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": [{"payload": each} for each in given],
    }


def _schemas() -> Json:
    """The types as JSON Schema, with what the codec checks beyond them and what their attributes mean."""
    _, found = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    described: tuple[type, ...] = (*_TYPES, Status)
    for kind in described:
        schema = found[kind.__name__]
        meanings = _attributes(inspect.getdoc(kind) or "")
        schema["description"] = (inspect.getdoc(kind) or "").partition("\n\n")[0]
        for name, field in schema.get("properties", {}).items():
            field.update(_BOUNDS.get(kind.__name__, {}).get(name, {}))
            if name in meanings:
                field["description"] = meanings[name]
    return dict(sorted(found.items()))


def _attributes(doc: str) -> dict[str, str]:
    """The meanings that a docstring gives under `Attributes:`."""
    found: dict[str, str] = {}
    for line in doc.partition("Attributes:")[2].splitlines():
        name, colon, meaning = line.strip().partition(": ")
        if colon and name.isidentifier():
            found[name] = meaning
    return found
