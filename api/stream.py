"""Event streams (server-sent events) as the event loop needs them: the only asynchronous code of the API's own routes.

Reading the database happens in threads. A stream reads what is new whenever it is woken, and tells its reader with
every frame, and with every heartbeat, the number from which to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.feed import Feed, Place

RETRY_MS = 2_000
"""A reader that lost its connection comes back after this time."""
HEARTBEAT_S = 15.0
"""A stream never says nothing for longer."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event: its number, its name, its data as JSON on one line; without a name only the number moves."""

    no: int
    name: str | None = None
    data: str = ""

    def encode(self) -> bytes:
        """As it stands on the wire."""
        if self.name is None:
            return f"id: {self.no}\n\n".encode()
        return f"id: {self.no}\nevent: {self.name}\ndata: {self.data}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Batch:
    """What a look gave: frames, the number to look behind next, whether there may be more at once, whether it ends."""

    frames: Sequence[Frame]
    after: int
    more: bool = False
    ends: bool = False


Look = Callable[[int], Batch]
"""Reads what stands behind a number; called in a thread."""


def stream(feed: Feed, place: Place, first: Batch, look: Look) -> StreamingResponse:
    """An open-ended answer.

    Args:
        feed: wakes it.
        place: counted among the streams; given back when the stream ends.
        first: what is sent before the first look.
        look: reads what is new.
    """
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_frames(feed, place, first, look), headers=headers, media_type="text/event-stream")


async def _frames(feed: Feed, place: Place, first: Batch, look: Look) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(woken.set)

    with place, feed.waking(wake):
        yield f"retry: {RETRY_MS}\n".encode() + b"".join(frame.encode() for frame in first.frames)
        after = first.after
        while not feed.closed:
            woken.clear()
            batch = await run_in_threadpool(look, after)
            if batch.frames:
                yield b"".join(frame.encode() for frame in batch.frames)
            after = batch.after
            if batch.ends:
                return
            if batch.more:
                continue
            try:
                await asyncio.wait_for(woken.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield b": still here\n" + Frame(after).encode()
