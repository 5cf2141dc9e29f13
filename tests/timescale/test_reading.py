"""Roll-ups as they are read: the same whether a bucket is complete already or not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stack.bench_storage import Plan, storage
from stack.errors import StackError
from storage.read_rollups import list_rollups
from storage.rollup_levels import HOUR, LEVELS
from tests.timescale.lane import CHANNELS, DAY0, KIND, Lane, every

pytestmark = pytest.mark.stack

DAYS = timedelta(days=1)


def test_the_newest_buckets_come_from_the_readings(lane: Lane) -> None:
    end = DAY0 + 4 * DAYS
    for device in lane.devices:
        lane.put(device, every(97, 3300), first_seq=1)
    for bound in (None, DAY0 + 30 * timedelta(hours=1), DAY0 + 60 * timedelta(hours=1), end):
        if bound is not None:
            lane.refresh(bound)
        for level in LEVELS:
            found = list_rollups(lane.conn, KIND, CHANNELS, level, start=DAY0, end=end)
            assert [(row["device"], row["bucket"], row["n"]) for row in found] == [
                row[:3] for row in lane.expected(level, end)
            ]
            wanted = list_rollups(lane.conn, KIND, CHANNELS, level, start=DAY0, end=end, from_readings=True)
            assert found == wanted
    one = list_rollups(lane.conn, KIND, CHANNELS, HOUR, start=DAY0 + DAYS, end=DAY0 + 2 * DAYS, device=lane.devices[1])
    assert [row["bucket"] for row in one] == [DAY0 + DAYS + timedelta(hours=hour) for hour in range(24)]
    assert {row["device"] for row in one} == {lane.devices[1]}
    # A channel without a value in the bucket has no mean, and a count of none.
    assert {(row["pressure_mean"], row["pressure_count"]) for row in one} == {(None, 0)}
    assert all(row["accel_1_min"] <= row["accel_1_mean"] <= row["accel_1_max"] for row in one)


def test_the_benchmark_measures_a_small_fleet() -> None:
    told: list[str] = []
    found = storage(Plan(devices=2, days=8, every=3600), told.append)
    assert found["readings"] == 2 * 8 * 24
    assert found["lane"] == "plain"
    size = found["bytes_a_reading"]
    assert 0 < size["heap"] < size["total"]
    assert found["query_ms"].keys() >= {"device_week_readings", "fleet_day_from_readings", "fleet_day_from_hours"}
    assert told


def test_the_benchmark_refuses_two_servers() -> None:
    with pytest.raises(StackError, match="either"):
        storage(Plan(devices=1, url="postgresql://nowhere", pglite=True), print)
