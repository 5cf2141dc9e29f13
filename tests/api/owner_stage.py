"""One application over one transaction: a state is entered, looked at, and taken back, as often as a test likes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI, Request
from playwright.sync_api import Page, Route

from api.app import create_app
from api.context import Tx, context_of, transaction
from api.limits import Limits
from api.settings import Settings
from stack.embedded_postgres import EmbeddedPostgres
from storage.clock_store import read_clock
from storage.pool import Connection, connect
from telemetry.clock import production_clock
from tests.api.case import WALL, Seeded
from tests.api.owner_states import Enter
from tests.databases import copied

ORIGIN = "http://desk.test"


class Stage:
    """What is on it.

    Args:
        app: of the case; it is never started.
        conn: the one transaction of all requests, never committed.
        seeded: the case.
    """

    def __init__(self, app: FastAPI, conn: Connection, seeded: Seeded) -> None:
        # A thread of its own: a browser under test has the loop of this one.
        self._hands = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=ORIGIN
        )
        self.conn = conn
        self.seeded = seeded

    def enter(self, state: Enter | None) -> None:
        """Forget what was; bring a state about."""
        self.conn.rollback()
        if state is not None:
            state(self.conn, self.seeded)

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401  (httpx's own)
        """One request; nothing is followed."""
        self._client.cookies.clear()
        return self._hands.submit(lambda: self._runner.run(self._client.request(method, path, **given))).result()

    def get(self, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401  (httpx's own)
        """Look at a page of the case's link."""
        return self.ask("GET", self.seeded.alert + path, **given)

    def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form of the case's link, and look at what it leads to."""
        answer = self.ask("POST", self.seeded.alert + path, data=form)
        assert answer.status_code == 303, answer.text
        return self.ask("GET", answer.headers["location"])

    def serve(self, page: Page) -> None:
        """Let a browser's page see what is on the stage."""

        def fulfil(route: Route) -> None:
            answer = self.ask("GET", route.request.url.removeprefix(ORIGIN))
            headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
            route.fulfill(status=answer.status_code, headers=headers, body=answer.content)

        page.route(f"{ORIGIN}/**", fulfil)

    def close(self) -> None:
        """Take everything back."""
        self.conn.rollback()
        self._hands.submit(lambda: self._runner.run(self._client.aclose())).result()
        self._hands.submit(self._runner.close).result()
        self._hands.shutdown()


@contextmanager
def staged(postgres: EmbeddedPostgres, template: str, seeded: Seeded) -> Iterator[Stage]:
    """A stage for the case, over a copy of its database."""
    with copied(postgres, template, f"stage_{uuid4().hex}") as url:
        app = create_app(Settings(database_url=url, pool_size=1), wall=lambda: WALL)
        # The wall clock stands still: buckets would never fill again.
        app.state.link_limits = Limits(100_000)
        with connect(url, application="test") as conn:

            def shared(request: Request) -> Iterator[Tx]:
                context = context_of(request)
                yield Tx(conn, context.wall(), read_clock(conn) or production_clock(), context)

            app.dependency_overrides[transaction] = shared
            stage = Stage(app, conn, seeded)
            try:
                yield stage
            finally:
                stage.close()
                app.state.context.pool.close()
