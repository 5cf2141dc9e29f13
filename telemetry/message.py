"""Wire codec, version 1: a device's message as JSON or MessagePack, and the receipt that answers it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from telemetry.clock import MICROS
from telemetry.errors import WireError

T = TypeVar("T")
WIRE_VERSION = 1
MAX_MESSAGE_BYTES = 256 * 1024
MAX_READINGS = 10_000
MAX_CHANNELS = 64
MAX_EVENTS = 64
MAX_WORD = 64
MAX_STEP = 86_400.0
MAX_SEQ = 2**62
RECEIPT_RANGES = 64
NO_SPOOL = MAX_SEQ - 1
"""Epoch of a message whose sender counts nothing, as adapters make it: the worker gives it a place of its own."""
TIME_LIMIT = 253_402_300_800.0
"""Unix seconds of the year 10000, the end of what timestamptz and datetime share."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a device sends on `telemetry` and `event`.

    Attributes:
        v: wire version, 1.
        epoch: new whenever the device's spool was lost.
        seq: gapless within an epoch, from 1.
        base: lowest seq the spool still holds; everything below it and unreceipted is lost.
        t: Unix seconds UTC of the first reading.
        dt: seconds between readings when `q` holds arrays.
        phase: the device's phase by the catalogue.
        fw: firmware version.
        device: when present, equals the topic's device.
        q: channel to number, or to arrays all of one length; None marks an absent value.
        events: codes, on the `event` channel.
    """

    v: int
    epoch: int
    seq: int
    base: int
    t: float
    dt: float | None = None
    phase: str | None = None
    fw: str | None = None
    device: str | None = None
    q: dict[str, float | list[float | None] | None] = msgspec.field(default_factory=dict)
    events: list[str] = msgspec.field(default_factory=list)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the server has for ever: every `seq <= upto` of the epoch and all of `beyond`."""

    v: int = WIRE_VERSION
    epoch: int
    upto: int
    beyond: list[tuple[int, int]] = msgspec.field(default_factory=list)


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Retained presence of a device; `online: false` is its last will."""

    v: int = WIRE_VERSION
    online: bool
    fw: str | None = None


class ClockMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet clock as devices hear it; both times in Unix seconds."""

    rev: int
    wall: float
    fleet: float
    speed: float


_json_decode = msgspec.json.Decoder(Envelope).decode
_pack_decode = msgspec.msgpack.Decoder(Envelope).decode
_receipt_decode = msgspec.json.Decoder(Receipt).decode
_clock_decode = msgspec.json.Decoder(ClockMessage).decode
encode_json = msgspec.json.Encoder().encode
encode_pack = msgspec.msgpack.Encoder().encode


class _Identity(msgspec.Struct):
    epoch: int
    seq: int
    base: int = 0


_json_identity = msgspec.json.Decoder(_Identity).decode
_pack_identity = msgspec.msgpack.Decoder(_Identity).decode
_JSON_FIRST = frozenset(b"{ \t\r\n")


def _is_json(payload: bytes) -> bool:
    return bool(payload) and payload[0] in _JSON_FIRST


