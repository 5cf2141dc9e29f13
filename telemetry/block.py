"""A block: many messages of one partition as MessagePack of columns, on its way through the stream.

Values are float32 and times int64 microseconds: what is stored is what was observed. A block is read
without a registry, so its tables are its own: `devices`, `words` (phases, firmware) and `shapes` (channel sets).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.clock import MICROS
from telemetry.control import ControlEntry
from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from telemetry.message import Envelope, encode_envelope, readings_of, telemetry_message

BLOCK_SCHEMA = 1
_NONE = -1


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A message that ingest refused; it still travels, so that nothing is lost.

    Attributes:
        topic: as received.
        reason: stable word, see WireError.
        detail: one sentence.
        raw: the payload as received (cut at the message limit when oversized).
        arrival: fleet time of arrival, microseconds.
        device: when the topic names one.
        epoch: when the payload could still be identified, else None.
        seq: likewise.
        base: likewise.
    """

    topic: str
    reason: str
    detail: str
    raw: bytes
    arrival: int
    device: DeviceKey | None = None
    epoch: int | None = None
    seq: int | None = None
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One accepted message, its values a view into the block.

    Attributes:
        device: who sent it.
        epoch: spool epoch.
        seq: place in the epoch.
        base: lowest seq the spool held.
        t: event time of the first reading, microseconds.
        dt: microseconds between readings; 0 for a single one.
        arrival: fleet time of arrival, microseconds.
        phase: or None.
        fw: or None.
        events: codes.
        channels: names of the columns of `values`.
        values: float32, shape (readings, channels); NaN where absent.
    """

    device: DeviceKey
    epoch: int
    seq: int
    base: int
    t: int
    dt: int
    arrival: int
    phase: str | None
    fw: str | None
    events: tuple[str, ...]
    channels: tuple[str, ...]
    values: NDArray[np.float32]

    def times(self) -> NDArray[np.int64]:
        """Event times of the readings, microseconds, shape (readings,)."""
        return self.t + self.dt * np.arange(len(self.values), dtype=np.int64)


class _Columns(msgspec.Struct, kw_only=True):
    schema: int
    speed: float
    devices: list[tuple[str, str]]
    words: list[str]
    shapes: list[list[str]]
    device: bytes = b""
    epoch: bytes = b""
    seq: bytes = b""
    base: bytes = b""
    t: bytes = b""
    dt: bytes = b""
    arrival: bytes = b""
    phase: bytes = b""
    fw: bytes = b""
    shape: bytes = b""
    n: bytes = b""
    values: bytes = b""
    events: dict[int, list[str]] = msgspec.field(default_factory=dict)
    rejects: list[Reject] = msgspec.field(default_factory=list)
    controls: list[ControlEntry] = msgspec.field(default_factory=list)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Columns).decode
_INTS = ("device", "epoch", "seq", "base", "t", "dt", "arrival", "phase", "fw", "shape", "n")


@dataclass(slots=True)
class Block:
    """What one entry of a partition holds, decoded.

    Attributes:
        speed: of the fleet clock when the block was made; how far ahead a device's clock may run depends on it.
    """

    speed: float = 1.0
    messages: list[Message] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    controls: list[ControlEntry] = field(default_factory=list)


class BlockBuilder:
    """Gathers messages of one partition into a block; used by ingest's core and by the memory stream's tests."""

    def __init__(self) -> None:
        self._devices: dict[DeviceKey, int] = {}
        self._words: dict[str, int] = {}
        self._shapes: dict[tuple[str, ...], int] = {}
        self._ints: dict[str, list[int]] = {name: [] for name in _INTS}
        self._values: list[bytes] = []
        self._events: dict[int, list[str]] = {}
        self._rejects: list[Reject] = []
        self._controls: list[ControlEntry] = []
        self.size = 0
        """Estimated bytes so far; kept below the stream's max_payload by the caller."""

    def __len__(self) -> int:
        return len(self._ints["seq"]) + len(self._rejects) + len(self._controls)

    def add(self, key: DeviceKey, envelope: Envelope, arrival: int) -> None:
        """Append a checked envelope, rounding values to float32 and times to microseconds.

        Raises:
            WireError: reason `not_finite`, when a finite number overflows float32.
        """
        n = readings_of(envelope)
        channels = tuple(sorted(envelope.q)) if n else ()
        values = _to_float32(envelope, channels, n)
        ints = self._ints
        row = len(ints["seq"])
        ints["device"].append(self._devices.setdefault(key, len(self._devices)))
        ints["epoch"].append(envelope.epoch)
        ints["seq"].append(envelope.seq)
        ints["base"].append(envelope.base)
        ints["t"].append(round(envelope.t * MICROS))
        ints["dt"].append(0 if envelope.dt is None or n < 2 else round(envelope.dt * MICROS))  # noqa: PLR2004
        ints["arrival"].append(arrival)
        ints["phase"].append(self._word(envelope.phase))
        ints["fw"].append(self._word(envelope.fw))
        ints["shape"].append(self._shapes.setdefault(channels, len(self._shapes)))
        ints["n"].append(n)
        self._values.append(values)
        if envelope.events:
            self._events[row] = list(envelope.events)
        self.size += len(values) + 8 * len(_INTS) + 64 * len(envelope.events)

    def reject(self, reject: Reject) -> None:
        """Append a refused message."""
        self._rejects.append(reject)
        self.size += len(reject.raw) + 256

    def control(self, entry: ControlEntry) -> None:
        """Append a control entry."""
        self._controls.append(entry)
        self.size += 512

    def encode(self, speed: float = 1.0) -> bytes:
        """The block as bytes; `speed` is the fleet clock's, see `Block.speed`."""
        columns = {name: np.asarray(values, dtype="<i8").tobytes() for name, values in self._ints.items()}
        return _encode(
            _Columns(
                schema=BLOCK_SCHEMA,
                speed=speed,
                devices=[(key.org, key.device) for key in self._devices],
                words=list(self._words),
                shapes=[list(shape) for shape in self._shapes],
                values=b"".join(self._values),
                events=self._events,
                rejects=self._rejects,
                controls=self._controls,
                **columns,
            )
        )

    def _word(self, text: str | None) -> int:
        return _NONE if text is None else self._words.setdefault(text, len(self._words))


