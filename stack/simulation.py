"""`python -m stack.simulation`: the demo's fleet and people in a process of their own; two small files go between."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import structlog
from pydantic_settings import BaseSettings, SettingsConfigDict

from firmware_sim import process, truth
from firmware_sim.process import Control, Report
from firmware_sim.wear import Fault
from telemetry import logs
from telemetry.clock import MICROS
from telemetry.errors import WellkeptError

log = structlog.get_logger()

_REPORT = "stats.json"
_CONTROL = "control.json"
_TRUTH = "truth.jsonl"


class SimulationSettings(BaseSettings):
    """Which fleet; where it connects and as whom its people speak, `firmware_sim.process` reads itself."""

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_FLEET_", extra="ignore")

    dir: Path
    scenario: str
    seed: int
    start: int


def write_yours(folder: Path, household: str | None) -> None:
    """Tell the simulation whose owner it does not play."""
    path = folder / _CONTROL
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(Control(yours=household)))
    fresh.replace(path)


def read_report(folder: Path) -> Report | None:
    """What the simulation said last, or None before its first word."""
    try:
        return msgspec.json.decode((folder / _REPORT).read_bytes(), type=Report)
    except FileNotFoundError:
        return None


def forget_report(folder: Path) -> None:
    """Forget what an earlier process said."""
    (folder / _REPORT).unlink(missing_ok=True)


def read_truth(folder: Path) -> list[Fault]:
    """The faults that have begun, as the simulator last wrote them."""
    try:
        lines = truth.read_truth((folder / _TRUTH).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [line.plain() for line in lines if isinstance(line, truth.FaultLine)]


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    logs.set_up("fleet")
    settings = SimulationSettings()  # type: ignore[call-arg]  # filled from the environment
    try:
        process.main(settings.scenario, settings.seed, settings.start // MICROS, settings.dir)
    except (WellkeptError, FileNotFoundError) as error:
        log.error("the fleet cannot start", reason=str(error))  # noqa: TRY400  (the sentence says it all)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
