"""What people of ours write for each other, and whose hands a case is in. Owners never see either."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from servicedesk.calling import acknowledge
from servicedesk.errors import DeskError, NeedsReasonError
from servicedesk.model import Ticket
from servicedesk.office import DISPATCH, SUPERVISOR, Office
from servicedesk.states import TICKET_ENDED

NOTE = "note"
"""Timeline: a person of ours wrote something for the others."""
HANDED = "handed_over"
"""Timeline: a case went from one hand to another."""
INTERNAL = frozenset({NOTE, HANDED})
"""Lines of a timeline that are the desk's own."""


class NotOursError(DeskError):
    """The case is a technician's, or over: dispatch does not hand it on."""


def note(office: Office, ticket_id: UUID, words: str, now: datetime, actor: str) -> Ticket:
    """Keep a note on a ticket. It tells nobody outside, and no clock takes it for an answer.

    Raises:
        NeedsReasonError: it says nothing.
        UnknownError: there is no such ticket.
    """
    if not words.strip():
        raise NeedsReasonError("a note says something")
    ticket = office.desk.tickets.get(ticket_id)
    office.log(ticket.id, now, NOTE, actor, words=words.strip())
    return ticket


def hand_over(office: Office, ticket_id: UUID, to: str, now: datetime, actor: str) -> Ticket:
    """Put a case into somebody's hands; action and due time stay. Who takes it themselves has taken it on.

    Args:
        office: see there.
        ticket_id: which.
        to: `dispatch`, `dispatch:<login>` or `supervisor`.
        now: when.
        actor: who hands it over.

    Raises:
        NotOursError: a technician is on the way, or the case is over.
        UnknownError: there is no such ticket.
    """
    ticket = office.desk.tickets.get(ticket_id)
    if to.partition(":")[0] not in (DISPATCH, SUPERVISOR):
        raise NotOursError(f"a case goes to dispatch or to a supervisor, not to {to!r}")
    if ticket.state in TICKET_ENDED or ticket.responsible.startswith("technician:"):
        raise NotOursError(f"{ticket.ref} is with {ticket.responsible} and {ticket.state}: there is nothing to hand on")
    if ticket.responsible != to:
        office.log(ticket.id, now, HANDED, actor, old=ticket.responsible, new=to)
        ticket = office.desk.tickets.save(replace(ticket, responsible=to))
    if to == actor:
        acknowledge(office, ticket.id, now, actor)
    return ticket
