"""The HTTP server: ends event streams before it waits for requests under way, for they never end by themselves."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from api.feed import Feed

GRACE_S = 10
"""Requests under way get this long."""


class Server(uvicorn.Server):
    """Serves an application of `create_app`."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,  # as all the process's logs
            log_level="warning",
            access_log=False,  # addresses of owners' pages are secrets
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, end the streams, let requests end."""
        feed: Feed = self._app.state.feed
        feed.end_streams()
        await super().shutdown(sockets)
