"""Appliance days and false alarms: what is scored, what is guarded against, what is counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.recordings import Recording, find_recordings
from stack.errors import StackError
from stack.scoring.appliances import ROWS, SET, Scorer, auc, devices, figure, profile, splits
from stack.scoring.common import SEEDS, Floats, find_data
from stack.scoring.false_alarms import by_profile, dates, exposure, outcome, profile_judges_from, upper_bound


def a_set(root: Path, days: int = 6) -> Path:
    """An appliance whose faulty days run longer; every faulty file is longer, too."""
    rng = np.random.default_rng(1)
    for day in range(1, days + 1):
        power = np.zeros(ROWS)
        for start in range(20 + day, ROWS - 60, 60):
            power[start : start + 14 + int(rng.integers(0, 3))] = 80.0
        _write(root / "Fridge_9" / "Normal" / f"fridge_day{day}.csv", power)
        longer = np.insert(power, np.repeat(np.flatnonzero(np.diff(power) < 0) + 1, 5), 80.0)
        _write(root / "Fridge_9" / "anomaly_Seal" / f"fridge_day{day}_ANOMALIES.csv", longer)
    return root


def _write(path: Path, power: Floats) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "\n".join(f"2020-01-01 00:00:00,{value}" for value in power.tolist())
    path.write_text(f"\ufeffctime,activePower\n{rows}\n", encoding="utf-8")


def energy(_reference: Sequence[Floats]) -> Scorer:
    return lambda day: day


def test_files_are_cut_so_that_their_length_tells_nothing(tmp_path: Path) -> None:
    (device,) = devices(a_set(tmp_path))
    assert device.name == "Fridge_9"
    assert list(device.faulty) == ["Seal"]
    assert {len(day.power) for day in (*device.healthy, *device.faulty["Seal"])} == {ROWS}
    assert all(day.rows > ROWS for day in device.faulty["Seal"])
    assert [day.original for day in device.healthy] == [1, 2, 3, 4, 5, 6]


def test_a_faulty_day_made_from_the_reference_does_not_count(tmp_path: Path) -> None:
    (device,) = devices(a_set(tmp_path))
    faulty = {day.power.tobytes(): day.original for day in device.faulty["Seal"]}
    healthy = {day.power.tobytes(): day.original for day in device.healthy}

    def remembers(reference: Sequence[Floats]) -> Scorer:
        """Knows a faulty day by the healthy one that it was made from, and nothing else."""
        known = {healthy[day.tobytes()] for day in reference}
        return lambda day: np.full(len(day), float(faulty.get(day.tobytes(), 0) in known))

    parts = splits(device, remembers)["mean"]
    assert len(parts) == len(SEEDS)
    assert all(not set(part.healthy.tolist()) & set(part.reference.tolist()) for part in parts)
    assert figure(parts, ["Seal"], unseen=False).value == 0.75
    assert figure(parts, ["Seal"], unseen=True).value == 0.5


def test_the_interval_holds_the_figure(tmp_path: Path) -> None:
    (device,) = devices(a_set(tmp_path))
    found = figure(splits(device, energy)["mean"], ["Seal"], unseen=True)
    assert found.low is not None
    assert found.high is not None
    assert 0.9 < found.value <= 1.0
    assert found.low <= found.value <= found.high


def test_a_tie_counts_half() -> None:
    np.testing.assert_array_equal(auc(np.array([1.0, 3.0]), np.array([1.0, 2.0])), [[0.5, 1.0], [0.0, 0.0]])


def test_a_folder_without_appliances_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="no appliance"):
        devices(tmp_path)
    (tmp_path / "Fridge_9" / "Normal").mkdir(parents=True)
    (tmp_path / "Fridge_9" / "Normal" / "day1.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StackError, match="activePower"):
        devices(tmp_path)


@pytest.mark.parametrize(("events", "bound"), [(0, 2.9957), (1, 4.7439), (3, 7.7537), (10, 16.9622)])
def test_the_upper_bound_of_a_rate_is_exact(events: int, bound: float) -> None:
    """Against tables of the Poisson distribution (Garwood 1936)."""
    assert upper_bound(events, 1.0) == pytest.approx(bound, abs=1e-4)
    assert upper_bound(events, 10.0) == pytest.approx(bound / 10, abs=1e-5)
    assert math.isinf(upper_bound(events, 0.0))


def a_recording(folder: Path, days: int = 12) -> Recording:
    """A compressor's plug, one file a day, a reading every ten seconds."""
    rng = np.random.default_rng(2)
    for day in range(days):
        lines = []
        t, on = 0, False
        while t < 86_400:
            length = round((900 if on else 1800) * math.exp(0.05 * rng.normal()))
            for second in range(t, min(t + length, 86_400), 10):
                clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
                power = 80 + round(rng.normal()) if on else 2
                lines.append(f"{day + 1:02}/05/2012 {clock};{power};{power}")
            t, on = t + length, not on
        (folder / f"dev_X_2012.05.{day + 1:02}.csv").write_text("\n".join(lines) + "\n")
    return Recording("tracebase-refrigerator", "smart_plug", tuple(sorted(folder.glob("*.csv"))))


def test_devices_of_one_folder_are_kept_apart(tmp_path: Path) -> None:
    folder = tmp_path / "tracebase" / "Refrigerator"
    folder.mkdir(parents=True)
    for device, day in (("A1", 2), ("B2", 1), ("A1", 1)):
        (folder / f"dev_{device}_2012.05.0{day}.csv").write_text(f"0{day}/05/2012 00:00:00;5;5\n")
    found = {one.device: [path.stem[4:] for path in one.files] for one in find_recordings(tmp_path, "tracebase")}
    assert found == {
        "tracebase-refrigerator-a1": ["A1_2012.05.01", "A1_2012.05.02"],
        "tracebase-refrigerator-b2": ["B2_2012.05.01"],
    }
    for path in folder.glob("dev_B2*"):
        path.unlink()
    assert [one.device for one in find_recordings(tmp_path, "tracebase")] == ["tracebase-refrigerator"]


def test_a_dated_change_is_found_once_and_nothing_before_it(tmp_path: Path) -> None:
    recording = a_recording(tmp_path)
    assert exposure(recording) == pytest.approx(12.0, abs=0.05)
    starts = dates(recording)
    assert starts == [datetime(2012, 5, day, tzinfo=UTC) for day in (6, 7, 8)]
    assert by_profile(recording, None) == []
    since = profile_judges_from(recording)
    assert since is not None
    assert exposure(recording, since) == pytest.approx(9.0, abs=0.6)
    assert exposure(recording, None) == 0.0
    for power, stretch in ((1.15, 1.0), (1.0, 1.2)):
        found = outcome(by_profile, recording, starts[1], power, stretch)
        assert (found.findings, found.early) == (1, 0)
        assert 0 < found.days < 2
    unfound = outcome(by_profile, recording, starts[1], 1.0, 1.0)
    assert math.isnan(unfound.days)
    assert unfound.findings == 0


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "least"),
    [("Fridge_1", 0.85), ("Dishwasher_1", 0.85), ("Water_Heater_1", 0.75), ("Washing_machine_1", 0.6)],
)
def test_faulty_days_of_real_appliances_are_told_from_healthy_ones(name: str, least: float) -> None:
    """By a day's mean and by its highest score; a little below what docs/results/appliances.md reports."""
    try:
        folder = find_data(None, SET)
    except StackError as absent:
        pytest.skip(str(absent))
    (device,) = (one for one in devices(folder) if one.name == name)
    for parts in splits(device, profile).values():
        assert figure(parts, list(device.faulty), unseen=True).value > least
