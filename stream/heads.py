"""How full the stream is and what lies behind given positions; asked now and then, never for each block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from stream.nats_client import NatsStream, incarnation_of
from stream.port import BLOCK_SUBJECT, STREAM, Position
from telemetry.clock import to_micros


@dataclass(frozen=True, slots=True)
class Fill:
    """The stream as a whole.

    Attributes:
        incarnation: of the stream; another one starts numbering anew.
        blocks: entries it holds.
        bytes: of them.
        limit: bytes at which it refuses.
        first_seq: of the oldest entry.
        last_seq: of the newest, 0 before the first.
    """

    incarnation: str
    blocks: int
    bytes: int
    limit: int
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Behind:
    """What a partition has not committed.

    Attributes:
        head: seq of the stream's newest entry while something of the partition waits, else 0.
        oldest: wall time at which the stream took the oldest entry behind the position, or None: nothing waits.
    """

    head: int
    oldest: int | None


def read_fill(stream: NatsStream) -> Fill:
    """The stream's fill.

    Raises:
        StreamError: the server does not answer.
    """
    return stream.ask(_fill)


def read_behind(stream: NatsStream, positions: Mapping[int, Position]) -> dict[int, Behind]:
    """What lies behind committed positions, by partition.

    Raises:
        StreamError: the server does not answer.
    """

    async def read(_client: Client, js: JetStreamContext) -> dict[int, Behind]:
        fill = await _fill(_client, js)
        found: dict[int, Behind] = {}
        for partition, position in positions.items():
            at = position.seq if position.incarnation == fill.incarnation else 0
            oldest = await _oldest(js, partition, at) if fill.last_seq > at else None
            found[partition] = Behind(0 if oldest is None else fill.last_seq, oldest)
        return found

    return stream.ask(read)


async def _fill(_client: Client, js: JetStreamContext) -> Fill:
    info = await js.stream_info(STREAM)
    return Fill(
        incarnation=incarnation_of(info),
        blocks=info.state.messages,
        bytes=info.state.bytes,
        limit=info.config.max_bytes or 0,
        first_seq=info.state.first_seq,
        last_seq=info.state.last_seq,
    )


async def _oldest(js: JetStreamContext, partition: int, at: int) -> int | None:
    """One entry a partition travels for this, and none where nothing waits."""
    try:
        first = await js.get_msg(STREAM, seq=at + 1, subject=f"{BLOCK_SUBJECT}.{partition}", next=True)
    except NotFoundError:
        return None
    return to_micros(first.time) if isinstance(first.time, datetime) else None
