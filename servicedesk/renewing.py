"""A quote that ran out, made anew at today's prices because the owner asks for it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from servicedesk.errors import IllegalMoveError
from servicedesk.money_rows import Quote
from servicedesk.office import Office
from servicedesk.quoting import draft_quote, send_quote
from servicedesk.states import QuoteState


def renew_quote(office: Office, quote_id: UUID, now: datetime, actor: str) -> Quote:
    """Reckon an expired quote again, for the same parts, and put it to the owner.

    Raises:
        IllegalMoveError: it has not expired, a newer one is there, or the ticket does not wait for a price any more.
        UnknownError: there is no such quote, or the fault is not known.
    """
    desk = office.desk
    ticket = desk.tickets.get(desk.quotes.ticket_of(quote_id))
    quote = desk.quotes.get(quote_id)
    told = [each.id for each in desk.quotes.of_ticket(ticket.id) if each.state is not QuoteState.DRAFT]
    if quote.state is not QuoteState.EXPIRED or told[-1] != quote.id:
        raise IllegalMoveError("quote", quote.state, "renewed", ())
    made = draft_quote(office, ticket.id, now, actor, parts=quote.parts, reason=quote.reason)
    return send_quote(office, made.id, now, actor)
