"""The dispatch list: tickets by what is due first."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import InContext, InTx
from api.i18n import Words, zone_of
from api.pages.case import load_case
from api.pages.shell import staff_page, staff_words
from api.pages.slips import slip_of, technicians_of
from storage.read_desk import board, count_states
from storage.read_people import staff_names

router = APIRouter(include_in_schema=False)
_VIEWS: dict[str, tuple[str, ...] | None] = {
    "open": ("detected", "open", "planned", "in_repair", "awaiting_quote", "awaiting_parts", "hold", "reopened"),
    "owner": ("open", "reopened"),
    "proving": ("done", "verified"),
    "closed": ("closed", "self_fixed", "false_alarm", "cancelled"),
    "all": None,
}


@router.get("/dispatch")
def dispatch(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: DeskPerson,
    tx: InTx,
    context: InContext,
    view: str = "open",
    severity: str = "",
    kind: str = "",
) -> Response:
    """Tickets by what is due first."""
    chosen = view if view in _VIEWS else "open"
    scope = staff_scope(person)
    level = int(severity) if severity in ("1", "2", "3", "4") else None
    rows = board(
        tx.conn,
        scope,
        states=list(states) if (states := _VIEWS[chosen]) is not None else None,
        severity=level,
        kind=kind if kind in context.catalogue else None,
    )
    zones = Counter(row.tz for row in rows)
    words = staff_words(request, person, zones.most_common(1)[0][0] if zones else "UTC")
    technicians, staff = technicians_of(tx, rows), staff_names(tx.conn)
    slips = []
    for row in rows:
        zoned = Words(words.lang, zone_of(row.tz))
        case = load_case(tx, context.catalogue, row, None, [], zoned)
        slips.append(slip_of(case, row, tx.now, technicians, staff))
    counts = count_states(tx.conn, scope)
    groups = {name: sum(counts.get(s, 0) for s in states or counts) for name, states in _VIEWS.items()}
    kinds = {name: words.pick(spec.title) for name, spec in context.catalogue.kinds.items()}
    return staff_page(
        request,
        context,
        person,
        "dispatch.html",
        words,
        slips=slips,
        first=slips[0] if slips and chosen in ("open", "owner") else None,
        view=chosen,
        severity=severity,
        kind=kind,
        groups=groups,
        kinds=kinds,
        now=tx.now,
        down=[each for each in tx.office.desk.levels.reach.outages() if each.warned is not None],
    )
