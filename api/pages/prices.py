"""Quotes and bills as owners' pages show them: lines in words, sums, and how far a quote has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency

from api.context import Tx
from api.i18n import Words
from api.pages.case import Case
from servicedesk.model import Notice, NoticeState
from servicedesk.money import Line, LineKind
from servicedesk.money_rows import Bill, Quote
from servicedesk.quoting import OPEN, follow_quote
from servicedesk.texts import LOCALE
from servicedesk.warranty import table

_MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a quote has come: a step with its time, or the words that it is not known.

    Attributes:
        tone: done, now or todo.
    """

    tone: str
    name: str
    at: str
    note: str = ""


def money(t: Words, amount: Decimal, currency: str) -> str:
    """A sum as it is written in a language."""
    return str(format_currency(amount, currency, locale=LOCALE[t.lang]))


def quote_values(tx: Tx, case: Case) -> dict[str, Any] | None:
    """The quote that waits for the owner's answer, in short, or None."""
    t, quotes = case.t, tx.office.desk.quotes.of_ticket(case.ticket.id)
    waiting = next((each for each in quotes if each.state in OPEN), None)
    if waiting is None:
        return None
    quote = follow_quote(tx.office, waiting.id, tx.now)
    return {
        "id": quote.id,
        "total": money(t, quote.total, quote.currency),
        "until": t.day(quote.valid_until),
        "reason": rule_words(t, quote.rule),
    }


def priced(case: Case, row: Quote | Bill) -> dict[str, Any]:
    """The lines of a quote or a bill with their sums."""
    t = case.t
    return {
        "lines": [(line_words(case, line), money(t, line.amount, row.currency)) for line in row.lines],
        "total": money(t, row.total, row.currency),
        "tax": money(t, row.tax, row.currency),
        "free": row.total == 0,
    }


def line_words(case: Case, line: Line) -> str:
    """What a line stands for."""
    t = case.t
    match line.kind:
        case LineKind.CALL_OUT:
            return t.plain("Call-out")
        case LineKind.LABOUR:
            return t.plain("Work, about {n} minutes", n=line.minutes)
        case LineKind.PART:
            return t.plain("Part: {title}", title=part_title(case, line.sku))
        case LineKind.WARRANTY:
            return t.plain("Paid by the warranty")
        case LineKind.PROMISE:
            return t.plain("Taken off, as agreed")


def part_title(case: Case, sku: str) -> str:
    """A part's name where the catalogue of the kind has one, else its number."""
    faults = case.kind.faults.values() if case.kind is not None else ()
    return next((case.t.pick(part.title) for fault in faults for part in fault.parts if part.sku == sku), sku)


def rule_words(t: Words, rule: str) -> str:
    """Why the warranty pays, or does not; empty for a rule that the table has no more."""
    return next((t.pick(each.reason) for each in table().rules if each.id == rule), "")


def receipt(t: Words, quote: Quote, notice: Notice | None) -> list[Mark]:
    """Sent, delivered, seen, answered: with the times that are known, and honest words where none is."""

    def mark(name: str, moment: datetime | None, note: str = "") -> Mark:
        return Mark("todo" if moment is None else "done", name, "" if moment is None else t.stamp(moment), note)

    sent = notice.sent if notice is not None else None
    marks = [
        mark(t.plain("Made"), quote.made),
        mark(t.plain("Sent"), sent, "" if sent else t.plain("Not yet handed over.")),
        mark(t.plain("Delivered"), *_delivered(t, notice)),
        mark(t.plain("Seen"), notice.opened if notice is not None else None),
        mark(t.plain("Answered"), quote.decided),
    ]
    first = next((i for i, each in enumerate(marks) if each.tone == "todo"), None)
    # What came later shows that the step before it has been taken, even where nobody noted when.
    last = max(i for i, each in enumerate(marks) if each.tone == "done")
    if first is None:
        return marks
    return [
        Mark("done", each.name, each.at, each.note or t.plain("The time is not known."))
        if i < last and not each.at
        else each
        for i, each in enumerate(marks)
    ]


def _delivered(t: Words, notice: Notice | None) -> tuple[datetime | None, str]:
    if notice is None:
        return None, ""
    if notice.state is NoticeState.BOUNCED:
        return None, t.plain("It came back: the address does not take messages.")
    if notice.delivered is None:
        return None, t.plain("Nothing is known yet. An undelivered quote never expires.")
    inferred = notice.channel == _MAIL and notice.opened is None
    return notice.delivered, t.plain("It did not come back within a day.") if inferred else ""
