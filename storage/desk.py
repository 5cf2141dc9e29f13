"""The desk's repositories on PostgreSQL: a given connection, the transaction at the edge. Also registration."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import errors
from psycopg.rows import class_row, kwargs_row
from psycopg.types.json import Jsonb

from servicedesk.errors import AlreadyOpenError, ConflictError, UnknownError
from servicedesk.model import (
    Appliance,
    Contact,
    Household,
    Notice,
    PartStock,
    Technician,
    Ticket,
    TicketEvent,
)
from servicedesk.seed_demo import demo_parts, demo_technicians
from storage.desk_agenda import PgAgenda, open_due
from storage.desk_care import PgCare
from storage.desk_cohorts import PgCohorts
from storage.desk_day import PgDay
from storage.desk_fleet import PgFleet
from storage.desk_home import PgHomes
from storage.desk_hooks import PgHooks
from storage.desk_levels import PgLevels
from storage.desk_money import PgMoney, PgQuotes
from storage.desk_moves import PgMoves
from storage.desk_planning import PgPlans, register_certificate
from storage.desk_rows import (
    NOTICE_COLUMNS,
    TICKET_COLUMNS,
    appliance_row,
    event_row,
    next_version,
    notice_row,
    technician_row,
    ticket_row,
)
from storage.desk_truth import PgTruth
from storage.desk_visits import PgParts, PgVisits
from storage.desk_ways import PgWays
from storage.pool import Connection
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_micros
from telemetry.ids import Ids

__all__ = ["PgDesk", "open_due", "register_household", "register_part", "register_technician", "seed_demo"]

_ADD_TICKET = f"""
insert into ticket (id, org, device, household, family, fault, finding, severity, safety, priority, state, reason,
    responsible, next_action, next_due, blocking, episode, callout_free, expected_cost, opened, respond_due)
values (%(id)s, %(org)s, %(device)s, %(household)s, %(family)s, %(fault)s, %(finding)s, %(severity)s, %(safety)s,
    %(priority)s, %(state)s, %(reason)s, %(responsible)s, %(next_action)s, %(next_due)s, %(blocking)s, %(episode)s,
    %(callout_free)s, %(expected_cost)s, %(opened)s, %(respond_due)s)
on conflict do nothing
returning {TICKET_COLUMNS}
"""  # noqa: S608  (constants of this package)
_GET_TICKET = f"select {TICKET_COLUMNS} from ticket where id = %s for update"  # noqa: S608  (likewise)
_OF_FINDING = f"select {TICKET_COLUMNS} from ticket where finding = %s"  # noqa: S608  (likewise)
_LATEST = f"select {TICKET_COLUMNS} from ticket where device = %s and family = %s order by opened desc, id desc limit 1"  # noqa: S608  (likewise)
_SAVE_TICKET = """
update ticket set household = %(household)s, fault = %(fault)s, finding = %(finding)s, severity = %(severity)s,
    safety = %(safety)s, priority = %(priority)s, state = %(state)s, reason = %(reason)s,
    responsible = %(responsible)s, next_action = %(next_action)s, next_due = %(next_due)s, blocking = %(blocking)s,
    episode = %(episode)s, callout_free = %(callout_free)s, respond_due = %(respond_due)s, planned = %(planned)s,
    done = %(done)s, verified = %(verified)s, closed = %(closed)s, version = version + 1
where id = %(id)s and version = %(version)s
"""
_LOG = "insert into ticket_event (ticket, at, kind, actor, body) values (%s, %s, %s, %s, %s)"
_TIMELINE = "select id, ticket, at, kind, actor, body from ticket_event where ticket = %s order by id"

_HOUSEHOLD = """
select h.id, h.org, h.name, lang, tz, registered, address, area, quiet_from, quiet_to, consent_alerts, consent_service,
    simulated, coalesce(h.latitude, a.latitude) as latitude, coalesce(h.longitude, a.longitude) as longitude
from household h left join area a on (a.org, a.name) = (h.org, h.area) where h.id = %s
"""
_CONTACTS = """
select id, household, role, rank, name, email, phone, bounced from contact where household = %s order by rank, id
"""
_APPLIANCE = """
select no, org, device, kind, lang, household, room, model, warranty_until, serial, sold, removed, lot from device
where no = %s
"""
_TECHNICIANS = """
select id, org, name, skills, tz, hours, area, phone, active, breaks, home_latitude, home_longitude, van, coalesce((
    select jsonb_agg(jsonb_build_array(s.skill, s.valid_until, s.trained, s.course) order by s.skill)
    from technician_skill s where s.technician = t.id), '[]') as certificates
