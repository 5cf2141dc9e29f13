"""The few packets of MQTT 3.1.1 that the load generator and the drain need, written by hand.

A client library costs ten times what is measured here.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

CONNACK, PUBLISH, PUBACK, SUBACK = 2, 3, 4, 9
PING = b"\xc0\x00"
_TIMEOUT = 10.0


class BrokerRefusedError(Exception):
    """The broker does not let this client in, or grants no subscription."""


def varint(length: int) -> bytes:
    """A remaining length."""
    out = bytearray()
    while True:
        length, low = divmod(length, 128)
        out.append(low | 0x80 if length else low)
        if not length:
            return bytes(out)


def text(value: str) -> bytes:
    """A string with its length."""
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def connect_packet(client_id: str, user: str, password: str, *, clean: bool, keepalive: int = 60) -> bytes:
    """CONNECT of protocol level 4."""
    flags = (0x02 if clean else 0) | (0xC0 if user else 0)
    body = text("MQTT") + bytes((4, flags)) + struct.pack(">H", keepalive) + text(client_id)
    if user:
        body += text(user) + text(password)
    return b"\x10" + varint(len(body)) + body


def subscribe_packet(mid: int, topic: str, qos: int) -> bytes:
    """SUBSCRIBE to one filter."""
    body = struct.pack(">H", mid) + text(topic) + bytes((qos,))
    return b"\x82" + varint(len(body)) + body


def split(data: bytes) -> tuple[list[tuple[int, int, int]], int]:
    """Whole packets of a buffer as (first byte, start and end of the body), and how many bytes they take."""
    found: list[tuple[int, int, int]] = []
    at, size = 0, len(data)
    while at + 2 <= size:
        length, shift, body = 0, 0, at + 1
        while True:
            if body >= size:
                return found, at
            byte = data[body]
            length |= (byte & 0x7F) << shift
            body += 1
            shift += 7
            if byte < 0x80:  # noqa: PLR2004  (the continuation bit)
                break
        if body + length > size:
            return found, at
        found.append((data[at], body, body + length))
        at = body + length
    return found, at


def packets(sock: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Packets of a blocking socket, one by one."""
    held = b""
    while True:
        data = sock.recv(65_536)
        if not data:
            raise BrokerRefusedError("the broker closed the connection")
        held += data
        found, used = split(held)
        for first, start, end in found:
            yield first >> 4, held[start:end]
        held = held[used:]


def open_client(url: str, client_id: str, *, clean: bool = True, topic: str | None = None) -> socket.socket:
    """Connect, subscribe when there is a topic (QoS 1), return the socket, blocking.

    Raises:
        BrokerRefusedError: with the broker's code.
    """
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 1883), timeout=_TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(connect_packet(client_id, unquote(parts.username or ""), unquote(parts.password or ""), clean=clean))
    kind, body = next(packets(sock))
    if kind != CONNACK or body[1] != 0:
        raise BrokerRefusedError(f"CONNECT of {client_id} was answered with {kind}: {body.hex()}")
    if topic is not None:
        sock.sendall(subscribe_packet(1, topic, 1))
        kind, body = next(packets(sock))
        if kind != SUBACK or body[2] & 0x80:
            raise BrokerRefusedError(f"the subscription to {topic} was answered with {kind}: {body.hex()}")
    return sock
