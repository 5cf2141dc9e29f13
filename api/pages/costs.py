"""What the owner would pay, as it would be quoted: the same warranty rules and prices, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from babel.numbers import format_currency

from api.context import Tx
from api.i18n import Words
from servicedesk.covering import verdict_on
from servicedesk.quoting import band
from servicedesk.texts import LOCALE
from servicedesk.warranty import Cover


@dataclass(frozen=True, slots=True)
class Cost:
    """What the owner pays: nothing, or a band that a quote makes exact.

    Attributes:
        free: nothing at all.
        reason: `warranty`, `shared` (the maker pays a part), `again` (no second call-out fee), or empty.
        rule: what the warranty says, in a sentence.
        until: last day of the warranty, where it is known.
        ended: whether that day is over.
        band: from and to; empty where the fault is not known yet.
    """

    free: bool
    reason: str
    rule: str
    until: str
    ended: bool
    band: str


def cost_of(tx: Tx, ticket: UUID, t: Words, until: date | None) -> Cost:
    """Ask the desk what a ticket's repair costs its owner now."""
    row = tx.office.desk.tickets.get(ticket)
    verdict, told = verdict_on(tx.office, row, tx.now), band(tx.office, row, tx.now)
    free = verdict.share == 1 if told is None else told.high == 0
    shared = "shared" if verdict.cover is Cover.SHARED else ""
    reason = "warranty" if verdict.share == 1 else shared or ("again" if row.callout_free else "")
    said = "" if told is None else _band(t, told.low, told.high, told.currency)
    ended = until is not None and t.local(tx.now).date() > until
    return Cost(free, reason, t.pick(verdict.reason), t.year_day(until) if until else "", ended, said)


def _band(t: Words, low: Decimal, high: Decimal, currency: str) -> str:
    """`¥180–420`: one sign, no cents where there are none."""
    whole = low == low.to_integral_value() and high == high.to_integral_value()
    pattern = "¤#,##0" if whole else "¤#,##0.00"
    start = format_currency(low, currency, pattern, locale=LOCALE[t.lang], currency_digits=False)
    # In English the yen has the sign alone; here there is but one that it can be.
    start = start.removeprefix("CN") if currency == "CNY" else start
    end = t.number(float(high), 0 if whole else 2)
    return start if low == high else f"{start}–{end}"
