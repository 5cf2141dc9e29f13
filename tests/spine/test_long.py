"""The long tier of the spine: many disorderly deliveries, with and without restarts."""

from __future__ import annotations

import pytest

from storage.memory_telemetry import MemoryTelemetry
from tests.spine.test_store import Memory, rows, script

pytestmark = pytest.mark.long


@pytest.mark.parametrize("seed", range(1_000, 1_300))
def test_restarts_change_nothing(seed: int) -> None:
    with_restarts, _ = script(Memory(MemoryTelemetry(rows())), seed, restarts=0.5)
    without, _ = script(Memory(MemoryTelemetry(rows())), seed, restarts=0.0)
    assert with_restarts == without
