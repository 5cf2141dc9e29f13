"""What broke, by what the appliances have in common: bars with the share up to each, a table with rates, and a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Response
from markupsafe import Markup

from api.auth import DeskPerson, staff_scope
from api.context import InTx, Tx
from api.i18n import Words
from api.pages.csv_file import csv_file
from api.pages.faults import kind_title
from api.pages.plots import Cause, pareto
from servicedesk.cause_report import GROUPS, CauseLine, Group, cause_lines
from storage.read_causes import read_causes
from storage.read_models import Scope
from telemetry.catalogue import Catalogue
from telemetry.table_text import cell

router = APIRouter(include_in_schema=False)
PERIODS = {"30": 30, "90": 90, "365": 365, "all": None}
"""Periods of the report, in days."""
_TOP = 12
_FIFTHS = 5
_COLUMNS = ("kind", "group", "cause", "count", "share", "cumulated", "device_years", "rate", "rate_low", "rate_high")


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A line of the table in words."""

    kind: str
    group: str
    cause: str
    found: int
    together: str
    rate: str
    between: str
    rest: str
    stands_out: bool


@dataclass(frozen=True, slots=True)
class CauseView:
    """What the page shows.

    Attributes:
        by: firmware, lot or model.
        plot: None without a case.
        first: what stands out most, or None.
    """

    by: Group
    plot: Markup | None
    rows: list[CauseRow]
    first: CauseRow | None


def group_of(name: str) -> Group:
    """The group that was asked for; of what is unknown, the model."""
    return next((each for each in GROUPS if each == name), "model")


def since_of(period: str, now: datetime) -> datetime | None:
    """When a period begins; None is the beginning of all."""
    days = PERIODS.get(period, PERIODS["90"])
    return None if days is None else now - timedelta(days=days)


def causes_view(
    t: Words, catalogue: Catalogue, tx: Tx, scope: Scope, *, since: datetime | None, by: Group
) -> CauseView:
    """Bars, table, and what stands out most."""
    lines = cause_lines(*read_causes(tx.conn, scope, since, None, tx.now), by)
    rows = [_row(t, catalogue, line) for line in lines]
    out = [(line.chance or 0.0, row) for line, row in zip(lines, rows, strict=True) if line.stands_out]
    first = min(out, key=lambda each: each[0])[1] if out else None
    return CauseView(by, _plot(t, lines, rows) if lines else None, rows, first)


@router.get("/reports/causes.csv")
def causes_csv(person: DeskPerson, tx: InTx, period: str = "90", by: str = "model") -> Response:
    """The same lines as a file, with plain numbers."""
    since = since_of(period, tx.now)
    rows = []
    for line in cause_lines(*read_causes(tx.conn, staff_scope(person), since, None, tx.now), group_of(by)):
        low, high = line.interval or (None, None)
        told = (line.kind, line.group, line.cause, line.count, line.share, line.cumulated, line.years, line.rate)
        more = (low, high, line.rest_rate, line.chance, line.stands_out)
        # A version is what a device says of itself: a spreadsheet must not run it.
        rows.append([cell(each) for each in (*told, *more)])
    return csv_file("causes.csv", (*_COLUMNS, "rest_rate", "chance", "stands_out"), rows)


def cause_title(t: Words, catalogue: Catalogue, kind: str, cause: str) -> str:
    """What a confirmed cause is called."""
    spec = catalogue.kinds.get(kind)
    fault = spec.faults.get(cause) if spec is not None else None
    return t.pick(fault.title) if fault is not None else cause.replace("_", " ")


def _row(t: Words, catalogue: Catalogue, line: CauseLine) -> CauseRow:
    between = ""
    if line.interval is not None:
        low, high = (t.number(each, 2) for each in line.interval)
        between = t.plain("{low} to {high}", low=low, high=high)
    return CauseRow(
        kind=kind_title(t, catalogue, line.kind),
        group=line.group or t.plain("not known"),
        cause=cause_title(t, catalogue, line.kind, line.cause),
        found=line.count,
        together=t.percent(line.cumulated),
        rate="–" if line.rate is None else t.number(line.rate, 2),
        between=between,
        rest="–" if line.rest_rate is None else t.number(line.rest_rate, 2),
        stands_out=line.stands_out,
    )


def _plot(t: Words, lines: Sequence[CauseLine], rows: Sequence[CauseRow]) -> Markup:
    bars = [
        Cause(row.cause, row.found, line.cumulated, f"{row.found} · {row.together}", f"{row.kind} · {row.group}")
        for line, row in list(zip(lines, rows, strict=True))[:_TOP]
    ]
    title = t.plain("Confirmed causes")
    desc = t.plain("The most frequent first; the line is the share of all up to each.")
    return pareto("pc", title, desc, bars, [t.percent(n / _FIFTHS) for n in range(_FIFTHS + 1)])
