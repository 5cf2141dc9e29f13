"""The Numenta benchmark's score has the properties its paper states."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from stack.cli_bench import bench_app
from stack.errors import StackError
from stack.scoring.common import Floats
from stack.scoring.nab import (
    PROFILES,
    Costs,
    Curve,
    Series,
    best_threshold,
    folds,
    load,
    normalised,
    raw_of_alarms,
    ruler,
    scaled_sigmoid,
)
from stack.scoring.nab_bench import nab

STANDARD = PROFILES["standard"]


def series(rows: int = 400, windows: tuple[tuple[int, int], ...] = ((200, 239),)) -> Series:
    return Series("group/file.csv", np.linspace(0.0, 300.0 * (rows - 1), rows), np.zeros((rows, 1)), windows)


def points(one: Series, alarms: list[int], costs: Costs = STANDARD) -> float:
    """The score of one file with alarms on these rows."""
    score = np.zeros(len(one.t))
    score[alarms] = 1.0
    raw = float(Curve(ruler(one), score, costs).at(np.array(0.5)))
    return normalised(raw, len(one.windows), costs)


def test_the_sigmoid_has_the_published_values() -> None:
    found = scaled_sigmoid(np.array([-1.0, -0.5, 0.0, 1.0, 3.0, 50.0]))
    assert np.allclose(found, [0.98661, 0.84828, 0.0, -0.98661, -1.0, -1.0], atol=1e-5)


@pytest.mark.parametrize("costs", PROFILES.values(), ids=PROFILES)
def test_silence_is_0_and_perfection_is_100(costs: Costs) -> None:
    one = series(windows=((100, 120), (200, 239)))
    assert points(one, [], costs) == pytest.approx(0.0)
    assert points(one, [100, 200], costs) == pytest.approx(100.0)


def test_a_false_alarm_far_from_windows_costs_its_weight() -> None:
    # One window: the scale from -1 to 1 is 100 points, so that 0.11 is 5.5 of them.
    assert points(series(), [200, 150]) == pytest.approx(94.5)
    assert points(series(), [200, 150], PROFILES["reward_low_FP_rate"]) == pytest.approx(89.0)


def test_a_missed_window_costs_twice_where_misses_are_dear() -> None:
    one = series(windows=((100, 120), (200, 239)))
    assert points(one, [100]) == pytest.approx(50.0)
    # (1 - 2 + 4) / (2 + 4): what is missed lowers both ends of the scale alike.
    assert points(one, [100], PROFILES["reward_low_FN_rate"]) == pytest.approx(50.0)


def test_earlier_in_the_window_is_better_and_later_alarms_in_it_add_nothing() -> None:
    early, late = points(series(), [205]), points(series(), [230])
    assert 50 < late < early < 100
    assert points(series(), [205, 210, 239]) == early


def test_an_alarm_just_behind_a_window_costs_less_than_one_far_behind() -> None:
    near, far = points(series(), [200, 241]), points(series(), [200, 399])
    assert far == pytest.approx(94.5)
    assert far < near < 100


def test_rows_of_the_probation_do_not_count() -> None:
    one = series()
    assert one.probation == 60
    assert points(one, [59, 200]) == pytest.approx(100.0)
    assert points(one, [60, 200]) == pytest.approx(94.5)
    assert series(rows=15_902).probation == 750


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=60, max_size=120),
    st.integers(10, 40),
    st.integers(1, 12),
    st.floats(-0.5, 5.5),
)
def test_the_curve_equals_the_sum_over_alarms(levels: list[int], first: int, length: int, threshold: float) -> None:
    one = series(len(levels), ((first, first + length), (first + length + 3, first + length + 5)))
    measure, score = ruler(one), np.array(levels, dtype=np.float64)
    heard = (score >= threshold) & measure.scored
    raw = 0.11 * measure.worth[heard & (measure.window < 0)].sum()
    for number in range(2):
        if (measure.scored & (measure.window == number)).any():
            raw += max([-1.0, *measure.worth[heard & (measure.window == number)]])
    assert float(Curve(measure, score, STANDARD).at(np.array(threshold))) == pytest.approx(raw)
    assert raw_of_alarms(measure, score >= threshold, STANDARD) == pytest.approx(raw)


def test_the_best_threshold_parts_what_is_found_from_what_is_not() -> None:
    curves = []
    for high in (0.7, 0.8):
        score = np.full(400, 0.2)
        score[205], score[150] = high, 0.3
        curves.append(Curve(ruler(series()), score, STANDARD))
    assert 0.3 < best_threshold(curves) <= 0.7


def test_a_threshold_is_used_on_files_it_was_not_fixed_on() -> None:
    used = []
    for fit, use in folds(27, seed=3):
        assert not set(fit) & set(use)
        assert len(fit) + len(use) == 27
        used += use.tolist()
    assert sorted(used) == list(range(27))
    first = [use.tolist() for _, use in folds(27, seed=3)]
    assert first == [use.tolist() for _, use in folds(27, seed=3)]
    assert first != [use.tolist() for _, use in folds(27, seed=4)]


def write_set(folder: Path, files: int = 6, rows: int = 500) -> Path:
    """A set in the benchmark's form: noise, and from the third file on one spike a file."""
    root = folder / "NAB"
    rng = np.random.default_rng(1)
    labels: dict[str, list[list[str]]] = {}
    times = np.datetime64("2014-04-01") + np.arange(rows) * np.timedelta64(300, "s")
    for number in range(files):
        values: Floats = rng.normal(size=rows)
        name = f"group{number % 2}/file{number}.csv"
        labels[name] = []
        if number >= 2:
            values[350] += 30.0
            labels[name] = [[f"{times[at]}".replace("T", " ") + ".000000" for at in (335, 365)]]
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{time},{value}" for time, value in zip(times, values, strict=True)]
        path.write_text("\n".join(["timestamp,value", *lines]) + "\n", encoding="utf-8")
    (root / "combined_windows.json").write_text(json.dumps(labels), encoding="utf-8")
    return root


