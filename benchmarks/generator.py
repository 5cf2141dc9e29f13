"""A fleet of pumps on a few raw sockets: as many messages a second as are asked for, at a few microseconds each.

    python -m benchmarks.generator --url mqtt://gateway:…@host:port --devices 1000 --rate 5000 --for 30 --out sent.npz

Packets of MQTT 3.1.1 are laid out once as a table (one row a packet, every field at a fixed offset) and patched in
place, a connection's devices at once. It publishes with QoS 1, keeps at most a window of messages without PUBACK and a
bound of messages without receipt, paces to the rate, and at the end sends again what has no receipt: what is missing
then is lost. A JSON line each second on standard output, the last one with the totals; `--out` gets the times of
publication, for latency.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import struct
import time
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.mqtt_wire import PING, open_client, split, subscribe_packet, text, varint

CHANNELS = ("accel_1", "accel_2", "current", "flow", "pressure", "temp_fluid", "temp_motor", "voltage")
CENTRE = np.array([0.03, 0.04, 1.5, 60.0, 0.1, 27.0, 75.0, 230.0])
SPREAD = np.array([0.002, 0.002, 0.3, 1.0, 0.25, 0.3, 1.0, 10.0])
_POOL = 4_096
_TICK = 0.005
_SHARE = 100
_PING_EVERY = 20.0
_SILENCE = 15.0
_SETTLE = 100.0
_receipt = msgspec.json.Decoder().decode


def healthy_rows(count: int, seed: int = 7) -> NDArray[np.float32]:
    """Rows of a healthy pump: channels that move together, slowly, with noise of their own. Shape (count, 8)."""
    rng = np.random.default_rng(seed)
    driven = rng.normal(size=(count, 2))
    for i in range(1, count):
        driven[i] = 0.9 * driven[i - 1] + 0.436 * driven[i]
    mix = rng.normal(size=(2, len(CHANNELS))) / np.sqrt(2)
    rows: NDArray[np.float64] = CENTRE + SPREAD * (0.7 * driven @ mix + 0.7 * rng.normal(size=(count, len(CHANNELS))))
    return rows.astype(np.float32)


def device_name(number: int) -> str:
    """As registered by the bench."""
    return f"pump-{number:05d}"


def topic_of(org: str, number: int) -> str:
    """Where a device publishes."""
    return f"wellkept/v1/{org}/{device_name(number)}/telemetry"


def _word(value: str) -> bytes:
    raw = value.encode()
    return bytes((0xA0 | len(raw),)) + raw


class Template:
    """Packets of some devices as rows of one buffer, with views on what changes."""

    def __init__(self, org: str, devices: NDArray[np.int64], epoch: int, rows: int = 1) -> None:
        self.rows = rows
        body = bytearray(b"\x88" + _word("v") + b"\x01" if rows == 1 else b"\x89" + _word("v") + b"\x01")
        offsets: dict[str, tuple[str, int]] = {}

        def put(name: str, first: int, form: str, size: int) -> None:
            body.extend((first,))
            offsets[name] = (form, len(body))
            body.extend(bytes(size))

        for key in ("epoch", "seq", "base"):
            body += _word(key)
            put(key, 0xCF, ">u8", 8)
        body += _word("t")
        put("t", 0xCB, ">f8", 8)
        if rows > 1:
            body += _word("dt") + b"\xcb" + struct.pack(">d", 1.0)
        body += _word("phase") + _word("running") + _word("fw") + _word("2.1.0") + _word("q")
        body.append(0x80 | len(CHANNELS))
        for index, name in enumerate(CHANNELS):
            body += _word(name)
            if rows > 1:
                body += b"\xdc" + struct.pack(">H", rows)
            for row in range(rows):
                put(f"q{index}_{row}", 0xCA, ">f4", 4)
        head = text(topic_of(org, 0)) + b"\0\0"
        fixed = b"\x32" + varint(len(head) + len(body))
        self.size = len(fixed) + len(head) + len(body)
        start = len(fixed) + len(head)
        self.buffer = bytearray(len(devices) * self.size)
        raw = np.frombuffer(self.buffer, np.uint8).reshape(len(devices), self.size)
        for row, number in enumerate(devices):
            packet = fixed + text(topic_of(org, int(number))) + b"\0\0" + bytes(body)
            raw[row] = np.frombuffer(packet, np.uint8)

        def view(name: str) -> NDArray[np.generic]:
            form, offset = offsets[name]
            at = np.dtype({"names": ["x"], "formats": [form], "offsets": [start + offset], "itemsize": self.size})
            return np.frombuffer(self.buffer, at)["x"]

        mid = np.dtype({"names": ["x"], "formats": [">u2"], "offsets": [start - 2], "itemsize": self.size})
        self.mid = np.frombuffer(self.buffer, mid)["x"]
        self.seq, self.base, self.t = view("seq"), view("base"), view("t")
        view("epoch")[:] = epoch
        self.q = [[view(f"q{index}_{row}") for index in range(len(CHANNELS))] for row in range(rows)]


@dataclass(slots=True)
class _Connection:
    index: int
    sock: socket.socket
    devices: NDArray[np.int64]
    template: Template
    at: int = 0  # rows of the buffer that are sent
    offset: int = 0  # bytes of the buffer that are sent
    sweep: int = -1
    mid: int = 0
    sent: int = 0
    acked: int = 0
    held: bytes = b""


@dataclass(slots=True)
class Options:
    """What to send.

    Attributes:
        url: of the broker, with user and password.
        org: of the devices.
        devices: how many.
        connections: they share.
        rate: messages a second, 0 for as many as window and bound allow.
        seconds: how long; 0 with `sweeps`.
        sweeps: messages a device, instead of seconds.
        rows: readings a message.
        epoch: of all devices.
        first_seq: of each device.
        window: messages without PUBACK, all connections together.
        bound: messages without receipt, 0 for no receipts at all.
        start: event time of the first reading, Unix seconds; 0 for the time of publication.
        out: npz with the times of publication.
    """

    url: str
    org: str = "demo"
    devices: int = 1_000
    connections: int = 4
    rate: float = 0.0
    seconds: float = 10.0
    sweeps: int = 0
    rows: int = 1
    epoch: int = 1
    first_seq: int = 1
    window: int = 8_000
    bound: int = 0
    start: float = 0.0
    out: str = ""


@dataclass(slots=True)
class _Totals:
    resent: int = 0
    receipts: int = 0
    behind: float = 0.0


class Generator:
    """One run."""

    def __init__(self, options: Options) -> None:
        self.o = options
        self.pool = healthy_rows(_POOL)
        self.upto = np.full(options.devices, options.first_seq - 1, np.int64)
        self.covered = np.full(options.devices, options.first_seq - 1, np.int64)
        self.beyond: dict[int, list[tuple[int, int]]] = {}
        self.last = np.full(options.devices, options.first_seq - 1, np.int64)
        self.times: list[NDArray[np.float64]] = []  # a row a sweep, when each device's message was published
        self.stamps: list[NDArray[np.float64]] = []  # likewise its event time
        self.totals = _Totals()
        self.connections = [self._open(i) for i in range(options.connections)]
        self.sent = 0
        self.acked = 0
        self._turn = 0
        self._owed = 0
        self._heard = 0.0

    def _open(self, index: int) -> _Connection:
        o = self.o
        devices = np.arange(index, o.devices, o.connections, dtype=np.int64)
        sock = open_client(o.url, f"bench-{os.getpid()}-{index}")
        if o.bound and index == 0:
            sock.sendall(subscribe_packet(2, f"wellkept/v1/{o.org}/+/receipt", 0))
        sock.settimeout(0.0)
        return _Connection(index, sock, devices, Template(o.org, devices, o.epoch, o.rows))

    # sending

    def _refill(self, c: _Connection) -> None:
        """The next message of each of a connection's devices."""
        o = self.o
        c.sweep += 1
        if c.sweep == len(self.times):
            self.times.append(np.zeros(o.devices))
            self.stamps.append(np.zeros(o.devices))
        stamp = time.time() if not o.start else o.start + c.sweep * o.rows
        self.stamps[c.sweep][c.devices] = stamp
        self._fill(c, c.template, c.devices, o.first_seq + c.sweep)
        c.at = c.offset = 0

    def _fill(self, c: _Connection, into: Template, devices: NDArray[np.int64], seq: int) -> None:
        count = len(devices)
        into.mid[:] = (c.mid + np.arange(count)) % 65_535 + 1
        c.mid = (c.mid + count) % 65_535
        into.seq[:] = seq
        into.base[:] = self.upto[devices] + 1
        into.t[:] = self.stamps[seq - self.o.first_seq][devices]
        for row in range(self.o.rows):
            values = self.pool[(seq * self.o.rows + row + devices * 131) % _POOL]
            for index, view in enumerate(into.q[row]):
                view[:] = values[:, index]

    def _send(self, c: _Connection, rows: int) -> int:
        """Send up to so many packets of a connection. Returns how many whole ones went."""
        size = c.template.size
        if c.offset == len(c.template.buffer) or c.sweep < 0:
            if self.o.sweeps and c.sweep + 1 >= self.o.sweeps:
                return 0
            self._refill(c)
        end = min(len(c.template.buffer), (c.at + rows) * size)
        try:
            c.offset += c.sock.send(memoryview(c.template.buffer)[c.offset : end])
        except BlockingIOError:
            return 0
        whole = c.offset // size
        done = whole - c.at
        if done:
            devices = c.devices[c.at : whole]
            self.times[c.sweep][devices] = time.time()
            self.last[devices] = self.o.first_seq + c.sweep
            c.at = whole
            c.sent += done
            self.sent += done
        return done

    # hearing

    def _hear(self, c: _Connection) -> None:
        while True:
            try:
                data = c.sock.recv(262_144)
            except BlockingIOError:
                return
            if not data:
                raise SystemExit("the broker closed a connection of the generator")
            data = c.held + data
            count, odd = divmod(len(data), 4)
            if not odd and data[::4].count(0x40) == data[1::4].count(0x02) == count:  # PUBACKs alone
                c.acked += count
                self.acked += count
                c.held = b""
            else:
                found, used = split(data)
                for first, start, end in found:
                    if first == 0x40:  # noqa: PLR2004  (PUBACK)
                        c.acked += 1
                        self.acked += 1
                    elif first >> 4 == 3:  # noqa: PLR2004  (PUBLISH: a receipt)
                        self._receipt(data[start:end])
                c.held = data[used:]
            if len(data) < 65_536:  # noqa: PLR2004  (there is hardly more)
                return

    def _receipt(self, body: bytes) -> None:
        length = body[0] << 8 | body[1]
        topic, answer = body[2 : 2 + length], _receipt(body[2 + length :])
        if answer["epoch"] != self.o.epoch:
            return
        number = int(topic.split(b"/")[3].rpartition(b"-")[2])
        self.totals.receipts += 1
        self.upto[number] = max(self.upto[number], answer["upto"])
        beyond = [(low, high) for low, high in answer["beyond"] if high > self.upto[number]]
        if beyond:
            self.beyond[number] = beyond
        else:
            self.beyond.pop(number, None)
        self.covered[number] = self.upto[number] + sum(high - low + 1 for low, high in beyond)

    def unreceipted(self) -> int:
        """Published and not yet receipted."""
        return self.sent - int(self.covered.sum()) + self.o.devices * (self.o.first_seq - 1)

    # running

    def run(self) -> dict[str, object]:
        """Publish, settle, and say what came of it."""
        wall, began, cpu = time.time(), time.monotonic(), time.process_time()
        self._publish(began)
        spent, used, finished = time.monotonic() - began, time.process_time() - cpu, time.time()
        sent = self.sent
        self._settle()
        settled = time.time()
        if self.o.out:
            np.savez(self.o.out, times=np.array(self.times), last=self.last, upto=self.upto, first_seq=self.o.first_seq)
        return {
            "sent": sent,
            "acked": self.acked,
            "seconds": spent,
            "began": wall,
            "finished": finished,
            "settled": settled,
            "cpu_us": 1e6 * used / max(1, sent),
            "behind_s": self.totals.behind,
            "resent": self.totals.resent,
            "receipts": self.totals.receipts,
            "unreceipted": self.unreceipted() if self.o.bound else 0,
            "last_seq": int(self.last.max()),
        }

    def _publish(self, began: float) -> None:
        """Until the time or the messages are over."""
        o = self.o
        target = o.sweeps * o.devices
        told = pinged = self._heard = began
        second, owing = 0, 0
        while True:
            now = time.monotonic()
            if (o.seconds and now - began >= o.seconds) or (target and self.sent >= target):
                return
            due = int((now - began) * o.rate) - self.sent if o.rate else o.window
            room = min(due, o.window - (self.sent - self.acked), o.bound - owing if o.bound else due)
            blocked = not self._send_all(room)
            for c in self.connections:
                self._hear(c)
            owing = self._owing(now)
            if o.rate:
                self.totals.behind = max(0.0, (now - began) - self.sent / o.rate)
            if now - told >= 1.0:
                second, told = second + 1, told + 1.0
                self._tell(second)
            if now - pinged >= _PING_EVERY:
                pinged = now
                self._ping()
            if o.rate:
                time.sleep(_TICK)
            elif blocked:
                select.select([c.sock for c in self.connections], [], [], _TICK)

    def _owing(self, now: float) -> int:
        """Messages without receipt; they are sent again when no receipt comes for long."""
        if not self.o.bound:
            return 0
        owing = self.unreceipted()
        if owing != self._owed or not owing:
            self._owed, self._heard = owing, now
        elif now - self._heard > _SILENCE:  # sent before anybody listened, for example
            self._finish_packets()
            self._resend()
            self._heard = now
        return owing

    def _send_all(self, room: int) -> bool:
        """Send so many, the connections in turn. Returns whether any went."""
        any_went = False
        while room > 0:
            for _ in self.connections:
                self._turn = (self._turn + 1) % len(self.connections)
                done = self._send(self.connections[self._turn], min(room, _SHARE))
                if done:
                    break
            else:
                break
            room -= done
            any_went = True
        return any_went

    def _ping(self) -> None:
        for c in self.connections:
            if c.offset % c.template.size == 0:
                c.sock.send(PING)

    def _tell(self, second: int) -> None:
        line = {
            "second": second,
            "sent": self.sent,
            "unacked": self.sent - self.acked,
            "unreceipted": self.unreceipted() if self.o.bound else 0,
            "behind_s": round(self.totals.behind, 3),
        }
        print(json.dumps(line), flush=True)

    def _settle(self) -> None:
        """Wait for what is owed, send again what stays away."""
        self._finish_packets()
        deadline = time.monotonic() + _SETTLE
        progress, changed = -1, time.monotonic()
        while time.monotonic() < deadline:
            for c in self.connections:
                self._hear(c)
            owed = self.unreceipted() if self.o.bound else self.sent - self.acked
            if owed <= 0:
                return
            if owed != progress:
                progress, changed = owed, time.monotonic()
            elif self.o.bound and time.monotonic() - changed > _SILENCE:
                self._resend()
                changed = time.monotonic()
            select.select([c.sock for c in self.connections], [], [], 0.05)

    def _finish_packets(self) -> None:
        for c in self.connections:
            while c.offset % c.template.size:
                select.select([], [c.sock], [], 1.0)
                self._send(c, 1)

    def _resend(self) -> None:
        for number in np.flatnonzero(self.covered < self.last):
            c = self.connections[int(number) % len(self.connections)]
            covered = self.beyond.get(int(number), [])
            missing = [
                seq
                for seq in range(int(self.upto[number]) + 1, int(self.last[number]) + 1)
                if not any(low <= seq <= high for low, high in covered)
            ]
            for seq in missing:
                one = Template(self.o.org, np.array([number]), self.o.epoch, self.o.rows)
                self._fill(c, one, np.array([number]), seq)
                rest = memoryview(one.buffer)
                while rest:
                    select.select([], [c.sock], [])
                    rest = rest[c.sock.send(rest) :]
                self.totals.resent += 1
                self.acked -= 1


def main() -> None:
    """Run by command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "org", "out"):
        parser.add_argument(f"--{name}", default=getattr(Options(""), name))
    for name in ("devices", "connections", "sweeps", "rows", "epoch", "first-seq", "window", "bound"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Options(""), name.replace("-", "_")))
    for name in ("rate", "start"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--for", dest="seconds", type=float, default=10.0)
    given = parser.parse_args()
    generator = Generator(Options(**vars(given)))
    print(json.dumps({"done": generator.run()}), flush=True)


if __name__ == "__main__":
    main()
