"""A fleet's life in a file: JSON lines of its messages, or of the raw wire with topics. Ends in `.gz`: compressed.

The first line says what follows (`Header`); each further line is one message in the order in which they were complete.
In the form `messages` a line is a `Line`. In the form `wire` it is a `Packet`: topic and payload as the device would
publish them from a spool that never loses anything, numbered from 1 in an epoch that is the fleet's start.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

import msgspec

from firmware_sim.firmware import Body, Quantities
from firmware_sim.recordings import RecordingError
from telemetry.clock import MICROS
from telemetry.errors import WireError
from telemetry.identity import parse_key
from telemetry.message import decode_envelope, encode_envelope, telemetry_message
from telemetry.topics import Channel, parse_topic, topic_of

VERSION = 1
Form = Literal["messages", "wire"]
FORMS: tuple[Form, ...] = ("messages", "wire")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line.

    Attributes:
        recording: version of the format.
        form: of the lines.
        scenario: id.
        seed: of the fleet.
        start: fleet time of its start, microseconds.
        devices: `org/device` to kind.
    """

    recording: int = VERSION
    form: Form
    scenario: str
    seed: int
    start: int
    devices: dict[str, str]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message; times in microseconds."""

    device: str
    done: int
    t: int
    dt: int | None = None
    phase: str | None = None
    fw: str
    events: tuple[str, ...] = ()
    q: Quantities


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """A publication; `at` is the fleet time at which it was complete, microseconds."""

    at: int
    topic: str
    payload: msgspec.Raw


class Writer:
    """Writes messages into an open file; see `recording`."""

    def __init__(self, file: IO[bytes], header: Header, keys: Mapping[int, str]) -> None:
        self._file, self._header, self._keys = file, header, keys
        self._next = dict.fromkeys(header.devices, 1)
        self.messages = 0
        self._encode = msgspec.json.Encoder().encode
        self._file.write(self._encode(header) + b"\n")

    def write(self, bodies: Iterable[Body]) -> None:
        """Add what a fleet said in one step; a device's messages in order. The size of the steps does not show."""
        line = self._packet if self._header.form == "wire" else self._line
        for body in sorted(bodies, key=lambda one: (one.done, one.device)):
            self._file.write(line(body) + b"\n")
            self.messages += 1

    def _line(self, body: Body) -> bytes:
        return self._encode(
            Line(
                device=self._keys[body.device],
                done=body.done,
                t=body.t,
                dt=body.dt,
                phase=body.phase,
                fw=body.fw,
                events=body.events,
                q=body.q,
            )
        )

    def _packet(self, body: Body) -> bytes:
        key = self._keys[body.device]
        seq = self._next[key]
        self._next[key] = seq + 1
        payload = encode_envelope(
            telemetry_message(
                epoch=self._header.start // MICROS,
                seq=seq,
                base=1,
                t_micros=body.t,
                q=body.q,
                dt_micros=body.dt,
                phase=body.phase,
                fw=body.fw,
                events=body.events,
            )
        )
        topic = topic_of(parse_key(key), Channel.EVENT if body.events else Channel.TELEMETRY)
        return self._encode(Packet(at=body.done, topic=topic, payload=msgspec.Raw(payload)))


@contextmanager
def recording(path: Path, header: Header, keys: Mapping[int, str]) -> Iterator[Writer]:
    """A file to record into; it appears under its name when everything is in it.

    Args:
        path: of the file; compressed when it ends in `.gz`.
        header: its first line.
        keys: index in the fleet to `org/device`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    # No name and no time in a compressed file: the same life gives the same bytes.
    plain = fresh.open("wb")
    file: IO[bytes] = gzip.GzipFile("", "wb", fileobj=plain, mtime=0) if path.suffix == ".gz" else plain  # type: ignore[assignment]
    try:
        with plain, file:
            yield Writer(file, header, keys)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


class RecordedFleet:
    """A recorded fleet as a source of a replay.

    Args:
        path: of the file.

    Raises:
        RecordingError: it is no recording of a fleet, or of a version that this one does not read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with self._open() as file:
                self.header = msgspec.json.decode(file.readline(), type=Header)
        except (OSError, EOFError, msgspec.MsgspecError) as cause:
            raise RecordingError(f"{path} is no recording of a fleet: {cause}") from cause
        if self.header.recording != VERSION:
            raise RecordingError(f"{path} is of version {self.header.recording}; this one reads {VERSION}")

    @property
    def devices(self) -> dict[str, str]:
        """`org/device` to kind."""
        return dict(self.header.devices)

    def first_time(self) -> int:
        """Fleet time at which it begins."""
        return self.header.start

    def messages(self) -> Iterator[tuple[str, Body]]:
        """`org/device` and message, in order.

        Raises:
            RecordingError: a line cannot be read; names file and line.
        """
        number = {key: index for index, key in enumerate(self.header.devices)}
        read = self._packet if self.header.form == "wire" else self._line
        with self._open() as file:
            next(file)
            for count, line in enumerate(file, start=2):
                try:
                    key, body = read(line)
                    yield key, msgspec.structs.replace(body, device=number[key])
                except (msgspec.MsgspecError, WireError, KeyError) as cause:
                    raise RecordingError(f"{self._path}:{count}: {cause}") from cause

    def _open(self) -> IO[bytes]:
        if self._path.suffix == ".gz":
            return gzip.open(self._path, "rb")  # type: ignore[return-value]  # a file of bytes
        return self._path.open("rb")

    def _line(self, line: bytes) -> tuple[str, Body]:
        one = msgspec.json.decode(line, type=Line)
        return one.device, Body(
            device=0, done=one.done, t=one.t, q=one.q, dt=one.dt, phase=one.phase, events=one.events, fw=one.fw
        )

    def _packet(self, line: bytes) -> tuple[str, Body]:
        packet = msgspec.json.decode(line, type=Packet)
        envelope = decode_envelope(bytes(packet.payload))
        return str(parse_topic(packet.topic)[0]), Body(
            device=0,
            done=packet.at,
            t=round(envelope.t * MICROS),
            q=envelope.q,
            dt=None if envelope.dt is None else round(envelope.dt * MICROS),
            phase=envelope.phase,
            events=tuple(envelope.events),
            fw=envelope.fw or "",
        )
