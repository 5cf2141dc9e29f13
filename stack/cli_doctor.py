"""`wellkept doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from stack.cli_desk import AsJson, DataDir
from stack.console import emit, out
from stack.doctor import examine
from stack.settings import DEFAULT_DATA_DIR

_MARKS = {"ok": "[green]ok[/green]", "note": "note", "warning": "[yellow]warning[/yellow]", "error": "[red]error[/red]"}


def doctor(*, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Find what keeps the product from working, where, and the mend; the exit status is 1 when something does.

    Looks at this machine, and at the product that runs in the data directory or over servers of your own.
    """
    findings = examine(data_dir)
    if as_json:
        emit([asdict(finding) for finding in findings], as_json=True)
    else:
        for each in findings:
            out.print(
                f"{_MARKS[each.result]}  [bold]{each.check}[/bold] ({each.where}): {each.detail}", highlight=False
            )
            if each.mend:
                out.print(f"      → {each.mend}", highlight=False)
    if any(finding.result == "error" for finding in findings):
        raise typer.Exit(1)
