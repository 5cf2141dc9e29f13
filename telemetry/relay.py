"""A message that a server asks ingest to publish for others than devices."""

from __future__ import annotations

import msgspec


class Relayed(msgspec.Struct, frozen=True, array_like=True):
    """Topic, payload and whether the broker keeps it."""

    topic: str
    payload: bytes
    retain: bool = False


encode_relayed = msgspec.msgpack.Encoder().encode
decode_relayed = msgspec.msgpack.Decoder(Relayed).decode
