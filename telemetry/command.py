"""Wire codec, version 1: what a server asks of a device, and what the device answers."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from telemetry.errors import WireError
from telemetry.message import MAX_MESSAGE_BYTES, WIRE_VERSION, encode_json, is_word

Value = str | float | None


class Name(StrEnum):
    """The commands that every device of the product knows."""

    SET_INTERVAL = "set_interval"
    SELF_TEST = "self_test"
    IDENTIFY = "identify"


class Status(StrEnum):
    """How a device answers."""

    OK = "ok"
    BUSY = "busy"
    ERROR = "error"


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What arrives on `command`.

    Attributes:
        v: wire version, 1.
        id: chosen by whoever asks; a repeat under the same id is answered and not carried out again.
        command: one of `Name`; a device answers an unknown one with an error.
        args: of the command.
    """

    v: int
    id: str
    command: str
    args: dict[str, Value] = msgspec.field(default_factory=dict)


class Response(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a device publishes on `response`, outside its sequence.

    Attributes:
        v: wire version, 1.
        id: of the command.
        command: its name.
        status: whether it was carried out.
        t: Unix seconds UTC, by the fleet's clock, at which it was done.
        error: why not, one sentence for people.
        values: numbers by name; of a self-test the quantities it measured, with their unit as suffix.
        info: words by name.
    """

    v: int
    id: str
    command: str
    status: Status
    t: float
    error: str | None = None
    values: dict[str, float] = msgspec.field(default_factory=dict)
    info: dict[str, str] = msgspec.field(default_factory=dict)


_command_decode = msgspec.json.Decoder(Command).decode
_response_decode = msgspec.json.Decoder(Response).decode


def new_command(command_id: str, name: str, args: dict[str, Value] | None = None) -> bytes:
    """The payload of a command."""
    return encode_json(Command(v=WIRE_VERSION, id=command_id, command=name, args=args or {}))


def decode_command(payload: bytes) -> Command:
    """Decode a command.

    Raises:
        WireError: reasons `oversized`, `malformed`, `version`, `word`.
    """
    try:
        found = _command_decode(_sized(payload))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise WireError("malformed", str(cause)[:200]) from cause
    _check(found.v, found.id, found.command)
    return found


def decode_response(payload: bytes) -> Response:
    """Decode an answer; raises WireError as `decode_command`."""
    try:
        found = _response_decode(_sized(payload))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise WireError("malformed", str(cause)[:200]) from cause
    _check(found.v, found.id, found.command)
    return found


def _sized(payload: bytes) -> bytes:
    if len(payload) > MAX_MESSAGE_BYTES:
        raise WireError("oversized", f"{len(payload)} bytes; the limit is {MAX_MESSAGE_BYTES}")
    return payload


def _check(version: int, *words: str) -> None:
    if version != WIRE_VERSION:
        raise WireError("version", f"v is {version}; this end speaks {WIRE_VERSION}")
    for word in words:
        if not is_word(word):
            raise WireError("word", f"{word[:64]!r}: ids and names are 1 to 64 printable characters")