from technician t where org = %s and active order by name
"""
_BOUNCED = "update contact set bounced = %s where household = %s and email = %s and bounced is null"

_ADD_NOTICE = """
insert into notice (id, ticket, household, stage, occasion, lang, channel, address, subject, body, link, message_id,
    safety, state, queued, not_before)
values (%(id)s, %(ticket)s, %(household)s, %(stage)s, %(occasion)s, %(lang)s, %(channel)s, %(address)s, %(subject)s,
    %(body)s, %(link)s, %(message_id)s, %(safety)s, %(state)s, %(queued)s, %(not_before)s)
on conflict do nothing
"""
_GET_NOTICE = f"select {NOTICE_COLUMNS} from notice where id = %s for update"  # noqa: S608  (likewise)
_SAVE_NOTICE = """
update notice set state = %(state)s, channel = %(channel)s, address = %(address)s, sent = %(sent)s,
    delivered = %(delivered)s, bounced = %(bounced)s, opened = %(opened)s where id = %(id)s
"""
_NOTICES = f"select {NOTICE_COLUMNS} from notice where ticket = %s order by queued, id"  # noqa: S608  (likewise)

_ADD_HOUSEHOLD = """
insert into household (id, org, name, lang, tz, address, area, quiet_from, quiet_to, consent_alerts, consent_service,
    simulated, registered, latitude, longitude)
values (%(id)s, %(org)s, %(name)s, %(lang)s, %(tz)s, %(address)s, %(area)s, %(quiet_from)s, %(quiet_to)s,
    %(consent_alerts)s, %(consent_service)s, %(simulated)s, %(registered)s, %(latitude)s, %(longitude)s)
on conflict (id) do nothing
"""
_ADD_CONTACT = """
insert into contact (id, household, role, rank, name, email, phone)
values (%s, %s, 'owner', 0, %s, %s, %s) on conflict (household, role, rank) do nothing
"""
_ADD_TECHNICIAN = """
insert into technician (id, org, name, skills, tz, hours, area, phone, breaks, home_latitude, home_longitude, van)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""
_ADD_PART = """
insert into part_stock (org, sku, on_hand, arrives) values (%s, %s, %s, %s) on conflict (org, sku) do nothing
"""


_IDS = Ids(random.SystemRandom())


def columns(row: object) -> dict[str, Any]:
    """The fields of a row's value, for named parameters."""
    return {each.name: getattr(row, each.name) for each in fields(row)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class PgTickets:
    """Tickets and timelines."""

    conn: Connection

    def add(self, ticket: Ticket) -> Ticket | None:
        """See `servicedesk.ports.Tickets`; the database decides a race."""
        with self.conn.cursor(row_factory=kwargs_row(ticket_row)) as cursor:
            return cursor.execute(_ADD_TICKET, columns(ticket)).fetchone()

    def get(self, ticket: UUID) -> Ticket:
        """The ticket, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(ticket_row)) as cursor:
            found = cursor.execute(_GET_TICKET, (ticket,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no ticket {ticket}")
        return found

    def of_finding(self, finding: UUID) -> Ticket | None:
        """The ticket of a finding."""
        with self.conn.cursor(row_factory=kwargs_row(ticket_row)) as cursor:
            return cursor.execute(_OF_FINDING, (finding,)).fetchone()

    def latest(self, device: int, family: str) -> Ticket | None:
        """The newest ticket of a device and family."""
        with self.conn.cursor(row_factory=kwargs_row(ticket_row)) as cursor:
            return cursor.execute(_LATEST, (device, family)).fetchone()

    def save(self, ticket: Ticket) -> Ticket:
        """Write a ticket, version by version."""
        try:
            with self.conn.transaction():
                count = self.conn.execute(_SAVE_TICKET, columns(ticket)).rowcount
        except errors.UniqueViolation as cause:
            raise AlreadyOpenError(f"another ticket is open for the device and family of {ticket.ref}") from cause
        if count != 1:
            raise ConflictError(f"ticket {ticket.ref} was changed by someone else; read it again")
        return next_version(ticket)

    def log(self, event: TicketEvent) -> None:
        """Add a line to the timeline."""
        self.conn.execute(_LOG, (event.ticket, event.at, event.kind, event.actor, Jsonb(event.body)))

    def timeline(self, ticket: UUID) -> list[TicketEvent]:
        """The lines, oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(event_row)) as cursor:
            return cursor.execute(_TIMELINE, (ticket,)).fetchall()


