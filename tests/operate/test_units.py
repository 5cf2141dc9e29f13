"""The units of systemd start what is there, with settings that the processes know."""

from __future__ import annotations

import configparser
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.settings import Settings as ApiSettings
from ingest.settings import IngestSettings
from stack.cli import app
from stack.settings import Settings
from worker.settings import WorkerSettings

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
NAMES = {
    f"WELLKEPT_{n.upper()}" for s in (Settings, ApiSettings, IngestSettings, WorkerSettings) for n in s.model_fields
}


class _Unit(configparser.ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


def read(path: Path) -> configparser.ConfigParser:
    unit = _Unit(interpolation=None, strict=False)
    unit.read_string(path.read_text(encoding="utf-8"))
    return unit


def test_there_are_units_for_every_way_to_run_it() -> None:
    assert [path.name for path in UNITS] == [
        "wellkept-api.service",
        "wellkept-ingest.service",
        "wellkept-worker@.service",
        "wellkept.service",
    ]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_is_there(path: Path) -> None:
    service = read(path)["Service"]
    words = service["ExecStart"].split()
    assert words[0].startswith("/opt/wellkept/.venv/bin/")
    if words[0].endswith("python"):
        assert words[1] == "-m"
        assert importlib.util.find_spec(f"{words[2]}.__main__") is not None
    else:
        shown = CliRunner().invoke(app, [words[1], "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).stdout
        assert all(word in shown for word in words[2:] if word.startswith("--"))
    # Draining takes its time; systemd must not cut it short.
    assert int(service["TimeoutStopSec"]) >= 30
    assert service["NoNewPrivileges"] == "yes"
    assert service["User"] != "root"


def test_settings_are_known() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in UNITS[0].parent.iterdir())
    assert set(re.findall(r"WELLKEPT_[A-Z_]+", text)) <= NAMES


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_reads_them(path: Path) -> None:
    done = subprocess.run(  # noqa: S603  (our own units)
        ["systemd-analyze", "verify", "--man=no", str(path)],  # noqa: S607  (wherever it is)
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if path.name in line and "is not executable" not in line]
    assert ours == []
