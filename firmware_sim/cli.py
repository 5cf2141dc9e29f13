"""`wellkept sim`: simulated devices, from a list of what there is to a running fleet and its recordings."""

from __future__ import annotations

from typing import Annotated

import typer

from firmware_sim import process
from firmware_sim.cli_common import FOLDER, START, Folder, ScenarioName, Seed, Start, moment, mqtt_url, spoken
from firmware_sim.cli_describe import describe
from firmware_sim.cli_export import export
from firmware_sim.cli_list import list_command
from firmware_sim.cli_record import record, truth
from firmware_sim.cli_replay import replay
from telemetry.clock import MICROS

app = typer.Typer(
    help="Simulated devices: their kinds and faults, fleets on a broker or in a file, and replays of recordings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("list", epilog="Example: wellkept sim list faults --kind refrigerator")(list_command)
app.command("describe", epilog="Example: wellkept sim describe refrigerator refrigerant_leak --plot leak.svg")(describe)
app.command("truth", epilog="Example: wellkept sim truth demo --seed 7 --days 30")(truth)
app.command("record", epilog="Example: wellkept sim record fleet.jsonl.gz demo --seed 7 --day 30 --days 2")(record)
app.command(
    "replay",
    epilog="Example: wellkept sim replay fleet.jsonl.gz --speed 3600; "
    "wellkept sim replay --set tracebase --only refrigerator --data DIR --from 2012-06-01 --scale power=1.15",
)(replay)
app.command("export", epilog="Example: wellkept sim export tables demo --from 20 --to 25 --as parquet")(export)


@app.command(epilog="Example: WELLKEPT_MQTT_URL=mqtt://user:password@127.0.0.1:1883 wellkept sim run demo --seed 7")
@spoken
def run(
    scenario: ScenarioName = "demo",
    seed: Seed = 1,
    start: Start = START,
    folder: Folder = FOLDER,
    connections: Annotated[int, typer.Option(min=1, max=64, help="MQTT connections")] = 1,
) -> None:
    """Run a fleet on the fleet clock that it hears over MQTT, until it is interrupted."""
    mqtt_url()
    process.main(scenario, seed, moment(start) // MICROS, folder, connections)
