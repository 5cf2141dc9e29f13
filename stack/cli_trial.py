"""`wellkept trial`: the whole product against the simulator's truth, from the command line."""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from stack.console import emit, err, out
from stack.errors import StackError

if TYPE_CHECKING:
    from firmware_sim.scenario import Scenario
    from stack.trial.folder import Written
    from stack.trial.record import TrialRecord

_FOLDER = Path(".wellkept/trials")
_HELP = """Run the whole product on a simulated fleet, as fast as this machine can, and score it against the truth.

`wellkept trial SCENARIO` is short for `wellkept trial run SCENARIO`, whose options `wellkept trial run --help` lists.
Ids of scenarios: `wellkept sim list`. What each figure means: docs/trial.md.
"""
_RUN = "run"
_YEAR_DAYS = 365
Devices = Annotated[int | None, typer.Option(min=1, help="So many devices of the scenario's mix, not all.")]
Days = Annotated[int | None, typer.Option(min=1, max=3_650, help="Length of the trial.")]
Processes = Annotated[int | None, typer.Option(min=1, help="At once; one a processor unless told.")]
AsJson = Annotated[bool, typer.Option("--json", help="The report as JSON on standard output.")]


class _RunUnlessNamed(TyperGroup):
    """Takes `trial demo` for `trial run demo`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (typer keeps its click to itself)
        """The first word is a scenario unless it is a command."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


trial_app = typer.Typer(
    cls=_RunUnlessNamed,
    help=_HELP,
    no_args_is_help=True,
    epilog="Example: wellkept trial demo --days 60 --seed 5 --out trials/demo-5",
)


