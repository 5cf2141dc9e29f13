"""A block: many messages of one partition as MessagePack of columns, on its way through the stream.

Values are float32 and times int64 microseconds: what is stored is what was observed. A block is read
without a registry, so its tables are its own: `devices`, `words` (phases, firmware) and `shapes` (channel sets).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from telemetry.clock import MICROS
from telemetry.control import ControlEntry
from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from telemetry.message import NO_SPOOL, Envelope, encode_envelope, readings_of, telemetry_message

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
_pack_row = struct.Struct(f"<{len(_INTS)}q").pack
_ROW_BYTES = 8 * len(_INTS)


def _no_ints() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(slots=True)
class Block:
    """What one entry of a partition holds, decoded: columns with one element a message.

    Attributes:
        speed: of the fleet clock when the block was made; how far ahead a device's clock may run depends on it.
        devices: `device` points into it.
        words: `phase` and `fw` point into it, -1 is None.
        shapes: names of the columns of a message's values; `shape` points into it.
        t: event time of each message's first reading, int64 microseconds, as `dt` and `arrival`.
        n: readings of each message.
        values: float32, flat: message after message, reading after reading; NaN where absent.
        events: codes of the messages that have some, by row.
        rejects: what ingest refused.
        controls: control entries.
    """

    speed: float = 1.0
    devices: list[DeviceKey] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    shapes: list[tuple[str, ...]] = field(default_factory=list)
    device: NDArray[np.int64] = field(default_factory=_no_ints)
    epoch: NDArray[np.int64] = field(default_factory=_no_ints)
    seq: NDArray[np.int64] = field(default_factory=_no_ints)
    base: NDArray[np.int64] = field(default_factory=_no_ints)
    t: NDArray[np.int64] = field(default_factory=_no_ints)
    dt: NDArray[np.int64] = field(default_factory=_no_ints)
    arrival: NDArray[np.int64] = field(default_factory=_no_ints)
    phase: NDArray[np.int64] = field(default_factory=_no_ints)
    fw: NDArray[np.int64] = field(default_factory=_no_ints)
    shape: NDArray[np.int64] = field(default_factory=_no_ints)
    n: NDArray[np.int64] = field(default_factory=_no_ints)
    values: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    events: dict[int, list[str]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    controls: list[ControlEntry] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.seq)

    def offsets(self) -> NDArray[np.int64]:
        """Where each message's values begin in `values`, and behind the last one their end; shape (messages + 1,)."""
        widths = np.array([len(shape) for shape in self.shapes], dtype=np.int64)
        ends = np.zeros(len(self.seq) + 1, dtype=np.int64)
        if len(self.seq):
            np.cumsum(self.n * widths[self.shape], out=ends[1:])
        return ends

    def message(self, row: int, offset: int) -> Message:
        """One message on its own, its values a view; `offset` is its element of `offsets`."""
        channels, n = self.shapes[self.shape[row]], int(self.n[row])
        phase, fw = int(self.phase[row]), int(self.fw[row])
        return Message(
            device=self.devices[self.device[row]],
            epoch=int(self.epoch[row]),
            seq=int(self.seq[row]),
            base=int(self.base[row]),
            t=int(self.t[row]),
            dt=int(self.dt[row]),
            arrival=int(self.arrival[row]),
            phase=None if phase == _NONE else self.words[phase],
            fw=None if fw == _NONE else self.words[fw],
            events=tuple(self.events.get(row, ())),
            channels=channels,
            values=self.values[offset : offset + n * len(channels)].reshape(n, len(channels)),
        )

    @property
    def messages(self) -> list[Message]:
        """All messages, one object each."""
        offsets = self.offsets().tolist()
        return [self.message(row, offsets[row]) for row in range(len(self))]


