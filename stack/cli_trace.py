"""`wellkept trace`: the way of one message through tables and logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit, out
from stack.errors import StackError
from stack.settings import DEFAULT_DATA_DIR
from storage.read_trace import message_of
from storage.read_trace import trace as read_trace
from telemetry.errors import WellkeptError
from telemetry.identity import parse_key

_PARTS = 4
_SHOWN = 300


def trace(
    name: Annotated[str, typer.Argument(help="A ticket (WK-1001), a finding's id, or ORG/DEVICE/EPOCH/SEQ.")],
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Print what became of a message: its readings, receipt, findings, tickets, visits, notices and log lines."""
    with database(data_dir) as conn:
        message = name if name.count("/") == _PARTS - 1 else message_of(conn, name)
        if message is None:
            raise StackError(f"{name} goes back to no message; give a ticket, a finding's id or ORG/DEVICE/EPOCH/SEQ")
        org, device, epoch, seq = parse_message(message)
        steps = [
            {"what": step.what, "at": step.at, "detail": {k: str(v)[:_SHOWN] for k, v in step.detail.items()}}
            for step in read_trace(conn, org, device, epoch, seq)
        ]
    lines = list(log_lines(data_dir / "logs", message))
    if as_json:
        emit({"correlation": message, "steps": steps, "log": lines}, as_json=True)
        return
    out.print(f"[bold]{message}[/bold]", highlight=False)
    for step in steps:
        at = step["at"].isoformat(sep=" ", timespec="milliseconds") if step["at"] is not None else "–"  # type: ignore[union-attr]
        said = "  ".join(f"{key}={value}" for key, value in step["detail"].items())  # type: ignore[union-attr]
        out.print(f"{at}  [bold]{step['what']}[/bold]  {said}", highlight=False, markup=True)
    for line in lines:
        rest = {k: v for k, v in line.items() if k not in {"timestamp", "process", "event", "messages", "correlation"}}
        said = "  ".join(f"{key}={value}" for key, value in rest.items())
        out.print(
            f"{line.get('timestamp', '–')}  log of {line['process']}: {line['event']}  {said}",
            highlight=False,
            markup=False,
        )
    if not steps:
        out.print("nothing of it is in the database", highlight=False)


def parse_message(message: str) -> tuple[str, str, int, int]:
    """The four parts of a correlation id.

    Raises:
        StackError: it is none.
    """
    head, _, tail = message.rpartition("/")
    key, _, epoch = head.rpartition("/")
    try:
        device = parse_key(key)
        return device.org, device.device, int(epoch), int(tail)
    except (ValueError, WellkeptError) as cause:
        raise StackError(f"{message!r} is not ORG/DEVICE/EPOCH/SEQ") from cause


def log_lines(folder: Path, message: str) -> Iterator[dict[str, Any]]:
    """Lines of all processes that name a message, in the order of time."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.log")):
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                if message not in text or not text.startswith("{"):
                    continue
                try:
                    line = json.loads(text)
                except ValueError:
                    continue  # half a line: its process was killed
                named = [line.get("correlation"), *line.get("messages", ()), *line.get("rejects", ())]
                if message in named:
                    found.append(line)
    yield from sorted(found, key=lambda line: str(line.get("timestamp", "")))
