"""The service report: how well the service does over a period, for whom, and what broke."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import InContext, InTx
from api.i18n import Words
from api.pages.causes import PERIODS, causes_view, group_of, since_of
from api.pages.faults import kind_title
from api.pages.plots import Interval, intervals
from api.pages.shell import staff_page, staff_words
from api.pages.staffing import share_words
from api.pages.wall import desk_zone
from servicedesk.calls import FirstContact, first_contact
from servicedesk.service_report import Share, Summary, by, summarise, technicians
from storage.read_reports import read_cases
from telemetry.catalogue import Catalogue

router = APIRouter(include_in_schema=False)
_GROUPS = ("region", "tier", "origin", "kind", "model", "technician")
_FIFTHS = 5


@router.get("/reports")
def reports(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: DeskPerson,
    tx: InTx,
    context: InContext,
    period: str = "90",
    group: str = "region",
    causes: str = "model",
) -> Response:
    """The whole with intervals, groups side by side, and the causes."""
    words = staff_words(request, person, desk_zone(tx, person))
    chosen = period if period in PERIODS else "90"
    told_apart = group if group in _GROUPS else "region"
    since = since_of(chosen, tx.now)
    scope = staff_scope(person)
    cases = read_cases(tx.conn, scope, since, None)
    whole = summarise(cases)
    tasks = tx.office.desk.levels.calls.opened(scope.org, since or datetime.min.replace(tzinfo=tx.now.tzinfo), tx.now)
    counted = tx.office.desk.care.privacy.counted({each.ticket for each in tasks})
    tasks = [each for each in tasks if each.ticket in counted]
    groups = technicians(cases) if told_apart == "technician" else by(cases, told_apart)
    return staff_page(
        request,
        context,
        person,
        "reports.html",
        words,
        period=chosen,
        group=told_apart,
        whole=whole,
        figures=[(name, *share_words(words, share)) for name, share in _shares(words, whole)],
        plot=_plot(words, whole) if cases else None,
        contact=_contact(words, first_contact(tasks, tx.now)) if scope.areas is None else None,
        rows=[
            (_group_name(words, context.catalogue, told_apart, name), each.cases, _cells(words, each))
            for name, each in groups.items()
        ],
        broke=causes_view(words, context.catalogue, tx, scope, since=since, by=group_of(causes)),
    )


def _shares(t: Words, summary: Summary) -> list[tuple[str, Share]]:
    return [
        (t.plain("Mended at the first visit"), summary.first_time_fix),
        (t.plain("On time"), summary.on_time),
        (t.plain("Came back within 30 days"), summary.repeat),
        (t.plain("No fault found"), summary.no_fault_found),
        (t.plain("Promises broken"), summary.breaches),
    ]


def _plot(t: Words, summary: Summary) -> object:
    rows = []
    for name, share in _shares(t, summary):
        low, high = share.interval or (0.0, 0.0)
        said = "–" if share.value is None else t.percent(share.value)
        rows.append(Interval(name, share.value, low, high, said))
    scale = [t.percent(n / _FIFTHS) for n in range(_FIFTHS + 1)]
    desc = t.plain("A dot is the share, the line through it where it lies with 95 percent certainty.")
    return intervals("rp", t.plain("Shares of the period"), desc, rows, scale)


def _cells(t: Words, summary: Summary) -> list[tuple[str, str]]:
    return [share_words(t, share) for _, share in _shares(t, summary)]


def _group_name(t: Words, catalogue: Catalogue, group: str, name: str) -> str:
    if group == "kind":
        return kind_title(t, catalogue, name)
    if group == "origin":
        return {"telemetry": t.plain("found by telemetry"), "owner": t.plain("reported by the owner")}.get(name, name)
    if group == "tier" and not name:
        return t.plain("standard")
    return name or t.plain("not known")


def _contact(t: Words, found: FirstContact) -> dict[str, str]:
    return {
        "tasks": str(found.tasks),
        "within": str(found.within),
        "p95": "–" if found.p95 is None else t.span(found.p95),
        "waiting": str(found.waiting),
    }
