"""`wellkept sim record` and `truth`: a fleet's life without a broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from firmware_sim.checkpoint import Checkpoint
from firmware_sim.cli_common import (
    START,
    AsJson,
    Devices,
    ScenarioName,
    Seed,
    Start,
    beginning,
    brought,
    day,
    iso,
    lived,
    out,
    say_json,
    scaled,
    spoken,
)
from firmware_sim.fleet import Fleet
from firmware_sim.fleet_file import FORMS, Form, Header, recording
from firmware_sim.names import known_name
from firmware_sim.truth import truth_text
from firmware_sim.wear import DAY


@spoken
def record(
    *,
    file: Annotated[Path, typer.Argument(help="FILE.jsonl, or FILE.jsonl.gz to compress.")],
    scenario: ScenarioName = "demo",
    seed: Seed = 1,
    start: Start = START,
    days: Annotated[float, typer.Option(min=0.01, help="Fleet days to record.")] = 7.0,
    from_day: Annotated[float, typer.Option("--day", min=0, help="Begin to record at this day of its life.")] = 0.0,
    devices: Devices = None,
    form: Annotated[
        str, typer.Option("--as", help=f"{' or '.join(FORMS)}: JSON lines, or topics and payloads.")
    ] = FORMS[0],
    checkpoint: Annotated[
        Path | None, typer.Option(help="Begin here, and leave the fleet's state at the end here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record a fleet's life into a file, without a broker; `wellkept sim replay FILE` plays it back.

    What the devices say depends on scenario, seed, start and day alone: recorded again, the file is the same.
    """
    known_name("form", form, FORMS)
    whole = scaled(scenario, devices)
    fleet = Fleet(whole, seed, beginning(whole, start))
    brought(fleet, from_day, checkpoint)
    kinds = {one.key: one.kind for one in fleet.devices}
    chosen_form: Form = "wire" if form == "wire" else "messages"
    header = Header(form=chosen_form, scenario=fleet.scenario.id, seed=seed, start=fleet.now, devices=kinds)
    begin = fleet.now
    with recording(file, header, {one.index: one.key for one in fleet.devices}) as writer:
        for bodies in lived(fleet, begin + round(days * DAY), "record"):
            writer.write(bodies)
    if checkpoint is not None:
        Checkpoint(checkpoint).save(fleet)
    found = {
        "file": str(file),
        "devices": len(kinds),
        "messages": writer.messages,
        "from": iso(begin),
        "to": iso(fleet.now),
        "bytes": file.stat().st_size,
    }
    if as_json:
        say_json(found)
    else:
        out.print(
            f"{writer.messages:,} messages of {len(kinds)} devices, {day(begin)} to {day(fleet.now)}, in {file}",
            highlight=False,
        )


@spoken
def truth(
    *,
    scenario: ScenarioName = "demo",
    seed: Seed = 1,
    start: Start = START,
    days: Annotated[float, typer.Option(min=0, help="Faults that begin within so many days.")] = 30.0,
    devices: Devices = None,
) -> None:
    """Print the truth of a fleet that nobody repairs, as JSON lines, without running it: faults, confounders."""
    whole = scaled(scenario, devices)
    begin = beginning(whole, start)
    fleet = Fleet(whole, seed, begin)
    typer.echo(truth_text(fleet, begin + round(days * DAY)), nl=False)
