"""Methods of plans. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, segment
from client.types.plans import AcceptIn, PlanIn, PlanOut


class PlansRoutes(Caller):
    """Methods of plans."""

    def make_plan(self, body: PlanIn, *, key: str | None = None) -> PlanOut:
        """Plan all visits that wait or are only proposed, around what is confirmed; nothing changes before a yes."""
        return self.call("POST", "/v1/plans", PlanOut, body=body, key=key)

    def one_plan(self, plan: UUID | str) -> PlanOut:
        """A plan: before and after for each ticket."""
        return self.call("GET", f"/v1/plans/{segment(plan)}", PlanOut)

    def plan_accept(
        self, plan: UUID | str, body: AcceptIn, *, if_match: str | None = None, key: str | None = None
    ) -> PlanOut:
        """Propose the windows of several lines to their owners: all or none.

        Lines that swap windows belong together.
        """
        return self.call("POST", f"/v1/plans/{segment(plan)}/accept", PlanOut, body=body, if_match=if_match, key=key)

    def line_accept(
        self, plan: UUID | str, line: int, *, if_match: str | None = None, key: str | None = None
    ) -> PlanOut:
        """Propose the window of one line to its owner. Twice is the same as once."""
        return self.call(
            "POST", f"/v1/plans/{segment(plan)}/lines/{segment(line)}/accept", PlanOut, if_match=if_match, key=key
        )

    def line_refuse(
        self, plan: UUID | str, line: int, *, if_match: str | None = None, key: str | None = None
    ) -> PlanOut:
        """Leave a line's ticket as it is; it may still be accepted later."""
        return self.call(
            "POST", f"/v1/plans/{segment(plan)}/lines/{segment(line)}/refuse", PlanOut, if_match=if_match, key=key
        )
