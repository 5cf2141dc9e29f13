"""How rows of the desk's tables become values: enumerations and tuples instead of text and lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from servicedesk.model import (
    Appliance,
    Notice,
    NoticeState,
    Outcome,
    OutcomeCode,
    Quote,
    Technician,
    Ticket,
    TicketEvent,
    Visit,
)
from servicedesk.states import QuoteState, TicketState, VisitState

TICKET_COLUMNS = (
    "id, org, device, family, severity, priority, state, responsible, next_action, opened, respond_due, ref, "
    "household, fault, finding, safety, reason, next_due, blocking, episode, callout_free, expected_cost, planned, "
    "done, verified, closed, version"
)
VISIT_COLUMNS = (
    'id, ticket, technician, skill, lower(span) as start, upper(span) as "end", state, hold_until, calendar, proposed, '
    "parts, reason, sequence, confirmed, arrived, finished, version"
)
NOTICE_COLUMNS = (
    "id, ticket, household, stage, lang, channel, subject, body, message_id, queued, not_before, state, occasion, "
    "address, link, safety, sent, delivered, bounced, opened"
)


def ticket_row(*, state: str, **columns: Any) -> Ticket:  # noqa: ANN401  (columns of one row)
    """A ticket."""
    return Ticket(state=TicketState(state), **columns)


def event_row(**columns: Any) -> TicketEvent:  # noqa: ANN401  (columns of one row)
    """A line of a timeline."""
    return TicketEvent(**columns)


def visit_row(*, state: str, parts: list[str], **columns: Any) -> Visit:  # noqa: ANN401  (columns of one row)
    """A visit."""
    return Visit(state=VisitState(state), parts=tuple(parts), **columns)


def outcome_row(*, code: str, parts: list[str], **columns: Any) -> Outcome:  # noqa: ANN401  (columns of one row)
    """An outcome."""
    return Outcome(code=OutcomeCode(code), parts=tuple(parts), **columns)


def notice_row(*, state: str, **columns: Any) -> Notice:  # noqa: ANN401  (columns of one row)
    """A notice."""
    return Notice(state=NoticeState(state), **columns)


def quote_row(*, state: str, lines: list[list[str]], **columns: Any) -> Quote:  # noqa: ANN401  (columns of one row)
    """A quote."""
    priced = tuple((str(text), Decimal(amount)) for text, amount in lines)
    return Quote(state=QuoteState(state), lines=priced, **columns)


def technician_row(*, skills: list[str], hours: list[list[int] | None], **columns: Any) -> Technician:  # noqa: ANN401  (columns of one row)
    """A technician."""
    days = tuple(None if day is None else (day[0], day[1]) for day in hours)
    return Technician(skills=tuple(skills), hours=days, **columns)


def appliance_row(**columns: Any) -> Appliance:  # noqa: ANN401  (columns of one row)
    """An appliance."""
    return Appliance(**columns)


def booking_row(technician: UUID, start: datetime, end: datetime) -> tuple[UUID, datetime, datetime]:
    """What occupies a technician."""
    return technician, start, end


def next_version(ticket: Ticket) -> Ticket:
    """The ticket as it stands after it was written."""
    return replace(ticket, version=ticket.version + 1)
