"""The dispatch board's reads: one day's technicians, visits and absences, and the tray of what has no place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, kwargs_row

from servicedesk.model import Technician, Window
from servicedesk.travel import Place
from storage.desk_rows import technician_row
from storage.pool import Connection
from storage.read_models import TICKET_SCOPE, Scope

_TECHNICIANS = """
select id, org, name, skills, tz, hours, area, phone, active, breaks, home_latitude, home_longitude, van, coalesce((
    select jsonb_agg(jsonb_build_array(s.skill, s.valid_until, s.trained, s.course) order by s.skill)
    from technician_skill s where s.technician = t.id), '[]') as certificates
from technician t
where active and (%(org)s::text is null or org = %(org)s)
  and (%(areas)s::text[] is null or area = '' or area = any(%(areas)s))
order by name, id
"""
# What stands in others' areas takes its time and says nothing.
_VISITS = """
select v.id, v.ticket, t.ref, t.version as ticket_version, v.technician, v.skill, v.parts, v.minutes,
       lower(v.span) as start, upper(v.span) as "end", v.state, v.locked, v.arrived, v.finished,
       t.family, t.fault, t.severity, t.safety, d.kind, d.room, coalesce(h.name, '') as household,
       coalesce(h.area, '') as area, coalesce(h.latitude, a.latitude) as latitude,
       coalesce(h.longitude, a.longitude) as longitude,
       (%(areas)s::text[] is null or h.area = any(%(areas)s)) is true as seen,
       array(select r.sku from part_reservation r where r.visit = v.id and r.state in ('reserved', 'used')
             union select p.sku from part_stock p
             where p.org = t.org and p.sku = any(v.parts) and p.arrives <= lower(v.span)) as aside,
       life.latest,
       exists (select from board_move m where m.visit = v.id and m.state = 'open') as fresh
from visit v
join ticket t on t.id = v.ticket
join device d on d.no = t.device
left join household h on h.id = t.household
left join area a on (a.org, a.name) = (h.org, h.area)
left join lateral (
    select r.observed + make_interval(secs => r.life_low) as latest from finding_revision r
    where r.finding = t.finding order by r.revision desc limit 1
) life on true
where v.span && tstzrange(%(start)s, %(end)s) and (%(org)s::text is null or t.org = %(org)s)
  and v.state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site', 'done')
order by lower(v.span), v.id
"""
_AWAY = """
select a.technician, coalesce(lower(a.away), %(start)s), coalesce(upper(a.away), %(end)s)
from technician_absence a join technician t on t.id = a.technician
where a.away && tstzrange(%(start)s, %(end)s) and (%(org)s::text is null or t.org = %(org)s) order by 1, 2
"""
# What a card shows beyond its order is read for the listed ones alone.
_TRAY = f"""
with standing as (
    select t.id, t.safety, t.next_due, t.severity, t.opened, v.id as visit,
           v.state as visit_state, v.technician, lower(v.span) as start, away.yes as away,
           case when t.state in ('hold', 'awaiting_quote', 'awaiting_parts') then 'hold'
                when v.id is null then 'unassigned'
                when away.yes or t.next_action in ('call_owner', 'reach_owner', 'check_visit', 'plan_visit')
                     or (t.next_due < %(now)s and t.next_action <> 'visit')
                     or (t.safety and v.state = 'proposed') then 'alerts' end as tray
    from ticket t
    left join visit v on v.ticket = t.id
        and v.state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site')
    left join lateral (
        select true as yes from technician_absence a
        where a.technician = v.technician and a.away && v.span and v.state in ('proposed', 'confirmed', 'dispatched')
        limit 1
    ) away on true
    {TICKET_SCOPE}
      and t.state in ('detected', 'open', 'planned', 'in_repair', 'awaiting_quote', 'awaiting_parts', 'hold',
                      'reopened')
      and (%(severity)s::int is null or t.severity = %(severity)s)
      and (%(area)s::text is null or t.household in (select id from household where area = %(area)s))
      and (%(cases)s::text[] is null or exists (
          select from device d
          where d.no = t.device and d.kind || '/' || t.family || '/' || coalesce(t.fault, '') = any(%(cases)s)))
), chosen as (
    select s.*, count(*) over (partition by s.tray) as of,
           row_number() over (
               partition by s.tray order by s.safety desc, s.next_due nulls last, s.severity, s.opened, s.id) as place
    from standing s where s.tray is not null
)
select c.tray, c.of::int, t.id, t.ref, t.version, t.family, t.fault, t.severity, t.safety, t.state, t.reason,
       t.next_action, t.next_due, t.blocking, d.kind, d.room, coalesce(h.name, '') as household,
       coalesce(h.area, '') as area, c.visit, c.visit_state, c.technician, c.start, coalesce(c.away, false) as away
from chosen c join ticket t on t.id = c.id join device d on d.no = t.device left join household h on h.id = t.household
where c.place <= %(limit)s order by c.tray, c.place
"""  # noqa: S608  (constants of this package)
_AREAS = """
select distinct area from household
where area <> '' and (%(org)s::text is null or org = %(org)s) and (%(areas)s::text[] is null or area = any(%(areas)s))
order by area
"""

_PLAN = f"""
select t.id, t.ref, t.version, t.family, t.fault, t.severity, d.kind, coalesce(h.name, '') as household,
       coalesce(h.area, '') as area
