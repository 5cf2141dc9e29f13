"""`wellkept replay-ticket`: a decision made again from the database."""

from __future__ import annotations

from typing import Annotated

import typer

from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit, err, out
from stack.errors import StackError
from stack.settings import DEFAULT_DATA_DIR
from storage.read_decisions import read_decision


def replay_ticket(
    name: Annotated[str, typer.Argument(metavar="ID", help="A ticket (WK-1001), its id, or a finding's id.")],
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Make a decision again from the stored readings, losses and control entries, and compare it to the last bit.

    Leaves with 0 when every revision of the finding and the ticket's costs are equal, else with 1.
    """
    from detectors.bank import Bank  # noqa: PLC0415  (numba for this command alone)
    from storage.telemetry_store import TelemetryStore  # noqa: PLC0415  (likewise)
    from telemetry.catalogue import load_catalogue  # noqa: PLC0415  (likewise)
    from worker.replaying import replay  # noqa: PLC0415  (likewise)

    with database(data_dir) as conn:
        decision = read_decision(conn, name)
        if decision is None:
            raise StackError(f"{name} goes back to no finding; give a ticket that telemetry opened, or a finding's id")
        catalogue = load_catalogue()
        with err.status(f"observing {decision.device.key} again"):
            found = replay(decision, TelemetryStore(conn, catalogue), catalogue, Bank(catalogue))
    if as_json:
        emit(found.plain(), as_json=True)
    else:
        _say(found.plain())
    if not found.equal:
        raise typer.Exit(1)


def _say(found: dict[str, object]) -> None:
    first = found.pop("first_difference")
    emit(found, as_json=False)
    if isinstance(first, dict):
        place = "the ticket" if first["revision"] is None else f"revision {first['revision']}"
        out.print(f"[bold]first difference[/bold]  {place}, {first['where'] or 'the whole'}")
        out.print(f"  stored    {first['stored']}", highlight=False, markup=False)
        out.print(f"  replayed  {first['replayed']}", highlight=False, markup=False)
        if found["version"] not in found["stored_versions"]:  # type: ignore[operator]
            out.print("  other detectors decided: install the version that is stored, and replay with that")
