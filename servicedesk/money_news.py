"""What a line of the timeline means for prices and parts: the jobs that follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from servicedesk.model import Notice, TicketEvent
from servicedesk.states import VisitState

if TYPE_CHECKING:
    from servicedesk.office import Office

QUOTE_JOB = "quote"
"""The job that makes and sends the quote of a ticket whose visit was confirmed."""
RESTOCK_JOB = "restock"
"""The job that orders what a repair has left too little of."""
FOLLOW_JOB = "follow_quote"
"""The job that takes a quote as far as its notice has come."""
QUOTE_STAGE = "quote"
"""The notice that carries a quote."""


def heed(office: Office, event: TicketEvent) -> None:
    """Leave the job that a line of a ticket's timeline calls for."""
    lock = f"ticket:{event.ticket}"
    if event.kind == "visit" and event.body.get("new") == VisitState.CONFIRMED:
        office.desk.agenda.defer(QUOTE_JOB, lock=lock, once=f"quote:{event.ticket}", ticket=str(event.ticket))
    if event.kind == "outcome":
        office.desk.agenda.defer(RESTOCK_JOB, lock=lock, once=f"restock:{event.ticket}", ticket=str(event.ticket))


def told(office: Office, notice: Notice) -> None:
    """A notice has come further; the quote that it carries follows."""
    if notice.stage == QUOTE_STAGE:
        lock = f"ticket:{notice.ticket}"
        office.desk.agenda.defer(FOLLOW_JOB, lock=lock, once=f"follow:{notice.id}", ticket=str(notice.ticket))
