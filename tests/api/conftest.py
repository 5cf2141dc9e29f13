"""The application over a real database, with a believable case in it."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.server import Server
from api.settings import Settings
from stack.embedded_postgres import EmbeddedPostgres
from storage.pool import connect
from tests.api.case import WALL, Seeded, seed
from tests.databases import copied, copy_database

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def seeded_template(postgres: EmbeddedPostgres, database_template: str) -> tuple[str, Seeded]:
    """A database with the case in it, to be copied for each test."""
    name = "wellkept_case"
    with connect(copy_database(postgres, database_template, name), application="test") as conn:
        return name, seed(conn)


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, seeded_template: tuple[str, Seeded]) -> Iterator[str]:
    """A copy of the seeded database."""
    with copied(postgres, seeded_template[0], f"case_{os.getpid()}_{next(_NUMBERS)}") as url:
        yield url


@pytest.fixture(scope="module")
def module_url(postgres: EmbeddedPostgres, seeded_template: tuple[str, Seeded]) -> Iterator[str]:
    """A copy of the seeded database for all tests of a file, which leave it as it is."""
    with copied(postgres, seeded_template[0], f"case_{os.getpid()}_{next(_NUMBERS)}") as url:
        yield url


@pytest.fixture
def seeded(seeded_template: tuple[str, Seeded]) -> Seeded:
    return seeded_template[1]


@pytest.fixture
def app(database_url: str) -> Iterator[FastAPI]:
    made = create_app(Settings(database_url=database_url, pool_size=4), wall=lambda: WALL)
    yield made
    made.state.context.pool.close()


@pytest.fixture
def base_url(app: FastAPI) -> Iterator[str]:
    """The address of a real server on the loopback."""
    server = Server(app, "127.0.0.1", 0)
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