class BlockBuilder:
    """Gathers messages of one partition into a block; used by ingest's core and by the memory stream's tests."""

    def __init__(self) -> None:
        self._devices: dict[DeviceKey, int] = {}
        self._words: dict[str | None, int] = {None: _NONE}
        self._shapes: dict[tuple[str, ...], int] = {}
        self._rows: list[bytes] = []
        self._values: list[bytes] = []
        self._events: dict[int, list[str]] = {}
        self._rejects: list[Reject] = []
        self._controls: list[ControlEntry] = []
        self.size = 0
        """Estimated bytes so far; kept below the stream's max_payload by the caller."""

    def __len__(self) -> int:
        return len(self._rows) + len(self._rejects) + len(self._controls)

    def add(self, key: DeviceKey, envelope: Envelope, arrival: int) -> None:
        """Append a checked envelope, rounding values to float32 and times to microseconds.

        Raises:
            WireError: reason `not_finite`, when a finite number overflows float32.
        """
        n = readings_of(envelope)
        channels = tuple(sorted(envelope.q)) if n else ()
        values = _to_float32(envelope, channels, n)
        dt = 0 if envelope.dt is None or n < 2 else round(envelope.dt * MICROS)  # noqa: PLR2004
        if envelope.events:
            self._events[len(self._rows)] = list(envelope.events)
            self.size += 64 * len(envelope.events)
        self.append(key, envelope, channels, values, arrival, dt=dt, n=n)

    def append(
        self,
        key: DeviceKey,
        envelope: Envelope,
        channels: tuple[str, ...],
        values: bytes,
        arrival: int,
        *,
        dt: int = 0,
        n: int = 1,
    ) -> None:
        """Append a message whose values are rounded already.

        Args:
            key: who sent it.
            envelope: checked; its `q` and `dt` are not looked at.
            channels: sorted names of the columns of `values`.
            values: float32 little-endian, `n` rows of the channels.
            arrival: fleet time of arrival, microseconds.
            dt: microseconds between readings.
            n: readings.
        """
        devices, words, shapes = self._devices, self._words, self._shapes
        phase, fw = envelope.phase, envelope.fw
        self._rows.append(
            _pack_row(
                devices[key] if key in devices else devices.setdefault(key, len(devices)),
                envelope.epoch,
                envelope.seq,
                envelope.base,
                round(envelope.t * MICROS),
                dt,
                arrival,
                words[phase] if phase in words else words.setdefault(phase, len(words) - 1),
                words[fw] if fw in words else words.setdefault(fw, len(words) - 1),
                shapes[channels] if channels in shapes else shapes.setdefault(channels, len(shapes)),
                n,
            )
        )
        self._values.append(values)
        self.size += len(values) + _ROW_BYTES

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
        table = np.frombuffer(b"".join(self._rows), dtype="<i8").reshape(-1, len(_INTS))
        columns = {name: table[:, index].tobytes() for index, name in enumerate(_INTS)}
        return _encode(
            _Columns(
                schema=BLOCK_SCHEMA,
                speed=speed,
                devices=[(key.org, key.device) for key in self._devices],
                words=[word for word in self._words if word is not None],
                shapes=[list(shape) for shape in self._shapes],
                values=b"".join(self._values),
                events=self._events,
                rejects=self._rejects,
                controls=self._controls,
                **columns,
            )
        )


def _to_float32(envelope: Envelope, channels: tuple[str, ...], n: int) -> bytes:
    given = [envelope.q[name] for name in channels]
    if n > 1 and not any(None in value for value in given if isinstance(value, list)):
        with np.errstate(over="ignore"):
            whole = np.array(given, dtype=np.float64).T.astype("<f4", order="C")
        if not bool(np.isfinite(whole).all()):
            raise WireError("not_finite", "a value does not fit a 32-bit float")
        return whole.tobytes()
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
        ints = {name: np.frombuffer(getattr(columns, name), dtype="<i8").astype(np.int64) for name in _INTS}
        block = Block(
            speed=columns.speed,
            devices=[DeviceKey(*pair) for pair in columns.devices],
            words=columns.words,
            shapes=[tuple(shape) for shape in columns.shapes],
            values=np.frombuffer(columns.values, dtype="<f4"),
            events=columns.events,
            rejects=columns.rejects,
            controls=columns.controls,
            **ints,
        )
        _check_columns(block)
    except (msgspec.DecodeError, ValueError, IndexError) as cause:
        raise WireError("block", str(cause)[:200]) from cause
    return block


def _check_columns(block: Block) -> None:
    """Columns of one length that point into their tables; all else is not a block."""
    count = len(block.seq)
    tables = (
        ("device", block.devices, 0),
        ("shape", block.shapes, 0),
        ("phase", block.words, -1),
        ("fw", block.words, -1),
    )
    if any(len(getattr(block, name)) != count for name in _INTS):
        raise ValueError("columns of different lengths")
    if count == 0:
        return
    for name, table, least in tables:
        column = getattr(block, name)
        if int(column.min()) < least or int(column.max()) >= len(table):
            raise ValueError(f"column {name} points beyond its table")
    if int(block.n.min()) < 0 or int(block.offsets()[-1]) != len(block.values):
        raise ValueError("the values do not match the messages' shapes")


def refused(message: Message, reason: str, detail: str) -> Reject:
    """A message that ingest took and a worker does not; one that nobody numbered has no number to be settled."""
    numbered = message.epoch != NO_SPOOL
    return Reject(
        topic="",
        reason=reason,
        detail=detail,
        raw=repack(message),
        arrival=message.arrival,
        device=message.device,
        epoch=message.epoch if numbered else None,
        seq=message.seq if numbered else None,
        base=message.base if numbered else None,
    )


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
