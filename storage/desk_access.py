"""Answers to the questions of a visit on PostgreSQL: a given connection, the transaction at the edge."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from psycopg.rows import class_row

from servicedesk.access_rows import Access, Presence
from storage.pool import Connection

_OF_HOUSEHOLD = "select household, at, entry, parking, pets from household_access where household = %s"
_TELL = """
insert into household_access (household, entry, parking, pets, at)
values (%(household)s, %(entry)s, %(parking)s, %(pets)s, %(at)s)
on conflict (household) do update set entry = excluded.entry, parking = excluded.parking, pets = excluded.pets,
    at = excluded.at
"""
_PRESENCE = "select visit, adult, at from visit_presence where visit = %s"
_AT_HOME = """
insert into visit_presence (visit, adult, at) values (%(visit)s, %(adult)s, %(at)s)
on conflict (visit) do update set adult = excluded.adult, at = excluded.at
"""


@dataclass(frozen=True, slots=True)
class PgAccess:
    """See `servicedesk.ports_access.AccessBook`."""

    conn: Connection

    def of_household(self, household: UUID) -> Access | None:
        """The last word."""
        with self.conn.cursor(row_factory=class_row(Access)) as cursor:
            return cursor.execute(_OF_HOUSEHOLD, (household,)).fetchone()

    def tell(self, access: Access) -> None:
        """The last word counts."""
        self.conn.execute(_TELL, asdict(access))

    def presence(self, visit: UUID) -> Presence | None:
        """For one visit."""
        with self.conn.cursor(row_factory=class_row(Presence)) as cursor:
            return cursor.execute(_PRESENCE, (visit,)).fetchone()

    def at_home(self, presence: Presence) -> None:
        """The last word counts."""
        self.conn.execute(_AT_HOME, asdict(presence))
