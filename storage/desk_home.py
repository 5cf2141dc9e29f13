"""A household's wishes, ways, links and appliances on PostgreSQL: a given connection, the transaction at the edge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from psycopg.rows import class_row

from servicedesk.home_rows import HomeLink, RemovalReason
from servicedesk.model import Contact
from storage.access import create_owner_link
from storage.pool import Connection

_WISHES = "update household set lang = %s, quiet_from = %s, quiet_to = %s where id = %s"
_ADD_CONTACT = """
insert into contact (id, household, role, rank, name, email, phone) values (%s, %s, %s, %s, %s, %s, %s)
"""
_RANK_CONTACT = "update contact set rank = %s where id = %s"
_DROP_MAIL = "update contact set email = null, bounced = null where id = %s"
_DROP_EMPTY = "delete from contact where id = %s and phone is null"
_RANK_CHANNEL = "update contact_channel set rank = %s where id = %s"
_FORGET_CHANNEL = "update contact_channel set stale = %s, url = '' where id = %s"
_REMOVE = "update device set household = null, room = null, removed = %s, removed_why = %s where no = %s"
_LINKS = "select id, household, created, expires, revoked from access_token where household = %s order by created, id"
_REVOKE = "update access_token set revoked = %s where household = %s and revoked is null"
_HOUSEHOLDS = """
select h.id, h.org, h.name, h.area, h.lang, (select count(*) from device d where d.household = h.id) as appliances
from household h
where (%(org)s::text is null or h.org = %(org)s) and h.erased is null order by h.org, h.name, h.id
"""


@dataclass(frozen=True, slots=True)
class HouseholdLine:
    """A household as a list of them shows it."""

    id: UUID
    org: str
    name: str
    area: str
    lang: str
    appliances: int


def list_households(conn: Connection, org: str | None = None) -> list[HouseholdLine]:
    """Households that were not erased, by organisation and name."""
    with conn.cursor(row_factory=class_row(HouseholdLine)) as cursor:
        return cursor.execute(_HOUSEHOLDS, {"org": org}).fetchall()


@dataclass(frozen=True, slots=True)
class PgHomes:
    """Wishes, ways, links and appliances of households.

    Attributes:
        public_url: where links begin, without a slash at the end.
    """

    conn: Connection
    public_url: str

    def set_wishes(self, household: UUID, *, lang: str, quiet_from: time, quiet_to: time) -> None:
        """See `servicedesk.ports_home`, here and below."""
        self.conn.execute(_WISHES, (lang, quiet_from, quiet_to, household))

    def add_contact(self, contact: Contact) -> None:
        """Enter."""
        row = (contact.id, contact.household, contact.role, contact.rank, contact.name, contact.email, contact.phone)
        self.conn.execute(_ADD_CONTACT, row)

    def rank_contact(self, contact: UUID, rank: int) -> None:
        """Order."""
        self.conn.execute(_RANK_CONTACT, (rank, contact))

    def drop_mail(self, contact: UUID) -> None:
        """Take it away."""
        self.conn.execute(_DROP_MAIL, (contact,))
        self.conn.execute(_DROP_EMPTY, (contact,))

    def rank_channel(self, channel: UUID, rank: int) -> None:
        """Order."""
        self.conn.execute(_RANK_CHANNEL, (rank, channel))

    def forget_channel(self, channel: UUID, at: datetime) -> None:
        """Take it away."""
        self.conn.execute(_FORGET_CHANNEL, (at, channel))

    def remove_appliance(self, device: int, at: datetime, why: RemovalReason) -> None:
        """Out of its household."""
        self.conn.execute(_REMOVE, (at, str(why), device))

    def link(self, household: UUID, now: datetime) -> str:
        """A new one."""
        return f"{self.public_url}/o/{create_owner_link(self.conn, now=now, household=household)}"

    def links(self, household: UUID) -> list[HomeLink]:
        """Oldest first."""
        with self.conn.cursor(row_factory=class_row(HomeLink)) as cursor:
            return cursor.execute(_LINKS, (household,)).fetchall()

    def revoke_links(self, household: UUID, at: datetime) -> int:
        """End them."""
        return self.conn.execute(_REVOKE, (at, household)).rowcount
