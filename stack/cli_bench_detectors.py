"""`wellkept bench detectors`: what the live detectors cost, beside river's own estimators."""

from __future__ import annotations

from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.console import emit, err


def detectors_command(
    *,
    devices: Annotated[int, typer.Option(min=1, help="How many pumps, eight channels each.")] = 1_000,
    rows: Annotated[int, typer.Option(min=16, help="Readings of each that are timed.")] = 64,
    repeats: Annotated[int, typer.Option(min=1, help="Runs; the median counts.")] = 5,
    river_rows: Annotated[int, typer.Option(min=4, help="Readings of each channel given to river.")] = 16,
    as_json: AsJson = False,
) -> None:
    """Messages a second of the full bank on one core, bytes a device, and river's estimators on the same readings."""
    from stack.bench_detectors import Plan, detectors  # noqa: PLC0415  (its imports are this command's alone)

    found = detectors(Plan(devices, rows, repeats, river_rows), lambda line: err.print(line, highlight=False))
    if as_json:
        emit(found, as_json=True)
        return
    river = found.pop("river")
    emit([{"estimator": name, **one} for name, one in river.items()], as_json=False)
    emit([{"figure": name, "value": value} for name, value in found.items()], as_json=False)
