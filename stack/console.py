"""What commands say: tables for people, JSON for programs, and where the running product is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from stack import run_state
from stack.errors import StackError
from stack.run_state import RunState
from stack.settings import Settings
from storage.overview import Unreachable
from storage.pool import Connection, connect
from telemetry.errors import WellkeptError

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)


def emit(value: object, *, as_json: bool) -> None:
    """Print one value: a JSON line, or for people a table of a list, or lines of a mapping."""
    if as_json:
        typer.echo(json.dumps(value, default=_plain, ensure_ascii=False))
    elif isinstance(value, Mapping):
        for key, part in value.items():
            out.print(f"[bold]{key}[/bold]  {_text(part)}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        _table([dict(row) for row in value])
    else:
        out.print(_text(value))


def _table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        out.print("none")
        return
    table = Table(*rows[0], box=None, header_style="bold")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row.values()))
    out.print(table)


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def running(data_dir: Path) -> RunState:
    """The run of a data directory.

    Raises:
        StackError: nothing runs there.
    """
    state = run_state.load(data_dir)
    if state is None or not state.supervisor.alive:
        raise StackError(f"nothing runs in {data_dir}; start it with `wellkept up --data-dir {data_dir}`")
    return state


def database_url(data_dir: Path) -> str:
    """Address of the database: the setting's, else that of the run in the data directory."""
    return Settings().database_url or running(data_dir).secrets["database_url"]


def nats_url(data_dir: Path) -> str:
    """Address of the stream, likewise."""
    return Settings().nats_url or running(data_dir).secrets["nats_url"]


@contextmanager
def database(data_dir: Path) -> Iterator[Connection]:
    """One transaction on the product's database, committed at the end.

    Raises:
        StackError: it does not answer.
    """
    try:
        conn = connect(database_url(data_dir), application="wellkept-command")
    except Unreachable as cause:
        raise StackError(f"the database does not answer: {str(cause).splitlines()[0]}") from cause
    with conn:
        yield conn


def fail(error: WellkeptError) -> None:
    """Say what is wrong, without a traceback, and leave."""
    err.print(f"[red]error:[/red] {error}", highlight=False)
    raise SystemExit(1)
