"""Tickets, visits, notices and their people as they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from storage.pool import Connection
from storage.read_models import TICKET_SCOPE, Cursor, Scope

TICKET_VIEW = """
select t.id, t.ref, t.org, d.device, d.kind, d.room, d.model, d.serial, d.warranty_until, d.lang as device_lang,
       d.lot,
       firmware_at(d.no, coalesce((select r.onset from finding_revision r where r.finding = t.finding
                                   order by r.revision desc limit 1), t.opened)) as firmware,
       t.household, coalesce(h.name, '') as household_name, coalesce(h.lang, d.lang) as lang,
       coalesce(h.tz, 'UTC') as tz,
       coalesce(h.address, '') as address, coalesce(h.area, '') as area,
       t.family, t.fault, t.finding, t.severity, t.safety, t.priority, t.state, t.reason, t.responsible, t.next_action,
       t.next_due, t.blocking, t.episode, t.callout_free, t.opened, t.respond_due,
       t.planned, t.done, t.verified, t.closed,
       t.version, v.id as visit, v.state as visit_state, lower(v.span) as visit_start, upper(v.span) as visit_end,
       tech.name as technician
from ticket t
join device d on d.no = t.device
left join household h on h.id = t.household
left join lateral (
    select * from visit v where v.ticket = t.id
    order by (v.state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site')) desc,
             (v.state = 'done') desc,
             v.proposed desc
    limit 1
) v on true
left join technician tech on tech.id = v.technician
"""
_TICKETS = (
    TICKET_VIEW
    + TICKET_SCOPE
    + """
  and (%(states)s::text[] is null or t.state = any(%(states)s))
  and (%(after_at)s::timestamptz is null or (t.opened, t.id) < (%(after_at)s, %(after_id)s::uuid))
order by t.opened desc, t.id desc
limit %(limit)s
"""
)
_ONE_TICKET = TICKET_VIEW + TICKET_SCOPE + " and t.id = %(ticket)s"
_BY_REF = TICKET_VIEW + TICKET_SCOPE + " and t.ref = %(ref)s"
_COUNTS = "select t.state, count(*) from ticket t " + TICKET_SCOPE + " group by t.state"  # noqa: S608  (constants of this module)
_TIMELINE = "select id, ticket, at, kind, actor, body from ticket_event where ticket = %s order by id"

_VISIT = """
select v.id, v.ticket, t.ref, t.org, d.device, d.kind, t.household, t.family, t.fault, v.technician,
       tech.name as technician_name, tech.phone as technician_phone, v.skill, v.parts, lower(v.span) as start,
       upper(v.span) as "end", v.state, v.reason, v.hold_until, v.calendar, v.sequence, v.proposed, v.confirmed,
       v.arrived,
       v.finished, v.locked, v.version, o.code as outcome, o.cause, coalesce(o.note, '') as note,
       (select min(n.not_before) from notice n where n.ticket = v.ticket and n.queued >= v.proposed) as readable
from visit v
join ticket t on t.id = v.ticket
join device d on d.no = t.device
join technician tech on tech.id = v.technician
left join outcome o on o.visit = v.id
"""
_VISITS = (
    _VISIT
    + TICKET_SCOPE
    + """
  and (%(states)s::text[] is null or v.state = any(%(states)s))
  and (%(technician)s::text is null or tech.name = %(technician)s or v.technician::text = %(technician)s)
  and (%(after_at)s::timestamptz is null or (lower(v.span), v.id) > (%(after_at)s, %(after_id)s::uuid))
order by lower(v.span), v.id
limit %(limit)s
"""
)
_ONE_VISIT = _VISIT + TICKET_SCOPE + " and v.id = %(visit)s"
_TICKET_VISITS = _VISIT + TICKET_SCOPE + " and v.ticket = %(ticket)s order by v.proposed, v.id"

_NOTICE = """
select n.id, n.ticket, t.ref, t.org, n.household, n.stage, n.lang, n.channel, n.address, n.subject, n.body, n.link,
       n.safety,
       n.state, n.queued, n.not_before, n.sent, n.delivered, n.bounced, n.opened,
       coalesce(h.name, '') as household_name,
       coalesce(h.tz, 'UTC') as tz
from notice n
join ticket t on t.id = n.ticket
left join household h on h.id = n.household
"""
_NOTICES = (
    _NOTICE
    + TICKET_SCOPE
    + """
  and (%(of_household)s::uuid is null or n.household = %(of_household)s)
  and (%(sent_only)s = false or n.sent is not null)
  and (%(after_at)s::timestamptz is null or (n.queued, n.id) < (%(after_at)s, %(after_id)s::uuid))
order by n.queued desc, n.id desc
limit %(limit)s
"""
)
_ONE_NOTICE = _NOTICE + TICKET_SCOPE + " and n.id = %(notice)s"


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket with its appliance, household and the visit that matters: a live one, else a done one, else the last.

    Attributes:
        lot: in which the appliance was made.
        firmware: that it ran when the trouble began.
    """

    id: UUID
    ref: str
    org: str
    device: str
    kind: str
    room: str | None
    model: str | None
    serial: str | None
    warranty_until: date | None
    device_lang: str
    lot: str | None
    firmware: str | None
    household: UUID | None
    household_name: str
    lang: str
    tz: str
    address: str
    area: str
    family: str
    fault: str | None
    finding: UUID | None
    severity: int
    safety: bool
    priority: int
    state: str
    reason: str | None
    responsible: str
    next_action: str
    next_due: datetime | None
    blocking: str | None
    episode: int
    callout_free: bool
    opened: datetime
    respond_due: datetime
    planned: datetime | None
    done: datetime | None
    verified: datetime | None
    closed: datetime | None
    version: int
    visit: UUID | None
    visit_state: str | None
    visit_start: datetime | None
    visit_end: datetime | None
    technician: str | None


@dataclass(frozen=True, slots=True)
class EventView:
    """A line of a ticket's timeline."""

    id: int
    ticket: UUID
    at: datetime
    kind: str
    actor: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VisitView:
    """A visit with its ticket, appliance, technician and outcome."""

    id: UUID
    ticket: UUID
    ref: str
    org: str
    device: str
    kind: str
    household: UUID | None
    family: str
    fault: str | None
    technician: UUID
    technician_name: str
    technician_phone: str
    skill: str
    parts: list[str]
    start: datetime
    end: datetime
    state: str
    reason: str | None
    hold_until: datetime
    calendar: UUID
    sequence: int
    proposed: datetime
    confirmed: datetime | None
    arrived: datetime | None
    finished: datetime | None
    locked: str | None
    version: int
    outcome: str | None
    cause: str | None
    note: str
    readable: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A message to a household."""

    id: UUID
    ticket: UUID
    ref: str
    org: str
    household: UUID
    stage: str
    lang: str
    channel: str
    address: str
    subject: str
    body: str
    link: str
    safety: bool
    state: str
    queued: datetime
    not_before: datetime
    sent: datetime | None
    delivered: datetime | None
    bounced: datetime | None
    opened: datetime | None
    household_name: str
    tz: str


def list_tickets(
    conn: Connection, scope: Scope, *, states: list[str] | None, after: Cursor | None, limit: int
) -> list[TicketView]:
    """Tickets, newest first."""
    parameters = scope.parameters() | _after(after) | {"states": states, "limit": limit}
    with conn.cursor(row_factory=class_row(TicketView)) as cursor:
        return cursor.execute(_TICKETS, parameters).fetchall()


def count_states(conn: Connection, scope: Scope) -> dict[str, int]:
    """How many tickets stand in each state."""
    return {str(state): int(str(n)) for state, n in conn.execute(_COUNTS, scope.parameters())}


def get_ticket(conn: Connection, scope: Scope, ticket: UUID) -> TicketView | None:
    """One ticket, or None when it is not there or not in scope."""
    with conn.cursor(row_factory=class_row(TicketView)) as cursor:
        return cursor.execute(_ONE_TICKET, scope.parameters() | {"ticket": ticket}).fetchone()


def get_ticket_by_ref(conn: Connection, scope: Scope, ref: str) -> TicketView | None:
    """One ticket by its reference (`WK-1001`)."""
    with conn.cursor(row_factory=class_row(TicketView)) as cursor:
        return cursor.execute(_BY_REF, scope.parameters() | {"ref": ref}).fetchone()


def timeline(conn: Connection, ticket: UUID) -> list[EventView]:
    """A ticket's timeline, oldest first."""
    with conn.cursor(row_factory=class_row(EventView)) as cursor:
        return cursor.execute(_TIMELINE, (ticket,)).fetchall()


def list_visits(
    conn: Connection,
    scope: Scope,
    *,
    states: list[str] | None,
    technician: str | None,
    after: Cursor | None,
    limit: int,
) -> list[VisitView]:
    """Visits by the start of their window."""
    parameters = scope.parameters() | _after(after) | {"states": states, "technician": technician, "limit": limit}
    with conn.cursor(row_factory=class_row(VisitView)) as cursor:
        return cursor.execute(_VISITS, parameters).fetchall()


def get_visit(conn: Connection, scope: Scope, visit: UUID) -> VisitView | None:
    """One visit, or None when it is not there or not in scope."""
    with conn.cursor(row_factory=class_row(VisitView)) as cursor:
        return cursor.execute(_ONE_VISIT, scope.parameters() | {"visit": visit}).fetchone()


def visits_of(conn: Connection, scope: Scope, ticket: UUID) -> list[VisitView]:
    """A ticket's visits, oldest first."""
    with conn.cursor(row_factory=class_row(VisitView)) as cursor:
        return cursor.execute(_TICKET_VISITS, scope.parameters() | {"ticket": ticket}).fetchall()


def list_notices(
    conn: Connection,
    scope: Scope,
    *,
    household: UUID | None,
    after: Cursor | None,
    limit: int,
    sent_only: bool = False,
) -> list[NoticeView]:
    """Notices, newest first."""
    extra = {"of_household": household, "sent_only": sent_only, "limit": limit}
    with conn.cursor(row_factory=class_row(NoticeView)) as cursor:
        return cursor.execute(_NOTICES, scope.parameters() | _after(after) | extra).fetchall()


def get_notice(conn: Connection, scope: Scope, notice: UUID) -> NoticeView | None:
    """One notice, or None when it is not there or not in scope."""
    with conn.cursor(row_factory=class_row(NoticeView)) as cursor:
        return cursor.execute(_ONE_NOTICE, scope.parameters() | {"notice": notice}).fetchone()


def _after(cursor: Cursor | None) -> dict[str, Any]:
    return {"after_at": cursor.at if cursor else None, "after_id": cursor.id if cursor else None}
