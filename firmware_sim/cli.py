"""`wellkept sim`: simulated devices, from a list of what there is to a running fleet and its recordings."""

from __future__ import annotations

import typer

from firmware_sim.cli_control import clear, command, inject, network, reboot, status, tap
from firmware_sim.cli_describe import describe
from firmware_sim.cli_export import export
from firmware_sim.cli_list import list_command
from firmware_sim.cli_record import record, truth
from firmware_sim.cli_replay import replay
from firmware_sim.cli_run import run

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


app.command(
    "run",
    epilog="Example: WELLKEPT_MQTT_URL=mqtt://user:password@127.0.0.1:1883 "
    "wellkept sim run demo --devices 20 --days 2 --speed 3600",
)(run)
app.command("inject", epilog="Example: wellkept sim inject fridge-001 refrigerant_leak --lead-days 3")(inject)
app.command("clear", epilog="Example: wellkept sim clear fridge-001")(clear)
app.command("network", epilog="Example: wellkept sim network all offline_hours=6 duplicates=0.05")(network)
app.command("reboot", epilog="Example: wellkept sim reboot fridge-001 --fw 2.5.0")(reboot)
app.command("status", epilog="Example: wellkept sim status fridge-001")(status)
app.command("tap", epilog="Example: wellkept sim tap afternoon.jsonl.gz; wellkept sim tap --stop")(tap)
app.command("command", epilog="Example: wellkept sim command demo/fridge-001 self_test")(command)
