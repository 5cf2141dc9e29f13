"""Fleet faults: what many appliances have at once, by what they share, against what chance would give."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import InContext, InTx
from api.i18n import Words
from api.pages.fleet_lines import shared_words
from api.pages.shell import staff_page, staff_words
from api.pages.wall import desk_zone
from servicedesk.fleet_faults import FaultGroup
from storage.desk_fleet import list_fleet_findings
from storage.read_faults import fault_groups
from telemetry.catalogue import Catalogue

router = APIRouter(include_in_schema=False)
_SHOWN = 60
_TIMES = 10.0


@router.get("/faults")
def faults(  # noqa: PLR0917  (named by FastAPI)
    request: Request, person: DeskPerson, tx: InTx, context: InContext, by: str = "", kind: str = ""
) -> Response:
    """Groups, those least likely by chance first."""
    words = staff_words(request, person, desk_zone(tx, person))
    found = fault_groups(tx.conn, staff_scope(person))
    rows = [each for each in found if by in ("", each.by) and kind in ("", each.kind)]
    return staff_page(
        request,
        context,
        person,
        "faults.html",
        words,
        rows=[(each, *_words(words, context.catalogue, each)) for each in rows[:_SHOWN]],
        whole=len(rows),
        out=[(each, *_words(words, context.catalogue, each)) for each in rows if each.stands_out][:1],
        together=[
            (
                each,
                family_title(words, context.catalogue, each.kind, each.family),
                kind_title(words, context.catalogue, each.kind),
                "" if each.shared is None else shared_words(words, each.shared),
            )
            for each in list_fleet_findings(tx.conn, staff_scope(person))
        ],
        by=by,
        kind=kind,
        kinds={each.kind: kind_title(words, context.catalogue, each.kind) for each in found},
    )


def kind_title(t: Words, catalogue: Catalogue, kind: str) -> str:
    """A kind's name."""
    spec = catalogue.kinds.get(kind)
    return t.pick(spec.title) if spec is not None else kind


def family_title(t: Words, catalogue: Catalogue, kind: str, family: str) -> str:
    """What a family is called: its most frequent fault."""
    spec = catalogue.kinds.get(kind)
    faults = spec.family_faults(family) if spec is not None else {}
    most = max(faults.values(), key=lambda each: each.prior, default=None)
    return t.pick(most.title) if most is not None else family.replace("_", " ")


def _words(t: Words, catalogue: Catalogue, row: FaultGroup) -> tuple[str, str, str, str]:
    """Family, kind, how many times as often, and the chance."""
    if row.devices == row.fleet:  # there is no rest to hold it against
        return family_title(t, catalogue, row.kind, row.family), kind_title(t, catalogue, row.kind), "–", "–"
    times = row.findings / row.expected if row.expected else _TIMES
    often = t.plain("{n} times", n=t.number(min(times, 99.0), 1))
    chance = t.plain("below {n}", n=t.percent(0.01)) if row.chance < 0.01 else t.percent(row.chance)  # noqa: PLR2004  (a percent)
    return family_title(t, catalogue, row.kind, row.family), kind_title(t, catalogue, row.kind), often, chance
