"""The pump test bed's benchmark: what the guard puts in, how rows are counted, and that thresholds come from others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from typer.testing import CliRunner

from detectors.profiles.registry import PROFILES
from stack.cli_bench import bench_app
from stack.errors import StackError
from stack.scoring import skab_bench
from stack.scoring.common import find_data
from stack.scoring.skab import (
    BLOCK,
    MOST_INSERTED,
    TRAIN_ROWS,
    Recording,
    Tally,
    best_threshold,
    events,
    guarded,
    load,
    standing,
    tally,
    total,
)
from stack.scoring.skab_bench import skab

HEAD = "datetime;Flow;Pressure;anomaly;changepoint"


def recording(name: str = "valve1/0", rows: int = 1_100, first: int = 570, last: int = 970, seed: int = 0) -> Recording:
    """A made-up file: the flow falls while the fault lasts."""
    rng = np.random.default_rng(seed)
    fault = np.zeros(rows, np.bool_)
    fault[first : last + 1] = True
    x = np.column_stack([32 - 3 * fault + 0.5 * rng.normal(size=rows), rng.normal(size=rows)])
    return Recording(name, 1.58e9 + np.arange(rows, dtype=np.float64), x, fault)


def write(folder: Path, made: Recording) -> None:
    """As the benchmark publishes it."""
    path = folder / f"{made.name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [HEAD]
    for t, x, fault in zip(made.t, made.x, made.fault, strict=True):
        stamp = str(np.datetime64(int(t), "s")).replace("T", " ")
        lines.append(f"{stamp};{x[0]:.6f};{x[1]:.6f};{float(fault)};0.0")
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six files of three groups, and one without a fault."""
    for i, name in enumerate(["other/1", "other/2", "valve1/0", "valve1/1", "valve2/0", "valve2/1"]):
        write(tmp_path / "SKAB", recording(name, seed=i))
    write(tmp_path / "SKAB", recording("anomaly-free/anomaly-free", 3_000, 3_000, 3_000, seed=9))
    return tmp_path


def test_a_file_is_read_as_published(folder: Path) -> None:
    found = load(folder / "SKAB")
    assert [r.name for r in found][:2] == ["anomaly-free/anomaly-free", "other/1"]
    made = recording("other/1", seed=0)
    assert_array_equal(found[1].t, made.t)
    assert_array_equal(found[1].fault, made.fault)
    np.testing.assert_allclose(found[1].x, made.x, atol=1e-6)
    assert found[1].group == "other"


def test_healthy_rows_alone_are_put_in_and_nothing_is_lost() -> None:
    made = recording(first=104, last=488)
    counts = set()
    for seed in range(8):
        found = guarded(made, seed)
        more = len(found.t) - len(made.t)
        counts.add(more)
        assert 0 <= more <= MOST_INSERTED
        put_in = slice(TRAIN_ROWS, TRAIN_ROWS + more)
        healthy = {tuple(row) for row in made.x[:TRAIN_ROWS][~made.fault[:TRAIN_ROWS]]}
        assert {tuple(row) for row in found.x[put_in]} <= healthy
        assert not found.fault[put_in].any()
        assert_array_equal(np.delete(found.x, np.r_[put_in], axis=0), made.x)
        assert_array_equal(np.delete(found.fault, np.r_[put_in]), made.fault)
        assert (np.diff(found.t) > 0).all()
    assert len(counts) == 8


def test_a_block_keeps_what_follows_what() -> None:
    made = recording()
    numbered = Recording(made.name, made.t, np.arange(len(made.t), dtype=np.float64)[:, None], made.fault)
    for block, followed in ((BLOCK, 0.9), (1, 0.0)):
        found = guarded(numbered, 1, block=block)
        put_in = found.x[TRAIN_ROWS : TRAIN_ROWS + len(found.t) - len(made.t), 0]
        assert len(put_in) > 100
        assert (np.diff(put_in) == 1).mean() == pytest.approx(followed, abs=0.09)


def test_rows_of_the_whole_file_come_from_behind_the_fault_too() -> None:
    made = recording()
    numbered = Recording(made.name, made.t, np.arange(len(made.t), dtype=np.float64)[:, None], made.fault)
    found = guarded(numbered, 1, whole=True)
    put_in = found.x[TRAIN_ROWS : TRAIN_ROWS + len(found.t) - len(made.t), 0].astype(int)
    assert (put_in > 970).any()
    assert not made.fault[put_in].any()


def test_what_is_put_in_depends_on_seed_and_name_alone() -> None:
    one, again, other = guarded(recording(), 1), guarded(recording(), 1), guarded(recording(), 2)
    assert_array_equal(one.x, again.x)
    assert len(one.t) != len(other.t)
    assert len(guarded(recording("valve1/1"), 1).t) != len(one.t)


def test_rates_are_of_rows() -> None:
    fault = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1], np.bool_)
    alarm = np.array([1, 0, 0, 0, 0, 0, 0, 1, 1, 1], np.bool_)
    found = tally(alarm, fault)
    assert found == Tally(hit=3, false=1, missed=3, quiet=3)
    assert found.f1 == pytest.approx(6 / 10)
    assert found.far == pytest.approx(25.0)
    assert found.mar == pytest.approx(50.0)
    assert total([found, found]) == Tally(6, 2, 6, 6)


