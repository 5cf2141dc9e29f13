"""`wellkept bench appliances`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.cli_results import show
from stack.console import err

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
    show(result, (f"hardly told apart: {line}" for line in result.not_detected), as_json=as_json)