@trial_app.command(_RUN, epilog="Example: wellkept trial run calm-year --devices 60 --days 365 --seed 9001 --json")
def run(
    *,
    scenario: Annotated[str, typer.Argument(help="Id, or a path that ends in .toml.")],
    devices: Devices = None,
    days: Days = None,
    seed: Annotated[int, typer.Option(min=0, help="Of fleet, wire and people.")] = 1,
    out_dir: Annotated[Path | None, typer.Option("--out", help="Folder of the report.")] = None,
    processes: Processes = None,
    through_broker: Annotated[
        bool, typer.Option("--through-broker", help="Through the real broker, stream, database and API; much slower.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run one trial and write its report as JSON, Markdown and a page.

    The same scenario and seed give the same report, byte for byte, on any number of processes.
    """
    from stack.trial.folder import write  # noqa: PLC0415  (numpy and the detectors for this command alone)

    told = load(scenario)
    folder = out_dir or _FOLDER / f"{told.id}-{seed}"
    stack = folder / "stack" if through_broker else None
    record, timing = conduct(told, seed, devices=devices, days=days, processes=processes, stack=stack)
    scoring = time.process_time()
    written = write(folder, record, told)
    timing["scoring_s"] = round(time.process_time() - scoring, 2)
    (folder / "timing.json").write_text(json.dumps(timing, indent=2) + "\n", encoding="utf-8")
    say(written, timing, as_json=as_json)


@trial_app.command("score", epilog="Example: wellkept trial score trials/demo-5")
def score_again(
    *,
    folder: Annotated[Path, typer.Argument(help="Of a trial; its report is written anew.")],
    as_json: AsJson = False,
) -> None:
    """Score a trial again from its record, without running it."""
    from stack.trial.folder import read_record, write  # noqa: PLC0415  (likewise)

    record, told = read_record(folder)
    say(write(folder, record, told), {}, as_json=as_json)


@trial_app.command("compare", epilog="Example: wellkept trial compare trials/before trials/after")
def compare_command(
    *,
    first: Annotated[Path, typer.Argument(help="Folder of a trial, or its report.json.")],
    second: Annotated[Path, typer.Argument(help="Of another one.")],
    as_json: AsJson = False,
) -> None:
    """Put two reports side by side."""
    from stack.trial.compare import compare  # noqa: PLC0415  (likewise)
    from stack.trial.folder import read_report  # noqa: PLC0415  (likewise)

    one, other = read_report(first), read_report(second)
    lines = compare(one, other)
    if as_json:
        emit([asdict(line) for line in lines], as_json=True)
        return
    table = Table("figure", *(f"{each['scenario']}, seed {each['seed']}" for each in (one, other)), "change", box=None)
    for line in lines:
        sure = {True: "  beyond chance", False: "  within chance", None: ""}[line.apart]
        table.add_row(line.figure, line.first, line.second, line.change + sure)
    out.print(table)


@trial_app.command("all", epilog="Example: wellkept trial all --out trials --least-years 150")
def run_all(
    *,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder of all reports; what is there is not run again.")],
    least_years: Annotated[float, typer.Option(min=0.01, help="Device-years of each scenario, at least.")] = 150.0,
    seed: Annotated[int, typer.Option(min=0, help="The first seed; then counted up.")] = 9001,
    only: Annotated[
        list[str] | None, typer.Option(help="A scenario; may be repeated. All named ones unless told.")
    ] = None,
    devices: Devices = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="Length of each trial.")] = _YEAR_DAYS,
    processes: Processes = None,
    table: Annotated[Path | None, typer.Option(help="Write the table of results there, as Markdown.")] = None,
) -> None:
    """Run the named scenarios on seeds never used for tuning, each long enough; go on where it was interrupted."""
    from stack.trial.series import Plan, run_series  # noqa: PLC0415  (likewise)

    plan = Plan(out_dir, least_years, seed, tuple(only or ()), devices, days, processes)
    text = run_series(plan, conduct, lambda line: err.print(line, highlight=False))
    if table is not None:
        table.write_text(text, encoding="utf-8")
    else:
        typer.echo(text)


def load(scenario: str) -> Scenario:
    """A scenario, or a sentence of what is wrong with it.

    Raises:
        StackError: there is none of that name; names the nearest.
    """
    from firmware_sim.scenario import load_scenario  # noqa: PLC0415  (likewise)

    try:
        return load_scenario(scenario)
    except FileNotFoundError as cause:
        raise StackError(str(cause)) from cause


def conduct(
    scenario: Scenario,
    seed: int,
    *,
    devices: int | None = None,
    days: int | None = None,
    processes: int | None = None,
    stack: Path | None = None,
) -> tuple[TrialRecord, dict[str, Any]]:
    """Run a trial with a progress bar on standard error; its record, and how fast it went.

    Args:
        scenario: of the fleet.
        seed: of fleet, wire and people.
        devices: how many; the scenario's own number unless told.
        days: how long; a year unless told.
        processes: at once; one a processor unless told.
        stack: run it through the real stack, which keeps its data in this fresh folder until it is done; what it
            kept of a trial that failed stays there.
    """
    from stack.trial.engine import DAYS, run_trial  # noqa: PLC0415  (likewise)
    from stack.trial.watch import watching  # noqa: PLC0415  (likewise)

    began, cpu, wall = datetime.now(UTC), os.times(), time.perf_counter()
    count = processes or os.cpu_count() or 1
    with watching(f"{scenario.id}, seed {seed}", err) as listener:
        if stack is None:
            record = run_trial(scenario, seed, devices, days, count, listener)
        else:
            from stack.embedded_postgres import EmbeddedPostgres  # noqa: PLC0415  (servers and clients for this alone)
            from stack.trial.through import run_brokered  # noqa: PLC0415  (likewise)

            stack.mkdir(parents=True, exist_ok=True)
            record = run_brokered(scenario, seed, devices, days or DAYS, stack, listener)
            EmbeddedPostgres(stack / "postgres").remove()
            shutil.rmtree(stack)
    seconds = time.perf_counter() - wall
    spent = sum(after - before for before, after in zip(cpu[:4], os.times()[:4], strict=True))
    return record, {
        "began": began.isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "cpu_s": round(spent, 2),
        "processes": count,
        "through_broker": stack is not None,
        "device_days": record.device_days,
        "device_days_per_hour": round(record.device_days / seconds * 3600),
        "readings_per_s": round(record.readings / seconds),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
    }


def say(written: Written, timing: dict[str, Any], *, as_json: bool) -> None:
    """Print a report: all of it as JSON, or its headlines."""
    from stack.trial.report import encode  # noqa: PLC0415  (likewise)
    from stack.trial.words import headlines  # noqa: PLC0415  (likewise)

    if as_json:
        typer.echo(encode(written.report), nl=False)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(style="dim")
    for each in headlines(written.report):
        table.add_row(each.name, each.value, each.meaning.replace("\u00a0%", "%"))
    out.print(table)
    if timing:
        out.print(
            f"{timing['device_days']:,.0f} device-days in {timing['seconds']:.0f} s: "
            f"{timing['device_days_per_hour']:,} an hour on {timing['processes']} processes"
        )
    out.print(f"report  {written.folder / 'report.html'}", highlight=False)
