"""Two tickets of one appliance that are one trouble: the timeline of both goes on in the one that stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from servicedesk.errors import DeskError
from servicedesk.model import Ticket
from servicedesk.office import Office
from servicedesk.policy import priority
from servicedesk.states import TICKET_ENDED, TicketState
from servicedesk.visiting import move_ticket


class NotAlikeError(DeskError):
    """The two tickets cannot be one: another appliance, or one of them has ended."""


def merge(office: Office, ticket_id: UUID, into_id: UUID, now: datetime, actor: str) -> Ticket:
    """End a ticket as part of another one of the same appliance, which takes its timeline and the worse severity.

    The owner is not told: nothing changes for them but that there is one case instead of two.

    Returns:
        The ticket that stays.

    Raises:
        NotAlikeError: another appliance, the same ticket, or one of them has ended.
        IllegalMoveError: the ticket that goes is past its repair.
    """
    desk = office.desk
    held = {each: desk.tickets.get(each) for each in sorted({ticket_id, into_id})}
    if len(held) == 1:
        raise NotAlikeError("a ticket is not merged into itself")
    ticket, into = held[ticket_id], held[into_id]
    if ticket.device != into.device:
        raise NotAlikeError(f"{ticket.ref} and {into.ref} are of different appliances")
    if into.state in TICKET_ENDED or ticket.state in TICKET_ENDED:
        raise NotAlikeError(f"{into.ref if into.state in TICKET_ENDED else ticket.ref} has ended")
    lines = desk.tickets.timeline(ticket.id)
    move_ticket(office, ticket.id, TicketState.CANCELLED, now, actor, reason=f"merged into {into.ref}")
    for line in lines:
        # As they were: what they once set going is not set going again.
        desk.tickets.log(replace(line, ticket=into.id, body={**line.body, "from": ticket.ref}, id=0))
    office.log(into.id, now, "merged", actor, ref=ticket.ref)
    severity, safety = min(into.severity, ticket.severity), into.safety or ticket.safety
    if severity != into.severity:
        office.log(into.id, now, "severity", old=into.severity, new=severity)
    return desk.tickets.save(
        replace(
            desk.tickets.get(into.id),
            severity=severity,
            safety=safety,
            priority=priority(severity, safety=safety),
            respond_due=min(into.respond_due, ticket.respond_due),
        )
    )
