"""`wellkept bench rul`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.cli_results import show
from stack.console import err

EXAMPLE = "Example: wellkept bench rul --data /data --json"


def rul_command(
    *,
    data: Annotated[Path | None, typer.Option(help="Folder that holds CMAPSS.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="Seeds of folds and trees.")] = 5,
    subset: Annotated[
        list[str] | None, typer.Option(help="FD001 to FD004; may be repeated; all that are there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Remaining life of turbofans: error at the last cycle, coverage by band of life, beside blind controls."""
    from stack.scoring.cmapss import cmapss  # noqa: PLC0415  (its imports are this command's alone)

    with err.status("reading") as status:
        result = cmapss(data, status.update, seeds=range(seeds), only=subset)
    show(result, (f"told worst: {line}" for line in result.not_detected), as_json=as_json)
