from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from uuid import UUID

import pytest

from stack.embedded_postgres import EmbeddedPostgres
from storage.desk import PgDesk
from telemetry.finding import Finding
from tests.databases import copy_database
from tests.servicedesk.world import World
from tests.worker_desk.shop import Shop
from tests.worker_desk.stored import Store

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def shared_shop(postgres: EmbeddedPostgres, database_template: str) -> Iterator[Shop]:
    """One database for tests that never commit."""
    made = Shop(copy_database(postgres, database_template, f"shared_{os.getpid()}_{next(_NUMBERS)}"))
    yield made
    made.close()


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    made = Shop(database_url)
    yield made
    made.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        world = World()

        def remember(found: Finding) -> None:
            world.desk.agenda.findings.setdefault(UUID(found.id), []).append(found)

        yield Store(world.desk, world.household.id, 1, remember)
        return
    shop: Shop = request.getfixturevalue("shared_shop")
    yield Store(PgDesk(shop.conn, "http://desk"), shop.household, shop.device.no, shop.enter)
    shop.conn.rollback()