def decode_envelope(payload: bytes) -> Envelope:
    """Decode and check one message: syntax, ranges, lengths and finite numbers.

    Raises:
        WireError: reasons `oversized`, `malformed`, `version`, `sequence`, `time`, `word`, `shape`, `not_finite`.
    """
    if len(payload) > MAX_MESSAGE_BYTES:
        raise WireError("oversized", f"{len(payload)} bytes; the limit is {MAX_MESSAGE_BYTES}: send smaller arrays")
    try:
        envelope = decode_unchecked(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise WireError("malformed", str(cause)[:200]) from cause
    check_envelope(envelope)
    return envelope


def decode_unchecked(payload: bytes) -> Envelope:
    """Decode syntax and types alone.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError, RecursionError: as the library does.
    """
    return _json_decode(payload) if _is_json(payload) else _pack_decode(payload)


def is_word(text: str) -> bool:
    """Whether a name or code is 1 to `MAX_WORD` printable characters.

    Control characters would be refused by the database.
    """
    return 1 <= len(text) <= MAX_WORD and text.isprintable()


def check_envelope(envelope: Envelope) -> None:
    """Check what the type cannot say.

    Raises:
        WireError: as `decode_envelope`.
    """
    if envelope.v != WIRE_VERSION:
        raise WireError("version", f"v is {envelope.v}; this server speaks {WIRE_VERSION}")
    if not (0 <= envelope.epoch < MAX_SEQ and 1 <= envelope.seq < MAX_SEQ and 0 <= envelope.base <= envelope.seq):
        raise WireError("sequence", "epoch >= 0, seq >= 1 and 0 <= base <= seq are required")
    if not (math.isfinite(envelope.t) and 0 <= envelope.t < TIME_LIMIT):
        raise WireError("time", f"t {envelope.t!r} is not Unix seconds before the year 10000")
    if len(envelope.q) > MAX_CHANNELS or len(envelope.events) > MAX_EVENTS:
        raise WireError("shape", f"at most {MAX_CHANNELS} channels and {MAX_EVENTS} events a message")
    for word in (*envelope.q, *envelope.events, envelope.phase, envelope.fw):
        if word is not None and not is_word(word):
            raise WireError("word", f"{word[:MAX_WORD]!r}: names and codes are 1 to {MAX_WORD} printable characters")
    _check_shape(envelope)


def _check_shape(envelope: Envelope) -> None:
    length: int | None = None
    for name, value in envelope.q.items():
        if isinstance(value, list):
            if length not in (None, len(value)):
                raise WireError("shape", f"channel {name[:64]!r} has {len(value)} values, others {length}")
            length = len(value)
            finite = _all_finite(value)
        else:
            finite = value is None or math.isfinite(value)
        if not finite:
            raise WireError("not_finite", f"channel {name[:64]!r} holds a number that is not finite")
    if length is None:
        return
    if any(not isinstance(value, list) for value in envelope.q.values()):
        raise WireError("shape", "arrays and single numbers do not go together in one message")
    if not 1 <= length <= MAX_READINGS:
        raise WireError("shape", f"arrays hold 1 to {MAX_READINGS} values, not {length}")
    dt = envelope.dt
    if dt is None or not math.isfinite(dt) or not 0 < dt <= MAX_STEP:
        raise WireError("shape", "arrays need dt, seconds between readings, above 0 and at most a day")


def _all_finite(values: list[float | None]) -> bool:
    """Whether every number of an array is finite; a sum says so at once, unless something is absent or it overflows."""
    try:
        if math.isfinite(sum(values)):  # type: ignore[arg-type]  # an absent value is a TypeError
            return True
    except TypeError:
        pass
    return all(x is None or math.isfinite(x) for x in values)


def readings_of(envelope: Envelope) -> int:
    """How many readings the message holds: n of its arrays, 1 for numbers, 0 for events alone."""
    for value in envelope.q.values():
        return len(value) if isinstance(value, list) else 1
    return 0


def read_identity(payload: bytes) -> tuple[int, int, int] | None:
    """`(epoch, seq, base)` of a payload that is otherwise unfit, or None: so that it can be receipted."""
    try:
        found = _json_identity(payload) if _is_json(payload) else _pack_identity(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if 0 <= found.epoch < MAX_SEQ and 1 <= found.seq < MAX_SEQ:
        return found.epoch, found.seq, max(0, min(found.base, found.seq))
    return None


def encode_envelope(envelope: Envelope, *, packed: bool = False) -> bytes:
    """Encode a message as JSON, or as MessagePack when `packed`."""
    return encode_pack(envelope) if packed else encode_json(envelope)


def decode_receipt(payload: bytes) -> Receipt:
    """Decode a receipt.

    Raises:
        WireError: reason `malformed`.
    """
    return _decode(_receipt_decode, payload)


def decode_clock(payload: bytes) -> ClockMessage:
    """Decode the fleet clock; raises WireError `malformed`."""
    return _decode(_clock_decode, payload)


def _decode(decode: Callable[[bytes], T], payload: bytes) -> T:
    try:
        return decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise WireError("malformed", str(cause)[:200]) from cause


def telemetry_message(
    *,
    epoch: int,
    seq: int,
    base: int,
    t_micros: int,
    q: Mapping[str, float | Sequence[float | None] | None],
    dt_micros: int | None = None,
    phase: str | None = None,
    fw: str | None = None,
    events: Sequence[str] = (),
) -> Envelope:
    """Build an envelope from microseconds, as a device does."""
    return Envelope(
        v=WIRE_VERSION,
        epoch=epoch,
        seq=seq,
        base=base,
        t=t_micros / MICROS,
        dt=None if dt_micros is None else dt_micros / MICROS,
        phase=phase,
        fw=fw,
        q={k: v if v is None or isinstance(v, int | float) else list(v) for k, v in q.items()},
        events=list(events),
    )
