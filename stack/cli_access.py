"""Commands about who may come in: ending tokens and owners' links, and who a person is elsewhere."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from stack.cli_desk import AsJson, DataDir, staff_app, token_app
from stack.console import database, emit
from stack.settings import DEFAULT_DATA_DIR
from storage import access
from storage.clock_store import read_clock
from storage.read_desk import get_ticket_by_ref
from storage.read_models import EVERYTHING
from telemetry.clock import production_clock, system_wall, to_datetime
from telemetry.errors import WellkeptError


@token_app.command("revoke", epilog="Example: wellkept token revoke 019a9547-3c00-7a11-8b6f-2f1f0f5d0001")
def token_revoke(
    *,
    token: Annotated[UUID, typer.Argument(help="Its id, as `wellkept token list` shows it.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """End a token at once; its event streams end too."""
    with database(data_dir) as conn:
        if not access.revoke_token(conn, token, now=to_datetime(system_wall())):
            raise WellkeptError(f"no token {token} is in use; `wellkept token list` shows those there are")
    emit({"revoked": str(token)}, as_json=as_json)


@token_app.command("end-links", epilog="Example: wellkept token end-links WK-1001")
def end_links(
    *,
    ref: Annotated[str, typer.Argument(help="The ticket's reference.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """End the links that open a single case; those of its household end with `wellkept household unlink`."""
    with database(data_dir) as conn:
        ticket = get_ticket_by_ref(conn, EVERYTHING, ref)
        if ticket is None:
            raise WellkeptError(f"there is no ticket {ref}")
        clock = read_clock(conn) or production_clock()
        ended = access.end_case_links(conn, ticket.id, now=to_datetime(clock.fleet_at(system_wall())))
    emit({"ticket": ref, "ended": ended}, as_json=as_json)


@staff_app.command("subject", epilog="Example: wellkept staff subject dora https://id.example.org#248289761001")
def staff_subject(
    *,
    login: Annotated[str, typer.Argument(help="Of the person here.")],
    subject: Annotated[str, typer.Argument(help="ISSUER#SUBJECT of their sign-in elsewhere; '-' takes it away.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Say who a person is at the organisation's own sign-in (WELLKEPT_OIDC_ISSUER)."""
    wanted = None if subject == "-" else subject
    if wanted is not None and not (wanted.startswith(("https://", "http://")) and "#" in wanted):
        raise WellkeptError("a subject is ISSUER#SUBJECT, as https://id.example.org#248289761001")
    with database(data_dir) as conn:
        holder = None if wanted is None else access.find_staff_by_subject(conn, wanted)
        if holder is not None and holder.login != login:
            raise WellkeptError(f"{holder.login} is {subject} already")
        if not access.link_subject(conn, login, wanted):
            raise WellkeptError(f"nobody has the login {login!r}; enter them with `wellkept staff new {login}`")
    emit({"login": login, "subject": wanted}, as_json=as_json)
