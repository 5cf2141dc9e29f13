"""`wellkept export`: tickets, findings and readings as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit, err
from stack.settings import DEFAULT_DATA_DIR
from stack.table_out import FORMATS, check_form, write_table
from storage.export_rows import Rows, Span, findings, readings, tickets
from storage.pool import Connection
from telemetry.catalogue import load_catalogue
from telemetry.errors import WellkeptError
from telemetry.identity import parse_key

export_app = typer.Typer(help="Tickets, findings and readings as CSV or Parquet.", no_args_is_help=True)
Out = Annotated[Path | None, typer.Option("--out", help="The file; CSV goes to standard output without one.")]
Format = Annotated[
    str | None, typer.Option("--format", help="csv or parquet; by the file's ending unless told, else csv.")
]
Org = Annotated[str | None, typer.Option(help="Of one organisation.")]
Since = Annotated[datetime | None, typer.Option("--from", help="Fleet time of the first, UTC: 2026-11-01.")]
Until = Annotated[datetime | None, typer.Option("--to", help="Fleet time before which the last is, UTC.")]
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 1, 1, tzinfo=UTC)


def _by_span(name: str, table: Callable[[Connection, Span], Rows], said: str, example: str) -> None:
    """A command that writes a table of what opened within a span."""

    @export_app.command(name, help=said, epilog=f"Example: wellkept export {name} {example}")
    def _command(
        *,
        out: Out = None,
        form: Format = None,
        org: Org = None,
        since: Since = None,
        until: Until = None,
        data_dir: DataDir = DEFAULT_DATA_DIR,
        as_json: AsJson = False,
    ) -> None:
        _export(table, _span(since, until, org), out, form, data_dir, as_json=as_json)


_by_span(
    "tickets",
    tickets,
    "Tickets that opened within a span, without the names of people.",
    "--out tickets.csv --from 2026-11-01",
)
_by_span("findings", findings, "The newest revision of findings that opened within a span.", "--out findings.parquet")


@export_app.command(
    "readings", epilog="Example: wellkept export readings refrigerator --device acme/fridge-7 --out fridge.parquet"
)
def export_readings(
    kind: Annotated[str, typer.Argument(help="Of appliance, as in the catalogue.")],
    *,
    device: Annotated[str | None, typer.Option(help="ORG/DEVICE; all of the kind otherwise.")] = None,
    out: Out = None,
    form: Format = None,
    org: Org = None,
    since: Since = None,
    until: Until = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Readings of a kind of appliance by event time, a column for each channel."""
    catalogue = load_catalogue()
    if kind not in catalogue:
        raise typer.BadParameter(f"{kind!r} is not in the catalogue: {', '.join(sorted(catalogue.kinds))}")
    name = None
    if device is not None:
        try:
            key = parse_key(device)
        except WellkeptError as cause:
            raise typer.BadParameter(f"{device!r} is not ORG/DEVICE") from cause
        org, name = key.org, key.device
    span = _span(since, until, org, name)
    channels = list(catalogue[kind].channels)
    _export(lambda conn, s: readings(conn, s, kind, channels), span, out, form, data_dir, as_json=as_json)


def _span(since: datetime | None, until: datetime | None, org: str | None, device: str | None = None) -> Span:
    start = _FIRST if since is None else since.replace(tzinfo=UTC)
    end = _LAST if until is None else until.replace(tzinfo=UTC)
    if end <= start:
        raise typer.BadParameter("--to is not after --from")
    return Span(start, end, org, device)


def _export(
    table: Callable[[Connection, Span], Rows],
    span: Span,
    out: Path | None,
    form: str | None,
    folder: Path,
    *,
    as_json: bool,
) -> None:
    chosen = form or (out.suffix.removeprefix(".") if out is not None and out.suffix[1:] in FORMATS else "csv")
    if chosen not in FORMATS:
        raise typer.BadParameter(f"--format is csv or parquet, not {chosen!r}")
    if as_json and out is None:
        raise typer.BadParameter("--json says what was written: add --out FILE")
    check_form(out, chosen)
    with database(folder) as conn:
        count = write_table(table(conn, span), out, chosen)
    if as_json:
        emit({"rows": count, "file": out, "format": chosen}, as_json=True)
    elif out is not None:
        err.print(f"{count} rows in {out}")
