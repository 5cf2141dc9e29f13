"""A fleet that the command line runs on the real broker, and hands on it from other command lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.fleet_file import RecordedFleet
from stack.embedded_nats import EmbeddedNats
from telemetry.steering import NotRunningError, Status, ask
from tests.firmware_sim.answering import Answering

pytestmark = pytest.mark.stack
_PATIENCE_S = 120.0 * float(os.environ.get("WELLKEPT_PATIENCE", "1"))


class Commands:
    """The command line with a broker."""

    def __init__(self, folder: Path, nats: EmbeddedNats) -> None:
        self.folder, self._nats = folder, nats

    def start(self, *arguments: str, user: str = "gateway") -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603  (our own interpreter)
            [sys.executable, "-m", "firmware_sim", *arguments],
            env={**os.environ, "WELLKEPT_MQTT_URL": self._nats.mqtt_url(user)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, user: str = "gateway") -> Any:  # noqa: ANN401  (the JSON of a command)
        process = self.start(*arguments, "--json", user=user)
        try:
            out, said = process.communicate(timeout=_PATIENCE_S)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == 0, said
        return json.loads(out)

    def hands(self, *arguments: str) -> Any:  # noqa: ANN401  (likewise)
        return self(*arguments, "--folder", str(self.folder))


def until(fleet: Path, reached: float) -> dict[str, Any]:
    """The fleet's status once it runs and has said so many messages."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            found = ask(fleet, Status())
        except NotRunningError:
            found = {"messages": 0}
        if found["messages"] >= reached:
            return found
        time.sleep(0.1)
    raise AssertionError("the fleet did not get there")


@pytest.fixture
def commands(nats: EmbeddedNats, tmp_path: Path) -> Commands:
    return Commands(tmp_path / "fleet", nats)


@pytest.mark.long
def test_hands_on_a_fleet_that_runs_on_its_own_clock(commands: Commands, nats: EmbeddedNats, tmp_path: Path) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    running = commands.start(
        "run", "demo", "--devices", "6", "--speed", "900", "--folder", str(commands.folder), "--connections", "each"
    )
    try:
        assert until(commands.folder, 10)["connections"] == 6
        tape = tmp_path / "tape.jsonl.gz"
        commands.hands("tap", str(tape))
        begun = commands.hands("inject", "fridge-001", "refrigerant_leak", "--lead-days", "2")
        assert begun["failure"] - begun["onset"] == pytest.approx(2 * 86_400)
        found = commands.hands("status", "fridge-001")
        assert [one["fault"] for one in found["faults"]] == ["refrigerant_leak"]
        assert commands.hands("network", "all", "duplicates=0.5")["devices"] == 6
        assert commands.hands("status", "fridge-002")["link"]["duplicates"] == 0.5
        tested = commands("command", "demo/fridge-001", "self_test", user="ingest")
        assert tested["status"] == "ok"
        assert tested["values"]["fan_speed_rpm"] > 1_000
        assert [one["fault"] for one in commands.hands("clear", "fridge-001")] == ["refrigerant_leak"]
        assert commands.hands("status", "fridge-001")["faults"] == []
        until(commands.folder, ask(commands.folder, Status())["messages"] + 5)
        commands.hands("tap", "--stop")
        assert len(list(RecordedFleet(tape).messages())) >= 5
    finally:
        running.terminate()
        said = running.communicate(timeout=_PATIENCE_S)
    assert running.returncode == 0, said
    assert server.count() > 10
    server.close()


@pytest.mark.long
def test_a_fleet_comes_to_its_end_and_goes_on_from_there(commands: Commands, nats: EmbeddedNats) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    days = ("--days", "0.1", "--speed", "3600", "--folder", str(commands.folder))
    first = commands("run", "demo", "--devices", "6", "--day", "1", *days)
    second = commands("run", "demo", "--devices", "6", *days)
    assert first["unreceipted"] == second["unreceipted"] == 0
    assert second["fleet"] - first["fleet"] == pytest.approx(0.1 * 86_400e6, abs=30e6)
    assert server.count() == first["messages"] + second["messages"] > 10
    server.close()


def test_a_recorded_fleet_is_replayed_with_receipts(commands: Commands, nats: EmbeddedNats, tmp_path: Path) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    tape = tmp_path / "tape.jsonl"
    recorded = commands("record", str(tape), "demo", "--devices", "4", "--days", "0.2", "--as", "wire")
    played = commands("replay", str(tape), "--speed", "36000", "--folder", str(tmp_path / "replay"))
    assert played["messages"] == recorded["messages"] == server.count()
    server.close()
