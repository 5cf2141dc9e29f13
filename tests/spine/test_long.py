"""The long tier of the spine: thousands of disorderly deliveries, with and without restarts."""

from __future__ import annotations

import pytest

from tests.spine.test_store import assert_restarts_change_nothing

pytestmark = pytest.mark.long


@pytest.mark.parametrize("first", range(1_000, 5_000, 200))
def test_restarts_change_nothing_long(first: int) -> None:
    for seed in range(first, first + 200):
        assert_restarts_change_nothing(seed)
