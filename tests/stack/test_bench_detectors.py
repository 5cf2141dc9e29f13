"""The benchmark of the detectors: what it promises to print, and that river says the same."""

from __future__ import annotations

from stack.bench_detectors import Plan, detectors


def test_detectors_are_measured_beside_river() -> None:
    said: list[str] = []
    found = detectors(Plan(devices=40, rows=16, repeats=1, river_rows=80), said.append)
    assert found["messages_per_s"] == found["messages_per_s_by_run"]["4"] > 0
    assert 5_000 < found["bytes_per_device"] < 12_000
    river = found["river"]
    assert set(river) == {"EWMean", "EWVar", "Mean", "Var", "PageHinkley", "ADWIN"}
    for one in river.values():
        assert one["max_abs_diff"] <= 1e-9
        assert one["river_per_s"] > 0
        assert one["ours_per_s"] > 0
    assert len(said) == 5
