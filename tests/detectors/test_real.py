"""Recordings of real appliances: no false finding, the dated change found, the pump's faults found."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.real_recordings import pumps
from firmware_sim.recordings import Change, find_recordings
from stack.scoring.live import VARIATIONS, episodes, findings_of
from telemetry.clock import to_datetime, to_micros
from tests.detectors.streams import catalogue

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def data() -> Path:
    folder = Path(os.environ.get("WELLKEPT_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    if not (folder / "tracebase").is_dir() or not (folder / "SKAB").is_dir():
        pytest.skip(f"no recordings under {folder}: set WELLKEPT_DATA, see docs/detectors.md")
    return folder


@pytest.mark.parametrize("appliance", ["refrigerator", "washingmachine", "laundrydryer"])
def test_appliances_without_a_known_fault_raise_nothing(data: Path, appliance: str) -> None:
    recording = find_recordings(data, "tracebase", appliance)[0]
    assert findings_of(recording, catalogue(), VARIATIONS["as_recorded"]) == []


@pytest.mark.parametrize("variation", ["as_recorded", "half_rate"])
@pytest.mark.parametrize("day", [20, 24])
def test_a_changed_fridge_is_one_finding_within_five_days(data: Path, day: int, variation: str) -> None:
    date = datetime(2012, 5, day, tzinfo=UTC)
    recording = find_recordings(data, "tracebase", "refrigerator")[0]
    change = Change(to_micros(date), {"power": 1.15}, 1.2)
    found = episodes(findings_of(recording, catalogue(), VARIATIONS[variation], change))
    assert len(found) == 1
    assert timedelta(0) <= to_datetime(found[0].opened) - date <= timedelta(days=5)
    assert abs(to_datetime(found[0].onset) - date) <= timedelta(days=1.5)


def test_pump_faults_are_found(data: Path) -> None:
    result = pumps(data, catalogue(), VARIATIONS["as_recorded"])
    assert result["files"] == 19
    assert result["found"] >= 18
    assert result["too_early"] <= 1
    assert result["clean_episodes"] == 0
