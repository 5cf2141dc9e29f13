"""`wellkept sim`: list scenarios, run a fleet, replay recordings, print the truth."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from firmware_sim import process
from firmware_sim.cli_describe import describe
from firmware_sim.fleet import Fleet
from firmware_sim.recordings import SETS, Change, RecordingError, find_recordings, first_time, together
from firmware_sim.replay import Replay
from firmware_sim.scenario import load_scenario, scenario_ids
from firmware_sim.wear import DAY, as_lines
from telemetry.clock import MICROS, system_wall, to_datetime, to_micros

app = typer.Typer(help="Simulated devices and replays of recordings.", no_args_is_help=True, add_completion=False)
sim = app

_DEFAULT_START = "2026-03-02T00:00:00Z"
_BEAT_S = 1.0


@app.command("list")
def list_scenarios() -> None:
    """List the scenarios that come with the product."""
    for name in scenario_ids():
        scenario = load_scenario(name)
        typer.echo(f"{name}: {scenario.title}")


app.command("describe", epilog="Example: wellkept sim describe refrigerator refrigerant_leak --plot leak.svg")(describe)


@app.command(epilog="Example: WELLKEPT_MQTT_URL=mqtt://user:password@127.0.0.1:1883 wellkept sim run demo --seed 7")
def run(
    scenario: Annotated[str, typer.Argument(help="id, or a path that ends in .toml")] = "demo",
    seed: Annotated[int, typer.Option(help="which fleet of that description")] = 1,
    start: Annotated[str, typer.Option(help="fleet time of a new fleet's start")] = _DEFAULT_START,
    folder: Annotated[Path, typer.Option(help="keeps spool, state and truth")] = Path(".wellkept/sim"),
    connections: Annotated[int, typer.Option(min=1, max=64, help="MQTT connections")] = 1,
) -> None:
    """Run a fleet on the fleet clock that it hears over MQTT, until it is interrupted."""
    _mqtt_url()
    process.main(scenario, seed, _moment(start) // MICROS, folder, connections)


@app.command(epilog="Example: wellkept sim truth demo --seed 7 --days 30")
def truth(
    scenario: Annotated[str, typer.Argument(help="id, or a path that ends in .toml")] = "demo",
    seed: Annotated[int, typer.Option(help="which fleet of that description")] = 1,
    start: Annotated[str, typer.Option(help="fleet time of the fleet's start")] = _DEFAULT_START,
    days: Annotated[float, typer.Option(min=0, help="faults that begin within so many days")] = 30.0,
) -> None:
    """Print the faults of a fleet that nobody repairs, as JSON lines, without running it."""
    begin = _moment(start)
    fleet = Fleet(load_scenario(scenario), seed, begin)
    typer.echo(as_lines(fleet.expected(begin + round(days * DAY))), nl=False)


@app.command(
    epilog="Example: wellkept sim replay --set tracebase --only refrigerator --data ../shared/data "
    "--from 2012-06-01 --scale power=1.15 --stretch-cycles 1.2"
)
def replay(  # noqa: PLR0917  (each is an option)
    data: Annotated[Path, typer.Option(envvar="WELLKEPT_DATA", help="folder that holds tracebase and SKAB")],
    name: Annotated[str, typer.Option("--set", help=f"one of {', '.join(SETS)}")] = "tracebase",
    only: Annotated[str, typer.Option(help="part of the device id or the file's path")] = "",
    org: Annotated[str, typer.Option(help="organisation of the devices")] = "demo",
    speed: Annotated[float, typer.Option(min=0, help="own pace; 0 follows the fleet clock heard over MQTT")] = 0.0,
    since: Annotated[str, typer.Option("--from", help="date from which the change holds")] = "",
    scale: Annotated[list[str] | None, typer.Option(help="CHANNEL=FACTOR from that date on; repeatable")] = None,
    stretch_cycles: Annotated[float, typer.Option(min=0.1, max=10, help="factor for the length of activities")] = 1.0,
    side_by_side: Annotated[bool, typer.Option(help="let all recordings begin on the same day")] = False,  # noqa: FBT002  (typer's flag)
    folder: Annotated[Path, typer.Option(help="keeps the spool")] = Path(".wellkept/replay"),
) -> None:
    """Replay recordings of real appliances as devices over MQTT, until each message has its receipt."""
    url = _mqtt_url()
    try:
        recordings = find_recordings(data, name, only)
        change = parse_change(since, scale or [], stretch_cycles)
    except (RecordingError, ValueError) as cause:
        raise typer.BadParameter(str(cause)) from cause
    shifts = together(recordings) if side_by_side else {}
    one = Replay(
        recordings, org, folder, url, system_wall, change=change, shifts=shifts, speed=speed if speed > 0 else None
    )
    for recording in recordings:
        typer.echo(
            f"{org}/{recording.device} ({recording.kind}) from {to_datetime(first_time(recording)):%Y-%m-%d %H:%M}"
        )
    one.start()
    try:
        while not one.wait(_BEAT_S):
            counts = one.counts()
            typer.echo(f"{to_datetime(one.fleet):%Y-%m-%d %H:%M} {one.messages} messages, {counts.unreceipted} open")
    finally:
        one.stop()
    typer.echo(msgspec.json.encode({"messages": one.messages, "readings": one.readings}).decode())


def parse_change(since: str, scale: list[str], stretch: float) -> Change | None:
    """The dated change of the command line; None when there is none.

    Raises:
        ValueError: a factor without a date, or not CHANNEL=FACTOR.
    """
    if not since:
        if scale or stretch != 1.0:
            raise ValueError("--scale and --stretch-cycles need --from DATE")
        return None
    factors: dict[str, float] = {}
    for item in scale:
        channel, _, factor = item.partition("=")
        try:
            factors[channel] = float(factor)
        except ValueError as cause:
            raise ValueError(f"{item!r} is not CHANNEL=FACTOR, e.g. power=1.15") from cause
    return Change(_moment(since), factors, stretch)


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return to_micros(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _mqtt_url() -> str:
    url = os.environ.get("WELLKEPT_MQTT_URL", "")
    if not url:
        raise typer.BadParameter("set WELLKEPT_MQTT_URL to mqtt://user:password@host:port")
    return url
