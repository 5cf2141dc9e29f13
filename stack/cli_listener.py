"""`wellkept listener`: lets another system hear an organisation's changes on the stream's server."""

from __future__ import annotations

from typing import Annotated

import typer

from stack.cli_desk import AsJson, DataDir
from stack.console import emit, running
from stack.embedded_nats import EmbeddedNats
from stack.errors import StackError
from stack.settings import DEFAULT_DATA_DIR, Settings
from telemetry.errors import WellkeptError
from telemetry.identity import parse_key


def listener(
    org: Annotated[str, typer.Argument(help="Whose changes it hears.")],
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Give another system a user of the embedded stream's server, with the right to hear one organisation's changes.

    It can publish nothing. On your own NATS server give a user the right to subscribe to wk.events.ORG.> instead.
    """
    try:
        parse_key(f"{org}/x")
    except WellkeptError as cause:
        raise typer.BadParameter(f"{org!r} cannot be an organisation: letters, digits, _ and -") from cause
    if Settings().nats_url:
        raise StackError(f"the stream is your own server: give a user the right to subscribe to wk.events.{org}.>")
    running(data_dir)
    url = EmbeddedNats.attach(data_dir / "nats").add_listener(org)
    emit({"org": org, "nats": url, "subjects": f"wk.events.{org}.>"}, as_json=as_json)
