"""`wellkept bench planner`."""

from __future__ import annotations

from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.console import emit, err

EXAMPLE = "Example: wellkept bench planner --visits 600 --technicians 40 --json"


def planner_command(
    *,
    visits: Annotated[int, typer.Option(min=1, help="Visits to plan.")] = 200,
    technicians: Annotated[int, typer.Option(min=1, help="Technicians.")] = 15,
    days: Annotated[int, typer.Option(min=1, max=28, help="Days of the plan.")] = 4,
    seed: Annotated[list[int] | None, typer.Option(help="Seed of a problem; may be repeated. Default 1, 2, 3.")] = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Search minutes long for a better plan.")] = False,
    as_json: AsJson = False,
) -> None:
    """Plans of visits: served, travel, time, broken constraints, beside a baseline and the best known."""
    from stack.bench_offers import bench_offers  # noqa: PLC0415  (likewise)
    from stack.bench_planner import Bench, bench_planner  # noqa: PLC0415  (its imports are this command's alone)
    from stack.planner_instances import Size  # noqa: PLC0415  (likewise)

    def tell(line: str) -> None:
        err.print(line, highlight=False)

    bench = Bench(Size(visits, technicians, days), seed or (1, 2, 3), thorough)
    found = [row | bench_offers() for row in bench_planner(bench, tell)]
    if as_json:
        emit(found, as_json=True)
        return
    names = [name for name in found[0] if name != "seed"]
    emit([{"figure": name} | {f"seed {row['seed']}": row[name] for row in found} for name in names], as_json=False)
