"""`wellkept detect`: one row out for each row in, with a profile of the tests."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from detectors.profiles import registry
from detectors.profiles.base import Scores
from stack.cli import app
from stack.errors import StackError


class Running:
    """Share of earlier values below the first column's; an alarm above 0.95 once trained."""

    def __init__(self, channels: int, train_rows: int | None) -> None:
        self.channels, self.train, self.seen = channels, train_rows or 20, [0.0]

    def observe(self, t: NDArray[np.float64], x: NDArray[np.float64]) -> Scores:
        assert x.shape == (len(t), self.channels)
        scores = np.zeros(len(x))
        alarm = np.zeros(len(x), dtype=np.bool_)
        for i, value in enumerate(x[:, 0].tolist()):
            scores[i] = np.mean(np.array(self.seen) < value)
            alarm[i] = scores[i] > 0.95 and len(self.seen) > self.train
            self.seen.append(value)
        return Scores(scores, alarm)


@pytest.fixture(autouse=True)
def _profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "PROFILES", {"running": Running})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    lines = ["at;a;label", *(f"2024-03-05 00:{i:02d}:00;{i % 7},5;0" for i in range(60)), "2024-03-05 01:00:00;99;1"]
    path.write_text("\n".join(lines))
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["detect", *map(str, arguments)], catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def test_a_row_out_for_each_row_in(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    code, said, warned = run(table, "--profile", "running", "-o", out, "--json")
    assert code == 0
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["at", "score", "alarm"]
    assert [row["at"] for row in rows] == [line.split(";")[0] for line in table.read_text().splitlines()[1:]]
    assert all(0 <= float(row["score"]) <= 1 for row in rows)
    assert [i for i, row in enumerate(rows) if row["alarm"] == "1"] == [60]
    assert "left out: label (looks like a label)" in warned
    assert json.loads(said)["alarms"] == 1


def test_the_beginning_of_a_table_gets_the_same_bytes(table: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.csv"
    part.write_text("\n".join(table.read_text().splitlines()[:31]))
    run(table, "--profile", "running", "-o", tmp_path / "all.out")
    run(part, "--profile", "running", "-o", tmp_path / "part.out")
    assert (tmp_path / "all.out").read_bytes().startswith((tmp_path / "part.out").read_bytes())


def test_scores_go_to_standard_output_alone(table: Path) -> None:
    code, said, _ = run(table, "--profile", "running")
    assert code == 0
    assert len(said.splitlines()) == 62


def test_training_rows_reach_the_profile(table: Path) -> None:
    _, said, _ = run(table, "--profile", "running", "--train-rows", 100)
    assert not [line for line in said.splitlines()[1:] if line.endswith(",1")]


def test_an_unknown_profile_is_named_with_those_there_are(table: Path) -> None:
    with pytest.raises(StackError, match="no profile 'nope'; there are running"):
        run(table, "--profile", "nope")


def test_the_table_itself_is_not_overwritten(table: Path) -> None:
    before = table.read_bytes()
    with pytest.raises(StackError, match="would replace"):
        run(table, "--profile", "running", "-o", table)
    assert table.read_bytes() == before
