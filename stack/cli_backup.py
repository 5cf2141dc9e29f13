"""`wellkept backup` and `wellkept restore`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from stack.backup import back_up
from stack.cli_desk import AsJson, DataDir
from stack.console import database, database_url, emit, nats_url
from stack.errors import StackError
from stack.restore import restore as bring_back
from stack.settings import DEFAULT_DATA_DIR, Settings
from storage.backup_store import list_backups, release
from telemetry.clock import system_wall, to_datetime


def backup(
    folder: Annotated[Path | None, typer.Argument(help="A new folder for this backup; absent: list them.")] = None,
    *,
    drop: Annotated[bool, typer.Option("--release", help="Let the stream forget what backups still need.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Dump the database into a folder while the product runs; without a folder say which backups there are.

    The stream is not copied: it keeps what comes after the last finished backup until the next one.
    """
    if drop:
        if folder is not None:
            raise StackError("--release goes without a folder")
        with database(data_dir) as conn:
            count = release(conn, to_datetime(system_wall()))
        emit({"released": count} if as_json else f"{count} backups hold the stream no more", as_json=as_json)
        return
    if folder is None:
        with database(data_dir) as conn:
            emit([asdict(row) for row in list_backups(conn)], as_json=as_json)
        return
    manifest = back_up(folder, database_url(data_dir), nats_url(data_dir), system_wall)
    emit(
        {
            "backup": manifest.id,
            "folder": folder.resolve(),
            "bytes": manifest.bytes,
            "messages": manifest.standing.messages,
            "tickets": manifest.standing.tickets,
        },
        as_json=as_json,
    )


def restore(
    folder: Annotated[Path, typer.Argument(help="Of `wellkept backup`.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Drop what the embedded database holds now.")] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on although the stream has forgotten something since.")
    ] = False,
    loaded: Annotated[bool, typer.Option("--loaded", help="The dump was loaded already; do the rest.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty database; the product must be stopped.

    Start it afterwards: workers read the stream again from the restored positions, and devices send the rest.
    """
    settings = Settings(data_dir=data_dir)
    done = bring_back(folder, settings, replace_data=replace, accept_loss=accept_loss, loaded=loaded)
    emit(asdict(done), as_json=as_json)
