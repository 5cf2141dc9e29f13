"""Methods of board. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from client.core import Caller, segment
from client.types.board import AssignIn, AssignmentOut, BoardOut, Consent, LockIn
from client.types.shared import VisitOut


class BoardRoutes(Caller):
    """Methods of board."""

    def board(self, *, date: date | None = None, area: str | None = None) -> BoardOut:
        """One day: technicians with their visits, ways and conflicts, and the tray of what has no place."""
        return self.call("GET", "/v1/board", BoardOut, query={"date": date, "area": area})

    def assignment(
        self,
        ticket: UUID | str,
        *,
        technician: UUID | None = None,
        start: datetime | None = None,
        owner: Consent | None = None,
    ) -> AssignmentOut:
        """Who comes when; and, for a technician and a window, every rule that they would break. Nothing changes."""
        return self.call(
            "GET",
            f"/v1/tickets/{segment(ticket)}/assignment",
            AssignmentOut,
            query={"technician": technician, "start": start, "owner": owner},
        )

    def ticket_assign(self, ticket: UUID | str, body: AssignIn, *, key: str | None = None) -> AssignmentOut:
        """Give a ticket's visit a technician and a window. The owner is told ten seconds later, unless it is undone."""
        return self.call("POST", f"/v1/tickets/{segment(ticket)}/assignment", AssignmentOut, body=body, key=key)

    def visit_assign(self, visit: UUID | str, body: AssignIn, *, key: str | None = None) -> AssignmentOut:
        """Give a visit another technician or window. The owner is told ten seconds later, unless it is undone."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/assignment", AssignmentOut, body=body, key=key)

    def visit_lock(
        self, visit: UUID | str, body: LockIn, *, if_match: str | None = None, key: str | None = None
    ) -> VisitOut:
        """Say that a visit stays with its technician and window, or that it may move again."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/lock", VisitOut, body=body, if_match=if_match, key=key)

    def visit_undo(self, visit: UUID | str, *, key: str | None = None) -> AssignmentOut:
        """Take back the placing that made this visit, within ten seconds. Twice is the same as once."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/undo", AssignmentOut, key=key)
