from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware_sim.scenario import load_scenario
from stack.cli import app
from stack.errors import StackError
from stack.trial.folder import write
from telemetry.catalogue import load_catalogue
from tests.stack.trial.grown import grown

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The same small trial on one process and on two."""
    found = {}
    for processes in (1, 2):
        folder = tmp_path_factory.mktemp(f"on-{processes}")
        what = ["trial", "demo", "--devices", "4", "--days", "3", "--seed", "3"]
        told = RUNNER.invoke(app, [*what, "--processes", str(processes), "--out", str(folder), "--json"])
        assert told.exit_code == 0, told.output
        assert json.loads(told.stdout) == json.loads((folder / "report.json").read_text(encoding="utf-8"))
        found[processes] = folder
    return found


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(reports: dict[int, Path]) -> None:
    for name in ("report.json", "report.md", "report.html", "record.json.gz", "scenario.json"):
        assert (reports[1] / name).read_bytes() == (reports[2] / name).read_bytes(), name


def test_a_trial_ran_what_it_was_asked_for(reports: dict[int, Path]) -> None:
    found = json.loads((reports[2] / "report.json").read_text(encoding="utf-8"))
    assert (found["scenario"], found["seed"], found["devices"], found["days"]) == ("demo", 3, 4, 3)
    assert found["device_days"] == 12.0
    assert found["messages"] > 4 * 3 * 10
    assert found["readings"] > found["messages"]
    timing = json.loads((reports[2] / "timing.json").read_text(encoding="utf-8"))
    assert timing["processes"] == 2
    assert timing["device_days_per_hour"] > 0


def test_scoring_again_gives_the_same_report(reports: dict[int, Path]) -> None:
    before = (reports[1] / "report.json").read_bytes()
    told = RUNNER.invoke(app, ["trial", "score", str(reports[1]), "--json"])
    assert told.exit_code == 0
    assert told.stdout.encode() == before == (reports[1] / "report.json").read_bytes()


def test_headlines_for_people_and_a_comparison(tmp_path: Path) -> None:
    for seed in (5, 6):
        write(tmp_path / str(seed), grown(load_catalogue(), seed=seed, devices=12), load_scenario("demo"))
    told = RUNNER.invoke(app, ["trial", "score", str(tmp_path / "5")])
    assert told.exit_code == 0
    assert "Faults caught before failure" in told.stdout
    assert "report.html" in told.stdout
    told = RUNNER.invoke(app, ["trial", "compare", str(tmp_path / "5"), str(tmp_path / "6"), "--json"])
    assert told.exit_code == 0
    assert {line["figure"] for line in json.loads(told.stdout)} >= {"recall", "false_per_device_year"}


def test_an_unknown_scenario_is_refused_with_the_nearest_name() -> None:
    told = RUNNER.invoke(app, ["trial", "calm-yaer"])
    assert told.exit_code != 0
    assert isinstance(told.exception, StackError)
    assert "calm-year" in str(told.exception)


def test_a_wrong_scenario_names_file_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'id = "mine"\ntitle = "Mine"\n\n[[fleet]]\nkind = "refrigerator"\ncount = 2\n\n[costs]\nvisti = 3\n',
        encoding="utf-8",
    )
    told = RUNNER.invoke(app, ["trial", str(path)])
    said = str(told.exception)
    assert told.exit_code != 0
    assert "mine.toml:9" in said
    assert "visti" in said
    assert "visit" in said


def test_help_shows_an_example() -> None:
    for words in (["trial", "--help"], ["trial", "run", "--help"], ["trial", "all", "--help"]):
        assert "Example: wellkept trial" in RUNNER.invoke(app, words).stdout
