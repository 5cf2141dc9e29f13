"""Every request has an id: the caller's `X-Request-ID` or a fresh one, in its answer and in each line logged for it."""

from __future__ import annotations

import re
import uuid
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

HEADER = "X-Request-ID"
_NAME = HEADER.lower().encode()
_FIT = re.compile(rb"[A-Za-z0-9._:-]{1,64}\Z")


class RequestIds:
    """ASGI middleware, outermost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the request its id and pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == _NAME), b"")
        request_id = given if _FIT.match(given) else uuid.uuid4().hex.encode()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message, request_id)
            await send(message)

        with bound_contextvars(request=request_id.decode()):
            await self._app(scope, receive, answer)


def _add(message: MutableMapping[str, Any], request_id: bytes) -> None:
    message["headers"] = [*message.get("headers", ()), (_NAME, request_id)]
