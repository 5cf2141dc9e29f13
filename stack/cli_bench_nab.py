"""`wellkept bench nab`: the profile of one series on the Numenta Anomaly Benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.cli_results import show
from stack.console import err


def nab_command(
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the recordings; WELLKEPT_DATA, or shared/data beside the checkout.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=5, help="So many files, spread evenly; all unless told.")] = None,
    parts: Annotated[bool, typer.Option("--parts", help="Also without each statistic, and with each alone.")] = False,
    refit: Annotated[bool, typer.Option("--refit", help="Also with constants chosen on other files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Score on the Numenta Anomaly Benchmark, the threshold fixed on other files than those it is used on."""
    from stack.scoring.nab_bench import nab  # noqa: PLC0415  (its imports are this command's alone)

    with err.status("reading") as status:
        found = nab(data, status.update, limit=limit, parts=parts, anew=refit)
    remarks = (f"Developed on {found.developed_on}.", f"Threshold: {found.threshold}.", *found.not_detected)
    show(found, remarks, as_json=as_json)
