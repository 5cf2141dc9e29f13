"""How rows of the desk's tables become values: enumerations and tuples instead of text and lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from servicedesk.model import (
    Appliance,
    Booking,
    Certificate,
    Notice,
    NoticeState,
    Outcome,
    OutcomeCode,
    Technician,
    Ticket,
    TicketEvent,
    Visit,
    Window,
)
from servicedesk.states import TicketState, VisitState
from servicedesk.travel import Place

TICKET_COLUMNS = (
    "id, org, device, family, severity, priority, state, responsible, next_action, opened, respond_due, ref, "
    "household, fault, finding, safety, reason, next_due, blocking, episode, callout_free, expected_cost, planned, "
    "done, verified, closed, version"
)
VISIT_COLUMNS = (
    'id, ticket, technician, skill, lower(span) as start, upper(span) as "end", state, hold_until, calendar, proposed, '
    "parts, minutes, reason, sequence, confirmed, arrived, finished, locked, version"
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


def technician_row(
    *,
    skills: list[str],
    hours: list[list[int] | None],
    breaks: list[list[int] | None],
    certificates: list[list[str | None]],
    **columns: Any,  # noqa: ANN401  (columns of one row)
) -> Technician:
    """A technician."""
    days = tuple(None if day is None else (day[0], day[1]) for day in hours)
    rests = tuple(None if day is None else (day[0], day[1], day[2]) for day in breaks)
    records = tuple(
        Certificate(skill=skill or "", valid_until=_date(until), trained=_date(trained), course=course or "")
        for skill, until, trained, course in certificates
    )
    return Technician(skills=tuple(skills), hours=days, breaks=rests, certificates=records, **columns)


def appliance_row(**columns: Any) -> Appliance:  # noqa: ANN401  (columns of one row)
    """An appliance."""
    return Appliance(**columns)


def booking_row(  # noqa: PLR0917  (columns of one row)
    technician: UUID,
    start: datetime,
    end: datetime,
    ticket: UUID | None,
    minutes: int,
    movable: bool,  # noqa: FBT001  (likewise)
    latitude: float | None,
    longitude: float | None,
) -> tuple[UUID, Booking]:
    """What occupies a technician."""
    place = None if latitude is None or longitude is None else Place(latitude, longitude)
    window = Window(start, end)
    return technician, Booking(window=window, ticket=ticket, place=place, minutes=minutes, movable=movable)


def van_row(technician: UUID, sku: str, free: int) -> tuple[UUID, str, int]:
    """Free pieces in a van."""
    return technician, sku, free


def next_version(ticket: Ticket) -> Ticket:
    """The ticket as it stands after it was written."""
    return replace(ticket, version=ticket.version + 1)


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
