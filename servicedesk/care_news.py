"""What a line of the timeline means for self-help, surveys and the audit log: the jobs that follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from servicedesk import audit
from servicedesk.model import TicketEvent
from servicedesk.states import TicketState

if TYPE_CHECKING:
    from servicedesk.office import Office

OFFER_JOB = "offer_withdrawal"
"""The job that tells an owner that the readings have recovered."""
SURVEY_JOB = "survey"
"""The job that asks how it was."""


def heed(office: Office, event: TicketEvent) -> None:
    """Leave the job that a line of a ticket's timeline calls for."""
    lock = f"ticket:{event.ticket}"
    if event.kind == "recovered":
        office.desk.agenda.defer(OFFER_JOB, lock=lock, once=f"offer:{event.ticket}", ticket=str(event.ticket))
    if event.kind == "moved" and event.body.get("new") == TicketState.VERIFIED:
        office.desk.agenda.defer(SURVEY_JOB, lock=lock, once=f"survey:{event.ticket}", ticket=str(event.ticket))
    audit.heed(office.desk, event)
