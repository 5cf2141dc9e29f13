"""Methods of tickets. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, Page, segment
from client.types.shared import HoldOut, MoveIn, OffersOut, TicketDetailOut, WindowIn
from client.types.tickets import (
    ComplaintIn,
    HandsIn,
    MergeIn,
    NotAProblemIn,
    NoteIn,
    NotFixedIn,
    RepairReportOut,
    SuggestionsOut,
    TicketOut,
    WayIn,
    WayMoveIn,
    WaysOut,
)


class TicketsRoutes(Caller):
    """Methods of tickets."""

    def tickets(
        self,
        *,
        state: str | None = None,
        severity: int | None = None,
        kind: str | None = None,
        area: str | None = None,
        q: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[TicketOut]:
        """Tickets, newest first. Who may not read households' contacts does not find them by name or phone either."""
        return self.call(
            "GET",
            "/v1/tickets",
            Page[TicketOut],
            query={
                "state": state,
                "severity": severity,
                "kind": kind,
                "area": area,
                "q": q,
                "cursor": cursor,
                "limit": limit,
            },
        )

    def one_ticket(self, ticket: UUID | str) -> TicketDetailOut:
        """One ticket with visits, timeline, finding and the moves that are allowed now."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}", TicketDetailOut)

    def ticket_complaint(
        self, ticket: UUID | str, body: ComplaintIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """The owner is not content; where no visit is under way a person calls at once."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/complaints", TicketDetailOut, body=body, if_match=if_match, key=key
        )

    def ticket_hands(
        self, ticket: UUID | str, body: HandsIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """Put a case into somebody's hands; action and due time stay. A case on the road or over is a 409."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/hands", TicketDetailOut, body=body, if_match=if_match, key=key
        )

    def ticket_hold(self, ticket: UUID | str, body: WindowIn, *, key: str | None = None) -> HoldOut:
        """Keep a window for ten minutes; the one that was kept before is free again."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/holds", HoldOut, body=body, key=key)

    def ticket_note(
        self, ticket: UUID | str, body: NoteIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """Write for the other people of the desk. Owners never see it, and no clock takes it for an answer."""
        return self.call(
            "POST",
            f"/v1/tickets/{segment(ticket)}/internal-notes",
            TicketDetailOut,
            body=body,
            if_match=if_match,
            key=key,
        )

    def ticket_merge(
        self, ticket: UUID | str, body: MergeIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """End a ticket as part of another one of the same appliance. Answers with the one that stays."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/merge", TicketDetailOut, body=body, if_match=if_match, key=key
        )

    def ticket_move(
        self, ticket: UUID | str, body: MoveIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """Move a ticket by hand; an illegal move is a 409 that names the legal ones."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/moves", TicketDetailOut, body=body, if_match=if_match, key=key
        )

    def ticket_not_a_problem(
        self, ticket: UUID | str, body: NotAProblemIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """The owner says that nothing is wrong: the ticket ends as a false alarm with their words."""
        return self.call(
            "POST",
            f"/v1/tickets/{segment(ticket)}/not-a-problem",
            TicketDetailOut,
            body=body,
            if_match=if_match,
            key=key,
        )

    def ticket_not_fixed(
        self, ticket: UUID | str, body: NotFixedIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """The repair did not help: the case is taken up again within its guarantee, without a second call-out fee."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/not-fixed", TicketDetailOut, body=body, if_match=if_match, key=key
        )

    def ticket_report(self, ticket: UUID | str) -> RepairReportOut:
        """What was found and done, parts with their serial numbers, guarantee, bill, proof and rating."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/report", RepairReportOut)

    def suggestions(self, ticket: UUID | str) -> SuggestionsOut:
        """The three best technicians and windows for a ticket, each with its reasons. Nothing is held."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/suggestions", SuggestionsOut)

    def ticket_unplugged(
        self, ticket: UUID | str, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """The owner says that the appliance is off. Twice is the same as once."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/unplugged", TicketDetailOut, if_match=if_match, key=key
        )

    def ways(self, ticket: UUID | str) -> WaysOut:
        """What is offered instead of a visit, with dates, and what was taken."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/ways", WaysOut)

    def way_take(self, ticket: UUID | str, body: WayIn, *, key: str | None = None) -> WaysOut:
        """Have the appliance mended in another way; a visit that was planned is given up."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/ways", WaysOut, body=body, key=key)

    def way_move(self, ticket: UUID | str, body: WayMoveIn, *, key: str | None = None) -> WaysOut:
        """The next step of the repair that is under way elsewhere."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/ways/moves", WaysOut, body=body, key=key)

    def ticket_windows(self, ticket: UUID | str) -> OffersOut:
        """The windows that a case can have now, whether a visit is ahead or not."""
        return self.call("GET", f"/v1/tickets/{segment(ticket)}/windows", OffersOut)

    def ticket_window(
        self, ticket: UUID | str, body: WindowIn, *, if_match: str | None = None, key: str | None = None
    ) -> TicketDetailOut:
        """Take a window: the owner's own choice is confirmed at once, dispatch's is proposed."""
        return self.call(
            "POST", f"/v1/tickets/{segment(ticket)}/windows", TicketDetailOut, body=body, if_match=if_match, key=key
        )
