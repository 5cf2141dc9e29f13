"""`wellkept audit verify`: whether the audit log is as it was written."""

from __future__ import annotations

from typing import Annotated

import typer

from servicedesk.audit import examine
from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit
from stack.errors import StackError
from stack.settings import DEFAULT_DATA_DIR
from storage.desk_care import PgAudit

audit_app = typer.Typer(help="The audit log: who read personal data, and who went past a rule.", no_args_is_help=True)
_HEX = 64


@audit_app.command("verify", epilog="Example: wellkept audit verify --json")
def verify(
    *,
    contains: Annotated[
        str | None, typer.Option(help="A head that was noted earlier: without it in the log, its end was cut off.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Recompute the chain of hashes; names the first row that was changed, put in or taken out, and fails then.

    Note the head somewhere else from time to time: the chain alone cannot tell that its last rows are gone.
    """
    if contains is not None and (len(contains) != _HEX or not all(each in "0123456789abcdef" for each in contains)):
        raise StackError("a head is 64 hexadecimal digits, as an earlier verification printed it")
    with database(data_dir) as conn:
        found = examine(PgAudit(conn).rows(), contains)
    emit(
        {
            "rows": found.rows,
            "head": found.head,
            "intact": found.broken is None and found.contained is not False,
            "first_broken": found.broken,
            "why": found.why or (None if found.contained is not False else "the head that was noted is not in the log"),
        },
        as_json=as_json,
    )
    if found.broken is not None or found.contained is False:
        raise typer.Exit(1)
