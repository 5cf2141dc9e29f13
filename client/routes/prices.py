"""Methods of prices. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, Page, segment
from client.types.prices import DeclineIn, QuoteIn, ReceiptOut
from client.types.shared import BillOut, EstimateOut, QuoteOut


class PricesRoutes(Caller):
    """Methods of prices."""

    def quotes(
        self,
        *,
        state: str | None = None,
        ticket: UUID | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[QuoteOut]:
        """Quotes, newest first."""
        return self.call(
            "GET",
            "/v1/quotes",
            Page[QuoteOut],
            query={"state": state, "ticket": ticket, "cursor": cursor, "limit": limit},
        )

    def one_quote(self, quote: UUID | str) -> QuoteOut:
        """One quote with its lines and what the owner may answer."""
        return self.call("GET", f"/v1/quotes/{segment(quote)}", QuoteOut)

    def quote_approve(self, quote: UUID | str, *, if_match: str | None = None, key: str | None = None) -> QuoteOut:
        """The owner agrees; nothing above it is charged. Twice is the same as once."""
        return self.call("POST", f"/v1/quotes/{segment(quote)}/approve", QuoteOut, if_match=if_match, key=key)

    def quote_decline(
        self, quote: UUID | str, body: DeclineIn, *, if_match: str | None = None, key: str | None = None
    ) -> QuoteOut:
        """The owner does not agree; the visit to come is cancelled and a person calls."""
        return self.call(
            "POST", f"/v1/quotes/{segment(quote)}/decline", QuoteOut, body=body, if_match=if_match, key=key
        )

    def quote_receipt(self, quote: UUID | str) -> ReceiptOut:
        """How far a quote got on its way to the owner."""
        return self.call("GET", f"/v1/quotes/{segment(quote)}/receipt", ReceiptOut)

    def quote_renewal(self, quote: UUID | str, *, key: str | None = None) -> QuoteOut:
        """Make an expired quote anew, at today's prices. Answers with the new one."""
        return self.call("POST", f"/v1/quotes/{segment(quote)}/renewal", QuoteOut, key=key)

    def bills(self, ticket: UUID | str) -> list[BillOut]:
        """What was charged for a ticket's repairs."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/bills", list[BillOut])

    def estimate(self, ticket: UUID | str) -> EstimateOut:
        """What the repair will cost, from and to, how long it takes, and what the warranty pays."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/estimate", EstimateOut)

    def make_quote(self, ticket: UUID | str, body: QuoteIn, *, key: str | None = None) -> QuoteOut:
        """Reckon a quote line by line and put it to the owner; the ticket waits for the answer."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/quotes", QuoteOut, body=body, key=key)
