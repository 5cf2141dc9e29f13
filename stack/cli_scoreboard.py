"""`wellkept scoreboard`: how far each detector is believed, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from servicedesk.trust import DEFAULT_TRUST
from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit
from stack.settings import DEFAULT_DATA_DIR
from storage.read_models import Scope
from storage.read_truth import scores


def scoreboard(
    *,
    org: Annotated[str | None, typer.Option(help="One organisation.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Precision of each detector on each model and fault family by the outcomes of its tickets, with its interval.

    Below the bar a detector only suggests: its findings are listed and open no ticket. Faults that owners reported and
    telemetry missed stand beside it.
    """
    with database(data_dir) as conn:
        rows = [row.plain() for row in scores(conn, Scope(org=org), window=DEFAULT_TRUST.window)]
    if as_json:
        emit({"level": DEFAULT_TRUST.level, "bar": DEFAULT_TRUST.bar, "scores": rows}, as_json=True)
        return
    shown = [
        {
            "kind": row["kind"],
            "model": row["model"] or None,
            "family": row["family"],
            "detector": row["detector"],
            "right": f"{row['right']} of {row['right'] + row['wrong']}",
            "precision": f"{row['precision']:.2f} ({row['low']:.2f} to {row['high']:.2f})",
            "cause right": f"{row['named_right']} of {row['named']}",
            "missed": row["missed"],
            "standing": "only suggests" if row["suggest_only"] else "opens tickets",
            "suggestions": row["suggestions"],
        }
        for row in rows
    ]
    emit(shown, as_json=False)
