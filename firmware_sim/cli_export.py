"""`wellkept sim export`: readings of a scenario's devices as tables."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from firmware_sim.cli_common import (
    START,
    AsJson,
    CommandError,
    Devices,
    ScenarioName,
    Seed,
    Start,
    beginning,
    brought,
    lived,
    say_json,
    scaled,
    spoken,
    table,
)
from firmware_sim.export import FORMATS, open_table
from firmware_sim.fleet import Fleet
from firmware_sim.names import known_name
from firmware_sim.truth import truth_text
from firmware_sim.wear import DAY


@spoken
def export(  # noqa: PLR0917  (each is an option)
    folder: Annotated[Path, Argument(help="Gets KIND.csv or KIND.parquet for each kind, and truth.jsonl.")],
    scenario: ScenarioName = "demo",
    seed: Seed = 1,
    start: Start = START,
    since: Annotated[float, Option("--from", min=0, help="Day of the fleet's life at which the tables begin.")] = 0.0,
    until: Annotated[float, Option("--to", help="Day at which they end.")] = 7.0,
    device: Annotated[list[str] | None, Option(help="Only this ORG/DEVICE; repeatable.")] = None,
    kind: Annotated[list[str] | None, Option(help="Only this kind; repeatable.")] = None,
    devices: Devices = None,
    form: Annotated[str, Option("--as", help="csv, or parquet (needs the extra `parquet`).")] = "csv",
    checkpoint: Annotated[Path | None, Option(help="Begin here, and leave the fleet's state at --from here.")] = None,
    as_json: AsJson = False,  # noqa: FBT002  (typer's flag)
) -> None:
    """Write what a scenario's devices measure, without a broker: a table a kind, and the truth beside it."""
    known_name("form", form, [one.removeprefix(".") for one in FORMATS])
    if until <= since:
        raise CommandError(f"--to {until:g} is not later than --from {since:g}")
    whole = scaled(scenario, devices)
    begin = beginning(whole, start)
    everybody = Fleet(whole, seed, begin).devices
    wanted = {known_name("device", one, [each.key for each in everybody]) for one in device or ()}
    kinds = {known_name("kind", one, {each.kind: 0 for each in everybody}) for one in kind or ()}
    only = [one.index for one in everybody if (not wanted or one.key in wanted) and (not kinds or one.kind in kinds)]
    fleet = Fleet(whole, seed, begin, only=only)
    brought(fleet, since, checkpoint)
    keys = {one.index: one.key for one in fleet.devices}
    of_kind = {one.index: one.kind for one in fleet.devices}
    with ExitStack() as stack:
        tables = {
            each: stack.enter_context(open_table(folder / f"{each}.{form}", list(fleet.catalogue[each].channels), keys))
            for each in dict.fromkeys(of_kind.values())
        }
        for bodies in lived(fleet, fleet.start + round(until * DAY), "export", step=DAY):
            for each, one in tables.items():
                one.write(body for body in bodies if of_kind[body.device] == each)
    (folder / "truth.jsonl").write_text(truth_text(fleet), encoding="utf-8")
    found = [
        {
            "file": str(folder / f"{each}.{form}"),
            "devices": sum(kind == each for kind in of_kind.values()),
            "readings": one.rows,
            "bytes": (folder / f"{each}.{form}").stat().st_size,
        }
        for each, one in tables.items()
    ]
    if as_json:
        say_json(found)
    else:
        table(found)