def test_files_and_windows_are_read(tmp_path: Path) -> None:
    found = load(write_set(tmp_path))
    assert [one.windows for one in found[:1] + found[-1:]] == [(), ((335, 365),)]
    assert found[0].group == "group0"
    assert found[0].t[1] - found[0].t[0] == 300.0


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="combined_windows"):
        load(tmp_path)
    root = write_set(tmp_path)
    (root / "data" / "group0" / "file0.csv").write_text("timestamp,value\nyesterday,1\n", encoding="utf-8")
    with pytest.raises(StackError, match="file0"):
        load(root)


def test_the_profile_finds_spikes_in_noise_with_a_threshold_of_other_files(tmp_path: Path) -> None:
    result = nab(write_set(tmp_path), lambda _line: None)
    assert result.figures["windows"].value == 4
    assert result.figures["windows found, own alarms"].value == 4
    assert result.figures["standard"].value > 70
    assert result.figures["standard"].value > result.controls["random"]["standard"].value + 20
    assert result.controls["always"]["standard"].value <= 0
    assert result.not_detected == []


@pytest.mark.long
def test_constants_chosen_on_other_files_find_spikes_too(tmp_path: Path) -> None:
    figures = nab(write_set(tmp_path), lambda _line: None, parts=True, anew=True).figures
    assert figures["standard, 96 sets of constants and the threshold fixed on other files"].value > 60
    assert figures["standard with all parts"].value == figures["standard"].value


def test_too_few_files_are_refused(tmp_path: Path) -> None:
    root = write_set(tmp_path, files=3)
    with pytest.raises(StackError, match="too few"):
        nab(root, lambda _line: None)


def test_the_command_prints_json(tmp_path: Path) -> None:
    write_set(tmp_path)
    found = CliRunner().invoke(bench_app, ["nab", "--data", str(tmp_path), "--json"])
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    assert said["benchmark"] == "nab"
    assert said["figures"]["windows"]["value"] == 4
    assert {"always", "random", "periodic", "position only", "|x - rolling median|"} == set(said["controls"])
    assert [row["file"] for row in said["units"]][:2] == ["group0/file0.csv", "group0/file2.csv"]
