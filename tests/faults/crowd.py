"""A thousand devices on a connection each, in one thread: the device's own core and spool over a bare MQTT 3.1.1."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from firmware_sim.firmware import Body
from firmware_sim.gateway import GatewayCore
from firmware_sim.mqtt import parse_url
from firmware_sim.spool import Spool, Spooled
from telemetry.clock import MICROS, system_wall
from telemetry.errors import WireError
from telemetry.identity import parse_key
from telemetry.message import decode_receipt
from telemetry.topics import Channel, topic_of

_CONNECT, _CONNACK, _PUBLISH, _SUBSCRIBE, _SUBACK = 0x10, 0x20, 0x30, 0x82, 0x90
_QOS1 = 0x02
_KEEPALIVE_S = 120
_WINDOW = 50
_RETRY_S = (0.2, 2.0)
_ANSWER_S = 15.0


class Crowd:
    """Devices that each hold a connection of their own and come back by themselves.

    Args:
        url: `mqtt://user:password@host:port` of a user that may speak for all of them.
        keys: `org/device` of each.
        path: of their common spool.
        seed: of their jitter.
    """

    def __init__(self, url: str, keys: Sequence[str], path: Path, seed: int) -> None:
        self.spool = Spool(path, system_wall)
        self._rng = Random(seed)
        self._members = [_Member(self, url, key, seed * 100_000 + n) for n, key in enumerate(keys)]
        self._of = {member.key: member for member in self._members}
        self.connected = 0
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="crowd", daemon=True)
        self._tasks: list[asyncio.Task[None]] = []
        self._thread.start()
        self._call(self._begin())

    @property
    def keys(self) -> list[str]:
        """Of all devices."""
        return list(self._of)

    def say(self) -> None:
        """Every device makes one message whose power is its seq."""
        t = system_wall()
        bodies = [
            (key, Body(device=0, done=t, t=t, q={"power": float(self.spool.slot(key).next_seq)})) for key in self._of
        ]
        spooled = self.spool.append(bodies)

        def offer() -> None:
            for message in spooled:
                self._of[message.device].offer(message)

        self._loop.call_soon_threadsafe(offer)

    def last(self) -> dict[str, tuple[int, int]]:
        """Device to `(epoch, last seq)`."""
        return {key: (self.spool.slot(key).epoch, self.spool.slot(key).next_seq - 1) for key in self._of}

    def settled(self) -> bool:
        """Whether everything has its receipt."""
        return all(self.spool.slot(key).base == self.spool.slot(key).next_seq for key in self._of)

    def stop(self) -> None:
        """Leave."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self.spool.close()

    def _call(self, work: asyncio.Future[None] | object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)  # type: ignore[arg-type]

    async def _begin(self) -> None:
        self._tasks = [asyncio.create_task(member.run()) for member in self._members]

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Member:
    """One device."""

    def __init__(self, crowd: Crowd, url: str, key: str, seed: int) -> None:
        self.key = key
        self._crowd = crowd
        self._address = parse_url(url)
        self._rng = Random(seed)
        self._core = GatewayCore([key], crowd.spool, system_wall())
        self._wake = asyncio.Event()
        self._open = 0
        self._mid = 0

    def offer(self, message: Spooled) -> None:
        """Take a message that is in the spool."""
        self._core.offer([message], system_wall())
        self._wake.set()

    async def run(self) -> None:
        """Connect, publish and hear receipts; come back after every loss."""
        wait = _RETRY_S[0]
        while True:
            with suppress(OSError, EOFError, TimeoutError):
                link = await asyncio.wait_for(self._connect(), _ANSWER_S)
                wait = _RETRY_S[0]
                self._crowd.connected += 1
                self._crowd.connections += 1
                try:
                    await self._live(*link)
                finally:
                    self._crowd.connected -= 1
                    self._core.disconnected()
                    link[1].close()
            await asyncio.sleep(wait * (0.5 + 0.5 * self._rng.random()))
            wait = min(2 * wait, _RETRY_S[1])

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        try:
            name, user, password = (
                _text(part) for part in (self.key.replace("/", "-"), self._address.user, self._address.password)
            )
            head = _text("MQTT") + bytes([4, 0xC2]) + _KEEPALIVE_S.to_bytes(2, "big")
            writer.write(_packet(_CONNECT, head + name + user + password))
            kind, body = await _read(reader)
            if kind != _CONNACK or body[1]:
                raise ConnectionRefusedError(f"CONNACK {body!r}")  # noqa: TRY301  (closed below)
            topic = topic_of(parse_key(self.key), Channel.RECEIPT)
            writer.write(_packet(_SUBSCRIBE, b"\0\x01" + _text(topic) + b"\0"))
            while kind != _SUBACK:
                kind, body = await _read(reader)
        except BaseException:
            writer.close()
            raise
        return reader, writer

    async def _live(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open = 0
        self._core.connected(system_wall(), self._rng.random)
        hearing = asyncio.create_task(self._hear(reader))
        try:
            while not hearing.done():
                now = system_wall()
                for message in self._core.step(now, _WINDOW - self._open):
                    self._mid = self._mid % 65_535 + 1
                    topic = _text(topic_of(parse_key(message.device), message.channel))
                    writer.write(_packet(_PUBLISH | _QOS1, topic + self._mid.to_bytes(2, "big") + message.payload))
                    self._open += 1
                if self._core.flush_at is not None and now >= self._core.flush_at:
                    self._crowd.spool.delete(self._core.flush())
                await writer.drain()
                self._wake.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._patience())
            hearing.result()
        finally:
            hearing.cancel()

    def _patience(self) -> float:
        moments = [self._core.flush_at, self._core.next_due() if self._open < _WINDOW else None]
        due = min((at for at in moments if at is not None), default=system_wall() + MICROS)
        return min(max(due - system_wall(), 0) / MICROS, 1.0)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                kind, body = await _read(reader)
                if kind & 0xF0 == _PUBLISH:
                    size = int.from_bytes(body[:2], "big")
                    with suppress(WireError):
                        self._core.receipt(self.key, decode_receipt(body[2 + size :]), system_wall())
                else:
                    self._open = max(0, self._open - 1)
                self._wake.set()
        finally:
            self._wake.set()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """One packet: its first byte and its body."""
    kind = (await reader.readexactly(1))[0]
    size, shift = 0, 0
    while True:
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            break
    return kind, await reader.readexactly(size)


def _packet(kind: int, body: bytes) -> bytes:
    length, left = b"", len(body)
    while True:
        left, digit = left >> 7, left & 0x7F
        length += bytes([digit | (0x80 if left else 0)])
        if not left:
            return bytes([kind]) + length + body


def _text(text: str | None) -> bytes:
    raw = (text or "").encode()
    return len(raw).to_bytes(2, "big") + raw
