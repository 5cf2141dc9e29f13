"""Rows of a plan that dispatch accepts line by line. Column names of the database are the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from servicedesk.model import Window


class LineState(StrEnum):
    """What became of a line."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """What a plan says of one ticket: the window it has and the one it would get.

    Attributes:
        version: of the ticket when the plan was made.
        visit: the proposed visit that it has, if any.
        blocking: the constraint that leaves it without a window.
    """

    plan: UUID
    no: int
    ticket: UUID
    version: int
    visit: UUID | None = None
    before_technician: UUID | None = None
    before: Window | None = None
    after_technician: UUID | None = None
    after: Window | None = None
    blocking: str | None = None
    state: LineState = LineState.OPEN
    decided: datetime | None = None
    actor: str | None = None

    @property
    def same(self) -> bool:
        """Whether the plan leaves it as it is."""
        return (self.before, self.before_technician) == (self.after, self.after_technician)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPlan:
    """A plan of an organisation's visits; travel in seconds, over all visits of the span."""

    id: UUID
    org: str
    made: datetime
    actor: str
    first: datetime
    until: datetime
    served: int
    of: int
    travel_before: int
    travel_after: int
