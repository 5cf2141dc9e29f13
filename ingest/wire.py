"""The two packets of MQTT 3.1.1 that come and go by the thousand, PUBLISH and PUBACK, as pure functions.

Everything else of the protocol is paho's; see `ingest.mqtt`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from telemetry.errors import WellkeptError

Delivery = tuple[bytes, bytes, int]
"""Topic, payload and packet id (0: QoS 0, nothing to acknowledge) of one message as it came."""

_PUBLISH = 0x30
_TYPE = 0xF0
_QOS = 0x06
_QOS_1 = 0x02
_QOS_2 = 0x04
_PUBACK = 0x4002
_MORE = 0x80
_LENGTH_BYTES = 4
_HIGHEST_TOPIC = 65_535


class PacketError(WellkeptError):
    """The bytes are not MQTT; the connection is of no more use."""


def sort_packets(data: bytes) -> tuple[list[Delivery], bytes, int]:
    """Take the whole packets of a buffer apart.

    Returns:
        Messages of QoS 0 and 1 in their order, all other packets as they came, and how many bytes both took.

    Raises:
        PacketError: a length that MQTT does not have.
    """
    messages: list[Delivery] = []
    others: list[bytes] = []
    take = messages.append
    at, size = 0, len(data)
    while at + 2 <= size:
        first, length, body = data[at], data[at + 1], at + 2
        if length >= _MORE:
            length, body = _long_length(data, at + 1)
            if body == 0:
                break
        end = body + length
        if end > size:
            break
        qos = first & _QOS
        if first & _TYPE == _PUBLISH and qos < _QOS_2:
            topic = body + 2
            after = topic + (data[body] << 8 | data[body + 1])
            payload = after + qos
            if payload > end:
                raise PacketError("a PUBLISH is shorter than its topic")
            mid = data[after] << 8 | data[after + 1] if qos else 0
            take((data[topic:after], data[payload:end], mid))
        else:
            others.append(data[at:end])
        at = end
    return messages, b"".join(others), at


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    """A remaining length of several bytes and where it ends, or (0, 0) when it is not all there."""
    length = 0
    for place in range(_LENGTH_BYTES):
        if at + place >= len(data):
            return 0, 0
        byte = data[at + place]
        length |= (byte & ~_MORE) << 7 * place
        if byte < _MORE:
            return length, at + place + 1
    raise PacketError("a remaining length of more than four bytes")


def puback_packets(mids: Sequence[int]) -> bytes:
    """Acknowledgements of many messages, one after the other."""
    packets = np.empty((len(mids), 2), dtype=">u2")
    packets[:, 0] = _PUBACK
    packets[:, 1] = mids
    return packets.tobytes()


def publish_packet(topic: str, payload: bytes) -> bytes:
    """A PUBLISH with QoS 0.

    Raises:
        PacketError: a topic that MQTT cannot carry.
    """
    name = topic.encode()
    if not 0 < len(name) <= _HIGHEST_TOPIC:
        raise PacketError(f"a topic of {len(name)} bytes")
    length = 2 + len(name) + len(payload)
    head = bytearray((_PUBLISH,))
    while True:
        length, low = divmod(length, _MORE)
        head.append(low | _MORE if length else low)
        if not length:
            break
    head += len(name).to_bytes(2, "big")
    return b"".join((head, name, payload))
