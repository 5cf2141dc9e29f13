"""Every request has an id, whatever becomes of it."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from starlette.types import Message, Receive, Scope, Send

from api.tracing import HEADER, RequestIds

SEEN: list[str] = []


async def inner(_scope: Scope, _receive: Receive, send: Send) -> None:
    SEEN.append(structlog.contextvars.get_contextvars()["request"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"ok"})


def ask(given: bytes | None) -> str:
    """The id of the answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if given is None else [(HEADER.lower().encode(), given)]
    asyncio.run(RequestIds(inner)({"type": "http", "headers": headers}, receive, send))
    told = [value for name, value in sent[0]["headers"] if name == HEADER.lower().encode()]
    assert len(told) == 1
    return str(told[0], "ascii")


def test_the_callers_id_is_kept_and_bound_to_what_is_logged() -> None:
    assert ask(b"order-66:a.b_c") == "order-66:a.b_c" == SEEN[-1]
    assert "request" not in structlog.contextvars.get_contextvars()


@pytest.mark.parametrize("given", [None, b"", b"x" * 65, b"two words", b"new\nline", b'"quoted"'])
def test_another_one_is_made_where_none_fits(given: bytes | None) -> None:
    first, second = ask(given), ask(given)
    assert first == SEEN[-2] != second
    assert len(first) == 32
