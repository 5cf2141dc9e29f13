"""`wellkept adapter`: what is read of devices that people own already, and a try without a broker."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ingest.adapters.sources import FORMATS, load_sources
from stack.cli_desk import AsJson, DataDir
from stack.console import emit
from stack.embedded_nats import EmbeddedNats
from stack.settings import DEFAULT_DATA_DIR
from telemetry.errors import WellkeptError, WireError

adapter_app = typer.Typer(help="Payloads of Tasmota, Shelly, Zigbee2MQTT, ESPHome, …", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="File of sources; docs/adapters.md.", exists=True, dir_okay=False)]


@adapter_app.command("list", epilog="Example: wellkept adapter list")
def adapter_list(*, as_json: AsJson = False) -> None:
    """Known formats and the topics on which each is heard unless told."""
    rows = [{"format": one.name, "title": one.title, "topics": list(one.filters)} for one in FORMATS.values()]
    if as_json:
        emit(rows, as_json=True)
        return
    emit([{**row, "topics": ", ".join(row["topics"]) or "yours"} for row in rows], as_json=False)


@adapter_app.command("check", epilog="Example: wellkept adapter check adapters.toml")
def adapter_check(*, file: File, as_json: AsJson = False) -> None:
    """Say whether a file of sources can be used, and what it listens to."""
    sources = load_sources(file)
    rows = [
        {"format": one.format.name, "org": one.org, "topics": list(one.topics), "devices": dict(one.devices)}
        for one in sources.all
    ]
    if as_json:
        emit(rows, as_json=True)
        return
    emit(
        [{**row, "topics": ", ".join(row["topics"]), "devices": len(row["devices"]) or "all"} for row in rows],
        as_json=False,
    )


@adapter_app.command(
    "try",
    epilog='Example: wellkept adapter try adapters.toml tele/fridge/SENSOR \'{"ENERGY":{"Power":84}}\'',
)
def adapter_try(
    *,
    file: File,
    topic: Annotated[str, typer.Argument(help="As the broker would bring it.")],
    payload: Annotated[str, typer.Argument(help="Likewise.")],
    as_json: AsJson = False,
) -> None:
    """Show what a payload would be stored as; nothing is sent."""
    source = load_sources(file).find(topic)
    if source is None:
        raise WellkeptError(f"no source of {file} listens to {topic!r}; `wellkept adapter check {file}` lists topics")
    try:
        readings = source.read(topic, payload.encode())
    except WireError as error:
        raise WellkeptError(
            f"{source.format.title}: {error.reason}: {error.detail}; it would become a dead letter"
        ) from error
    rows = [{"device": str(each.key), "t": each.t, "q": each.q} for each in readings]
    if not rows and not as_json:
        emit("nothing of interest: it would be acknowledged and not stored", as_json=False)
        return
    emit(
        rows if as_json else [{**row, "t": row["t"] if row["t"] is not None else "arrival"} for row in rows],
        as_json=as_json,
    )


class User(StrEnum):
    """Who connects to the embedded broker beside our own devices."""

    APPLIANCES = "appliances"
    HOME = "home"


@adapter_app.command("broker", epilog="Example: wellkept adapter broker --data-dir /var/lib/wellkept")
def adapter_broker(
    *,
    user: Annotated[User, typer.Option(help="Plugs and bridges, or Home Assistant.")] = User.APPLIANCES,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Where plugs, bridges or Home Assistant connect to the embedded broker, password included."""
    server = EmbeddedNats.attach(data_dir / "nats")
    if user is User.APPLIANCES and not server.foreign:
        raise WellkeptError("the embedded broker listens to no adapters: start it with `wellkept up --adapters FILE`")
    if user is User.HOME and not server.home:
        raise WellkeptError("Home Assistant is told nothing: start with `wellkept up --home-assistant homeassistant`")
    url = server.mqtt_url(user.value)
    emit({"mqtt_url": url} if as_json else url, as_json=as_json)
