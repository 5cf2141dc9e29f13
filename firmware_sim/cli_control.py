"""`wellkept sim inject`, `clear`, `network`, `reboot`, `status`, `tap`, `command`: hands on a fleet that runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from firmware_sim.cli_common import (
    FOLDER,
    AsJson,
    CommandError,
    Folder,
    day,
    err,
    mqtt_url,
    out,
    say_json,
    spoken,
    table,
)
from firmware_sim.commander import command as ask_device
from firmware_sim.names import known_name
from firmware_sim.network_spec import Link
from telemetry.clock import MICROS
from telemetry.command import Name, Value
from telemetry.command import Status as Answered
from telemetry.identity import parse_key
from telemetry.steering import Clear, Inject, Reboot, Record, Request, SetNetwork, Status, ask

ALL = "all"
LINK = tuple(Link.__dataclass_fields__)
"""Fields of a link."""
Device = Annotated[str, typer.Argument(help="ORG/DEVICE, or DEVICE of the fleet's organisation.")]


@spoken
def inject(
    *,
    device: Device,
    fault: Annotated[str, typer.Argument(help="Id among the faults of the device's kind; `wellkept sim list faults`.")],
    lead_days: Annotated[
        float | None, typer.Option(min=0.001, help="Days until functional failure; the catalogue's unless told.")
    ] = None,
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Let a fault begin on a device of a running fleet."""
    found = _ask(folder, Inject(device=device, fault=fault, lead_days=lead_days))["fault"]
    if as_json:
        say_json(found)
        return
    begin, end = (day(round(found[name] * MICROS)) for name in ("onset", "failure"))
    out.print(f"{found['fault']} begins on {found['device']} at {begin}; it fails at {end}", highlight=False)


@spoken
def clear(
    *,
    device: Device,
    fault: Annotated[str, typer.Argument(help="Fault or family; all that are there unless told.")] = "",
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Undo faults on a device of a running fleet, without a visit."""
    found = _ask(folder, Clear(device=device, fault=fault))["cleared"]
    if as_json:
        say_json(found)
        return
    names = ", ".join(one["fault"] for one in found)
    out.print(f"cleared on {device}: {names}" if names else f"{device} has no such fault now", highlight=False)


@spoken
def network(
    *,
    device: Annotated[str, typer.Argument(help=f"As elsewhere, or `{ALL}`.")],
    values: Annotated[
        list[str] | None,
        typer.Argument(help=f"FIELD=NUMBER, of {', '.join(LINK)}; without any, the scenario's own again."),
    ] = None,
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Give a device of a running fleet, or all of them, a worse or a better network."""
    given = read_values(values or [])
    name = "" if device == ALL else device
    found = _ask(folder, SetNetwork(device=name, values=given or None))
    if as_json:
        say_json(found)
        return
    what = ", ".join(f"{field} {value:g}" for field, value in given.items()) or "as in the scenario"
    out.print(f"{found['devices']} devices from {day(round(found['at'] * MICROS))} on: {what}", highlight=False)


@spoken
def reboot(
    *,
    device: Device,
    fw: Annotated[str, typer.Option(help="Come back with this firmware version.")] = "",
    spool_lost: Annotated[bool, typer.Option("--lose-spool", help="Come back with an empty spool.")] = False,
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Restart a device's module: what it held in memory is lost, what is in its spool is not."""
    found = _ask(folder, Reboot(device=device, fw=fw, spool_lost=spool_lost))
    if as_json:
        say_json(found)
    else:
        out.print(f"{found['device']} restarts with {found['fw']}, epoch {found['epoch']}", highlight=False)


@spoken
def status(
    *,
    device: Annotated[str, typer.Argument(help="One device; the whole fleet unless told.")] = "",
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Say how a running fleet stands, or one device of it."""
    found = _ask(folder, Status(device=device))
    if as_json:
        say_json(found)
        return
    faults = found.pop("faults", None)
    link = found.pop("link", {})
    for name, value in found.items():
        shown = day(round(value * MICROS) if device else value) if name == "fleet" else value
        out.print(Text(f"{name:<15}{shown}"))
    for name, value in link.items():
        out.print(Text(f"{'link.' + name:<24}{value}"))
    if faults is not None:
        rows = [
            {"fault": one["fault"], "family": one["family"], "since": day(round(one["onset"] * MICROS)),
             "fails": day(round(one["failure"] * MICROS))}
            for one in faults
        ]  # fmt: skip
        table(rows, "faults")


@spoken
def tap(
    *,
    file: Annotated[
        Path | None, typer.Argument(help="FILE.jsonl or FILE.jsonl.gz; it appears when the tap is closed.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Close the tap.")] = False,
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Write what a running fleet says from now on into a file that `wellkept sim replay` plays back."""
    if (file is None) != stop:
        raise CommandError("name a file to begin, or --stop to end; not both")
    found = _ask(folder, Record(path=None if file is None else str(file.resolve())))
    if as_json:
        say_json(found)
    elif stop:
        out.print(f"closed {found['closed']}" if found["closed"] else "nothing was being recorded", highlight=False)
    else:
        out.print(f"recording into {found['recording']}", highlight=False)


@spoken
def command(
    *,
    device: Annotated[str, typer.Argument(help="ORG/DEVICE, of any make: it is asked over MQTT.")],
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(Name)}.")],
    args: Annotated[list[str] | None, typer.Argument(help="KEY=VALUE, e.g. phase=cooling seconds=300.")] = None,
    timeout: Annotated[
        float, typer.Option(min=1, help="Wall seconds; a self-test takes two minutes of fleet time.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Ask a device over MQTT and wait for its answer."""
    known_name("command", name, tuple(Name))
    url = mqtt_url()
    with err.status(f"asking {device}"):
        found = ask_device(url, parse_key(device), name, read_args(args or []), timeout=timeout)
    if as_json:
        say_json(msgspec.to_builtins(found))
    else:
        out.print(f"{device} {found.command}: {found.status.value} at {day(round(found.t * MICROS))}", highlight=False)
        if found.error:
            out.print(Text(found.error))
        for key, value in {**found.values, **found.info}.items():
            out.print(Text(f"{key:<28}{value}"))
    if found.status is not Answered.OK:
        raise typer.Exit(1)


def read_values(given: Sequence[str]) -> dict[str, float]:
    """`FIELD=NUMBER` as a mapping.

    Raises:
        CommandError: it is none.
        UnknownNameError: a link has no such field.
    """
    found: dict[str, float] = {}
    for item in given:
        name, _, number = item.partition("=")
        try:
            found[known_name("field of a link", name, LINK)] = float(number)
        except ValueError as cause:
            raise CommandError(f"{item!r} is not FIELD=NUMBER, e.g. offline_hours=6") from cause
    return found


def read_args(given: Sequence[str]) -> dict[str, Value]:
    """`KEY=VALUE` as arguments of a command; what reads as a number is one.

    Raises:
        CommandError: it is none.
    """
    found: dict[str, Value] = {}
    for item in given:
        name, sign, value = item.partition("=")
        if not sign:
            raise CommandError(f"{item!r} is not KEY=VALUE, e.g. seconds=300")
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def _ask(folder: Path, request: Request) -> dict[str, Any]:
    with err.status("asking the fleet"):
        return ask(folder, request)
