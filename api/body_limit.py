"""No request body above one megabyte is read into memory. The framework forces `async` here."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1_000_000


class BodyLimit:
    """Counts what is read of a body; above the limit reading it fails with a 413, translated as all errors are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        total = 0

        async def counted() -> Message:
            nonlocal total
            if said.isdigit() and int(said) > MOST_BYTES:
                raise _too_large()
            message = await receive()
            total += len(message.get("body", b""))
            if total > MOST_BYTES:
                raise _too_large()
            return message

        await self._app(scope, counted, send)


def _too_large() -> HTTPException:
    return HTTPException(413, f"a body holds at most {MOST_BYTES} bytes", {"Connection": "close"})
