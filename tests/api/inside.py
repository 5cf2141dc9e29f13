"""Requests to an application without a server between: as many as a table of routes needs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx
from fastapi import FastAPI, Request

from api.context import Tx, context_of, transaction


class Inside:
    """A client of an application in this process.

    Args:
        app: asked; it is never started, so its feed does not run.
        keep: whether what requests change is kept; else every request meets the same database.
    """

    def __init__(self, app: FastAPI, *, keep: bool = False) -> None:
        self.app = app
        if not keep:
            app.dependency_overrides[transaction] = rolled_back
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://desk.test"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
        self.app.dependency_overrides.pop(transaction, None)

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401  (httpx's own)
        """One request; no cookie is kept."""
        self._client.cookies.clear()
        return self._runner.run(self._client.request(method, path, **given))


def rolled_back(request: Request) -> Iterator[Tx]:
    """The request's transaction, of which nothing stays."""
    with context_of(request).begin() as tx:
        yield tx
        tx.conn.rollback()
