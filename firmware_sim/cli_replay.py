"""`wellkept sim replay`: recordings of real appliances, or a recorded fleet, as devices over MQTT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from firmware_sim.cli_common import AsJson, CommandError, day, err, moment, mqtt_url, out, progress, say_json, spoken
from firmware_sim.fleet_file import RecordedFleet
from firmware_sim.recordings import SETS, Change, find_recordings, together
from firmware_sim.replay import Recorded, Replay, Source
from telemetry.clock import system_wall

_BEAT_S = 0.5


@spoken
def replay(  # noqa: PLR0917  (each is an option)
    file: Annotated[Path | None, typer.Argument(help="A recorded fleet, from `wellkept sim record`.")] = None,
    data: Annotated[
        Path | None, typer.Option(envvar="WELLKEPT_DATA", help="Folder that holds tracebase and SKAB.")
    ] = None,
    name: Annotated[str, typer.Option("--set", help=f"One of {', '.join(SETS)}.")] = "tracebase",
    only: Annotated[str, typer.Option(help="Part of the device id or the file's path.")] = "",
    org: Annotated[str, typer.Option(help="Organisation of the recorded appliances.")] = "demo",
    speed: Annotated[float, typer.Option(min=0, help="Own pace; 0 follows the fleet clock heard over MQTT.")] = 0.0,
    since: Annotated[str, typer.Option("--from", help="Date from which the change holds.")] = "",
    scale: Annotated[list[str] | None, typer.Option(help="CHANNEL=FACTOR from that date on; repeatable.")] = None,
    stretch_cycles: Annotated[float, typer.Option(min=0.1, max=10, help="Factor for the length of activities.")] = 1.0,
    side_by_side: Annotated[bool, typer.Option(help="Let all recordings begin on the same day.")] = False,  # noqa: FBT002  (typer's flag)
    folder: Annotated[Path, typer.Option(help="Keeps the spool.")] = Path(".wellkept/replay"),
    as_json: AsJson = False,  # noqa: FBT002  (likewise)
) -> None:
    """Replay a recording as devices over MQTT, until each message has its receipt."""
    url = mqtt_url()
    source = source_of(
        {
            "file": file,
            "data": data,
            "name": name,
            "only": only,
            "org": org,
            "since": since,
            "scale": scale,
            "stretch_cycles": stretch_cycles,
            "side_by_side": side_by_side,
        }
    )
    one = Replay(source, folder, url, system_wall, speed=speed if speed > 0 else None)
    for key, kind in source.devices.items() if not as_json else ():
        out.print(f"{key} ({kind})", highlight=False)
    err.print(f"from {day(source.first_time())}", highlight=False)
    one.start()
    try:
        with progress("replay", None) as show:
            while not one.wait(_BEAT_S):
                counts = one.counts()
                show(0, at=day(one.fleet), messages=f"{one.messages:,}", open=f"{counts.unreceipted:,}")
    finally:
        one.stop()
    say_json({"messages": one.messages, "readings": one.readings})


def source_of(given: Mapping[str, Any]) -> Source:
    """What the command line asks to replay; keys are the names of its options.

    Raises:
        CommandError: neither a file nor a folder of recordings, or a change that is none.
        RecordingError: they cannot be read.
    """
    if given["file"] is not None:
        return RecordedFleet(Path(given["file"]))
    if given["data"] is None:
        raise CommandError("name a recorded fleet, or with --data the folder that holds tracebase and SKAB")
    recordings = find_recordings(Path(given["data"]), given["name"], given["only"])
    try:
        change = parse_change(given["since"], given["scale"] or [], given["stretch_cycles"])
    except ValueError as cause:
        raise CommandError(str(cause)) from cause
    shifts = together(recordings) if given["side_by_side"] else {}
    return Recorded(recordings, given["org"], change=change, shifts=shifts)


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
    return Change(moment(since), factors, stretch)
