"""Signs of life: each process says twice a second how it is; whoever wants to know listens. Nothing is stored."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from stream.nats_client import NatsStream

SUBJECT = "wk.pulse"
EVERY = 0.5
"""Seconds between two pulses of a process."""


class Pulse(msgspec.Struct, frozen=True):
    """How a process is.

    Attributes:
        part: `ingest` or `worker`.
        name: of the process; letters, digits, `-` and `_`.
        ok: whether it does its work now.
        why: when not, a sentence.
        partitions: those that it owns and that move (worker).
        total: partitions of the stream (worker).
    """

    part: str
    name: str
    ok: bool
    why: str = ""
    partitions: tuple[int, ...] = ()
    total: int = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Pulse).decode


def send_pulse(stream: NatsStream, pulse: Pulse) -> None:
    """Say it once; nobody waits for an answer."""
    subject = f"{SUBJECT}.{pulse.part}.{pulse.name}"
    data = _encode(pulse)

    async def publish(client: Client, _js: JetStreamContext) -> None:
        if client.is_connected:
            await client.publish(subject, data)

    stream.begin(publish)


def hear_pulses(stream: NatsStream, heard: Callable[[Pulse], None]) -> None:
    """Call back, on the stream's thread, with every pulse from now on; reconnects are survived.

    Raises:
        StreamError: the server does not answer.
    """

    async def receive(message: Msg) -> None:
        heard(_decode(message.data))

    async def subscribe(client: Client, _js: JetStreamContext) -> None:
        await client.subscribe(f"{SUBJECT}.*.*", cb=receive)

    stream.ask(subscribe)
