"""What the subcommands of `wellkept sim` share: options, output, progress, and errors in one sentence."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from firmware_sim.checkpoint import Checkpoint, bring_to
from firmware_sim.connection import parse_url
from firmware_sim.fleet import Fleet
from firmware_sim.scenario import Scenario, load_scenario
from firmware_sim.scenario_check import SOME_START
from firmware_sim.signature import Reader
from firmware_sim.wear import DAY
from telemetry.clock import to_datetime, to_micros
from telemetry.errors import WellkeptError

out = Console(soft_wrap=True)
if not out.is_terminal:
    out.width = 240  # a pipe has no edge: names stay whole
err = Console(stderr=True, soft_wrap=True)

START = ""
"""Stands for the scenario's own start."""
FOLDER = Path(".wellkept/sim")
_P = ParamSpec("_P")
_R = TypeVar("_R")

ScenarioName = Annotated[str, typer.Argument(help="Id, or a path that ends in .toml.")]
Seed = Annotated[int, typer.Option(help="Which fleet of that description.")]
Start = Annotated[
    str,
    typer.Option(
        help="Fleet time at which the fleet starts, ISO 8601, UTC unless it says; by default the scenario's own."
    ),
]
Folder = Annotated[Path, typer.Option(help="Of the fleet: keeps spool, state and truth.")]
Devices = Annotated[int | None, typer.Option(min=1, help="So many devices of the scenario's mix, not all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Tools:
    """What the product lends to the simulator, which knows nothing of it.

    Attributes:
        reader: features as the detectors read them.
        replay: replays a recording into the product that runs, instead of to a broker; takes the command's arguments.
    """

    reader: Reader | None = None


class CommandError(WellkeptError):
    """A command that cannot be carried out; says what to do."""


def spoken(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Say errors that the simulator knows in one sentence on stderr, and leave with 1."""

    @functools.wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except (WellkeptError, FileNotFoundError, msgspec.ValidationError) as error:
            err.print("[red]error:[/red]", Text(str(error)), highlight=False)
            raise typer.Exit(1) from None

    return run


def moment(text: str) -> int:
    """Microseconds of an ISO time; UTC unless it says.

    Raises:
        CommandError: it is no time.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as cause:
        raise CommandError(f"{text!r} is no date or time like 2026-03-02 or 2026-03-02T06:00:00Z: {cause}") from cause
    return to_micros(found if found.tzinfo is not None else found.replace(tzinfo=UTC))


def beginning(scenario: Scenario, start: str = START) -> int:
    """The fleet time at which a scenario starts, microseconds: as told, else its own start, else 2 March 2026.

    Raises:
        CommandError: what was told is no time.
    """
    if start:
        return moment(start)
    return to_micros(scenario.start or SOME_START)


def scaled(name: str, devices: int | None) -> Scenario:
    """The scenario of a name, with another number of devices when one is given."""
    scenario = load_scenario(name)
    return scenario if devices is None else scenario.scaled(devices)


def tools(ctx: typer.Context) -> Tools:
    """What the product lends, if it is there."""
    return ctx.obj if isinstance(ctx.obj, Tools) else Tools()


def day(micros: int) -> str:
    """A fleet time for people."""
    return f"{to_datetime(micros):%Y-%m-%d %H:%M}"


def iso(micros: int) -> str:
    """A fleet time for programs."""
    return to_datetime(micros).isoformat().replace("+00:00", "Z")


def say_json(value: object) -> None:
    """One line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def table(rows: Sequence[Mapping[str, object]], title: str = "") -> None:
    """A table for people; none says so."""
    if not rows:
        out.print(Text(f"{title}: none" if title else "none"))
        return
    drawn = Table(box=None, header_style="bold", title=title or None, title_justify="left", title_style="bold")
    for name in rows[0]:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text("–" if cell is None else str(cell)) for cell in row.values()))
    out.print(drawn)


class _Fields(ProgressColumn):
    """The named numbers of a task, in a fixed order."""

    def render(self, task: Task) -> Text:
        return Text("  ".join(f"{value} {name}" for name, value in task.fields.items()), style="cyan")


@contextmanager
def progress(title: str, total: float | None) -> Iterator[Callable[..., None]]:
    """A progress bar on stderr, drawn on a terminal only.

    Yields:
        a function that takes how much is done in all, and named numbers to show.
    """
    columns: list[Any] = [
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        _Fields(),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        task = shown.add_task(title, total=total)
        yield lambda done, **fields: shown.update(task, completed=done, **fields)


def brought(fleet: Fleet, to_day: float, checkpoint: Path | None) -> None:
    """Bring a fresh fleet to a day of its life with a progress bar, from a checkpoint where there is one."""
    begin, goal = fleet.now, fleet.start + round(to_day * DAY)
    if checkpoint is None and goal <= begin:
        return
    with progress("on the way", (goal - begin) / DAY) as show:
        bring_to(
            fleet,
            goal,
            None if checkpoint is None else Checkpoint(checkpoint),
            lambda now: show((now - begin) / DAY, at=day(now)),
        )


def lived(fleet: Fleet, until: int, title: str, step: int = DAY // 8) -> Iterator[list[Any]]:
    """Advance a fleet step by step with a progress bar; yields the messages of each step."""
    begin = fleet.now
    with progress(title, (until - begin) / DAY) as show:
        messages = 0
        while fleet.now < until:
            bodies = fleet.advance(min(until, fleet.now + step))
            messages += len(bodies)
            show((fleet.now - begin) / DAY, at=day(fleet.now), messages=f"{messages:,}")
            yield bodies


def mqtt_url() -> str:
    """Address of the broker.

    Raises:
        CommandError: WELLKEPT_MQTT_URL is not set, or no such address.
    """
    url = os.environ.get("WELLKEPT_MQTT_URL", "")
    if not url:
        raise CommandError("set WELLKEPT_MQTT_URL to mqtt://user:password@host:port")
    try:
        parse_url(url)
    except ValueError as cause:
        raise CommandError(f"WELLKEPT_MQTT_URL: {cause}") from cause
    return url
