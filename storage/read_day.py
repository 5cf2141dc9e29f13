"""A technician's visits of a day as the phone shows them: where, for whom, what, and what was said and ticked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from servicedesk.travel import Place
from storage.pool import Connection
from storage.read_models import TICKET_SCOPE, Scope

# A visit that was called off after the owner's yes stays on the list, so that nobody drives there.
_DAY = """
select v.id, v.ticket, t.ref, t.org, d.device, d.kind, d.room, d.model, d.serial, d.warranty_until, t.family, t.fault,
       t.finding, t.severity, t.safety, t.household, coalesce(h.name, '') as household_name,
       coalesce(h.address, '') as address, coalesce(h.area, '') as area, coalesce(h.tz, 'UTC') as tz,
       coalesce(h.latitude, a.latitude) as latitude, coalesce(h.longitude, a.longitude) as longitude,
       c.name as contact_name, c.phone, v.technician, tech.name as technician_name, v.skill, v.parts, v.minutes,
       lower(v.span) as start, upper(v.span) as "end", v.state, v.reason, v.confirmed, v.arrived, v.finished, v.version,
       o.code as outcome, o.cause, coalesce(o.note, '') as note, y.expected
from visit v
join ticket t on t.id = v.ticket
join device d on d.no = t.device
join technician tech on tech.id = v.technician
left join household h on h.id = t.household
left join area a on (a.org, a.name) = (h.org, h.area)
left join outcome o on o.visit = v.id
left join visit_delay y on y.visit = v.id
left join lateral (
    select name, phone from contact where household = t.household and phone is not null order by rank, id limit 1
) c on true
"""
_OF_TECHNICIAN = """
  and (v.technician::text = %(technician)s or tech.name = %(technician)s)
"""
_ON_THE_LIST = """
  and v.state in ('confirmed', 'dispatched', 'travelling', 'on_site', 'done', 'missed', 'cancelled')
  and v.confirmed is not null
"""
_LIST = (
    _DAY
    + TICKET_SCOPE
    + _OF_TECHNICIAN
    + _ON_THE_LIST
    + "  and v.span && tstzrange(%(start)s, %(until)s) order by lower(v.span), v.id"
)
_ONE = _DAY + TICKET_SCOPE + _OF_TECHNICIAN + "  and v.id = %(visit)s"


@dataclass(frozen=True, slots=True)
class DayVisit:
    """A visit of a technician's day."""

    id: UUID
    ticket: UUID
    ref: str
    org: str
    device: str
    kind: str
    room: str | None
    model: str | None
    serial: str | None
    warranty_until: date | None
    family: str
    fault: str | None
    finding: UUID | None
    severity: int
    safety: bool
    household: UUID | None
    household_name: str
    address: str
    area: str
    tz: str
    latitude: float | None
    longitude: float | None
    contact_name: str | None
    phone: str | None
    technician: UUID
    technician_name: str
    skill: str
    parts: list[str]
    minutes: int
    start: datetime
    end: datetime
    state: str
    reason: str | None
    confirmed: datetime | None
    arrived: datetime | None
    finished: datetime | None
    version: int
    outcome: str | None
    cause: str | None
    note: str
    expected: datetime | None

    @property
    def place(self) -> Place | None:
        """Where it is, if that is known."""
        return None if self.latitude is None or self.longitude is None else Place(self.latitude, self.longitude)


def day_visits(conn: Connection, scope: Scope, technician: str, start: datetime, until: datetime) -> list[DayVisit]:
    """A technician's visits that touch a span, by the start of their window; `technician` is an id or a name."""
    given = scope.parameters() | {"technician": technician, "start": start, "until": until}
    with conn.cursor(row_factory=class_row(DayVisit)) as cursor:
        return cursor.execute(_LIST, given).fetchall()


def day_visit(conn: Connection, scope: Scope, technician: str, visit: UUID) -> DayVisit | None:
    """One visit of a technician, or None when it is not there or not theirs."""
    with conn.cursor(row_factory=class_row(DayVisit)) as cursor:
        return cursor.execute(_ONE, scope.parameters() | {"technician": technician, "visit": visit}).fetchone()


@dataclass(frozen=True, slots=True)
class OnTheRoadRow:
    """Who is on the road, and where their day begins."""

    id: UUID
    org: str
    name: str
    tz: str
    home_latitude: float | None
    home_longitude: float | None

    @property
    def home(self) -> Place | None:
        """Where the day begins and ends, if that is known."""
        known = self.home_latitude is not None and self.home_longitude is not None
        return Place(self.home_latitude, self.home_longitude) if known else None  # type: ignore[arg-type]


_WHO = """
select id, org, name, tz, home_latitude, home_longitude from technician
where active and (id::text = %(technician)s or name = %(technician)s) and (%(org)s::text is null or org = %(org)s)
order by id limit 1
"""


def who_is(conn: Connection, technician: str, org: str | None = None) -> OnTheRoadRow | None:
    """The technician of an id or a name, or None."""
    with conn.cursor(row_factory=class_row(OnTheRoadRow)) as cursor:
        return cursor.execute(_WHO, {"technician": technician, "org": org}).fetchone()


_SEEN = f"""
select exists (select from visit v join ticket t on t.id = v.ticket {TICKET_SCOPE} and v.technician = %(who)s)
"""  # noqa: S608  (constants of this package)


def sees_technician(conn: Connection, scope: Scope, who: OnTheRoadRow) -> bool:
    """Whether a technician is one of a scope's: of its organisation, or of a visit in the part of it that is seen."""
    if scope.whole_org:
        return scope.org in (None, who.org)
    row = conn.execute(_SEEN, scope.parameters() | {"who": who.id}).fetchone()
    return row is not None and bool(row[0])
