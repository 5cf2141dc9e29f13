"""Methods of contact. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, segment
from client.types.contact import CallIn, MailIn, MailTakenOut, MessageIn, TalkOut, UnmatchedListOut
from client.types.shared import TicketDetailOut


class ContactRoutes(Caller):
    """Methods of contact."""

    def mail_taken(self, body: MailIn, *, key: str | None = None) -> MailTakenOut:
        """Take a mail that came in: an answer, an automatic one, or a bounce."""
        return self.call("POST", "/v1/mails", MailTakenOut, body=body, key=key)

    def unmatched_mails(self) -> UnmatchedListOut:
        """Mails that belong to no ticket we know, newest first: a person who sees the whole desk looks at them."""
        return self.call("GET", "/v1/mails/unmatched", UnmatchedListOut)

    def ticket_acknowledge(
        self, ticket: UUID | str, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """Take a case on: nobody further up the on-call roster is told. Twice is the same as once."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/acknowledgement", TicketDetailOut, if_match=if_match, key=key
        )

    def ticket_call_me(
        self, ticket: UUID | str, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """The owner asks for a call: a person has an hour. Twice is the same as once."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/call-me", TicketDetailOut, if_match=if_match, key=key)

    def ticket_call(
        self, ticket: UUID | str, body: CallIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """Note a call: one that reached the owner is human contact; a wrong number is taken away at once."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/calls", TicketDetailOut, body=body, if_match=if_match, key=key
        )

    def ticket_messages(self, ticket: UUID | str) -> TalkOut:
        """What owner and service wrote to each other, oldest first."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/messages", TalkOut)

    def ticket_message(
        self, ticket: UUID | str, body: MessageIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """An owner's message starts the clock of the first human response; a person's answer goes out and ends it."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/messages", TicketDetailOut, body=body, if_match=if_match, key=key
        )
