"""The order of work: safety, then severity, and only among equals the household's tier; then who waits longest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from servicedesk.level_rows import CallTask
from servicedesk.model import Ticket
from servicedesk.office import Office
from servicedesk.policy import priority

STANDARD = "standard"
VIP = "vip"
_RANK: Mapping[str, int] = {VIP: 0}
_LAST = 1

Order = tuple[int, int, datetime, UUID]


def rank_of(tier: str) -> int:
    """Among cases of one severity, lower is earlier."""
    return _RANK.get(tier, _LAST)


def work_order(ticket: Ticket, tier: str) -> Order:
    """The key by which tickets are sorted: lower is earlier.

    A tier never lifts a case over another of a worse severity, nor over safety.
    """
    return (priority(ticket.severity, safety=ticket.safety), rank_of(tier), ticket.opened, ticket.id)


def tier_of(office: Office, ticket: Ticket) -> str:
    """The tier of a ticket's household."""
    return STANDARD if ticket.household is None else office.desk.levels.clocks.tier(ticket.household)


def in_order(office: Office, tasks: Sequence[CallTask]) -> list[tuple[CallTask, Ticket, str]]:
    """Call tasks with their tickets and tiers in the order of work; within a ticket by their due time."""
    known: dict[UUID, tuple[Ticket, str]] = {}
    for ticket in sorted({task.ticket for task in tasks}):
        found = office.desk.tickets.get(ticket)
        known[ticket] = (found, tier_of(office, found))
    rows = [(task, *known[task.ticket]) for task in tasks]
    return sorted(rows, key=lambda row: (*work_order(row[1], row[2]), row[0].due, row[0].id))
