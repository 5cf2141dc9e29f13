"""Keeps a window for the owner who is about to take it, for ten minutes; everybody else sees it as taken."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.errors import WindowGoneError
from servicedesk.model import Hold
from servicedesk.office import Office
from servicedesk.planner import Offers
from servicedesk.planning import movable_to

HOLD = timedelta(minutes=10)
"""How long a window is kept."""


def hold_window(office: Office, visit_id: UUID, start: datetime, now: datetime, actor: str) -> Hold:
    """Keep another window of a visit instead of the one that was kept before; taking it ends the hold.

    Raises:
        IllegalMoveError: the visit can no longer move.
        WindowGoneError: the window is not, or no longer, feasible.
    """
    ticket, visit = office.case(visit_id)
    return hold_first(office, ticket.id, movable_to(office, ticket, visit, now, start=start), start, now, actor)


def hold_first(  # noqa: PLR0917  (all of them are the hold)
    office: Office, ticket_id: UUID, offers: Offers, start: datetime, now: datetime, actor: str
) -> Hold:
    """Keep the first of these offers at `start` that nobody else has taken in between.

    Raises:
        WindowGoneError: none of them is free any more.
    """
    for offer in offers.found:
        hold = Hold(
            id=office.new_id(),
            ticket=ticket_id,
            technician=offer.technician,
            start=offer.window.start,
            end=offer.window.end,
            made=now,
            until=now + HOLD,
            actor=actor,
        )
        try:
            office.desk.plans.hold(hold)
        except WindowGoneError:
            continue
        return hold
    raise WindowGoneError(f"no technician is free at {start.isoformat()}")
