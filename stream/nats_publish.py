"""Publishes blocks: one long-lived task sends them, one subscription hears all answers.

A coroutine, a future and a request of the library's own for each block cost about twice as much.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import Header

from stream.loop import LoopThread
from stream.port import BLOCK_SUBJECT, STREAM, Done, StreamError

_SWEEP = 0.25
_STREAM_ONLY = {Header.EXPECTED_STREAM.value: STREAM}


class _Refusal(msgspec.Struct):
    code: int = 0
    description: str = ""


class _Answer(msgspec.Struct):
    error: _Refusal | None = None


_decode = msgspec.json.Decoder(_Answer).decode


@dataclass(frozen=True, slots=True)
class _Block:
    subject: str
    data: bytes
    headers: Mapping[str, str]
    done: Done


class BlockPublisher:
    """Sends in the order of the calls.

    Args:
        thread: whose loop the client runs on.
        client: connected or not; what is published while it is not waits for the connection.
        timeout: seconds after which a block without an answer failed.
    """

    def __init__(self, thread: LoopThread, client: Client, timeout: float) -> None:
        self._thread = thread
        self._client = client
        self._timeout = timeout
        self._todo: deque[_Block] = deque()
        self._awake = asyncio.Event()
        self._asked = False
        self._numbers = itertools.count(1)
        self._waiting: dict[str, tuple[float, Done]] = {}
        self._inbox = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    async def start(self) -> None:
        """Begin; on the loop, once."""
        self._inbox = self._client.new_inbox()
        await self._client.subscribe(f"{self._inbox}.*", cb=self._hear)
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._sweep())]

    def publish(self, partition: int, block_id: str, data: bytes, done: Done) -> None:
        """See `BlockSink.publish`; from any thread."""
        headers = {Header.MSG_ID.value: block_id, **_STREAM_ONLY} if block_id else _STREAM_ONLY
        self._todo.append(_Block(f"{BLOCK_SUBJECT}.{partition}", data, headers, done))
        if self._closed:
            self._fail_all()
        elif not self._asked:
            # Set here and cleared before the queue is emptied: a block behind it is never overlooked.
            self._asked = True
            try:
                self._thread.loop.call_soon_threadsafe(self._awake.set)
            except RuntimeError:
                self._closed = True
                self._fail_all()

    async def close(self) -> None:
        """Send no more; whatever waits has failed."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for number in list(self._waiting):
            self._answer(number, StreamError("the process is closing"))
        self._fail_all()

    async def _send(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            self._asked = False
            while self._todo:
                block = self._todo.popleft()
                number = str(next(self._numbers))
                self._waiting[number] = self._thread.loop.time() + self._timeout, block.done
                reply = f"{self._inbox}.{number}"
                try:
                    await self._client.publish(block.subject, block.data, reply=reply, headers=dict(block.headers))
                except (NatsError, OSError) as error:
                    self._answer(number, error)

    async def _hear(self, message: Msg) -> None:
        number = message.subject.rpartition(".")[2]
        if message.headers is not None and message.headers.get("Status"):
            self._answer(number, StreamError("there is no stream"))
            return
        try:
            refusal = _decode(message.data).error
        except msgspec.MsgspecError as cause:
            self._answer(number, StreamError(f"the stream's answer cannot be read: {cause}"))
            return
        self._answer(number, StreamError(f"{refusal.code}: {refusal.description}") if refusal is not None else None)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            now = self._thread.loop.time()
            # In the order of their deadlines.
            for number, (deadline, _) in list(self._waiting.items()):
                if deadline > now:
                    break
                self._answer(number, StreamError(f"no answer within {self._timeout:g} s"))

    def _answer(self, number: str, error: Exception | None) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            waiting[1](error)

    def _fail_all(self) -> None:
        while self._todo:
            try:
                block = self._todo.popleft()
            except IndexError:
                return
            block.done(StreamError("the stream client is closed"))
