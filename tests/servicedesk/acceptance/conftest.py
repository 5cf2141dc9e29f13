from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from servicedesk.level_rows import ContactChannel
from stack.embedded_postgres import EmbeddedPostgres
from tests.databases import copy_database
from tests.servicedesk.acceptance.case import Case, memory_case, postgres_case
from tests.servicedesk.acceptance.doors import HookDoor, MailDoor
from tests.worker_desk.shop import Shop


@pytest.fixture(scope="session")
def one_shop(postgres: EmbeddedPostgres, database_template: str) -> Iterator[Shop]:
    """One database for all these tests: none of them commits."""
    made = Shop(copy_database(postgres, database_template, f"acceptance_{os.getpid()}"))
    yield made
    made.close()


@pytest.fixture
def mail() -> Iterator[MailDoor]:
    door = MailDoor()
    door.open()
    yield door
    door.close()


@pytest.fixture(scope="module")
def hook_door() -> Iterator[HookDoor]:
    door = HookDoor()
    yield door
    door.close()


@pytest.fixture
def hook(hook_door: HookDoor) -> HookDoor:
    hook_door.posts.clear()
    hook_door.status = 200
    return hook_door


@pytest.fixture(params=["memory", "postgres"])
def case(request: pytest.FixtureRequest, mail: MailDoor, hook: HookDoor) -> Iterator[Case]:
    """Notices go by mail, as in production."""
    if request.param == "memory":
        yield memory_case(mail, hook, by_mail=True)
        return
    shop: Shop = request.getfixturevalue("one_shop")
    yield postgres_case(shop, mail, hook, by_mail=True)
    shop.conn.rollback()


@pytest.fixture
def with_chat(case: Case, hook: HookDoor) -> Case:
    """The household has a second channel: an Apprise URL."""
    row = ContactChannel(id=case.office.new_id(), org="demo", household=case.household, url=hook.url)
    case.desk.levels.reach.add_channel(row)
    return case
