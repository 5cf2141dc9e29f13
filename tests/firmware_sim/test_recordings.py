from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from firmware_sim.cli import app
from firmware_sim.cli_replay import parse_change
from firmware_sim.recordings import (
    GRID,
    Change,
    Recording,
    RecordingError,
    bin_power,
    find_recordings,
    first_time,
    recording_messages,
    stretch_activity,
    together,
)
from firmware_sim.replay import merged
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS

CATALOGUE = load_catalogue()


def plug_file(folder: Path, rows: list[tuple[str, float]], day: str = "2012.06.01") -> Recording:
    path = folder / f"dev_X_{day}.csv"
    path.write_text("".join(f"{t};{w};0\n" for t, w in rows), encoding="utf-8")
    return Recording("tracebase-x", "smart_plug", (path,))


def powers(recording: Recording, change: Change | None = None) -> list[float]:
    found: list[float] = []
    for body in recording_messages(recording, change):
        value = body.q["power"]
        found += [x for x in value if x is not None] if isinstance(value, list) else [float(value or 0)]
    return found


def test_plug_rows_become_bins_of_ten_seconds_and_gaps_stay_gaps(tmp_path: Path) -> None:
    rows = [("01/06/2012 00:00:01", 70.0), ("01/06/2012 00:00:05", 80.0), ("01/06/2012 00:00:12", 10.0)]
    rows += [("01/06/2012 00:01:03", 5.0)]
    first, last = recording_messages(plug_file(tmp_path, rows))
    assert (first.q, first.dt) == ({"power": [75.0, 10.0]}, GRID)
    assert (last.q, last.dt) == ({"power": 5.0}, None)
    assert last.t - first.t == 60 * MICROS
    assert first_time(plug_file(tmp_path, rows)) == first.t + MICROS


def test_a_row_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"row 2.*column 2"):
        list(recording_messages(plug_file(tmp_path, [("01/06/2012 00:00:01", 1.0), ("01/06/2012 00:00:09;x", 2.0)])))
    with pytest.raises(RecordingError, match="not a time"):
        list(recording_messages(plug_file(tmp_path, [("yesterday/", 1.0)])))
    with pytest.raises(RecordingError, match="no recording"):
        find_recordings(tmp_path, "skab")
    with pytest.raises(RecordingError, match="tracebase, skab"):
        find_recordings(tmp_path, "other")


def test_activity_is_stretched_and_rests_keep_their_length() -> None:
    power = np.array([0.0, 0.0, *[80.0] * 10, 0.0, 0.0, 0.0, *[80.0] * 5, 0.0])
    longer = stretch_activity(power, 1.2)
    assert longer.tolist() == [0.0, 0.0, *[80.0] * 12, 0.0, 0.0, 0.0, *[80.0] * 6, 0.0]
    assert stretch_activity(power, 1.0).tolist() == power.tolist()
    assert stretch_activity(np.full(3, np.nan), 1.2).shape == (3,)


def test_bins_hold_the_mean() -> None:
    first, power = bin_power(np.array([0, 4, 25]) * MICROS, np.array([1.0, 3.0, 7.0]))
    assert first == 0
    assert np.array_equal(power, [2.0, np.nan, 7.0], equal_nan=True)


def test_a_change_holds_from_its_date_on(tmp_path: Path) -> None:
    rows = [(f"01/06/2012 00:{m:02d}:00", 80.0 if m % 2 else 0.0) for m in range(10)]
    recording = plug_file(tmp_path, rows)
    change = Change(first_time(recording) + 300 * MICROS, {"power": 1.5})
    assert powers(recording, change) == [0.0, 80.0, 0.0, 80.0, 0.0, 120.0, 0.0, 120.0, 0.0, 120.0]


def test_pump_rows_are_grouped_where_they_are_regular(tmp_path: Path) -> None:
    folder = tmp_path / "SKAB" / "valve1"
    folder.mkdir(parents=True)
    lines = ["datetime;a;b;c;d;e;f;g;h;anomaly;changepoint"]
    lines += [f"2020-03-09 10:00:{s:02d};{s};2;3;4;5;6;7;8;0.0;0.0" for s in (1, 2, 3, 5, 8, 9)]
    (folder / "0.csv").write_text("\n".join(lines), encoding="utf-8")
    (recording,) = find_recordings(tmp_path, "skab")
    assert recording.device == "skab-valve1-0"
    bodies = list(recording_messages(recording))
    assert [body.q["accel_1"] for body in bodies] == [[1.0, 2.0, 3.0], 5.0, [8.0, 9.0]]
    assert list(bodies[0].q) == list(CATALOGUE["pump"].channels)


def test_the_command_line_of_a_change() -> None:
    change = parse_change("2012-06-01", ["power=1.15"], 1.2)
    assert change is not None
    assert (change.scale, change.stretch) == ({"power": 1.15}, 1.2)
    assert parse_change("", [], 1.0) is None
    with pytest.raises(ValueError, match="--from"):
        parse_change("", ["power=2"], 1.0)
    with pytest.raises(ValueError, match="CHANNEL=FACTOR"):
        parse_change("2012-06-01", ["power"], 1.0)


def test_commands_list_and_truth() -> None:
    runner = CliRunner()
    assert "demo" in runner.invoke(app, ["list"]).output
    truth = runner.invoke(app, ["truth", "demo", "--seed", "1005", "--days", "1"])
    assert truth.exit_code == 0
    assert len(truth.output.splitlines()) >= 8


@pytest.mark.data
def test_the_real_refrigerator_replays_whole(data_folder: Path) -> None:
    (fridge,) = find_recordings(data_folder, "tracebase", "refrigerator")
    bodies = list(recording_messages(fridge))
    times = [body.t for body in bodies]
    assert times == sorted(times)
    assert (times[-1] - times[0]) / 86_400 / MICROS > 10
    assert first_time(fridge) // GRID == times[0] // GRID
    values = powers(fridge)
    assert 0.1 < np.mean(np.array(values) > 40) < 0.9
    changed = powers(fridge, Change(times[len(times) // 2], {"power": 1.15}, 1.2))
    assert 1.02 < len(changed) / len(values) < 1.2
    assert max(changed) == pytest.approx(1.15 * max(powers(fridge)[len(values) // 2 :]), rel=0.3)


@pytest.mark.data
def test_every_recording_is_a_device_of_its_kind(data_folder: Path) -> None:
    plugs, pumps = find_recordings(data_folder, "tracebase"), find_recordings(data_folder, "skab")
    assert {one.device for one in plugs} == {
        "tracebase-refrigerator", "tracebase-washingmachine", "tracebase-laundrydryer"
    }  # fmt: skip
    assert len({one.device for one in pumps}) == len(pumps) >= 20
    shifts = together(plugs)
    days = {(first_time(one) + shifts[one.device]) // (86_400 * MICROS) for one in plugs}
    assert len(days) == 1
    both = list(merged("demo", pumps[:2], None, {}))
    assert [body.done for _, body in both] == sorted(body.done for _, body in both)
