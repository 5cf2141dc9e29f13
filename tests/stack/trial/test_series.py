from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firmware_sim.scenario import Scenario, load_scenario
from stack.errors import StackError
from stack.trial.compare import compare
from stack.trial.folder import read_record, read_report, write
from stack.trial.matching import match
from stack.trial.pool import pooled
from stack.trial.record import TrialRecord
from stack.trial.score import score
from stack.trial.series import NAMED, TEST_SEEDS, Plan, run_series
from telemetry.catalogue import load_catalogue
from tests.stack.trial.grown import grown
from tests.stack.trial.small import FRIDGE, fault, spell, ticket, trial, visit

DEMO = load_scenario("demo")
CATALOGUE = load_catalogue()


def seeded(seed: int) -> TrialRecord:
    record = trial(
        faults=(fault(repaired=25, by="visit", visits=("V1",)),),
        tickets=(ticket("A", visits=("V1",)), ticket("B", opened=60 + seed)),
        visits=(visit("V1", "A", FRIDGE, 25),),
        confounders=(spell(FRIDGE, 59, 70),),
        control=(fault(repaired=33),),
    )
    return msgspec.structs.replace(record, seed=seed)


def test_trials_taken_as_one_add_up() -> None:
    one, other = seeded(1), seeded(2)
    both = pooled([one, other])
    got = score(both, match(both), CATALOGUE)
    each = score(one, match(one), CATALOGUE)
    assert got.device_years == pytest.approx(2 * each.device_years)
    assert (got.faults, got.caught, got.false_tickets) == (2, 2, 2)
    assert got.first_time_fix == 1.0
    assert got.lead_days_p50 == each.lead_days_p50
    assert len({device.device for device in both.devices}) == 2 * len(one.devices)


def test_what_does_not_belong_together_is_not_taken_as_one() -> None:
    with pytest.raises(ValueError, match="same seed"):
        pooled([seeded(1), seeded(1)])
    with pytest.raises(ValueError, match="different scenarios"):
        pooled([seeded(1), msgspec.structs.replace(seeded(2), days=7)])


class Runner:
    """Gives made records and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __call__(
        self, scenario: Scenario, seed: int, *, devices: int | None, days: int | None, processes: int | None
    ) -> tuple[TrialRecord, dict[str, Any]]:
        assert days is not None
        assert processes is None
        self.asked.append((scenario.id, seed))
        record = grown(CATALOGUE, seed=seed, devices=devices or 10, days=days)
        return msgspec.structs.replace(record, scenario=scenario.id), {"seconds": 1.0}


@pytest.mark.long
def test_a_series_runs_until_it_has_its_years_and_goes_on_where_it_was(tmp_path: Path) -> None:
    plan = Plan(tmp_path, least_years=1.0, only=("demo",), devices=6, days=50)
    runner = Runner()
    text = run_series(plan, runner, lambda _: None)
    assert runner.asked == [("demo", TEST_SEEDS), ("demo", TEST_SEEDS + 1)]
    again = Runner()
    assert run_series(plan, again, lambda _: None) == text
    assert again.asked == []
    more = Runner()
    run_series(Plan(tmp_path, least_years=2.0, only=("demo",), devices=6, days=50), more, lambda _: None)
    assert more.asked == [("demo", TEST_SEEDS + 2)]
    assert read_report(tmp_path / "demo" / "all")["devices"] == 18
    assert "| `demo` | 1.6 |" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| `demo")}
    assert widths == {next(line.count("|") for line in text.splitlines() if line.startswith("| scenario"))}


def test_a_folder_of_another_length_is_not_taken_for_this_one(tmp_path: Path) -> None:
    run_series(Plan(tmp_path, least_years=0.5, only=("demo",), devices=6, days=50), Runner(), lambda _: None)
    with pytest.raises(StackError, match="another fleet or length"):
        run_series(Plan(tmp_path, least_years=0.5, only=("demo",), devices=6, days=60), Runner(), lambda _: None)


def test_the_named_scenarios_are_there_and_say_what_they_test() -> None:
    for name in NAMED:
        scenario = load_scenario(name)
        assert scenario.id == name
        assert scenario.title


def test_a_folder_is_written_and_read_and_the_same_twice(tmp_path: Path) -> None:
    record = grown(CATALOGUE, devices=8)
    for name in ("one", "two"):
        write(tmp_path / name, record, DEMO)
    assert read_record(tmp_path / "one") == (record, DEMO)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["record.json.gz", "report.html", "report.json", "report.md", "scenario.json"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert read_report(tmp_path / "one") == json.loads((tmp_path / "two" / "report.json").read_text(encoding="utf-8"))


def test_what_is_no_trial_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="holds no trial"):
        read_record(tmp_path)
    with pytest.raises(StackError, match="no report in"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text("[]", encoding="utf-8")
    with pytest.raises(StackError, match="not a report"):
        read_report(tmp_path)
    (tmp_path / "record.json.gz").write_bytes(b"no")
    with pytest.raises(StackError, match="not a trial of this version"):
        read_record(tmp_path)


def test_two_reports_side_by_side(tmp_path: Path) -> None:
    first = write(tmp_path / "a", grown(CATALOGUE, devices=40), DEMO).report
    second = write(tmp_path / "b", grown(CATALOGUE, seed=6, devices=40), DEMO).report
    lines = {line.figure: line for line in compare(first, second)}
    assert lines["recall"].apart is False
    assert float(lines["recall"].change) == pytest.approx(second["recall"] - first["recall"], abs=1e-3)
    assert lines["top1"].apart is None
    noisy = second | {"false_per_device_year": 50.0, "false_per_device_year_ci95": [49.0, 51.0]}
    assert {line.figure: line for line in compare(first, noisy)}["false_per_device_year"].apart is True
    empty = compare(first, second | {"recall": None, "recall_ci95": None})
    assert next(line for line in empty if line.figure == "recall").change == ""
