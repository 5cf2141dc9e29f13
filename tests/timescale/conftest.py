"""The lanes of storage: plain PostgreSQL, and TimescaleDB on PGlite or on a server of your own.

`WELLKEPT_TIMESCALE_URL` names a real server with the extension (`make test-timescale URL=…`): a database of its own is
created there for every test, and readings go in by COPY. Without it the TimescaleDB lane runs on PGlite.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from stack.embedded_postgres import EmbeddedPostgres
from stack.pglite import Pglite, missing
from storage.migrate import migrate
from storage.pool import connect
from tests.timescale.lane import Lane, empty

_NUMBERS = itertools.count(1)
SERVER = os.environ.get("WELLKEPT_TIMESCALE_URL", "")


@pytest.fixture(scope="session")
def started_pglite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pglite]:
    lack = missing()
    if lack is not None:
        # The run installs what it needs; where it did not, TimescaleDB would go untested in silence.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lack)
    server = Pglite(tmp_path_factory.mktemp("pglite"))
    server.start()
    migrate(server.url)
    yield server
    server.stop()


@pytest.fixture
def extensible(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database that could have the extension, not migrated."""
    if SERVER:
        for url in database_on(SERVER):
            with psycopg.connect(url, autocommit=True) as conn:
                # The server's template may bring it.
                conn.execute("drop extension if exists timescaledb")
            yield url
        return
    request.getfixturevalue("started_pglite")  # skips where there is none
    server = Pglite(tmp_path, extension=False)
    server.start()
    yield server.url
    server.stop()


def database_on(server: str) -> Iterator[str]:
    """A database of its own on a real server."""
    name = f"wellkept_test_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield psycopg.conninfo.make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def timescale_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated, empty database with the extension."""
    if SERVER:
        for url in database_on(SERVER):
            try:
                with psycopg.connect(url, autocommit=True) as conn:
                    conn.execute("create extension if not exists timescaledb")
            except psycopg.Error as error:
                pytest.fail(f"this server has no TimescaleDB ready: {error}")
            migrate(url)
            yield url
        return
    server: Pglite = request.getfixturevalue("started_pglite")
    with connect(server.url, application="test", autocommit=True) as conn:
        empty(conn)
    yield server.url


@pytest.fixture
def timescale(timescale_url: str) -> Iterator[Lane]:
    with connect(timescale_url, application="wellkept-worker", autocommit=True) as conn:
        yield Lane(conn, copies=bool(SERVER))


@pytest.fixture
def plain(postgres: EmbeddedPostgres, database_url: str) -> Iterator[Lane]:  # noqa: ARG001  (the server lives on)
    with connect(database_url, application="wellkept-worker", autocommit=True) as conn:
        yield Lane(conn, copies=True)


@pytest.fixture
def fresh_plain(postgres: EmbeddedPostgres) -> Iterator[str]:
    """An empty database without the extension, not migrated."""
    yield from database_on(postgres.url("postgres"))


@pytest.fixture(params=["plain", "timescale"])
def lane(request: pytest.FixtureRequest) -> Lane:
    """Each in turn."""
    found: Lane = request.getfixturevalue(request.param)
    return found
