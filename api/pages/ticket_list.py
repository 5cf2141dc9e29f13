"""The dispatch list: tickets by what is due first, narrowed by filters and a search, a page at a time."""

from __future__ import annotations

from collections import Counter
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import InContext, InTx
from api.i18n import Words, zone_of
from api.pages.case import load_case
from api.pages.shell import staff_page, staff_words
from api.pages.slips import slip_of, technicians_of
from storage.read_desk import count_states
from storage.read_list import Filter, list_areas, ticket_page
from storage.read_people import staff_names

router = APIRouter(include_in_schema=False)
PAGE = 50
_VIEWS: dict[str, tuple[str, ...] | None] = {
    "open": ("detected", "open", "planned", "in_repair", "awaiting_quote", "awaiting_parts", "hold", "reopened"),
    "owner": ("open", "reopened"),
    "waiting": ("awaiting_quote", "awaiting_parts", "hold"),
    "proving": ("done", "verified"),
    "closed": ("closed", "self_fixed", "false_alarm", "cancelled"),
    "all": None,
}
_SEVERITIES = ("1", "2", "3", "4")


@router.get("/dispatch")
def dispatch(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: DeskPerson,
    tx: InTx,
    context: InContext,
    view: str = "open",
    severity: str = "",
    kind: str = "",
    area: Annotated[str, Query(max_length=100)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Tickets by what is due first. A search looks through all of them, whatever is shown otherwise."""
    scope, sought = staff_scope(person), q.strip()
    chosen = view if view in _VIEWS else "open"
    if sought and "view" not in request.query_params:
        chosen = "all"
    wanted = Filter(
        states=_VIEWS[chosen],
        severity=int(severity) if severity in _SEVERITIES else None,
        kind=kind if kind in context.catalogue else None,
        area=area or None,
        sought=sought or None,
    )
    rows, whole = ticket_page(tx.conn, scope, wanted, limit=PAGE, offset=(page - 1) * PAGE)
    zones = Counter(row.tz for row in rows)
    words = staff_words(request, person, zones.most_common(1)[0][0] if zones else "UTC")
    technicians, staff = technicians_of(tx, rows), staff_names(tx.conn)
    slips = []
    for row in rows:
        case = load_case(tx, context.catalogue, row, None, [], Words(words.lang, zone_of(row.tz)))
        slips.append(slip_of(case, row, tx.now, technicians, staff))
    counts = count_states(tx.conn, scope)
    asked = {"view": chosen, "severity": severity, "kind": kind, "area": area, "q": sought}
    kept = {name: value for name, value in asked.items() if value}
    return staff_page(
        request,
        context,
        person,
        "dispatch.html",
        words,
        slips=slips,
        first=slips[0] if slips and chosen in ("open", "owner") and not sought and page == 1 else None,
        asked=asked,
        groups={name: sum(counts.get(s, 0) for s in states or counts) for name, states in _VIEWS.items()},
        kinds={name: words.pick(spec.title) for name, spec in context.catalogue.kinds.items()},
        areas=list_areas(tx.conn, scope),
        now=tx.now,
        whole=whole,
        begin=(page - 1) * PAGE + 1,
        back="?" + urlencode(kept | {"page": page - 1}) if page > 1 else None,
        on="?" + urlencode(kept | {"page": page + 1}) if page * PAGE < whole else None,
        down=[each for each in tx.office.desk.levels.reach.outages() if each.warned is not None],
    )
