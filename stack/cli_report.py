"""`wellkept report`: how well the service does."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from servicedesk.cause_report import GROUPS, CauseLine, cause_lines
from servicedesk.service_report import ATTRIBUTES, CaseRow, Share, Summary, by, causes, summarise, technicians
from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit
from stack.settings import DEFAULT_DATA_DIR
from storage.clock_store import read_clock
from storage.read_causes import read_causes
from storage.read_models import Scope
from storage.read_reports import read_cases
from telemetry.clock import production_clock, system_wall, to_datetime

report_app = typer.Typer(help="How well the service does.", no_args_is_help=True)
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]
Moment = Annotated[datetime | None, typer.Option(formats=_FORMATS, help="In UTC and fleet time.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Comma-separated values.")]


@report_app.callback()
def report() -> None:
    """How well the service does."""


@report_app.command("service", epilog="Example: wellkept report service --by region --since 2026-03-01 --csv")
def service(
    *,
    group: Annotated[
        str | None, typer.Option("--by", help=f"{', '.join(ATTRIBUTES)}, technician or cause; else all in one.")
    ] = None,
    since: Moment = None,
    until: Moment = None,
    org: Annotated[str | None, typer.Option(help="Organisation; all of them otherwise.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """First-time fix, repeat within 30 days, no fault found, on time, broken promises: shares with 95 % intervals."""
    known = (*ATTRIBUTES, "technician", "cause")
    if group is not None and group not in known:
        raise typer.BadParameter(f"{group!r} is none of {', '.join(known)}", param_hint="--by")
    with database(data_dir) as conn:
        cases = read_cases(conn, Scope(org=org), _utc(since), _utc(until))
    _put(rows_of(cases, group, plain=not as_json), as_csv=as_csv, as_json=as_json)


@report_app.command("causes", epilog="Example: wellkept report causes --by firmware --since 2026-03-01 --csv")
def causes_by(
    *,
    group: Annotated[str, typer.Option("--by", help=f"{', '.join(GROUPS)}.")] = "model",
    kind: Annotated[str | None, typer.Option(help="Appliances of one kind alone.")] = None,
    since: Moment = None,
    until: Moment = None,
    org: Annotated[str | None, typer.Option(help="Organisation; all of them otherwise.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Confirmed causes, the most frequent first: share, rate a device-year with its 95 % interval, against the rest."""
    told_apart = next((each for each in GROUPS if each == group), None)
    if told_apart is None:
        raise typer.BadParameter(f"{group!r} is none of {', '.join(GROUPS)}", param_hint="--by")
    with database(data_dir) as conn:
        now = to_datetime((read_clock(conn) or production_clock()).fleet_at(system_wall()))
        cases, service = read_causes(conn, Scope(org=org), _utc(since), _utc(until), now)
    lines = cause_lines(cases, service, told_apart)
    row = _cause_row if as_csv or as_json else _cause_words
    rows = [row(line, told_apart) for line in lines if kind in (None, line.kind)]
    _put(rows, as_csv=as_csv, as_json=as_json)


def _cause_row(line: CauseLine, group: str) -> dict[str, Any]:
    low, high = (None, None) if line.interval is None else line.interval
    return {
        "kind": line.kind,
        group: line.group or "(not known)",
        "cause": line.cause,
        "count": line.count,
        "share": round(line.share, 4),
        "cumulated": round(line.cumulated, 4),
        "device_years": round(line.years, 3),
        "rate": _round(line.rate),
        "rate_low": _round(low),
        "rate_high": _round(high),
        "rest_rate": _round(line.rest_rate),
        "chance": _round(line.chance, 6),
        "stands_out": line.stands_out,
    }


def _cause_words(line: CauseLine, group: str) -> dict[str, Any]:
    interval = "" if line.interval is None else f" ({line.interval[0]:.2f}-{line.interval[1]:.2f})"
    return {
        "kind": line.kind,
        group: line.group or "(not known)",
        "cause": line.cause,
        "count": line.count,
        "together": f"{line.cumulated:.0%}",
        "a device-year": "-" if line.rate is None else f"{line.rate:.2f}{interval}",
        "the rest": "-" if line.rest_rate is None else f"{line.rest_rate:.2f}",
        "stands out": "yes" if line.stands_out else "",
    }


def _round(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)


def _put(rows: Sequence[dict[str, Any]], *, as_csv: bool, as_json: bool) -> None:
    if as_csv:
        writer = csv.DictWriter(sys.stdout, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return
    emit(list(rows), as_json=as_json)


def rows_of(cases: Sequence[CaseRow], group: str | None, *, plain: bool) -> list[dict[str, Any]]:
    """The report as rows: one, or one a group; `plain` says each share in one word."""
    if group == "cause":
        names = ("kind", "model", "cause", "count", "cumulated")
        return [dict(zip(names, row, strict=True)) for row in causes(cases)]
    if group == "technician":
        groups: Mapping[str, Summary] = technicians(cases)
    else:
        groups = {"all": summarise(cases)} if group is None else by(cases, group)
    return [{group or "cases of": name or "(none)", **_row(each, plain=plain)} for name, each in groups.items()]


def _row(summary: Summary, *, plain: bool) -> dict[str, Any]:
    shares = {
        "first_time_fix": summary.first_time_fix,
        "repeat": summary.repeat,
        "no_fault_found": summary.no_fault_found,
        "on_time": summary.on_time,
        "breaches": summary.breaches,
    }
    said = {name: _said(share) if plain else _full(share) for name, share in shares.items()}
    rest = {"avoided": summary.avoided, "billed": summary.billed, "rating": summary.rating}
    return {"cases": summary.cases, **said, **rest}


def _said(share: Share) -> str:
    if share.value is None or share.interval is None:
        return "-"
    low, high = share.interval
    few = ", few" if share.few else ""
    return f"{share.value:.0%} ({low:.0%}-{high:.0%}) of {share.of}{few}"


def _full(share: Share) -> dict[str, Any]:
    return {"value": share.value, "interval": share.interval, "hits": share.hits, "of": share.of, "few": share.few}


def _utc(given: datetime | None) -> datetime | None:
    return None if given is None else given.replace(tzinfo=UTC)