def test_no_point_adjustment_one_row_of_a_fault_is_one_row() -> None:
    fault = np.zeros(1000, np.bool_)
    fault[500:900] = True
    alarm = np.zeros(1000, np.bool_)
    alarm[600] = True
    assert tally(alarm, fault).f1 < 0.01
    seen = events(alarm, fault)
    assert (seen.found, seen.early, seen.delay, seen.episodes) == (True, False, 100, 1)


def test_an_alarm_is_lasting_once_it_has_stood() -> None:
    alarm = np.array([0, 1, 1, 1, 0, 1, 1, 1, 1, 1], np.bool_)
    assert_array_equal(standing(alarm, 3), np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1], np.bool_))
    assert_array_equal(standing(alarm, 0), alarm)
    assert_array_equal(standing(alarm[1:], 2), np.array([0, 0, 1, 0, 0, 0, 1, 1, 1], np.bool_))


def test_the_best_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(3)
    fault = rng.random(400) < 0.3
    score = np.round(0.3 * fault + rng.random(400), 2)
    found = best_threshold([(score[:150], fault[:150]), (score[150:], fault[150:])])
    best = max(tally(score >= level, fault).f1 for level in np.unique(score))
    assert tally(score >= found, fault).f1 == best
    assert found not in score


def test_no_file_is_scored_at_a_threshold_it_helped_to_choose(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen_on: list[set[int]] = []
    scored_on: list[set[int]] = []

    def choose(rows: list[tuple[object, object]]) -> float:
        chosen_on.append({id(score) for score, _ in rows})
        return 0.5

    def use(rows: list[tuple[object, object]], _threshold: float) -> list[Tally]:
        scored_on.append({id(score) for score, _ in rows})
        return [Tally()] * len(rows)

    monkeypatch.setattr(skab_bench, "best_threshold", choose)
    monkeypatch.setattr(skab_bench, "_at", use)
    rows = [(r.x[:, 0], r.fault) for r in load(folder / "SKAB")]
    for parts in (skab_bench._parts(len(rows), 1), skab_bench._by_group(np.array(list("aabbccc")))):
        chosen_on.clear()
        scored_on.clear()
        skab_bench._fixed(rows, parts)
        assert set().union(*scored_on) == {id(score) for score, _ in rows}
        used = iter(scored_on)
        for part, on in zip(parts, chosen_on, strict=True):
            for _ in part:
                assert not next(used) & on


def test_the_command_finds_what_is_there_and_knows_blind_detectors(folder: Path) -> None:
    done = CliRunner().invoke(bench_app, ["skab", "--data", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed["benchmark"] == "skab"
    figures = {name: figure["value"] for name, figure in printed["figures"].items()}
    assert figures["guarded, alarm: F1"] > 0.9
    assert figures["guarded, alarm: FAR %"] < 10
    assert figures["guarded, fixed: F1"] <= figures["guarded, swept: F1"]
    assert figures["guarded: files with the fault found"] == 6
    assert figures["healthy file: alarms begun"] == 0
    interval = printed["figures"]["guarded, fixed: F1"]
    assert interval["low"] <= interval["value"] <= interval["high"]
    assert printed["controls"]["position only"]["plain: F1"]["value"] > 0.9
    assert printed["controls"]["position only"]["guarded: F1"]["value"] < 0.5
    assert printed["controls"]["always"]["guarded: MAR %"]["value"] == 0
    assert printed["units"][0]["file"] == "other/1"


def test_missing_recordings_are_said(tmp_path: Path) -> None:
    missing = CliRunner().invoke(bench_app, ["skab", "--data", str(tmp_path / "nowhere")])
    assert isinstance(missing.exception, StackError)
    (tmp_path / "empty" / "SKAB").mkdir(parents=True)
    with pytest.raises(StackError, match="no folder"):
        skab(tmp_path / "empty", lambda _line: None)


@pytest.mark.parametrize("line", ["2020-01-01 00:00:00;x;1;0;0", "2020-01-01 00:00:00;1", "yesterday;1;1;0;0"])
def test_a_file_of_another_shape_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "valve1" / "0.csv"
    path.parent.mkdir()
    path.write_text(f"{HEAD}\n{line}\n", encoding="utf-8")
    with pytest.raises(StackError, match=r"0\.csv"):
        load(tmp_path)


@pytest.mark.data
def test_recorded_faults_of_the_pump() -> None:
    try:
        recordings = [r for r in load(find_data(None, "SKAB")) if r.fault.any()]
    except StackError as absent:
        pytest.skip(str(absent))
    found = []
    for seed in (11, 12):
        for recording in recordings:
            made = guarded(recording, seed)
            alarm = PROFILES["multichannel"](made.x.shape[1], TRAIN_ROWS).observe(made.t, made.x).alarm
            found.append(tally(alarm[TRAIN_ROWS:], made.fault[TRAIN_ROWS:]))
    assert total(found).f1 > 0.85
    assert total(found).far < 8
