"""The application over a real database, with a believable case in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.settings import Settings
from storage.pool import connect
from tests.api.case import WALL, Seeded, seed


@pytest.fixture
def seeded(database_url: str) -> Seeded:
    with connect(database_url, application="test") as conn:
        return seed(conn)


@pytest.fixture
def app(database_url: str) -> Iterator[FastAPI]:
    made = create_app(Settings(database_url=database_url, pool_size=4), wall=lambda: WALL)
    yield made
    made.state.context.pool.close()


@pytest.fixture
def base_url(app: FastAPI) -> Iterator[str]:
    """The address of a real server on the loopback."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def http(base_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url, timeout=20) as client:
        yield client
