"""The rules that decide, as tables that people read: promises, warranty, prices, tiers, trust in detectors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request, Response

from api.auth import DeskPerson, staff_scope
from api.context import Context, InContext, InTx, Tx
from api.i18n import Words
from api.pages.clocks import pause_name
from api.pages.faults import family_title, kind_title
from api.pages.prices import money
from api.pages.shell import staff_page, staff_words
from api.pages.ticket_money import cover_name
from api.pages.wall import desk_zone
from servicedesk import warranty
from servicedesk.level_policies import FILE, Levels
from servicedesk.money import price_list
from servicedesk.policy import DEFAULT
from servicedesk.trust import DEFAULT_TRUST
from storage.access import StaffRow
from storage.read_people import tier_counts
from storage.read_truth import scores

router = APIRouter(include_in_schema=False)
_SEVERITIES = (1, 2, 3, 4)


@router.get("/rules")
def rules(request: Request, person: DeskPerson, tx: InTx, context: InContext) -> Response:
    """Every rule with where it comes from; files are changed where the product is run, not here."""
    words = staff_words(request, person, desk_zone(tx, person))
    return staff_page(
        request,
        context,
        person,
        "rules.html",
        words,
        promises=_promises(words, tx.office.levels),
        levels_file=(context.settings.levels or FILE).name,
        calls=_calls(words, tx.office.levels),
        ladder=_ladder(words, tx.office.levels),
        warranty=_warranty(words),
        prices=_prices(words),
        tiers=tier_counts(tx.conn, staff_scope(person)),
        planning=_planning(words),
        trust=_trust(tx, context, words, person),
        below=(words.percent(DEFAULT_TRUST.bar), DEFAULT_TRUST.least, DEFAULT_TRUST.window),
        severities=_SEVERITIES,
    )


def _promises(t: Words, levels: Levels) -> list[dict[str, Any]]:
    """A row a policy: its limits by severity, the hours it counts in, what stops it, and what follows."""
    return [
        {
            "title": t.pick(each.title),
            "name": each.name,
            "targets": ["–" if n not in each.targets else t.span(each.targets[n]) for n in _SEVERITIES],
            "hours": t.pick(each.calendar.title),
            "pauses": ", ".join(pause_name(t, reason) for reason in sorted(each.pauses)) or "–",
            "tiers": ", ".join(sorted(each.tiers)),
            "warned": t.percent(each.predict),
            "then": [
                *([t.plain("the owner is told")] if each.tell else []),
                *([t.plain("goes to a supervisor")] if each.escalate else []),
                *([f"{each.amount} {each.currency}"] if each.amount is not None else []),
            ],
        }
        for each in levels.policies.values()
    ]


def _calls(t: Words, levels: Levels) -> list[tuple[str, str]]:
    severities = ", ".join(map(str, sorted(levels.oncall_severities)))
    return [
        (t.plain("A call after severity 1 or a complaint"), t.span(levels.call_due)),
        (t.plain("Every other call"), t.span(levels.call_later)),
        (t.plain("The next step of the roster, for severity {levels}", levels=severities), t.span(levels.oncall_after)),
        (t.plain("A channel that fails is told to dispatch"), t.span(levels.warn_after)),
    ]


def _ladder(t: Words, levels: Levels) -> list[tuple[str, str, str]]:
    stages = {
        "default": t.plain("Every message"),
        "safety": t.plain("Stop using it"),
        "quote": t.plain("Quotes"),
        "answer": t.plain("Our answers"),
    }
    ends = {"sent": t.plain("a channel took it"), "opened": t.plain("the owner opened it")}
    return [(stages.get(name, name), t.span(each.after), ends[each.until]) for name, each in levels.rungs.items()]


def _warranty(t: Words) -> list[tuple[str, str, str, str, str]]:
    """Rules in their order: id, conditions, result, share, reason."""
    table = warranty.table()
    terms = {
        "in": t.plain("within the warranty"),
        "over": t.plain("after it"),
        "unknown": t.plain("its end is not known"),
    }
    rows = []
    for rule in table.rules:
        wanted = [terms[rule.term]] if rule.term else []
        if rule.sold_within is not None:
            wanted.append(t.plain("sold within {n} days", n=rule.sold_within))
        if rule.over_within is not None:
            wanted.append(t.plain("over for {n} days at most", n=rule.over_within))
        wanted += [each.replace("_", " ") for each in rule.components]
        wanted += [t.pick(table.evidence[each]) for each in rule.evidence]
        rows.append(
            (rule.id, "; ".join(wanted) or "–", cover_name(t, rule.result), t.percent(rule.share), t.pick(rule.reason))
        )
    return rows


def _prices(t: Words) -> list[tuple[str, str]]:
    prices = price_list()
    rows = [
        (t.plain("Call-out"), money(t, prices.call_out, prices.currency)),
        (t.plain("A minute of work"), money(t, prices.minute, prices.currency)),
        (t.plain("Tax contained"), t.percent(float(prices.tax))),
        (t.plain("A quote stands for"), t.plain("{days} d", days=prices.valid_days)),
        (t.plain("Quoted before work from"), money(t, Decimal(prices.quote_from), prices.currency)),
    ]
    return [*rows, *((t.plain("Factor for model {model}", model=model), str(n)) for model, n in prices.factor.items())]


def _planning(t: Words) -> list[tuple[str, str]]:
    return [
        (t.plain("A visit begins, after its notice can be read, at the earliest in"), t.span(DEFAULT.lead)),
        (t.plain("The same when it is urgent"), t.span(DEFAULT.lead_urgent)),
        (t.plain("Planned ahead at most"), t.span(DEFAULT.horizon)),
        (t.plain("The owner's time to answer ends before the window by"), t.span(DEFAULT.hold_before)),
        (t.plain("A recurrence reopens the ticket within"), t.span(DEFAULT.reopen_within)),
        (t.plain("A verified ticket closes after"), t.span(DEFAULT.close_after)),
    ]


def _trust(tx: Tx, context: Context, t: Words, person: StaffRow) -> list[dict[str, Any]]:
    """What outcomes said of each detector; those below the bar first."""
    rows = []
    for each in scores(tx.conn, staff_scope(person), window=DEFAULT_TRUST.window):
        plain = each.plain()
        rows.append(
            {
                "detector": each.detector.replace("_", " "),
                "kind": kind_title(t, context.catalogue, each.kind),
                "model": each.model or "–",
                "family": family_title(t, context.catalogue, each.kind, each.family),
                "precision": t.percent(plain["precision"]),
                "range": f"{t.percent(plain['low'])}–{t.percent(plain['high'])}",
                "right": each.right,
                "wrong": each.wrong,
                "missed": each.missed,
                "suggest": plain["suggest_only"],
                "waiting": each.suggestions,
            }
        )
    return sorted(rows, key=lambda row: not row["suggest"])
