"""Small facts that outlive the database, in the stream's key-value store."""

from __future__ import annotations

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig
from nats.js.errors import KeyNotFoundError, NotFoundError

from stream.nats_client import CLOCK_BUCKET, NatsStream, decode_clock
from telemetry.clock import FleetClock

BUCKET = "wk_notes"
_CLOCK_KEY = "clock"


def put_note(stream: NatsStream, key: str, data: bytes, *, replicas: int = 1) -> None:
    """Write a note; the bucket is made with the first one.

    Raises:
        StreamError: the server does not answer.
    """

    async def put(_client: Client, js: JetStreamContext) -> None:
        try:
            bucket = await js.key_value(BUCKET)
        except NotFoundError:
            bucket = await js.create_key_value(KeyValueConfig(bucket=BUCKET, history=1, replicas=replicas))
        await bucket.put(key, data)

    stream.ask(put)


def get_note(stream: NatsStream, key: str, *, bucket: str = BUCKET) -> bytes | None:
    """Read a note, or None.

    Raises:
        StreamError: the server does not answer.
    """

    async def get(_client: Client, js: JetStreamContext) -> bytes | None:
        try:
            return (await (await js.key_value(bucket)).get(key)).value
        except (NotFoundError, KeyNotFoundError):
            return None

    return stream.ask(get)


def mirrored_clock(stream: NatsStream) -> FleetClock | None:
    """The fleet clock as last mirrored: newer than the row of a database that was restored.

    Raises:
        StreamError: the server does not answer.
    """
    data = get_note(stream, _CLOCK_KEY, bucket=CLOCK_BUCKET)
    return decode_clock(data) if data else None
