"""What stands around every request: a bound on its body, and an answer whatever happens. The framework is async."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1_000_000


class Edge:
    """ASGI middleware.

    No body above one megabyte is read into memory: reading it fails with a 413, translated as all errors are. What
    nobody translated is answered here, and goes no further: the server would cut the connection.

    Args:
        app: what is inside.
        accident: logs an error and makes its answer.
    """

    def __init__(self, app: ASGIApp, accident: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._accident = accident

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        total, begun = 0, False

        async def counted() -> Message:
            nonlocal total
            if said.isdigit() and int(said) > MOST_BYTES:
                raise _too_large()
            message = await receive()
            total += len(message.get("body", b""))
            if total > MOST_BYTES:
                raise _too_large()
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except Exception as error:  # the last border: whatever it is, the client gets an answer
            if begun:
                raise
            await self._accident(Request(scope, receive), error)(scope, receive, send)


def _too_large() -> HTTPException:
    return HTTPException(413, f"a body holds at most {MOST_BYTES} bytes", {"Connection": "close"})
