"""`wellkept bench appliances`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.console import emit, err, out

EXAMPLE = "Example: wellkept bench appliances --data /data --json"


def appliances_command(
    *,
    data: Annotated[Path | None, typer.Option(help="Folder that holds appliances_papaioannou.")] = None,
    as_json: AsJson = False,
) -> None:
    """Faulty days of household appliances against healthy ones: AUC by appliance and fault, beside blind controls."""
    from stack.scoring.appliances import appliances  # noqa: PLC0415  (its imports are this command's alone)

    with err.status("reading") as status:
        result = appliances(data, status.update)
    if as_json:
        emit(result.plain(), as_json=True)
        return
    for title, rows in result.tables():
        out.print(f"\n{title}", highlight=False, markup=False)
        emit(rows, as_json=False)
    for line in result.not_detected:
        out.print(f"hardly told apart: {line}", highlight=False, markup=False)
