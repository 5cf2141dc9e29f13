"""`wellkept sim`: what it lists and describes, records and exports, and how it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner, Result

from firmware_sim.cli import app
from firmware_sim.cli_common import CommandError
from firmware_sim.cli_control import read_args, read_values
from firmware_sim.cli_run import read_connections
from firmware_sim.fleet import Fleet
from firmware_sim.fleet_file import RecordedFleet
from firmware_sim.names import UnknownNameError, known_name, nearest
from firmware_sim.physics import simulated_kinds
from firmware_sim.recordings import RecordingError
from firmware_sim.scenario import load_scenario, scenario_ids
from telemetry.catalogue import load_catalogue
from tests.verbs import verbs

CATALOGUE = load_catalogue()


def sim(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def said(*arguments: str | Path) -> Any:  # noqa: ANN401  (the JSON of a command)
    result = sim(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


VERBS = dict(verbs(typer.main.get_command(app)))


@pytest.mark.parametrize("name", sorted(VERBS))
def test_each_verb_has_help_with_an_example_of_itself(name: str) -> None:
    assert VERBS[name].help
    assert f"wellkept sim {name}" in (VERBS[name].epilog or "")
    assert (VERBS[name].epilog or "").startswith("Example: ")


@pytest.mark.parametrize("name", sorted(set(VERBS) - {"truth"}))
def test_each_verb_speaks_json(name: str) -> None:
    assert "--json" in {option for parameter in VERBS[name].params for option in parameter.opts}


def test_lists_hold_what_there_is() -> None:
    found = said("list")
    assert {one["id"] for one in found["scenarios"]} == set(scenario_ids())
    assert {one["id"] for one in found["kinds"]} == set(CATALOGUE.kinds)
    assert len(found["faults"]) == sum(len(spec.faults) for spec in CATALOGUE.kinds.values())
    assert len(found["confounders"]) >= 10
    assert {one["kind"] for one in said("list", "faults", "--kind", "freezer")} == {"freezer"}
    assert "refrigerant_leak" in sim("list", "faults", "--kind", "freezer").stdout


def test_a_list_that_is_not_there_is_refused_with_the_nearest() -> None:
    result = sim("list", "falts")
    assert result.exit_code == 1
    assert "'faults'" in result.stderr


@pytest.mark.parametrize("kind", sorted(simulated_kinds()))
def test_a_kind_is_described_with_channels_faults_and_self_test(kind: str) -> None:
    found = said("describe", kind)
    assert [one["channel"] for one in found["channels"]] == list(CATALOGUE[kind].channels)
    assert [one["fault"] for one in found["faults"]] == list(CATALOGUE[kind].faults)
    assert all(one["mechanism"] for one in found["faults"])
    assert found["self_test"]


@pytest.mark.long
def test_a_fault_is_described_by_what_it_changes() -> None:
    found = said("describe", "refrigerator", "refrigerant_leak")
    assert found["levels"][0] == 0.0
    changed = {one["target"]: one for one in found["mechanism"]}
    assert changed["carnot"]["failed"] < changed["carnot"]["worn"] < changed["carnot"]["healthy"]
    powers = [one["compressor_power_w"] for one in found["self_test"]]
    assert powers == sorted(powers, reverse=True)
    text = sim("describe", "refrigerator", "refrigerant_leak").stdout
    assert "mechanism" in text
    assert any("\u2800" < letter <= "\u28ff" for letter in text)


def test_a_scenario_is_described_with_its_devices() -> None:
    found = said("describe", "demo")
    assert found["devices"] == {"refrigerator": 84, "washing_machine": 36}
    assert found["faults_within_days"]["365"] > found["faults_within_days"]["30"] > 0


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("describe", "refrigeratr"), "refrigerator"),
        (("describe", "refrigerator", "refrigerant_leek"), "refrigerant_leak"),
        (("describe", "refrigerator", "refrigerant_leak", "--model", "lx26"), "lx260"),
        (("export", "tables", "demo", "--device", "demo/fridg-001"), "demo/fridge-001"),
        (("export", "tables", "demo", "--kind", "washing"), "washing_machine"),
        (("export", "tables", "demo", "--as", "parket"), "parquet"),
        (("record", "x.jsonl", "demo", "--as", "wires"), "wire"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(arguments: tuple[str, ...], meant: str) -> None:
    result = sim(*arguments)
    assert result.exit_code == 1
    assert f"the nearest is '{meant}'" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("date", ["2026-02-30", "tomorrow"])
def test_an_impossible_date_is_refused(date: str) -> None:
    result = sim("truth", "demo", "--start", date)
    assert result.exit_code == 1
    assert date in result.stderr


def test_names_that_look_alike() -> None:
    assert nearest("Fridge-01", ["fridge-001", "washer-001"]) == "fridge-001"
    assert nearest("zzz", ["fridge-001"]) is None
    with pytest.raises(UnknownNameError, match="there are a, b"):
        known_name("letter", "zzz", ["a", "b"])


def test_the_arguments_of_hands_on_a_fleet() -> None:
    assert read_values(["offline_hours=6", "duplicates=0.05"]) == {"offline_hours": 6.0, "duplicates": 0.05}
    with pytest.raises(CommandError, match="FIELD=NUMBER"):
        read_values(["offline_hours=many"])
    with pytest.raises(UnknownNameError, match="offline_hours"):
        read_values(["offline_hour=6"])
    assert read_args(["phase=cooling", "seconds=300"]) == {"phase": "cooling", "seconds": 300.0}
    with pytest.raises(CommandError, match="KEY=VALUE"):
        read_args(["seconds"])
    assert [read_connections(one) for one in ("gateway", "each", "4")] == ["gateway", "each", 4]
    with pytest.raises(CommandError, match="from 1 to 64"):
        read_connections("65")


def test_no_fleet_runs_here(tmp_path: Path) -> None:
    result = sim("inject", "fridge-001", "refrigerant_leak", "--folder", tmp_path)
    assert result.exit_code == 1
    assert f"wellkept sim run --folder {tmp_path}" in result.stderr


@pytest.mark.long
@pytest.mark.parametrize("name", ["life.jsonl", "life.jsonl.gz"])
@pytest.mark.parametrize("form", ["messages", "wire"])
def test_a_recorded_life_reads_back_as_it_was_lived(form: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    arguments = ("demo", "--seed", "5", "--devices", "6", "--days", "0.5", "--as", form)
    found = said("record", path, *arguments)
    recorded = RecordedFleet(path)
    fleet = Fleet(load_scenario("demo").scaled(6), 5, recorded.first_time())
    lived = sorted(fleet.advance(fleet.start + 43_200_000_000), key=lambda one: (one.done, one.device))
    assert found["messages"] == len(lived) > 20
    assert recorded.devices == {one.key: one.kind for one in fleet.devices}
    keys = {one.index: one.key for one in fleet.devices}
    numbers = {key: number for number, key in enumerate(recorded.devices)}
    read = list(recorded.messages())
    assert {key for key, _ in read} <= set(keys.values())
    assert [(key, body.done, body.t, body.q, body.dt, body.phase, body.events, body.fw) for key, body in read] == [
        (keys[one.device], one.done, one.t, one.q, one.dt, one.phase, one.events, one.fw) for one in lived
    ]
    assert all(body.device == numbers[key] for key, body in read)
    again = tmp_path / f"again-{name}"
    said("record", again, *arguments)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.long
def test_a_day_is_reached_by_a_checkpoint_as_by_living(tmp_path: Path) -> None:
    fleet = ("demo", "--devices", "4", "--days", "0.25")
    checkpoint = tmp_path / "fleet.checkpoint"
    said("record", tmp_path / "first.jsonl", *fleet, "--day", "1", "--checkpoint", checkpoint)
    said("record", tmp_path / "second.jsonl", *fleet, "--day", "1.25", "--checkpoint", checkpoint)
    said("record", tmp_path / "straight.jsonl", *fleet, "--day", "1.25")
    assert (tmp_path / "second.jsonl").read_bytes() == (tmp_path / "straight.jsonl").read_bytes()
    late = sim("record", tmp_path / "x.jsonl", *fleet, "--day", "1", "--checkpoint", checkpoint)
    assert late.exit_code == 1
    assert "name a later day" in late.stderr
    other = sim("record", tmp_path / "x.jsonl", *fleet, "--seed", "9", "--day", "2", "--checkpoint", checkpoint)
    assert other.exit_code == 1
    assert str(checkpoint) in other.stderr


def test_a_broken_recording_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "life.jsonl"
    said("record", path, "demo", "--devices", "2", "--days", "0.2")
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:3], b'{"device": 1}', *lines[3:]]))
    with pytest.raises(RecordingError, match=r"life\.jsonl:4: "):
        list(RecordedFleet(path).messages())
    path.write_text("no recording")
    with pytest.raises(RecordingError, match="no recording of a fleet"):
        RecordedFleet(path)


def test_tables_of_both_forms_hold_the_same_readings(tmp_path: Path) -> None:
    chosen = ("demo", "--devices", "6", "--from", "1", "--to", "1.5")
    rows = said("export", tmp_path / "c", *chosen)
    same = said("export", tmp_path / "p", *chosen, "--as", "parquet")
    assert [one["readings"] for one in rows] == [one["readings"] for one in same]
    assert (tmp_path / "c" / "truth.jsonl").read_bytes() == (tmp_path / "p" / "truth.jsonl").read_bytes()
    for kind in ("refrigerator", "washing_machine"):
        with (tmp_path / "c" / f"{kind}.csv").open(newline="") as file:
            plain = list(csv.DictReader(file))
        table = pq.read_table(tmp_path / "p" / f"{kind}.parquet").to_pylist()
        assert len(plain) == len(table) > 0
        for one, other in zip(plain, table, strict=True):
            assert (one["device"], one["phase"]) == (other["device"], other["phase"])
            assert one["t"] == other["t"].isoformat().replace("+00:00", "Z")
            assert one["events"] == ";".join(other["events"])
        for channel in CATALOGUE[kind].channels:
            written = np.array([float(one[channel] or "nan") for one in plain])
            stored = np.array([np.nan if one[channel] is None else one[channel] for one in table])
            np.testing.assert_allclose(written, stored, rtol=1e-6)


@pytest.mark.long
def test_a_device_says_the_same_alone(tmp_path: Path) -> None:
    said("export", tmp_path / "all", "demo", "--devices", "6", "--to", "0.5")
    said("export", tmp_path / "one", "demo", "--devices", "6", "--to", "0.5", "--device", "demo/fridge-002")
    everything = (tmp_path / "all" / "refrigerator.csv").read_text().splitlines()
    alone = (tmp_path / "one" / "refrigerator.csv").read_text().splitlines()
    assert [line for line in everything if line.startswith("demo/fridge-002,")] == alone[1:]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["refrigerator.csv", "truth.jsonl"]


def test_parquet_without_its_extra_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_sim.export.find_spec", lambda _name: None)
    result = sim("export", tmp_path, "demo", "--devices", "2", "--to", "0.1", "--as", "parquet")
    assert result.exit_code == 1
    assert "wellkept[parquet]" in result.stderr


@pytest.mark.parametrize(
    ("url", "args", "said"),
    [
        ("http://broker:1883", ["run", "demo"], "WELLKEPT_MQTT_URL: http://… is not mqtt://user:password@host:port"),
        ("", ["run", "dmo"], "'demo'"),
        ("", ["list", "faults", "--kind", "frezer"], "no kind 'frezer'; the nearest is 'freezer'"),
        ("", ["describe", "demo", "--page", "x.md"], "--page goes with a kind and --plots"),
    ],
)
def test_a_newcomers_slip_is_answered_in_one_sentence(
    url: str, args: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLKEPT_MQTT_URL", url)
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 1
    assert said in result.stderr
