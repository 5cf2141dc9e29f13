"""The long tier: twenty thousand worlds over all processors."""

from __future__ import annotations

import os

import pytest

from tests.world.test_worlds import SEEDS, assert_kept

_BATCH = 1_000


@pytest.mark.long
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("first", range(SEEDS, SEEDS + 20_000, _BATCH))
def test_worlds_keep_their_promises_long(first: int) -> None:
    assert_kept(first, _BATCH, os.cpu_count() or 1)
