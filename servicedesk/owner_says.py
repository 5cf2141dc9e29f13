"""What an owner can say with one tap: call me, it is unplugged, nothing is wrong; and the conversation on a case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from servicedesk.calls import open_call
from servicedesk.contact import ANSWER, MESSAGE
from servicedesk.level_rows import CallTask
from servicedesk.model import Ticket
from servicedesk.office import OWNER, Office
from servicedesk.states import TicketState
from servicedesk.visiting import move_ticket

CALL_ME = "call_me"
"""Timeline, and the reason of a call task: the owner asks for a call."""
UNPLUGGED = "unplugged"
"""Timeline: the owner has switched the appliance off."""
_WITHIN = timedelta(hours=1)


class Told(Protocol):
    """A line of a timeline, stored or shown."""

    @property
    def kind(self) -> str:
        """What it is."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...

    @property
    def body(self) -> dict[str, Any]:
        """Its particulars."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the conversation.

    Attributes:
        by: `owner` or `service`.
    """

    at: datetime
    by: str
    words: str
    channel: str = ""


def call_me(office: Office, ticket_id: UUID, now: datetime) -> CallTask | None:
    """The owner asks to be called: a person has an hour. None when a call is open already.

    Raises:
        UnknownError: there is no such ticket.
    """
    ticket = office.desk.tickets.get(ticket_id)
    task = open_call(office, ticket.id, CALL_ME, ticket.severity, now, within=_WITHIN)
    if task is not None:
        office.log(ticket.id, now, CALL_ME, OWNER)
    return task


def unplugged(office: Office, ticket_id: UUID, now: datetime) -> Ticket:
    """The owner says that the appliance is off; saying it twice is the same as once.

    Raises:
        UnknownError: there is no such ticket.
    """
    ticket = office.desk.tickets.get(ticket_id)
    if not is_unplugged(office.desk.tickets.timeline(ticket.id), ticket.episode):
        office.log(ticket.id, now, UNPLUGGED, OWNER, episode=ticket.episode)
    return ticket


def is_unplugged(lines: Iterable[Told], episode: int) -> bool:
    """Whether the owner said so in an episode of a ticket."""
    return any(each.kind == UNPLUGGED and each.body.get("episode") == episode for each in lines)


def not_a_problem(office: Office, ticket_id: UUID, reason: str, now: datetime) -> Ticket:
    """The owner says that nothing is wrong: the ticket ends as a false alarm with their words.

    Raises:
        IllegalMoveError: it is too late for that.
    """
    return move_ticket(office, ticket_id, TicketState.FALSE_ALARM, now, OWNER, reason=reason)


def conversation(lines: Iterable[Told]) -> list[Said]:
    """What owner and service wrote to each other, oldest first. Notes among people of ours are not in it."""
    return [
        Said(
            each.at,
            "owner" if each.kind == MESSAGE else "service",
            str(each.body.get("words", "")),
            str(each.body.get("channel", "")),
        )
        for each in lines
        if each.kind in (MESSAGE, ANSWER) and each.body.get("words")
    ]
