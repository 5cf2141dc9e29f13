"""A quote that ran out, made anew at today's prices because the owner asks for it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from servicedesk.errors import IllegalMoveError
from servicedesk.money_rows import Quote
from servicedesk.office import Office
from servicedesk.quoting import OPEN, draft_quote, send_quote
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
    if quote.state is not QuoteState.EXPIRED or told_quotes(office, ticket.id)[-1].id != quote.id:
        raise IllegalMoveError("quote", quote.state, "renewed", ())
    made = draft_quote(office, ticket.id, now, actor, parts=quote.parts, reason=quote.reason)
    return send_quote(office, made.id, now, actor)


def told_quotes(office: Office, ticket: UUID) -> list[Quote]:
    """A ticket's quotes that its owner was told of, the oldest first; of one moment, the one that waits comes last."""
    told = [each for each in office.desk.quotes.of_ticket(ticket) if each.state is not QuoteState.DRAFT]
    return sorted(told, key=lambda each: (each.made, each.state in OPEN))
