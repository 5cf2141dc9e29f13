"""A quote as owners' pages show it."""

from __future__ import annotations

from typing import Any

from babel.numbers import format_currency

from api.context import Tx
from api.pages.case import Case
from servicedesk.money import Line, LineKind
from servicedesk.quoting import OPEN, follow_quote
from servicedesk.texts import LOCALE
from servicedesk.warranty import table


def quote_values(tx: Tx, case: Case) -> dict[str, Any] | None:
    """The quote that waits for the owner's answer, in words, or None."""
    t, quotes = case.t, tx.office.desk.quotes.of_ticket(case.ticket.id)
    waiting = next((each for each in quotes if each.state in OPEN), None)
    if waiting is None:
        return None
    quote = follow_quote(tx.office, waiting.id, tx.now)
    reason = next((rule.reason for rule in table().rules if rule.id == quote.rule), None)

    def price(line: Line) -> str:
        return format_currency(line.amount, quote.currency, locale=LOCALE[t.lang])

    return {
        "id": quote.id,
        "total": format_currency(quote.total, quote.currency, locale=LOCALE[t.lang]),
        "tax": format_currency(quote.tax, quote.currency, locale=LOCALE[t.lang]),
        "until": t.day(quote.valid_until),
        "lines": [(_said(case, line), price(line)) for line in quote.lines],
        "reason": None if reason is None else t.pick(reason),
    }


def _said(case: Case, line: Line) -> str:
    t = case.t
    match line.kind:
        case LineKind.CALL_OUT:
            return t.plain("Call-out")
        case LineKind.LABOUR:
            return t.plain("Work, about {n} minutes", n=line.minutes)
        case LineKind.PART:
            parts = case.fault.parts if case.fault is not None else ()
            title = next((t.pick(part.title) for part in parts if part.sku == line.sku), line.sku)
            return t.plain("Part: {title}", title=title)
        case LineKind.WARRANTY:
            return t.plain("Paid by the warranty")
        case LineKind.PROMISE:
            return t.plain("Taken off, as agreed")
