"""The reference: what an expert writes by hand to bring pump readings from MQTT to PostgreSQL, in one process.

    python -m benchmarks.reference --url mqtt://ingest:…@host:port --database postgresql://…

paho-mqtt with manual acknowledgement, its socket read and written through a buffer, msgspec into typed structures,
rows laid out by numpy, binary COPY to a temporary table, `INSERT … ON CONFLICT DO NOTHING` from there, and PUBACK only
after COMMIT. No stream, no detectors, no receipts, no registry beyond a dictionary of topics: what the product costs
beyond this is the price of its promises. It says `ready` when subscribed, then how many it has stored, and ends on
SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import time
from urllib.parse import unquote, urlsplit

import msgspec
import numpy as np
import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

CHANNELS = ("accel_1", "accel_2", "current", "pressure", "temp_motor", "temp_fluid", "voltage", "flow")
_POSTGRES_EPOCH = 946_684_800_000_000
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_MOST, _AGE = 2_000, 0.1
_TELL_EVERY = 0.2
_TABLE = """
create table if not exists reference_reading (
  device integer not null, t timestamptz not null, epoch bigint not null, seq bigint not null,
  arrival timestamptz not null,
  accel_1 real, accel_2 real, current real, pressure real, temp_motor real, temp_fluid real, voltage real, flow real,
  unique (device, epoch, seq, t))
"""
_INDEX = "create index if not exists reference_reading_time on reference_reading (device, t)"
_STAGE = "create temporary table stage (like reference_reading) on commit delete rows"
_COPY = "copy stage from stdin (format binary)"
_INSERT = "insert into reference_reading select * from stage on conflict do nothing"


class Quantities(msgspec.Struct):
    """The eight channels of a pump."""

    accel_1: float
    accel_2: float
    current: float
    pressure: float
    temp_motor: float
    temp_fluid: float
    voltage: float
    flow: float


class Message(msgspec.Struct):
    """What is read of a message."""

    epoch: int
    seq: int
    t: float
    q: Quantities


def row_layout() -> np.dtype[np.void]:
    """One row of binary COPY: the number of fields, then length and value of each."""
    fields: list[tuple[str, str]] = [("count", ">i2")]
    columns = [("device", ">i4", 4), ("t", ">i8", 8), ("epoch", ">i8", 8), ("seq", ">i8", 8), ("arrival", ">i8", 8)]
    columns += [(name, ">f4", 4) for name in CHANNELS]
    for name, form, _size in columns:
        fields += [(f"n_{name}", ">i4"), (name, form)]
    return np.dtype(fields)


ROW = row_layout()
_SIZES = {name[2:]: ROW[name[2:]].itemsize for name in ROW.names or () if name.startswith("n_")}


def encode_rows(heads: list[tuple[int, float, int, int, int]], values: list[tuple[float, ...]], arrival: int) -> bytes:
    """A whole COPY: heads are (device, t in Unix seconds, epoch, seq, packet id)."""
    rows = np.zeros(len(heads), ROW)
    rows["count"] = len(_SIZES)
    for name, size in _SIZES.items():
        rows[f"n_{name}"] = size
    device, t, epoch, seq, _mid = zip(*heads, strict=True)
    rows["device"], rows["epoch"], rows["seq"] = device, epoch, seq
    rows["t"] = np.rint(np.array(t) * 1e6).astype(np.int64) - _POSTGRES_EPOCH
    rows["arrival"] = arrival - _POSTGRES_EPOCH
    columns = np.array(values, dtype=np.float32)
    for index, name in enumerate(CHANNELS):
        rows[name] = columns[:, index]
    return b"".join((_HEADER, rows.tobytes(), b"\xff\xff"))


def store(conn: psycopg.Connection[tuple[object, ...]], data: bytes) -> None:
    """One transaction: COPY to staging, insert what is new."""
    with conn.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            copy.write(data)
        cursor.execute(_INSERT)
    conn.commit()


def prepare(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection with its table and staging."""
    conn = psycopg.connect(url)
    conn.execute(_TABLE)
    conn.execute(_INDEX)
    conn.execute(_STAGE)
    conn.commit()
    return conn


