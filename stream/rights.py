"""Finds out what a user of the stream's server may not do, without leaving anything in the stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress

from nats.aio.client import Client
from nats.errors import Error as NatsError

from stream.loop import LoopThread
from stream.port import BLOCK_SUBJECT, OUT_SUBJECT, StreamError
from stream.pulse import SUBJECT

INGEST_PUBLISHES = (f"{BLOCK_SUBJECT}.0", f"{OUT_SUBJECT}.doctor.doctor.probe", f"{SUBJECT}.ingest.doctor")
INGEST_HEARS = (f"{OUT_SUBJECT}.*.*.*", "$KV.wk_clock.>")
WORKER_PUBLISHES = (*INGEST_PUBLISHES[:2], f"{SUBJECT}.worker.doctor", "$KV.wk_clock.doctor")
WORKER_HEARS = ("$KV.wk_clock.>", f"{SUBJECT}.>")
_TIMEOUT = 5.0
_LAST = "wk.nobody.may"
_PATIENCE = 1.0
_VIOLATION = re.compile(r"permissions violation for (publish|subscription) to \"([^\"]+)\"", re.IGNORECASE)
# A stream that is not there: the server checks the right, and then stores nothing.
_NOWHERE = {"Nats-Expected-Stream": "WK_NOWHERE"}


def forbidden(url: str, *, publish: Sequence[str], subscribe: Sequence[str]) -> list[str]:
    """What the user of an address may not do of what it must.

    Args:
        url: `nats://user:password@host:port`.
        publish: subjects; each gets one message that no stream takes.
        subscribe: subjects.

    Returns:
        `publish to SUBJECT` or `subscription to SUBJECT`, in the server's words.

    Raises:
        StreamError: the server does not answer, or does not let the user in.
    """
    thread = LoopThread("nats-rights")
    try:
        return thread.call(_probe(url, publish, subscribe), 2 * _TIMEOUT)
    except (NatsError, OSError, TimeoutError) as cause:
        raise StreamError(f"the stream's server at {url.rsplit('@', 1)[-1]} lets nobody in: {cause!r}") from cause
    finally:
        thread.close()


async def _probe(url: str, publish: Sequence[str], subscribe: Sequence[str]) -> list[str]:
    client = Client()
    said: list[str] = []
    last = asyncio.Event()

    async def failed(error: Exception) -> None:
        said.append(str(error))
        if _LAST in said[-1]:
            last.set()

    try:
        await client.connect(
            url.split(","), name="doctor", error_cb=failed, allow_reconnect=False, connect_timeout=int(_TIMEOUT)
        )
        for subject in subscribe:
            await client.subscribe(subject)
        for subject in publish:
            await client.publish(subject, b"", headers=dict(_NOWHERE))
        # Refusals come in their order, but not in one order with the answer to a flush (measured): one more is
        # provoked, and awaited. Who may publish everything gets none, and has none to fear.
        await client.publish(_LAST, b"", headers=dict(_NOWHERE))
        await client.flush(int(_TIMEOUT))
        with suppress(TimeoutError):
            await asyncio.wait_for(last.wait(), _PATIENCE)
    finally:
        await client.close()
    found = [match for line in said if _LAST not in line and (match := _VIOLATION.search(line))]
    return list(dict.fromkeys(f"{match[1].lower()} to {match[2]}" for match in found))
