from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.worker_desk.shop import Shop


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    made = Shop(database_url)
    yield made
    made.close()
