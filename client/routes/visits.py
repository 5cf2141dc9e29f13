"""Methods of visits. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from client.core import Caller, Page, segment
from client.types.shared import HoldOut, MoveIn, OffersOut, VisitOut, WindowIn
from client.types.visits import (
    AccessIn,
    AccessOut,
    ArrivalOut,
    CancelIn,
    ChecklistOut,
    DelayIn,
    DelayOut,
    JourneyDayOut,
    OutcomeIn,
    PositionIn,
    PositionOut,
    TickIn,
)


class VisitsRoutes(Caller):
    """Methods of visits."""

    def technician_day(self, technician: str, day: date) -> JourneyDayOut:
        """A technician's visits of a day, in order. `me` is the technician of the token."""
        return self.call("GET", f"/v1/technicians/{segment(technician)}/days/{segment(day)}", JourneyDayOut)

    def visits(
        self,
        *,
        state: str | None = None,
        technician: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[VisitOut]:
        """Visits by the start of their window. A technician's token sees its own."""
        return self.call(
            "GET",
            "/v1/visits",
            Page[VisitOut],
            query={"state": state, "technician": technician, "cursor": cursor, "limit": limit},
        )

    def one_visit(self, visit: UUID | str) -> VisitOut:
        """One visit."""
        return self.call("GET", f"/v1/visits/{segment(visit)}", VisitOut)

    def visit_access(self, visit: UUID | str) -> AccessOut:
        """How to get in. Technicians read it on the day of the visit only."""
        return self.call("GET", f"/v1/visits/{segment(visit)}/access", AccessOut)

    def tell_visit_access(self, visit: UUID | str, body: AccessIn, *, key: str | None = None) -> AccessOut:
        """Say how to get in; it can be changed until the visit is over."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/access", AccessOut, body=body, key=key)

    def visit_arrival(self, visit: UUID | str) -> ArrivalOut:
        """About when somebody arrives and whether that is late; and until when the visit may be changed."""
        return self.call("GET", f"/v1/visits/{segment(visit)}/arrival", ArrivalOut)

    def visit_cancellation(
        self, visit: UUID | str, body: CancelIn, *, if_match: str | None = None, key: str | None = None
    ) -> VisitOut:
        """The owner calls a visit off before the cut-off; the case stays open."""
        return self.call(
            "POST", f"/v1/visits/{segment(visit)}/cancellation", VisitOut, body=body, if_match=if_match, key=key
        )

    def visit_checklist(self, visit: UUID | str) -> ChecklistOut:
        """What is to be done at the appliance, and what is done."""
        return self.call("GET", f"/v1/visits/{segment(visit)}/checklist", ChecklistOut)

    def tick_step(self, visit: UUID | str, body: TickIn, *, key: str | None = None) -> ChecklistOut:
        """Tick a step, or take the tick back; the last word counts."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/checklist", ChecklistOut, body=body, key=key)

    def visit_confirm(self, visit: UUID | str, *, if_match: str | None = None, key: str | None = None) -> VisitOut:
        """The owner's yes. Twice is the same as once."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/confirm", VisitOut, if_match=if_match, key=key)

    def tell_delay(self, visit: UUID | str, body: DelayIn, *, key: str | None = None) -> DelayOut:
        """The technician runs late: the household is told when to expect them."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/delay", DelayOut, body=body, key=key)

    def visit_hold(self, visit: UUID | str, body: WindowIn, *, key: str | None = None) -> HoldOut:
        """Keep a window for ten minutes while the owner decides; the one that was kept before is free again."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/holds", HoldOut, body=body, key=key)

    def visit_move(
        self, visit: UUID | str, body: MoveIn, *, if_match: str | None = None, key: str | None = None
    ) -> VisitOut:
        """The technician's way, the owner's no; an illegal move is a 409 that names the legal ones."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/moves", VisitOut, body=body, if_match=if_match, key=key)

    def visit_outcome(
        self, visit: UUID | str, body: OutcomeIn, *, if_match: str | None = None, key: str | None = None
    ) -> VisitOut:
        """What the technician found and did; the visit is done. Twice is the same as once."""
        return self.call(
            "POST", f"/v1/visits/{segment(visit)}/outcome", VisitOut, body=body, if_match=if_match, key=key
        )

    def read_position(self, visit: UUID | str) -> PositionOut:
        """Where the technician is; for the visit's household and its technician alone, and while travelling alone."""
        return self.call("GET", f"/v1/visits/{segment(visit)}/position", PositionOut)

    def tell_position(self, visit: UUID | str, body: PositionIn, *, key: str | None = None) -> PositionOut:
        """Where the technician is, about every half minute; a 409 when nobody travels to this visit."""
        return self.call("POST", f"/v1/visits/{segment(visit)}/position", PositionOut, body=body, key=key)

    def windows(self, visit: UUID | str) -> OffersOut:
        """Other windows with skill, working hours, part and remaining life all kept."""
        return self.call("GET", f"/v1/visits/{segment(visit)}/windows", OffersOut)

    def visit_window(
        self, visit: UUID | str, body: WindowIn, *, if_match: str | None = None, key: str | None = None
    ) -> VisitOut:
        """Take another window: the owner's own choice is confirmed at once. Answers with the new visit."""
        return self.call(
            "POST", f"/v1/visits/{segment(visit)}/windows", VisitOut, body=body, if_match=if_match, key=key
        )
