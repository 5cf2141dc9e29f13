"""Quotes, bills, parts, warranty and other ways of repair as the ticket's page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.context import Tx
from api.i18n import Words
from api.pages.case import Case
from api.pages.money_lines import quote_name, way_name
from api.pages.prices import money, part_title, priced
from servicedesk import warranty
from servicedesk.covering import verdict_on
from servicedesk.model import Ticket
from servicedesk.money_rows import CoverStep
from servicedesk.quoting import OPEN, band
from servicedesk.states import TICKET, QuoteState, TicketState
from servicedesk.warranty import Cover
from servicedesk.way_offers import way_offers
from servicedesk.ways import TAKES


@dataclass(frozen=True, slots=True)
class PartLine:
    """A part of the repair: where it is, and what is on its way."""

    sku: str
    title: str
    depot: int
    vans: int
    coming: str


def money_values(tx: Tx, case: Case, ticket: Ticket) -> dict[str, Any]:
    """What the folds about money say."""
    t, desk = case.t, tx.office.desk
    quotes = desk.quotes.of_ticket(ticket.id)
    told = band(tx.office, ticket, tx.now)
    sendable = TicketState.AWAITING_QUOTE in TICKET[ticket.state] and not any(q.state in OPEN for q in quotes)
    shown = [
        {
            "id": each.id,
            "state": quote_name(t, each.state),
            "total": money(t, each.total, each.currency),
            "tax": money(t, each.tax, each.currency),
            "until": t.day(each.valid_until),
            "lines": priced(case, each)["lines"],
            "reason": each.reason or "",
            "send": each.state is QuoteState.DRAFT and sendable,
        }
        for each in reversed(quotes)
    ]
    bills = [
        {
            "total": money(t, each.total, each.currency),
            "most": money(t, each.most, each.currency),
            "made": t.stamp(each.made),
            "lines": priced(case, each)["lines"],
        }
        for each in desk.money.bills.of_ticket(ticket.id)
    ]
    return {
        "told": None if told is None else f"{money(t, told.low, told.currency)}–{money(t, told.high, told.currency)}",
        "minutes": None if told is None else told.minutes,
        "quotes": shown,
        "may_quote": sendable and told is not None,
        "bills": bills,
        "parts": _parts(tx, case, ticket),
        "cover": _cover(tx, t, ticket),
        "ways": _ways(tx, t, ticket),
    }


def _parts(tx: Tx, case: Case, ticket: Ticket) -> list[PartLine]:
    desk, t = tx.office.desk, case.t
    skus = tuple(part.sku for part in case.fault.parts) if case.fault is not None else ()
    stock = desk.parts.stock(ticket.org, skus)
    vans = desk.parts.vans([each.id for each in desk.people.technicians(ticket.org)], skus)
    coming = {each.sku: each for each in reversed(desk.money.orders.open_of(ticket.org, skus))}
    return [
        PartLine(
            sku,
            part_title(case, sku),
            stock[sku].free if sku in stock else 0,
            sum(each.get(sku, 0) for each in vans.values()),
            t.plain("{n} on order, here by {day}", n=coming[sku].quantity, day=t.short_day(coming[sku].arrives))
            if sku in coming
            else "",
        )
        for sku in skus
    ]


def _cover(tx: Tx, t: Words, ticket: Ticket) -> dict[str, Any]:
    """The verdict with its rule and reason, the evidence, and what a person may decide."""
    covers, rules = tx.office.desk.money.covers, warranty.table()
    verdict = verdict_on(tx.office, ticket, tx.now)
    decisions = covers.of_ticket(ticket.id)
    recorded = covers.evidence(ticket.device)
    known = {each.code for each in recorded}
    denials = [each for each in rules.rules if each.result is Cover.DENIED and known.issuperset(each.evidence)]
    appealed = next((each for each in decisions if each.step is CoverStep.APPEALED), None)
    return {
        "result": cover_name(t, verdict.cover),
        "rule": verdict.rule,
        "reason": t.pick(verdict.reason),
        "share": verdict.share,
        "evidence": [(t.pick(rules.evidence[each.code]), each.note, t.stamp(each.at)) for each in recorded],
        "codes": [(code, t.pick(words)) for code, words in rules.evidence.items() if code not in known],
        "denials": [] if decisions else [(each.id, t.pick(each.reason)) for each in denials],
        "appeal": None
        if appealed is None
        else {"id": appealed.id, "words": appealed.words, "due": t.stamp(appealed.due) if appealed.due else ""},
    }


def cover_name(t: Words, cover: Cover) -> str:
    """What the warranty says, in a word."""
    return {
        Cover.COVERED: t.plain("covered"),
        Cover.SHARED: t.plain("shared"),
        Cover.EXPIRED: t.plain("over"),
        Cover.DENIED: t.plain("denied"),
        Cover.UNPROVEN: t.plain("not proven"),
    }[cover]


def _ways(tx: Tx, t: Words, ticket: Ticket) -> dict[str, Any]:
    """Ways that could be taken, and those that were."""
    taken = tx.office.desk.ways.of_ticket(ticket.id)
    names = {each.id: each.name for each in tx.office.desk.ways.of_org(ticket.org)}
    offers = way_offers(tx.office, ticket, tx.now, by_hand=True) if ticket.state in TAKES else ()
    return {
        "offers": [
            (each.way.id, each.way.name, kind_name(t, each.way.kind), t.short_day(each.begins), t.short_day(each.back))
            for each in offers
        ],
        "taken": [(names.get(each.way, ""), way_name(t, each.state), t.short_day(each.back)) for each in taken],
    }


def kind_name(t: Words, kind: str) -> str:
    """How another way of repair works."""
    return {
        "mail_in": t.plain("fetched and brought back"),
        "service_point": t.plain("the owner brings it"),
        "partner": t.plain("a partner comes"),
    }.get(kind, kind)


def photos_of(tx: Tx, ticket: UUID) -> list[UUID]:
    """A ticket's photos, oldest first."""
    return [each.id for each in tx.office.desk.care.help.photos(ticket)]
