"""Quotes: made, sent, decided. Expiry needs a delivered quote; an unanswered one never cancels anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from servicedesk.errors import NeedsReasonError
from servicedesk.model import Quote
from servicedesk.office import Office
from servicedesk.states import QUOTE, QuoteState, check_move

_DECISIONS = (QuoteState.APPROVED, QuoteState.DECLINED, QuoteState.EXPIRED)


def move_quote(
    office: Office, quote_id: UUID, new: QuoteState, now: datetime, actor: str, *, reason: str | None = None
) -> Quote:
    """Take a quote to its next state.

    Raises:
        IllegalMoveError: the table forbids it.
        NeedsReasonError: declined without a reason.
    """
    quote = office.desk.quotes.get(quote_id)
    check_move("quote", QUOTE, quote.state, new)
    if new is QuoteState.DECLINED and not reason:
        raise NeedsReasonError("a quote is declined with a reason only")
    office.log(quote.ticket, now, "quote", actor, quote=str(quote.id), old=str(quote.state), new=str(new))
    decided = now if new in _DECISIONS else quote.decided
    return office.desk.quotes.save(replace(quote, state=new, reason=reason, decided=decided))
