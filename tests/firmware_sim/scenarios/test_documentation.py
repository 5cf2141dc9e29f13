"""The reference of the language is whole, and what is written from it works the first time."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from firmware_sim.cli import app
from firmware_sim.climate import Climate
from firmware_sim.confounder_spec import ConfounderSpec, confounder_specs
from firmware_sim.costs import Costs
from firmware_sim.entries import (
    Combination,
    ConfounderEntry,
    FaultEntry,
    FaultRates,
    FleetEntry,
    HabitEntry,
    HolidayEntry,
    Households,
    ModelOverride,
)
from firmware_sim.fleet import Fleet
from firmware_sim.homes import DRIVES, HABITS
from firmware_sim.network_spec import NetworkSpec
from firmware_sim.people_spec import PeopleSpec
from firmware_sim.physics import simulated_kinds
from firmware_sim.scenario import Scenario, load_scenario, scenario_ids
from firmware_sim.scenario_check import SOME_START
from firmware_sim.scenario_file import ScenarioError, read_scenario
from firmware_sim.truth import ConfounderLine, FaultLine, InterventionLine, read_truth, truth_text
from telemetry.catalogue import CourseSpec, Influence
from telemetry.clock import to_micros
from tests.firmware_sim.scenarios.making import DAY, FLEET, HEAD, catalogue, scenario
from tests.firmware_sim.scenarios.reference import row

PAGE = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
WHOLE = [block for block in BLOCKS if block.startswith("id =")]
PARTS = [block for block in BLOCKS if not block.startswith("id =")]
WORDS = set(re.findall(r"`([A-Za-z_]+)`", PAGE)) | set(re.findall(r"\b([a-z_]+) = ", PAGE))
TABLES: tuple[type[msgspec.Struct], ...] = (
    FleetEntry,
    Households,
    HolidayEntry,
    HabitEntry,
    Climate,
    FaultRates,
    FaultEntry,
    ConfounderEntry,
    NetworkSpec,
    PeopleSpec,
    Costs,
    ModelOverride,
    ConfounderSpec,
    Combination,
    CourseSpec,
    Influence,
    FaultLine,
    ConfounderLine,
    InterventionLine,
)
EXAMPLE = WHOLE[-1]
# Written from the page alone: models, faults, confounders, combinations and links of their own.
STRANGERS = sorted((Path(__file__).parent / "strangers").glob("*.toml"))


def test_every_key_is_in_the_reference() -> None:
    tables = {"fleet", "households", "climate", "faults", "fault", "confounder", "network", "people", "costs", "models"}
    names = set(Scenario.__struct_fields__) - tables - {"habits", "define"}
    for table in TABLES:
        names |= set(table.__struct_fields__)
    assert names - WORDS - {"holiday", "part", "scene"} == set()
    for name in tables:
        assert f"[{name}" in PAGE


def test_every_kind_parameter_channel_programme_drive_habit_and_confounder_is_in_the_reference() -> None:
    for kind in simulated_kinds():
        assert row(kind) in PAGE, "write it anew: python -m tests.firmware_sim.scenarios.reference"
    names = {*simulated_kinds(), *DRIVES, *HABITS, *confounder_specs({})}
    assert names - set(re.findall(r"`([A-Za-z0-9_]+)`", PAGE)) == set()


@pytest.mark.parametrize("number", range(len(PARTS)))
def test_every_part_of_the_reference_works(number: int) -> None:
    part = PARTS[number]
    plain = part if "[[fleet]]" in part else FLEET + '[[fleet]]\nkind = "freezer"\ncount = 2\n' + part
    assert scenario(plain, fleet="").devices > 0


def test_a_scenario_written_from_the_reference_works_the_first_time(tmp_path: Path) -> None:
    file = tmp_path / "balcony.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    one = load_scenario(str(file))
    assert one.start is not None
    start = to_micros(one.start)
    fleet = Fleet(one, 3, start, catalogue())
    assert Counter(device.physics_model for device in fleet.devices)["compact90"] == 6
    bodies = fleet.advance(start + 2 * DAY)
    assert {body.device for body in bodies} == set(range(8))
    lines = read_truth(truth_text(fleet))
    faults = {(line.device, line.fault) for line in lines if isinstance(line, FaultLine)}
    assert faults >= {
        ("lab/balcony-002", "fan_iced_up"),
        ("lab/balcony-005", "fan_iced_up"),
        ("lab/balcony-005", "door_gasket_leak"),
    }
    assert "afternoon_sun" in {line.what for line in lines if isinstance(line, ConfounderLine)}


@pytest.mark.parametrize("file", STRANGERS, ids=lambda path: path.stem)
def test_what_strangers_wrote_lives(file: Path) -> None:
    one = load_scenario(str(file))
    start = SOME_START if one.start is None else one.start
    fleet = Fleet(one, 7, to_micros(start), catalogue())
    bodies = fleet.advance(fleet.start + 2 * DAY)
    assert {body.device for body in bodies} == set(range(one.devices))
    own = {name for faults in one.define.fault.values() for name in faults} | set(one.define.combination)
    lines = fleet.expected(fleet.start + 365 * DAY)
    fixed = {fault.rpartition(".")[2] for fault in (entry.fault for entry in one.fault)}
    parts = {part for name in own & set(one.define.combination) for part in one.define.combination[name].faults}
    assert {line.fault for line in lines} >= (fixed - set(one.define.combination)) | parts
    assert len({fleet.comms.network.link(index, fleet.now) for index in range(one.devices)}) > 1


def test_the_new_fault_and_the_new_confounder_are_seen_in_the_readings(tmp_path: Path) -> None:
    file = tmp_path / "balcony.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    one = load_scenario(str(file))
    assert one.start is not None
    start = to_micros(one.start)
    plain = msgspec.structs.replace(one, fault=(), confounder=(), faults=type(one.faults)())
    peaks: list[dict[int, tuple[float, float]]] = []
    for scenario_ in (one, plain):
        found: dict[int, tuple[float, float]] = {}
        for body in Fleet(scenario_, 3, start, catalogue()).advance(start + 2 * DAY):
            if "ambient" in body.q:
                columns = (body.q[name] for name in ("ambient", "fan_speed"))
                values = [[x for x in (c if isinstance(c, list) else [c]) if x is not None] for c in columns]
                ambient, fan = found.get(body.device, (-99.0, 0.0))
                found[body.device] = max(ambient, *values[0]), max(fan, *values[1])
        peaks.append(found)
    with_all, without = peaks
    warmer = [device for device in without if with_all[device][0] > without[device][0] + 3.0]
    assert 0 < len(warmer) < 6
    assert with_all[1][1] < without[1][1] - 10.0


def test_the_command_prints_the_truth_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "balcony.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    result = CliRunner().invoke(app, ["truth", str(file), "--seed", "3", "--start", "2026-06-01", "--days", "2"])
    assert result.exit_code == 0, result.output
    kinds = Counter(type(line).__name__ for line in read_truth(result.stdout))
    assert kinds["FaultLine"] >= 3
    assert kinds["ConfounderLine"] >= 1


@pytest.mark.parametrize("name", scenario_ids())
def test_every_named_scenario_is_in_the_reference_and_works(name: str) -> None:
    assert f"| `{name}` |" in PAGE
    one = load_scenario(name, catalogue())
    assert one.id == name
    assert one.start is not None
    small = one.scaled(16)
    assert small.devices == 16
    kinds = {entry.kind for entry in one.fleet}
    if name not in {"demo", "heat-wave", "plug-only"}:
        assert kinds == {*simulated_kinds(), "smart_plug"}
    fleet = Fleet(small, 5, to_micros(one.start), catalogue())
    truth = read_truth(truth_text(fleet, fleet.start + round(one.days * DAY)))
    if name == "calibration":
        assert not [line for line in truth if isinstance(line, FaultLine)]
    else:
        assert [line for line in truth if isinstance(line, FaultLine)]


def test_the_head_of_the_parts_is_valid() -> None:
    assert scenario("", head=HEAD).devices == 16


def test_every_misspelt_key_is_refused_where_it_stands() -> None:
    lines = EXAMPLE.splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"[a-z_]+ = ", line)]
    assert len(keys) > 40
    for number in keys:
        key = lines[number].split(" = ")[0]
        wrong = [*lines[:number], lines[number].replace(key, key + "x", 1), *lines[number + 1 :]]
        with pytest.raises(ScenarioError) as caught:
            read_scenario("\n".join(wrong), "example.toml", catalogue())
        error = caught.value
        assert error.line is not None, str(error)
        table = max(i for i, line in enumerate(lines[: number + 1]) if i == 0 or line.startswith("["))
        # A key that is needed is said to be missing from its table; any other is said to be unknown, on its own line.
        assert error.line in {number + 1, table + 1} or "is missing" in str(error), str(error)
        if error.line == number + 1:
            assert f"did you mean '{key}'" in str(error) or "missing" in str(error), str(error)
