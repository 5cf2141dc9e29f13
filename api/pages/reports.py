"""The service report: how well the service does over a period, for whom, and what broke."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import InContext, InTx
from api.i18n import Words
from api.pages.faults import kind_title
from api.pages.plots import Cause, Interval, intervals, pareto
from api.pages.shell import staff_page, staff_words
from api.pages.staffing import share_words
from api.pages.wall import desk_zone
from servicedesk.calls import FirstContact, first_contact
from servicedesk.service_report import CaseRow, Share, Summary, by, causes, summarise, technicians
from storage.read_reports import read_cases
from telemetry.catalogue import Catalogue

router = APIRouter(include_in_schema=False)
_PERIODS = {"30": 30, "90": 90, "365": 365, "all": None}
_GROUPS = ("region", "tier", "origin", "kind", "model", "technician")
_TOP = 12
_FIFTHS = 5


@router.get("/reports")
def reports(  # noqa: PLR0917  (named by FastAPI)
    request: Request, person: DeskPerson, tx: InTx, context: InContext, period: str = "90", group: str = "region"
) -> Response:
    """The whole with intervals, groups side by side, and the causes."""
    words = staff_words(request, person, desk_zone(tx, person))
    chosen = period if period in _PERIODS else "90"
    told_apart = group if group in _GROUPS else "region"
    days = _PERIODS[chosen]
    since = None if days is None else tx.now - timedelta(days=days)
    scope = staff_scope(person)
    cases = read_cases(tx.conn, scope, since, None)
    whole = summarise(cases)
    tasks = tx.office.desk.levels.calls.opened(scope.org, since or datetime.min.replace(tzinfo=tx.now.tzinfo), tx.now)
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
        causes=_by_model(words, context.catalogue, cases),
        pareto=_pareto(words, context.catalogue, cases),
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


def _by_model(t: Words, catalogue: Catalogue, cases: list[CaseRow]) -> list[tuple[str, str, str, int, str]]:
    """Kind, model, cause, how often, and the share of all up to it."""
    return [
        (kind_title(t, catalogue, kind), model or "–", _cause(t, catalogue, kind, cause), n, t.percent(upto))
        for kind, model, cause, n, upto in causes(cases)
    ]


def _pareto(t: Words, catalogue: Catalogue, cases: list[CaseRow]) -> object | None:
    """Causes of all models together: what product engineers should look at first."""
    counted: dict[tuple[str, str], int] = {}
    for kind, _, cause, n, _ in causes(cases):
        counted[kind, cause] = counted.get((kind, cause), 0) + n
    whole, upto, rows = sum(counted.values()), 0, []
    for (kind, cause), n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_TOP]:
        upto += n
        said = t.plain("{n}, together {share}", n=n, share=t.percent(upto / whole))
        rows.append(Cause(_cause(t, catalogue, kind, cause), n, upto / whole, said))
    if not rows:
        return None
    return pareto("pc", t.plain("Confirmed causes"), t.plain("The most frequent first, with the share of all."), rows)


def _cells(t: Words, summary: Summary) -> list[tuple[str, str]]:
    return [share_words(t, share) for _, share in _shares(t, summary)]


def _cause(t: Words, catalogue: Catalogue, kind: str, cause: str) -> str:
    spec = catalogue.kinds.get(kind)
    fault = spec.faults.get(cause) if spec is not None else None
    return t.pick(fault.title) if fault is not None else cause.replace("_", " ")


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
