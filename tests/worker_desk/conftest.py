from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from stack.embedded_postgres import EmbeddedPostgres
from tests.worker_desk.shop import Shop


@pytest.fixture(scope="module")
def shared_shop(postgres: EmbeddedPostgres, database_template: str) -> Iterator[Shop]:
    """One database for tests that never commit."""
    name = f"shared_{os.getpid()}"
    statement = sql.SQL("create database {} template {}")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(statement.format(sql.Identifier(name), sql.Identifier(database_template)))
    made = Shop(postgres.url(name))
    yield made
    made.close()


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    made = Shop(database_url)
    yield made
    made.close()
