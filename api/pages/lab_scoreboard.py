"""The scoreboard: precision with its interval, lead time, false findings per device-year, missed faults, shadows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from api.auth import LabPerson, staff_scope
from api.context import InContext, InTx
from api.i18n import Words
from api.lab_scoreboard import Shadow, Standing, read_shadows, read_standings
from api.pages.lab_words import family_title, kind_title, tabs
from api.pages.shell import staff_page, staff_words
from servicedesk.rates import Rate
from servicedesk.trust import DEFAULT_TRUST
from storage.read_models import EVERYTHING

router = APIRouter(include_in_schema=False)
_STANDINGS = ("", "trusted", "suggests")


@dataclass(frozen=True, slots=True)
class Row:
    """A standing with its words and pictures."""

    standing: Standing
    kind: str
    family: str
    dots: Markup
    precision: str
    lead: str
    in_time: str
    false: str


@router.get("/lab/scoreboard")
def scoreboard(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    person: LabPerson,
    tx: InTx,
    context: InContext,
    kind: Annotated[str, Query(max_length=64)] = "",
    standing: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """Every detector that has a verdict, and those tried in the shadow."""
    t, scope = staff_words(request, person), staff_scope(person)
    every = read_standings(tx.conn, scope)
    wanted = standing if standing in _STANDINGS else ""
    shown = [
        each
        for each in every
        if (not kind or each.score.kind == kind)
        and (not wanted or each.plain["suggest_only"] == (wanted == "suggests"))
    ]
    rows = [
        Row(
            each,
            kind_title(t, context.catalogue, each.score.kind),
            family_title(t, context.catalogue.kinds.get(each.score.kind), each.score.family),
            dots(each.plain["precision"], each.plain["low"], each.plain["high"]),
            t.plain(
                "{mean} ({low}–{high})",
                mean=t.percent(each.plain["precision"]),
                low=t.percent(each.plain["low"]),
                high=t.percent(each.plain["high"]),
            ),
            "–" if each.early is None else t.plain("{n} d", n=t.number(each.early.days, 1)),
            "–" if each.early is None else t.plain("{n} of {all}", n=each.early.in_time, all=each.early.told),
            rate_words(t, each.false),
        )
        for each in shown
    ]
    kinds = sorted({each.score.kind for each in every})
    # Shadows observe the whole fleet: who sees a part of it sees none of them.
    shadows: list[Shadow] = read_shadows(tx.conn) if scope == EVERYTHING else []
    return staff_page(
        request,
        context,
        person,
        "lab_scoreboard.html",
        t,
        tabs=tabs(t),
        rows=rows,
        kinds=[(name, kind_title(t, context.catalogue, name)) for name in kinds],
        kind=kind,
        standing=wanted,
        trusted=sum(not each.plain["suggest_only"] for each in every),
        suggests=sum(bool(each.plain["suggest_only"]) for each in every),
        everything=len(every),
        least=t.percent(DEFAULT_TRUST.bar),
        level=t.percent(DEFAULT_TRUST.level),
        window=DEFAULT_TRUST.window,
        shadows=shadows,
    )


def rate_words(t: Words, rate: Rate | None) -> str:
    """A rate with its interval."""
    if rate is None:
        return "–"
    low, high = t.number(rate.low, 2), t.number(rate.high, 2)
    return t.plain("{rate} ({low}–{high})", rate=t.number(rate.rate, 2), low=low, high=high)


def dots(mean: float, low: float, high: float) -> Markup:
    """A precision with its interval on a line from 0 to 1, and the bar below which a detector only suggests."""
    width = 160
    bar = DEFAULT_TRUST.bar * width
    parts = (
        f'<svg class="chart dotplot" viewBox="0 0 {width} 16" aria-hidden="true">',
        f'<path class="c-grid" d="M0 8H{width}"/><path class="c-bar-line" d="M{bar:.1f} 0V16"/>',
        f'<path class="c-interval" d="M{low * width:.1f} 8H{high * width:.1f}"/>',
        f'<circle class="c-mean" cx="{mean * width:.1f}" cy="8" r="4"/></svg>',
    )
    return Markup("".join(parts))  # noqa: S704  (numbers alone)