from visit_plan_line l join ticket t on t.id = l.ticket join device d on d.no = t.device
left join household h on h.id = t.household
{TICKET_SCOPE} and l.plan = %(plan)s
"""  # noqa: S608  (likewise)

# A plan that is not there yet: what its job was asked for, and how many tickets it looks at.
_COMING = """
select j.args ->> 'org', extract(epoch from now() - e.at)::int, (
    select count(*) from ticket t where t.org = j.args ->> 'org' and t.state in ('open', 'reopened', 'awaiting_parts'))
from procrastinate_jobs j
left join lateral (select min(at) as at from procrastinate_events e where e.job_id = j.id) e on true
where j.queueing_lock = %s and j.status in ('todo', 'doing')
"""


@dataclass(frozen=True, slots=True)
class BoardVisit:
    """A visit of a day with what its block says.

    Attributes:
        seen: it lies in the asker's areas; of others nothing but the time is told.
        aside: SKUs that are reserved for it, or arrive before it.
        latest: pessimistic end of the remaining life.
        fresh: placed by hand a moment ago; its owner has not been told.
    """

    id: UUID
    ticket: UUID
    ref: str
    ticket_version: int
    technician: UUID
    skill: str
    parts: list[str]
    minutes: int
    start: datetime
    end: datetime
    state: str
    locked: str | None
    arrived: datetime | None
    finished: datetime | None
    family: str
    fault: str | None
    severity: int
    safety: bool
    kind: str
    room: str | None
    household: str
    area: str
    latitude: float | None
    longitude: float | None
    seen: bool
    aside: list[str]
    latest: datetime | None
    fresh: bool

    @property
    def place(self) -> Place | None:
        """Where it is, if that is known."""
        return None if self.latitude is None or self.longitude is None else Place(self.latitude, self.longitude)


@dataclass(frozen=True, slots=True)
class TrayCard:
    """A ticket of the tray; `of` counts the tray's tickets, the ones that are not listed too."""

    tray: str
    of: int
    id: UUID
    ref: str
    version: int
    family: str
    fault: str | None
    severity: int
    safety: bool
    state: str
    reason: str | None
    next_action: str
    next_due: datetime | None
    blocking: str | None
    kind: str
    room: str | None
    household: str
    area: str
    visit: UUID | None
    visit_state: str | None
    technician: UUID | None
    start: datetime | None
    away: bool


@dataclass(frozen=True, slots=True)
class PlanTicket:
    """The ticket of a plan's line as it is now."""

    id: UUID
    ref: str
    version: int
    family: str
    fault: str | None
    severity: int
    kind: str
    household: str
    area: str


@dataclass(frozen=True, slots=True)
class ComingPlan:
    """A plan that a job is making: since how many seconds, and of how many tickets."""

    org: str
    seconds: int
    tickets: int


def board_technicians(conn: Connection, scope: Scope) -> list[Technician]:
    """The active technicians in an asker's reach, by name."""
    with conn.cursor(row_factory=kwargs_row(technician_row)) as cursor:
        return cursor.execute(_TECHNICIANS, scope.parameters()).fetchall()


def board_visits(conn: Connection, scope: Scope, span: Window) -> list[BoardVisit]:
    """The visits that touch a span, by window; those of other areas too, for the time that they take."""
    with conn.cursor(row_factory=class_row(BoardVisit)) as cursor:
        return cursor.execute(_VISITS, scope.parameters() | {"start": span.start, "end": span.end}).fetchall()


def board_absences(conn: Connection, scope: Scope, span: Window) -> list[tuple[UUID, Window]]:
    """Who is away when, within a span."""
    rows: Any = conn.execute(_AWAY, scope.parameters() | {"start": span.start, "end": span.end})
    return [(who, Window(start, end)) for who, start, end in rows]


def tray_cards(
    conn: Connection,
    scope: Scope,
    now: datetime,
    *,
    area: str | None = None,
    severity: int | None = None,
    cases: list[str] | None = None,
    limit: int = 40,
) -> list[TrayCard]:
    """The tray: what has no visit, what needs a person although it has one, and what is on hold; by time left.

    Args:
        conn: in a transaction.
        scope: of the asker.
        now: fleet time.
        area: of the household.
        severity: of the ticket.
        cases: `kind/family/fault` of those that are wanted; the fault may be empty.
        limit: of each tray.
    """
    given = {"now": now, "area": area, "severity": severity, "cases": cases, "limit": limit}
    with conn.cursor(row_factory=class_row(TrayCard)) as cursor:
        return cursor.execute(_TRAY, scope.parameters() | given).fetchall()


def board_areas(conn: Connection, scope: Scope) -> list[str]:
    """The areas in which households live."""
    return [str(row[0]) for row in conn.execute(_AREAS, scope.parameters())]


def plan_tickets(conn: Connection, scope: Scope, plan: UUID) -> dict[UUID, PlanTicket]:
    """The tickets of a plan's lines, as far as the asker sees them."""
    with conn.cursor(row_factory=class_row(PlanTicket)) as cursor:
        return {each.id: each for each in cursor.execute(_PLAN, scope.parameters() | {"plan": plan})}


def coming_plan(conn: Connection, lock: str) -> ComingPlan | None:
    """The plan that a job of this name waits to make, or is making; None when there is no such job."""
    row: Any = conn.execute(_COMING, (lock,)).fetchone()
    return None if row is None else ComingPlan(str(row[0]), max(0, row[1] or 0), row[2])
