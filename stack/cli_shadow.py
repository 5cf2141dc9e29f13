"""`wellkept shadow`: detectors that are tried over stored history, and what they would have done otherwise."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit, err
from stack.errors import StackError
from stack.settings import DEFAULT_DATA_DIR
from storage.pool import Connection
from storage.registry import find_device
from storage.shadow_store import begin, compared, drop, list_shadows
from telemetry.identity import parse_key

shadow_app = typer.Typer(help="Detectors that are tried without opening tickets.", no_args_is_help=True)


@shadow_app.command(
    "run", epilog="Example: wellkept shadow run --config strict.yaml --device demo/fridge-1 --since 2026-01-01"
)
def run(
    *,
    config: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Catalogue entries that differ; see docs/detectors.md."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Under which findings stand; the file's name unless told.")] = None,
    device: Annotated[list[str] | None, typer.Option(help="ORG/DEVICE; may be repeated; all unless told.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Findings from this day on.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Let other detectors observe all that is stored; what they find stands apart, and opens no ticket.

    Without a file the present code observes what an earlier version had decided. A repeat goes on where it ended.
    """
    from telemetry.catalogue import load_catalogue  # noqa: PLC0415  (numba for this command alone)
    from worker.shadow import catch_up, read_shadow  # noqa: PLC0415  (likewise)

    chosen = name or (config.stem if config is not None else "present")
    start = None if since is None else since.replace(tzinfo=UTC)
    count = 0
    with database(data_dir) as conn:
        numbers = [_number(conn, each) for each in device] if device else None
        shadow = read_shadow(chosen, load_catalogue(), config)
        begin(conn, chosen, shadow.detectors.version, config=shadow.config, since=start, now=datetime.now(UTC))
        conn.commit()
        with err.status("observing") as status:
            while done := catch_up(conn, shadow, numbers, start):
                count += done
                status.update(f"{count} devices observed")
        found = next(view for view in list_shadows(conn) if view.name == chosen)
    emit(asdict(found), as_json=as_json)


@shadow_app.command("compare", epilog="Example: wellkept shadow compare strict --json")
def compare(
    name: Annotated[str, typer.Argument(help="Of the shadow; `wellkept shadow list` names them.")],
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Print what both sides found, what one alone did, how dates differ, and false findings per device-year."""
    from storage.shadow_report import report  # noqa: PLC0415  (this command's alone)

    with database(data_dir) as conn:
        both = compared(conn, name)
        names = [view.name for view in list_shadows(conn)]
    if both is None:
        raise StackError(f"there is no shadow {name!r}; there are {', '.join(names) or 'none'}")
    found = report(name, both)
    if as_json:
        emit(found, as_json=True)
        return
    differences = found.pop("differences")
    emit(found, as_json=False)
    emit(differences, as_json=False)


@shadow_app.command("list", epilog="Example: wellkept shadow list")
def shadows(*, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Print the shadows that there are."""
    with database(data_dir) as conn:
        emit([asdict(view) for view in list_shadows(conn)], as_json=as_json)


@shadow_app.command("drop", epilog="Example: wellkept shadow drop strict")
def forget(
    name: Annotated[str, typer.Argument(help="Of the shadow.")],
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Forget a shadow and what it found."""
    with database(data_dir) as conn:
        if not drop(conn, name):
            raise StackError(f"there is no shadow {name!r}")
    emit({"dropped": name} if as_json else f"{name} is forgotten", as_json=as_json)


def _number(conn: Connection, name: str) -> int:
    found = find_device(conn, parse_key(name))
    if found is None:
        raise StackError(f"{name} is not registered")
    return found.no
