"""Commands about households: the link that opens a household's own pages, and its end."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from servicedesk.audit import READ, record
from stack import run_state
from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit
from stack.settings import DEFAULT_DATA_DIR, Settings
from storage.clock_store import read_clock
from storage.desk import PgDesk
from storage.desk_home import list_households
from storage.pool import Connection
from telemetry.clock import production_clock, system_wall, to_datetime
from telemetry.errors import WellkeptError

household_app = typer.Typer(help="Households, and the links to their own pages.", no_args_is_help=True)
Household = Annotated[str, typer.Argument(help="Its id, as `wellkept household list` shows it.")]


@household_app.command("list", epilog="Example: wellkept household list --json")
def household_list(
    *,
    org: Annotated[str | None, typer.Option(help="Of one organisation only.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List households with how many appliances they have."""
    with database(data_dir) as conn:
        emit([asdict(row) for row in list_households(conn, org)], as_json=as_json)


@household_app.command("link", epilog="Example: wellkept household link 019a9000-7a10-7c52-9d3e-5b0c54b1a001")
def household_link(*, household: Household, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Make a household a link to its own pages and print it once; hand it to that household and to nobody else."""
    with database(data_dir) as conn:
        clock = read_clock(conn) or production_clock()
        now = to_datetime(clock.fleet_at(system_wall()))
        desk = PgDesk(conn, _address(data_dir))
        found = _known(conn, household)
        link = desk.home.link(found, now)
        record(desk, READ, now, "command", "household link", household=found)
    emit({"household": found, "link": link} if as_json else link, as_json=as_json)


@household_app.command("unlink", epilog="Example: wellkept household unlink 019a9000-7a10-7c52-9d3e-5b0c54b1a001")
def household_unlink(*, household: Household, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """End all links to a household's own pages; those of its cases stay."""
    with database(data_dir) as conn:
        clock = read_clock(conn) or production_clock()
        found = _known(conn, household)
        ended = PgDesk(conn).home.revoke_links(found, to_datetime(clock.fleet_at(system_wall())))
    emit({"household": found, "ended": ended} if as_json else f"{ended} links ended", as_json=as_json)


def _address(data_dir: Path) -> str:
    """Where links begin: as set, else where the pages of this machine listen; empty without any."""
    state = run_state.load(data_dir)
    pages = next((each.address for each in state.parts if each.name == "api"), None) if state is not None else None
    return Settings().public_url or pages or ""


def _known(conn: Connection, household: str) -> UUID:
    """The household of an id.

    Raises:
        WellkeptError: there is none.
    """
    try:
        found = UUID(household)
    except ValueError as cause:
        raise WellkeptError(f"{household!r} is no id; `wellkept household list` shows them") from cause
    if PgDesk(conn).people.household(found) is None:
        raise WellkeptError(f"there is no household {found}; `wellkept household list` shows them")
    return found
