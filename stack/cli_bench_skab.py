"""`wellkept bench skab`: the profile of several channels on the recordings of a pump test bed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.cli_results import show
from stack.console import err


def skab_command(
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the recordings; WELLKEPT_DATA, or shared/data beside the checkout.")
    ] = None,
    refit: Annotated[
        bool, typer.Option(help="Also choose constants on two groups, score the third (a minute more).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """F1, false and missed alarm rates on the Skoltech Anomaly Benchmark, guarded against knowing where faults lie."""
    from stack.scoring.skab_bench import skab  # noqa: PLC0415  (its imports are this command's alone)

    found = skab(data, lambda line: err.print(line, highlight=False), refit=refit)
    remarks = (f"Developed on: {found.developed_on}.", f"Threshold: {found.threshold}.", *found.not_detected)
    show(found, remarks, as_json=as_json)
