"""The wall of promises: how many are broken or in danger, which cases come first, and who is called to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from storage.pool import Connection
from storage.read_models import TICKET_SCOPE, Scope

_OPEN = f"""
from level_clock c join ticket t on t.id = c.ticket {TICKET_SCOPE} and c.met is null and c.ended is null
"""
_COUNTS = f"""
select count(distinct t.id) filter (where c.breached is not null) as broken,
    count(distinct t.id) filter (where c.breached is null and c.due <= %(hour)s) as hour,
    count(distinct t.id) filter (where c.breached is null and c.due > %(hour)s and c.due <= %(later)s) as later,
    count(distinct t.id) filter (where 'owner' = any(c.reasons)) as owner,
    count(distinct t.id) filter (where 'parts' = any(c.reasons)) as parts,
    count(distinct t.id) filter (where 'hold' = any(c.reasons)) as held
{_OPEN}
"""
_CASES = f"""
select t.ref, t.severity, t.safety, t.state, t.responsible, d.kind, t.family, t.fault, d.room,
    coalesce(h.name, '') as household, coalesce(h.area, '') as area, x.policy, x.due, x.breached, x.reasons, x.begun
from (
    select distinct on (c.ticket) c.ticket, c.policy, c.due, c.breached, c.reasons,
        (select min(p.begun) from level_pause p where p.clock = c.id and p.until is null) as begun
    {_OPEN} and (c.breached is not null or c.due <= %(later)s or c.reasons <> '{{}}')
    order by c.ticket, c.breached nulls last, c.due nulls last
) x
join ticket t on t.id = x.ticket join device d on d.no = t.device left join household h on h.id = t.household
order by x.breached nulls last, x.due nulls last, t.severity, x.begun limit %(limit)s
"""  # noqa: S608  (constants of this package)
_CALLS = f"""
select t.ref, k.reason, k.severity, k.due, k.assignee, coalesce(h.name, '') as household
from call_task k join ticket t on t.id = k.ticket left join household h on h.id = t.household {TICKET_SCOPE}
  and k.state = 'open'
order by t.safety desc, k.due limit %(limit)s
"""  # noqa: S608  (likewise)
_ROSTER = """
select id, org, step, name, lower(span) as start, upper(span) as until from oncall
where (%(org)s::text is null or org = %(org)s) and upper(span) > %(now)s
order by lower(span) > %(now)s, org, step, lower(span), name limit 100
"""
_ORGS = """
select distinct org from (select org from household union select org from technician) o
where %(org)s::text is null or org = %(org)s order by org
"""


@dataclass(frozen=True, slots=True)
class WallCounts:
    """Cases by how their promises stand.

    Attributes:
        hour: would be broken within an hour.
        later: within four.
        owner, parts, held: whose clock stands, and why.
    """

    broken: int
    hour: int
    later: int
    owner: int
    parts: int
    held: int


@dataclass(frozen=True, slots=True)
class WallCase:
    """A case whose promise is broken, in danger or standing."""

    ref: str
    severity: int
    safety: bool
    state: str
    responsible: str
    kind: str
    family: str
    fault: str | None
    room: str | None
    household: str
    area: str
    policy: str
    due: datetime | None
    breached: datetime | None
    reasons: list[str]
    begun: datetime | None


@dataclass(frozen=True, slots=True)
class WallCall:
    """A call that a person is to make."""

    ref: str
    reason: str
    severity: int
    due: datetime
    assignee: str
    household: str


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A person on call, now or later; where they are told is a secret and not read."""

    id: UUID
    org: str
    step: int
    name: str
    start: datetime
    until: datetime


def wall_counts(conn: Connection, scope: Scope, now: datetime) -> WallCounts:
    """The big numbers."""
    with conn.cursor(row_factory=class_row(WallCounts)) as cursor:
        found = cursor.execute(_COUNTS, scope.parameters() | _horizons(now)).fetchone()
    return found or WallCounts(0, 0, 0, 0, 0, 0)


def wall_cases(conn: Connection, scope: Scope, now: datetime, limit: int = 200) -> list[WallCase]:
    """Each case once, by its worst promise: broken ones first, then by what is due, then those that stand."""
    with conn.cursor(row_factory=class_row(WallCase)) as cursor:
        return cursor.execute(_CASES, scope.parameters() | _horizons(now) | {"limit": limit}).fetchall()


def wall_calls(conn: Connection, scope: Scope, limit: int = 50) -> list[WallCall]:
    """Calls to be made, safety first, then by when; nothing is held."""
    with conn.cursor(row_factory=class_row(WallCall)) as cursor:
        return cursor.execute(_CALLS, scope.parameters() | {"limit": limit}).fetchall()


def roster_rows(conn: Connection, scope: Scope, now: datetime) -> list[RosterRow]:
    """Who is on call now by step, then who will be."""
    with conn.cursor(row_factory=class_row(RosterRow)) as cursor:
        return cursor.execute(_ROSTER, {"org": scope.org, "now": now}).fetchall()


def orgs_of(conn: Connection, scope: Scope) -> list[str]:
    """The organisations in a scope."""
    return [str(org) for (org,) in conn.execute(_ORGS, {"org": scope.org})]


def _horizons(now: datetime) -> dict[str, datetime]:
    return {"hour": now + timedelta(hours=1), "later": now + timedelta(hours=4)}
