"""`wellkept bench pages`."""

from __future__ import annotations

from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.console import emit, err

EXAMPLE = "Example: wellkept bench pages --devices 10000 --tickets 2000 --json"


def pages_command(
    *,
    devices: Annotated[int, typer.Option(min=10, help="Registered appliances.")] = 10_000,
    tickets: Annotated[int, typer.Option(min=5, help="Tickets among them.")] = 2_000,
    visits: Annotated[int, typer.Option(min=2, help="How often each page is asked for.")] = 40,
    as_json: AsJson = False,
) -> None:
    """Time to the first byte, bytes and requests of each page, over a full house."""
    from stack.bench_pages import measure  # noqa: PLC0415  (the desk's libraries)

    found = measure(devices, tickets, visits, lambda line: err.print(line, highlight=False))
    emit(found if as_json else [{"page": name, **row} for name, row in found["pages"].items()], as_json=as_json)
