"""Membership and leases in a key-value bucket of NATS: one question for all records, compare-and-set for each write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import Header, KeyValueConfig
from nats.js.errors import APIError, BadRequestError

from stream.nats_client import NatsStream
from stream.port import Record, StreamError, Write

log = structlog.get_logger()

LEASE_BUCKET = "wk_lease"
_PREFIX = f"$KV.{LEASE_BUCKET}."
_READ = f"$JS.API.DIRECT.GET.KV_{LEASE_BUCKET}"
_ALL = json.dumps({"multi_last": [f"{_PREFIX}>"]}).encode()
_FORGOTTEN_AFTER = 86_400.0
_ANSWER = 1.0
_TIMEOUT = 1.5
_WRONG_REVISION = {10_071, 10_164}
_END = "204"
_NONE = "404"
_NO_BUCKET = "503"


class NatsLeases:
    """The bucket behind `LeaseStore`.

    Args:
        stream: whose connection.
        replicas: 1 embedded, 3 on a cluster.
    """

    def __init__(self, stream: NatsStream, *, replicas: int = 1) -> None:
        self._stream = stream
        self._replicas = replicas

    def read_records(self) -> dict[str, Record]:
        """See `LeaseStore.read_records`; the first one to ask makes the bucket."""

        async def read(client: Client, js: JetStreamContext) -> dict[str, Record]:
            _connected(client)
            found = await _read(client)
            if found is None:
                await self._create(js)
            return found or {}

        return self._stream.ask(read, _TIMEOUT)

    def write_records(self, writes: Sequence[Write]) -> list[int | None]:
        """See `LeaseStore.write_records`."""

        async def write(client: Client, js: JetStreamContext) -> list[int | None]:
            _connected(client)
            return list(await asyncio.gather(*(_put(js, each) for each in writes)))

        return self._stream.ask(write, _TIMEOUT) if writes else []

    async def _create(self, js: JetStreamContext) -> None:
        # What nobody writes for a day is forgotten: members that are gone, leases that are free.
        config = KeyValueConfig(
            bucket=LEASE_BUCKET, history=1, ttl=_FORGOTTEN_AFTER, replicas=self._replicas, direct=True
        )
        try:
            await js.create_key_value(config)
        except BadRequestError as error:
            log.debug("the bucket was made by another process in the same moment", error=repr(error))


def _connected(client: Client) -> None:
    # What is written while the connection is away would be sent when it is back: too late for a lease.
    if not client.is_connected:
        raise StreamError("the stream is not connected")


async def _read(client: Client) -> dict[str, Record] | None:
    """All records, or None when there is no bucket."""
    found: dict[str, Record] = {}
    ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def receive(message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status")
        if status is None:
            key = headers["Nats-Subject"].removeprefix(_PREFIX)
            found[key] = Record(int(headers["Nats-Sequence"]), message.data)
        elif not ended.done():
            if status in {_END, _NONE, _NO_BUCKET}:
                ended.set_result(status != _NO_BUCKET)
            else:
                ended.set_exception(StreamError(f"the leases cannot be read: {status} {headers.get('Description')}"))

    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=receive)
    try:
        await client.publish(_READ, _ALL, reply=inbox)
        there = await asyncio.wait_for(ended, _ANSWER)
    finally:
        if client.is_connected:
            await subscription.unsubscribe()
    return found if there else None


async def _put(js: JetStreamContext, write: Write) -> int | None:
    expected = {Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value: str(write.revision)}
    try:
        answer = await js.publish(_PREFIX + write.key, write.value, timeout=_ANSWER, headers=expected)
    except APIError as error:
        if error.err_code in _WRONG_REVISION:
            return None
        raise
    return int(answer.seq)
