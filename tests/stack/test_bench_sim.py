"""The simulator's bench: its parts say what they promise, and connections are the product's own receipts."""

from __future__ import annotations

import pytest

from firmware_sim.physics import simulated_kinds
from stack.bench_connections import product
from stack.bench_load import BenchError
from stack.bench_sim import _part
from stack.bench_sim_parts import _mixed


def test_the_fleet_holds_every_kind_alike() -> None:
    entries = _mixed(100).fleet
    assert {entry.kind for entry in entries} == {*simulated_kinds(), "smart_plug"}
    assert sum(entry.count for entry in entries) == 100
    assert max(entry.count for entry in entries) - min(entry.count for entry in entries) <= 1


@pytest.mark.long
def test_speed_and_memory_are_of_a_process_of_their_own() -> None:
    found = _part("speed", {"devices": 18, "seed": 1})
    assert found["samples_per_s"] > found["message_samples_per_s"] > 0
    assert found["messages_per_s"] > 0
    large = _part("memory", {"devices": 18, "hours": 1.0})
    assert large["devices"] == 18
    assert large["messages"] > 10
    assert 50 < large["rss_mb"] < 1_000


def test_a_part_that_fails_says_why() -> None:
    with pytest.raises(BenchError, match="devices"):
        _part("memory", {})


@pytest.mark.long
@pytest.mark.stack
def test_each_connection_gets_a_receipt_of_the_product() -> None:
    with product(20) as url:
        found = _part("connections", {"connections": 20, "url": url})
    assert (found["connected"], found["receipted"]) == (20, 20)
