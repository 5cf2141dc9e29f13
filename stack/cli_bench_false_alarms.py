"""`wellkept bench false-alarms`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.console import emit, err, out

EXAMPLE = "Example: wellkept bench false-alarms --data /data --json"


def false_alarms_command(
    *,
    data: Annotated[Path | None, typer.Option(help="Folder that holds tracebase.")] = None,
    as_json: AsJson = False,
) -> None:
    """Findings on real appliances without a fault, and how soon a dated change of them is found."""
    from stack.scoring.false_alarms import false_alarms  # noqa: PLC0415  (its imports are this command's alone)

    with err.status("reading") as status:
        result = false_alarms(data, status.update)
    if as_json:
        emit(result.plain(), as_json=True)
        return
    *tables, (_, units) = result.tables()
    rates = [row for row in units if row["change"] == "none"]
    for title, rows in (*tables, ("Without a change:", rates), ("Changed:", [r for r in units if r not in rates])):
        out.print(f"\n{title}", highlight=False, markup=False)
        emit(rows, as_json=False)
    for line in result.not_detected:
        out.print(f"not always found: {line}", highlight=False, markup=False)