class BufferedSocket:
    """What paho reads and writes through: many packets a system call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in = b""
        self._at = 0
        self._out = bytearray()

    def recv(self, size: int) -> bytes:
        """From the buffer, or one large read."""
        at = self._at
        if at >= len(self._in):
            self._in, self._at, at = self._sock.recv(262_144), 0, 0
        data = self._in[at : at + size]
        self._at = at + len(data)
        return data

    def pending(self) -> int:
        """Bytes that need no system call."""
        return len(self._in) - self._at

    def send(self, data: bytes | bytearray) -> int:
        """Into the buffer."""
        self._out += data
        return len(data)

    def flush(self) -> None:
        """Out to the broker."""
        while self._out:
            try:
                sent = self._sock.send(self._out)
            except BlockingIOError:
                select.select([], [self._sock], [], 1.0)
                continue
            del self._out[:sent]

    def fileno(self) -> int:
        """For select."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001  (the signature of sockets)
        """As of a socket."""
        self._sock.setblocking(flag)

    def close(self) -> None:
        """As of a socket."""
        self._sock.close()


class Client(mqtt.Client):
    """paho over a buffered socket."""

    buffered: BufferedSocket | None = None

    def _create_socket(self) -> BufferedSocket:
        self.buffered = BufferedSocket(super()._create_socket())  # type: ignore[arg-type]
        return self.buffered


class Reference:
    """The pipeline."""

    def __init__(self, url: str, database: str) -> None:
        self._conn = prepare(database)
        self._decode = msgspec.msgpack.Decoder(Message).decode
        self._devices: dict[str, int] = {}
        self._heads: list[tuple[int, float, int, int, int]] = []
        self._values: list[tuple[float, ...]] = []
        self._since = 0.0
        self.subscribed = False
        self.stored = 0
        parts = urlsplit(url)
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"reference-{os.getpid()}", clean_session=True, manual_ack=True
        )
        self._client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self._client.on_connect = lambda client, *_: client.subscribe("wellkept/v1/+/+/telemetry", 1)
        self._client.on_subscribe = lambda *_: setattr(self, "subscribed", True)
        self._client.on_message = self._received
        self._client.connect(parts.hostname or "127.0.0.1", parts.port or 1883)

    def step(self) -> None:
        """Read what is there, store when it is enough or old enough."""
        sock = self._client.buffered
        if sock is None:
            raise ConnectionError("no connection")
        sock.flush()
        wait = _TELL_EVERY if not self._heads else max(0.0, self._since + _AGE - time.monotonic())
        readable, _, _ = select.select([sock], [], [], wait)
        if readable:
            while self._client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS and sock.pending():
                pass
        if self._client.want_write():  # what paho queued within a callback
            self._client.loop_write()
        self._client.loop_misc()
        if self._heads and (len(self._heads) >= _MOST or time.monotonic() - self._since >= _AGE):
            self._store()

    def _received(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        topic = message.topic
        device = self._devices.get(topic)
        if device is None:
            device = self._devices[topic] = len(self._devices) + 1
        read = self._decode(message.payload)
        if not self._heads:
            self._since = time.monotonic()
        self._heads.append((device, read.t, read.epoch, read.seq, message.mid))
        self._values.append(msgspec.structs.astuple(read.q))

    def _store(self) -> None:
        store(self._conn, encode_rows(self._heads, self._values, time.time_ns() // 1_000))
        ack = self._client.ack
        for head in self._heads:
            ack(head[4], 1)
        self.stored += len(self._heads)
        self._heads, self._values = [], []


def main() -> None:
    """Run by command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--database", required=True)
    given = parser.parse_args()
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    reference = Reference(given.url, given.database)
    said, told = False, time.monotonic()
    while not ended:
        reference.step()
        if reference.subscribed and not said:
            said = True
            print(json.dumps({"ready": True}), flush=True)
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            print(json.dumps({"taken": reference.stored}), flush=True)
    print(json.dumps({"done": {"messages": reference.stored}}), flush=True)


if __name__ == "__main__":
    main()
