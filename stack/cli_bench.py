"""`wellkept bench`: figures of this machine, each printed by a command."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from stack.cli_bench_appliances import EXAMPLE as APPLIANCES_EXAMPLE
from stack.cli_bench_appliances import appliances_command
from stack.cli_bench_detectors import detectors_command
from stack.cli_bench_false_alarms import EXAMPLE as FALSE_ALARMS_EXAMPLE
from stack.cli_bench_false_alarms import false_alarms_command
from stack.cli_bench_nab import nab_command
from stack.cli_bench_pages import EXAMPLE as PAGES_EXAMPLE
from stack.cli_bench_pages import pages_command
from stack.cli_bench_rul import EXAMPLE as RUL_EXAMPLE
from stack.cli_bench_rul import rul_command
from stack.cli_bench_skab import skab_command
from stack.cli_desk import AsJson
from stack.cli_planner import EXAMPLE, planner_command
from stack.console import emit, err

bench_app = typer.Typer(help="Measure the product on this machine.", no_args_is_help=True)


@bench_app.callback()
def bench() -> None:
    """Measure the product on this machine."""
    # What a benchmark started is ended and its folder removed, however it ends.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))


@bench_app.command("throughput", epilog="Example: wellkept bench throughput --for 60 --json")
def throughput_command(
    *,
    broker: Annotated[str, typer.Option(help="embedded, or mqtt://user:password@host:port of your own.")] = "embedded",
    seconds: Annotated[float, typer.Option("--for", min=5, help="Seconds at the sustained rate.")] = 60.0,
    rate: Annotated[float | None, typer.Option(min=1, help="Offer this many messages a second, do not search.")] = None,
    devices: Annotated[int, typer.Option(min=1, help="How many pumps.")] = 1_000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 1,
    window: Annotated[int, typer.Option(min=1, help="In-flight window of a broker of your own.")] = 20_000,
    reference: Annotated[bool, typer.Option(help="Run the hand-written pipeline beside it.")] = True,
    as_json: AsJson = False,
) -> None:
    """Messages a second from publication to commit, their latency and CPU, beside a pipeline written by hand."""
    from stack.bench_throughput import Plan, throughput  # noqa: PLC0415  (its imports are this command's alone)

    plan = Plan(seconds, broker, rate, devices, workers, window, reference)
    found = throughput(plan, lambda line: err.print(line, highlight=False))
    emit(found if as_json else [{"figure": name, "value": value} for name, value in found.items()], as_json=as_json)


@bench_app.command("storage", epilog="Example: wellkept bench storage --pglite --json")
def storage_command(
    *,
    url: Annotated[str | None, typer.Option(help="A server of your own; a database is made there and removed.")] = None,
    pglite: Annotated[bool, typer.Option("--pglite", help="TimescaleDB in Node.js, after `make setup-node`.")] = False,
    devices: Annotated[int, typer.Option(min=1, help="How many pumps, eight channels each.")] = 100,
    days: Annotated[int, typer.Option(min=8, help="Days of readings.")] = 8,
    every: Annotated[int, typer.Option(min=1, help="Seconds between readings.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Bytes a reading on disk, and how long one device's week and a fleet's day take to read."""
    from stack.bench_storage import Plan, storage  # noqa: PLC0415  (its imports are this command's alone)

    found = storage(Plan(devices, days, every, url, pglite), lambda line: err.print(line, highlight=False))
    emit(found if as_json else [{"figure": name, "value": value} for name, value in found.items()], as_json=as_json)


@bench_app.command("recovery", epilog="Example: wellkept bench recovery --json")
def recovery_command(
    *,
    devices: Annotated[list[int] | None, typer.Option(min=1, help="Size of a fleet; may be repeated.")] = None,
    behind: Annotated[int, typer.Option(min=0, max=400, help="Readings of each device since its snapshot.")] = 0,
    as_json: AsJson = False,
) -> None:
    """How long a worker takes to come back and what memory it holds, for fleets of 1,000, 10,000 and 100,000."""
    from stack.bench_recovery import SIZES, recovery  # noqa: PLC0415  (likewise)

    found = recovery(devices or SIZES, behind, lambda line: err.print(line, highlight=False))
    emit(found, as_json=as_json)


@bench_app.command("sim", epilog="Example: wellkept bench sim --json")
def sim_command(
    *,
    devices: Annotated[int, typer.Option(min=9, help="Devices whose memory is measured.")] = 10_000,
    hours: Annotated[float, typer.Option(min=0.1, help="Fleet hours they are advanced.")] = 3.0,
    fleet: Annotated[int, typer.Option(min=9, help="Devices whose speed is measured, through a day.")] = 2_700,
    runs: Annotated[int, typer.Option(min=1, help="The median counts.")] = 3,
    connections: Annotated[
        int, typer.Option(min=0, help="MQTT connections of one process; 0 leaves them out.")
    ] = 1_000,
    kinds: Annotated[bool, typer.Option(help="Each kind alone too.")] = True,
    as_json: AsJson = False,
) -> None:
    """Channel samples a second of simulated devices on one core, a fleet's memory, connections of one process."""
    from stack.bench_sim import Plan, bench_sim  # noqa: PLC0415  (likewise)

    found = bench_sim(
        Plan(devices, hours, fleet, runs, connections, kinds), lambda line: err.print(line, highlight=False)
    )
    if as_json:
        emit(found, as_json=True)
        return
    emit(found.pop("kinds", []), as_json=False)
    emit([{"figure": name, "value": value} for name, value in found.items()], as_json=False)


bench_app.command("planner", epilog=EXAMPLE)(planner_command)
bench_app.command("appliances", epilog=APPLIANCES_EXAMPLE)(appliances_command)
bench_app.command("detectors", epilog="Example: wellkept bench detectors --json")(detectors_command)
bench_app.command("false-alarms", epilog=FALSE_ALARMS_EXAMPLE)(false_alarms_command)
bench_app.command("nab", epilog="Example: wellkept bench nab --data /data --json")(nab_command)
bench_app.command("pages", epilog=PAGES_EXAMPLE)(pages_command)
bench_app.command("rul", epilog=RUL_EXAMPLE)(rul_command)
bench_app.command("skab", epilog="Example: wellkept bench skab --data /data --json")(skab_command)

if __name__ == "__main__":
    bench_app()
