"""Ways of repair on PostgreSQL; an index keeps a ticket from being mended twice at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import kwargs_row

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.way_rows import PastCase, Way, WayCase, WayKind, WayState
from storage.pool import Connection

_WAY = "id, org, kind, name, kinds, areas, skills, address, phone, hours, lead_days, work_days, active"
_OF_ORG = f"select {_WAY} from repair_way where org = %s and active order by name, id"  # noqa: S608  (constants of this module)
_GET = f"select {_WAY} from repair_way where id = %s"  # noqa: S608  (likewise)
_REGISTER = """
insert into repair_way (id, org, kind, name, kinds, areas, skills, address, phone, hours, lead_days, work_days, active)
values (%(id)s, %(org)s, %(kind)s, %(name)s, %(kinds)s, %(areas)s, %(skills)s, %(address)s, %(phone)s, %(hours)s,
    %(lead_days)s, %(work_days)s, %(active)s)
on conflict (id) do update set kind = excluded.kind, name = excluded.name, kinds = excluded.kinds,
    areas = excluded.areas, skills = excluded.skills, address = excluded.address, phone = excluded.phone,
    hours = excluded.hours, lead_days = excluded.lead_days, work_days = excluded.work_days, active = excluded.active
"""
_CASE = "id, ticket, way, state, begins, back, made, cause, mended, note, returned, version"
_BOOK = """
insert into way_case (id, ticket, way, state, begins, back, made) values (%s, %s, %s, %s, %s, %s, %s)
on conflict do nothing
"""
_GET_CASE = f"select {_CASE} from way_case where id = %s for update"  # noqa: S608  (likewise)
_CASES = f"select {_CASE} from way_case where ticket = %s order by made, id"  # noqa: S608  (likewise)
_PAST = """
select c.returned, c.mended, s.score as rating,
       (select min(e.at) from ticket_event e where e.ticket = c.ticket and e.kind = 'moved'
            and e.body ->> 'new' = 'reopened' and e.at > c.returned) as reopened
from way_case c left join survey s on s.ticket = c.ticket
join ticket t on t.id = c.ticket left join household h on h.id = t.household
where c.way = %s and c.returned >= %s and coalesce(h.consent_analytics, true) order by c.returned, c.id
"""
_SAVE = """
update way_case set state = %s, cause = %s, mended = %s, note = %s, returned = %s, version = version + 1
where id = %s and version = %s
"""


def _way(*, kind: str, kinds: list[str], areas: list[str], skills: list[str], **columns: Any) -> Way:  # noqa: ANN401  (columns of one row)
    return Way(kind=WayKind(kind), kinds=tuple(kinds), areas=tuple(areas), skills=tuple(skills), **columns)


def _case(*, state: str, **columns: Any) -> WayCase:  # noqa: ANN401  (columns of one row)
    return WayCase(state=WayState(state), **columns)


@dataclass(frozen=True, slots=True)
class PgWays:
    """Implements `servicedesk.ports_ways.Ways`."""

    conn: Connection

    def of_org(self, org: str) -> list[Way]:
        """Active ones by name."""
        with self.conn.cursor(row_factory=kwargs_row(_way)) as cursor:
            return cursor.execute(_OF_ORG, (org,)).fetchall()

    def get(self, way: UUID) -> Way:
        """A way."""
        with self.conn.cursor(row_factory=kwargs_row(_way)) as cursor:
            found = cursor.execute(_GET, (way,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no way of repair {way}")
        return found

    def register(self, way: Way) -> None:
        """Enter or change."""
        row = {
            "id": way.id,
            "org": way.org,
            "kind": way.kind,
            "name": way.name,
            "kinds": list(way.kinds),
            "areas": list(way.areas),
            "skills": list(way.skills),
            "address": way.address,
            "phone": way.phone,
            "hours": way.hours,
            "lead_days": way.lead_days,
            "work_days": way.work_days,
            "active": way.active,
        }
        self.conn.execute(_REGISTER, row)

    def book(self, case: WayCase) -> None:
        """Enter a case."""
        row = (case.id, case.ticket, case.way, case.state, case.begins, case.back, case.made)
        if self.conn.execute(_BOOK, row).rowcount != 1:
            raise ConflictError(f"ticket {case.ticket} is being mended in another way already")

    def case(self, case: UUID) -> WayCase:
        """The case, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(_case)) as cursor:
            found = cursor.execute(_GET_CASE, (case,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no repair {case}")
        return found

    def save(self, case: WayCase) -> WayCase:
        """Write, version by version."""
        row = (case.state, case.cause, case.mended, case.note, case.returned, case.id, case.version)
        if self.conn.execute(_SAVE, row).rowcount != 1:
            raise ConflictError(f"repair {case.id} was changed by someone else; read it again")
        return replace(case, version=case.version + 1)

    def of_ticket(self, ticket: UUID) -> list[WayCase]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(_case)) as cursor:
            return cursor.execute(_CASES, (ticket,)).fetchall()

    def past(self, way: UUID, since: datetime) -> list[PastCase]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(PastCase)) as cursor:
            return cursor.execute(_PAST, (way, since)).fetchall()
