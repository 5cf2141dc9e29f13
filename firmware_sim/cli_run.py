"""`wellkept sim run`: a fleet on a broker, on the product's clock or on its own, with its progress."""

from __future__ import annotations

import os
import signal
import threading
from typing import Annotated, Literal, cast

import msgspec
import typer

from firmware_sim.cli_common import (
    FOLDER,
    START,
    AsJson,
    CommandError,
    Devices,
    Folder,
    ScenarioName,
    Seed,
    Start,
    beginning,
    brought,
    day,
    err,
    mqtt_url,
    progress,
    say_json,
    scaled,
    spoken,
)
from firmware_sim.fleet import Fleet
from firmware_sim.process import Simulation
from firmware_sim.runner import open_fleet
from firmware_sim.uplink import Connections
from firmware_sim.wear import DAY
from telemetry.clock import FleetClock, system_wall

_BEAT_S = 0.5


@spoken
def run(
    *,
    scenario: ScenarioName = "demo",
    seed: Seed = 1,
    start: Start = START,
    folder: Folder = FOLDER,
    devices: Devices = None,
    days: Annotated[
        float | None, typer.Option(min=0.001, help="End after so many fleet days; else when interrupted.")
    ] = None,
    from_day: Annotated[float, typer.Option("--day", min=0, help="A new fleet begins at this day of its life.")] = 0.0,
    speed: Annotated[
        float, typer.Option(min=0, help="Own clock, fleet seconds a second; 0 follows the product's, heard over MQTT.")
    ] = 0.0,
    connections: Annotated[
        str, typer.Option(help="`gateway`: one for all devices; `each`: one for each; or how many gateways, 1 to 64.")
    ] = "gateway",
    as_json: AsJson = False,
) -> None:
    """Run a fleet on a broker until it is interrupted or its days are over; started again, it goes on."""
    ways = read_connections(connections)
    whole = scaled(scenario, devices)
    url = mqtt_url()
    if from_day > 0 and not (folder / "fleet.snapshot").exists():
        brought(Fleet(whole, seed, beginning(whole, start)), from_day, folder / "fleet.snapshot")
    fleet = open_fleet(folder, whole, seed, beginning(whole, start))
    until = None if days is None else fleet.now + round(days * DAY)
    clock = None if speed <= 0 else FleetClock(0, system_wall(), fleet.now, speed)
    simulation = Simulation(
        fleet,
        folder,
        url,
        system_wall,
        api_url=os.environ.get("WELLKEPT_SIM_API_URL"),
        token=os.environ.get("WELLKEPT_SIM_TOKEN", ""),
        yours=os.environ.get("WELLKEPT_SIM_YOURS") or None,
        connections=ways,
        clock=clock,
        until=until,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: simulation.stop())
    watching = threading.Thread(target=_watch, args=(simulation, fleet.now, until), name="progress", daemon=True)
    err.print(f"{len(fleet.devices)} devices from {day(fleet.now)}, kept in {folder}", highlight=False)
    if err.is_terminal:
        watching.start()
    simulation.run()
    if watching.is_alive():
        watching.join()
    if as_json:
        say_json(msgspec.to_builtins(simulation.report()))


def read_connections(text: str) -> Connections:
    """What `--connections` says.

    Raises:
        CommandError: neither `gateway` nor `each` nor a number of gateways.
    """
    if text in {"gateway", "each"}:
        return cast(Literal["gateway", "each"], text)
    if not text.isdigit() or not 1 <= int(text) <= 64:  # noqa: PLR2004  (threads of one process)
        raise CommandError(f"--connections {text!r} is neither `gateway` nor `each` nor a number from 1 to 64")
    return int(text)


def _watch(simulation: Simulation, begin: int, until: int | None) -> None:
    """Fleet time, messages and what is open, until the run has ended."""
    with progress("fleet", None if until is None else (until - begin) / DAY) as show:
        while not simulation.ended.wait(_BEAT_S):
            stats = simulation.runner.stats()
            show(
                (stats.fleet - begin) / DAY,
                at=day(stats.fleet) if simulation.runner.clock() is not None else "no clock yet",
                messages=f"{stats.messages:,}",
                open=f"{stats.unreceipted:,}",
                connections=stats.connections,
                offline=stats.offline,
            )