def _to_float32(envelope: Envelope, channels: tuple[str, ...], n: int) -> bytes:
    columns = np.empty((n, len(channels)), dtype=np.float64)
    absent = np.zeros((n, len(channels)), dtype=bool)
    for i, name in enumerate(channels):
        value = envelope.q[name]
        if isinstance(value, list) and None not in value:
            columns[:, i] = value
        else:
            cells = value if isinstance(value, list) else [value]
            absent[:, i] = [x is None for x in cells]
            columns[:, i] = [math.nan if x is None else x for x in cells]
    with np.errstate(over="ignore"):
        rounded = columns.astype("<f4")
    if not bool(np.isfinite(rounded[~absent]).all()):
        raise WireError("not_finite", "a value does not fit a 32-bit float")
    return rounded.tobytes()


def decode_block(data: bytes) -> Block:
    """Read a block.

    Raises:
        WireError: reason `block`, when the bytes are not a block of a schema this code reads.
    """
    try:
        columns = _decode(data)
        if columns.schema != BLOCK_SCHEMA:
            raise WireError("block", f"schema {columns.schema}; this code reads {BLOCK_SCHEMA}")
        return Block(columns.speed, _messages(columns), columns.rejects, columns.controls)
    except (msgspec.DecodeError, ValueError, IndexError) as cause:
        raise WireError("block", str(cause)[:200]) from cause


def repack(message: Message) -> bytes:
    """A message of a block as a wire envelope again, MessagePack, for the table of dead letters."""
    columns: dict[str, float | list[float | None] | None] = {}
    for index, name in enumerate(message.channels):
        cells = [None if math.isnan(x) else float(x) for x in message.values[:, index]]
        columns[name] = cells if message.dt else cells[0]
    envelope = telemetry_message(
        epoch=message.epoch,
        seq=message.seq,
        base=message.base,
        t_micros=message.t,
        dt_micros=message.dt or None,
        phase=message.phase,
        fw=message.fw,
        q=columns,
        events=message.events,
    )
    return encode_envelope(envelope, packed=True)


def _messages(columns: _Columns) -> list[Message]:
    ints = {name: np.frombuffer(getattr(columns, name), dtype="<i8").tolist() for name in _INTS}
    devices = [DeviceKey(*pair) for pair in columns.devices]
    shapes = [tuple(shape) for shape in columns.shapes]
    words = columns.words
    values = np.frombuffer(columns.values, dtype="<f4")
    found: list[Message] = []
    at = 0
    for row, n in enumerate(ints["n"]):
        channels = shapes[ints["shape"][row]]
        end = at + n * len(channels)
        phase, fw = ints["phase"][row], ints["fw"][row]
        found.append(
            Message(
                device=devices[ints["device"][row]],
                epoch=ints["epoch"][row],
                seq=ints["seq"][row],
                base=ints["base"][row],
                t=ints["t"][row],
                dt=ints["dt"][row],
                arrival=ints["arrival"][row],
                phase=None if phase == _NONE else words[phase],
                fw=None if fw == _NONE else words[fw],
                events=tuple(columns.events.get(row, ())),
                channels=channels,
                values=values[at:end].reshape(n, len(channels)),
            )
        )
        at = end
    return found
