"""`python -m stack.simulation`: the demo's fleet and people in a process of their own, with two small files between."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import msgspec
import structlog
from pydantic_settings import BaseSettings, SettingsConfigDict

from firmware_sim.runner import Runner, open_fleet
from firmware_sim.scenario import load_scenario
from firmware_sim.wear import Fault
from telemetry.clock import system_wall
from telemetry.errors import WellkeptError

log = structlog.get_logger()

_SAID = "said.json"
_ASKED = "asked.json"
_TRUTH = "truth.jsonl"
_EVERY_S = 0.2


class SimulationSettings(BaseSettings):
    """Which fleet, where it reports, and as whom its people speak."""

    model_config = SettingsConfigDict(env_prefix="WELLKEPT_", extra="ignore")

    mqtt_url: str
    api_url: str
    api_token: str
    fleet_dir: Path
    fleet_scenario: str
    fleet_seed: int
    fleet_start: int


class Asked(msgspec.Struct, frozen=True):
    """What the demo asks of the simulation; `hands_off` is the household whose owner nobody plays, or empty."""

    hands_off: str = ""


class Said(msgspec.Struct, frozen=True):
    """What the simulation says of itself.

    Attributes:
        fleet: fleet time that the devices have reached, microseconds.
        lag: age of the oldest message without receipt, wall seconds.
        connected: whether devices reach the broker.
        messages: spooled by this process.
        unreceipted: of these, without receipt.
        people_open: people's actions past their time.
        dropped: messages lost to a full spool.
    """

    fleet: int
    lag: float
    connected: bool
    messages: int
    unreceipted: int
    people_open: int
    dropped: int


def write_asked(folder: Path, asked: Asked) -> None:
    """Tell the simulation; it looks several times a second."""
    _write(folder / _ASKED, asked)


def read_asked(folder: Path) -> Asked:
    """What was asked last."""
    try:
        return msgspec.json.decode((folder / _ASKED).read_bytes(), type=Asked)
    except FileNotFoundError:
        return Asked()


def read_said(folder: Path) -> Said | None:
    """What the simulation said last, or None before its first word."""
    try:
        return msgspec.json.decode((folder / _SAID).read_bytes(), type=Said)
    except FileNotFoundError:
        return None


def read_truth(folder: Path) -> list[Fault]:
    """The faults that have begun, as the simulator last wrote them."""
    try:
        lines = (folder / _TRUTH).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    decode = msgspec.json.Decoder(Fault).decode
    return [decode(line) for line in lines if line]


def _write(path: Path, value: msgspec.Struct) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(value))
    fresh.replace(path)


def main() -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: stop.set())
    settings = SimulationSettings()  # type: ignore[call-arg]  # filled from the environment
    try:
        scenario = load_scenario(settings.fleet_scenario)
        fleet = open_fleet(settings.fleet_dir, scenario, settings.fleet_seed, settings.fleet_start)
    except (WellkeptError, FileNotFoundError) as error:
        log.error("the fleet cannot start", reason=str(error))  # noqa: TRY400  (the sentence says it all)
        return 1
    runner = Runner(fleet, settings.fleet_dir, settings.mqtt_url, system_wall)
    runner.start()
    try:
        while not stop.wait(_EVERY_S):
            stats = runner.stats()
            said = Said(
                fleet=stats.fleet,
                lag=stats.lag,
                connected=stats.connected,
                messages=stats.messages,
                unreceipted=stats.unreceipted,
                people_open=0,
                dropped=stats.dropped,
            )
            _write(settings.fleet_dir / _SAID, said)
    finally:
        runner.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