@dataclass(frozen=True, slots=True)
class PgPeople:
    """Households, appliances, technicians."""

    conn: Connection

    def household(self, household: UUID) -> Household | None:
        """The household, or None."""
        with self.conn.cursor(row_factory=class_row(Household)) as cursor:
            return cursor.execute(_HOUSEHOLD, (household,)).fetchone()

    def contacts(self, household: UUID) -> list[Contact]:
        """By rank."""
        with self.conn.cursor(row_factory=class_row(Contact)) as cursor:
            return cursor.execute(_CONTACTS, (household,)).fetchall()

    def appliance(self, device: int) -> Appliance:
        """The appliance of a device number."""
        with self.conn.cursor(row_factory=kwargs_row(appliance_row)) as cursor:
            found = cursor.execute(_APPLIANCE, (device,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no device number {device}")
        return found

    def technicians(self, org: str) -> list[Technician]:
        """Active ones, by name."""
        with self.conn.cursor(row_factory=kwargs_row(technician_row)) as cursor:
            return cursor.execute(_TECHNICIANS, (org,)).fetchall()

    def bounced(self, household: UUID, address: str, at: datetime) -> None:
        """An address does not take mail."""
        self.conn.execute(_BOUNCED, (at, household, address))


@dataclass(frozen=True, slots=True)
class PgNotices:
    """Messages."""

    conn: Connection

    def add(self, notice: Notice) -> bool:
        """Enter a notice once."""
        return self.conn.execute(_ADD_NOTICE, columns(notice)).rowcount == 1

    def get(self, notice: UUID) -> Notice:
        """The notice, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(notice_row)) as cursor:
            found = cursor.execute(_GET_NOTICE, (notice,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no notice {notice}")
        return found

    def save(self, notice: Notice) -> None:
        """Write how far it got."""
        self.conn.execute(_SAVE_NOTICE, columns(notice))

    def of_ticket(self, ticket: UUID) -> list[Notice]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(notice_row)) as cursor:
            return cursor.execute(_NOTICES, (ticket,)).fetchall()


class PgDesk:
    """All repositories of the desk on one connection.

    Attributes:
        public_url: where owners' links begin, without a slash at the end.
    """

    def __init__(self, conn: Connection, public_url: str = "") -> None:
        self.tickets = PgTickets(conn)
        self.visits = PgVisits(conn)
        self.people = PgPeople(conn)
        self.parts = PgParts(conn)
        self.notices = PgNotices(conn)
        self.quotes = PgQuotes(conn)
        self.money = PgMoney(conn)
        self.ways = PgWays(conn)
        self.agenda = PgAgenda(conn, public_url.rstrip("/"))
        self.levels = PgLevels(conn)
        self.plans = PgPlans(conn)
        self.moves = PgMoves(conn)
        self.care = PgCare(conn)
        self.day = PgDay(conn)
        self.truth = PgTruth(conn)
        self.fleet = PgFleet(conn)
        self.cohorts = PgCohorts(conn)
        self.home = PgHomes(conn, public_url.rstrip("/"))
        self.hooks = PgHooks(conn)


def register_household(
    conn: Connection,
    household: Household,
    *,
    contact_name: str = "",
    email: str | None = None,
    phone: str | None = None,
) -> Household:
    """Enter a household with its first contact; one that is there already stays as it is."""
    conn.execute(_ADD_HOUSEHOLD, columns(household))
    contact = _IDS.at(to_micros(household.registered))
    conn.execute(_ADD_CONTACT, (contact, household.id, contact_name or household.name, email, phone))
    return household


def register_technician(conn: Connection, technician: Technician) -> None:
    """Enter a technician; one of the same id, or of the same name in the organisation, stays."""
    row = technician
    hours = Jsonb([None if day is None else list(day) for day in row.hours])
    breaks = Jsonb([None if day is None else list(day) for day in row.breaks])
    who = (row.id, row.org, row.name, list(row.skills), row.tz, hours, row.area, row.phone)
    added = conn.execute(_ADD_TECHNICIAN, (*who, breaks, row.home_latitude, row.home_longitude, row.van))
    if added.rowcount == 1:
        for certificate in row.certificates:
            register_certificate(conn, row.id, certificate)


def register_part(conn: Connection, part: PartStock) -> None:
    """Enter a part; one that is there already keeps its stock."""
    conn.execute(_ADD_PART, (part.org, part.sku, part.on_hand, part.arrives))


def seed_demo(conn: Connection, org: str, *, tz: str) -> None:
    """Enter the demo's technicians and stock; harmless when repeated.

    Args:
        conn: inside a transaction.
        org: organisation of the fleet.
        tz: where technicians work.
    """
    for technician in demo_technicians(org, tz):
        register_technician(conn, technician)
    for part in demo_parts(org, load_catalogue()):
        register_part(conn, part)
