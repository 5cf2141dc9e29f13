"""`wellkept world`: the deterministic simulation from the command line."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from stack.console import emit, err

_SHOWN = 400


def world(
    *,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    seeds: Annotated[int, typer.Option(min=1, help="How many, counted up from it.")] = 1,
    trace: Annotated[bool, typer.Option("--trace", help="Print every line of the trace of the first seed.")] = False,
    processes: Annotated[int | None, typer.Option(min=1, help="At once; one a processor unless told.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Run the product on virtual time: devices, broker, ingest, stream, workers and desk, and all that goes wrong.

    One seed is one world and always the same one. The exit status is 1 when a promise of the design was broken; the
    shortest world that still breaks it is printed then, with its trace.
    """
    from stack.world.run import Tally, explain, run_many, run_seed, shortest  # noqa: PLC0415  (detectors, for this alone)

    if trace:
        report = run_seed(seed, keep=True)
        typer.echo("\n".join([*(str(fault) for fault in report.shape.faults), *report.lines]))
        typer.echo(f"digest {report.digest}")
    found = Tally()
    first = None
    for report in run_many(range(seed, seed + seeds), processes):
        found.add(report)
        if report.broken is not None:
            err.print(f"seed {report.shape.seed}: {report.broken}", highlight=False, markup=False)
            first = first or report
    digest = {"digest": report.digest} if seeds == 1 else {}
    emit({**asdict(found), **digest, "kinds": dict(sorted(found.kinds.items()))}, as_json=as_json)
    if first is not None:
        sys.stdout.flush()
        err.print(explain(shortest(first), _SHOWN), highlight=False, markup=False)
        raise typer.Exit(1)
