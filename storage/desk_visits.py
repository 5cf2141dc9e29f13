"""Visits, outcomes, stock and quotes on PostgreSQL; the exclusion constraint forbids double booking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from uuid import UUID

from psycopg import errors
from psycopg.rows import args_row, class_row, kwargs_row, scalar_row

from servicedesk.errors import ConflictError, UnknownError, WindowGoneError
from servicedesk.model import Booking, Outcome, PartStock, Visit, Window
from storage.desk_rows import VISIT_COLUMNS, booking_row, outcome_row, van_row, visit_row
from storage.pool import Connection

# The lock under which holds and visits of a technician are made: neither slips in beside the other.
_LOCK = "select from technician where id = %s for no key update"
_ADD_VISIT = """
insert into visit (id, ticket, technician, skill, parts, minutes, span, state, reason, hold_until, calendar, sequence,
    proposed)
select %(id)s, %(ticket)s, %(technician)s, %(skill)s, %(parts)s, %(minutes)s, tstzrange(%(start)s, %(end)s), %(state)s,
    %(reason)s, %(hold_until)s, %(calendar)s, %(sequence)s, %(proposed)s
where not exists (
    select from slot_hold where technician = %(technician)s and ticket <> %(ticket)s and until > %(proposed)s
        and span && tstzrange(%(start)s, %(end)s)
)
"""
_GET_VISIT = f"select {VISIT_COLUMNS} from visit where id = %s for update"  # noqa: S608  (a constant of this package)
_TICKET_OF = "select ticket from visit where id = %s"
_OF_TICKET = f"select {VISIT_COLUMNS} from visit where ticket = %s order by proposed, id"  # noqa: S608  (likewise)
_SAVE_VISIT = """
update visit set state = %s, reason = %s, hold_until = %s, confirmed = %s, arrived = %s, finished = %s,
    locked = %s, version = version + 1 where id = %s and version = %s
"""
_BOOKINGS = """
select v.technician, lower(v.span), upper(v.span), v.ticket, v.minutes, v.state = 'proposed' and v.locked is null,
    coalesce(h.latitude, a.latitude), coalesce(h.longitude, a.longitude)
from visit v join ticket t on t.id = v.ticket left join household h on h.id = t.household
left join area a on (a.org, a.name) = (h.org, h.area)
where v.technician = any(%(who)s) and v.span && tstzrange(%(start)s, %(end)s)
    and v.state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site', 'done')
union all
select technician, coalesce(lower(away), %(start)s), coalesce(upper(away), %(end)s), null, 60::smallint, false, null,
    null
from technician_absence where technician = any(%(who)s) and away && tstzrange(%(start)s, %(end)s)
order by 1, 2
"""
_ADD_OUTCOME = """
insert into outcome (visit, code, cause, parts, note, at, actor) values (%s, %s, %s, %s, %s, %s, %s)
on conflict (visit) do nothing
"""
_OUTCOME = "select visit, code, at, actor, cause, parts, note from outcome where visit = %s"
_STOCK = "select org, sku, on_hand, reserved, arrives from part_stock where org = %s and sku = any(%s)"
_TAKE = "update part_stock set reserved = reserved + 1 where org = %s and sku = %s and on_hand - reserved > 0"
_TAKE_VAN = """
update van_stock set reserved = reserved + 1 where technician = %s and sku = %s and on_hand - reserved > 0
"""
_VANS = """
select technician, sku, on_hand - reserved from van_stock
where technician = any(%s) and sku = any(%s) and on_hand > reserved
"""
_PUT_ASIDE = "select sku from part_reservation where visit = %s and state = 'reserved'"
_NOTE = """
insert into part_reservation (visit, org, sku, van, state) values (%s, %s, %s, %s, 'reserved')
on conflict (visit, sku) do nothing
"""
_RELEASE = """
with given as (
    update part_reservation set state = 'released' where visit = %s and state = 'reserved' returning org, sku, van
), depot as (
    update part_stock p set reserved = p.reserved - 1 from given g
    where g.van is null and p.org = g.org and p.sku = g.sku
)
update van_stock v set reserved = v.reserved - 1 from given g where v.technician = g.van and v.sku = g.sku
"""
_USE = """
with used as (
    update part_reservation set state = 'used' where visit = %s and state = 'reserved' and sku = any(%s)
    returning org, sku, van
), depot as (
    update part_stock p set reserved = p.reserved - 1, on_hand = p.on_hand - 1 from used u
    where u.van is null and p.org = u.org and p.sku = u.sku
)
update van_stock v set reserved = v.reserved - 1, on_hand = v.on_hand - 1 from used u
where v.technician = u.van and v.sku = u.sku
"""
_ABSENT = """
insert into technician_absence (technician, away, reason) values (%s, tstzrange(%s, %s), %s) on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class PgVisits:
    """Visits and outcomes."""

    conn: Connection

    def add(self, visit: Visit) -> None:
        """Enter a visit; a clash leaves the transaction usable."""
        row = {each.name: getattr(visit, each.name) for each in fields(visit)} | {"parts": list(visit.parts)}
        try:
            with self.conn.transaction():
                self.conn.execute(_LOCK, (visit.technician,))
                if self.conn.execute(_ADD_VISIT, row).rowcount != 1:
                    raise WindowGoneError(f"the window at {visit.start.isoformat()} is held for somebody else")
        except (errors.ExclusionViolation, errors.UniqueViolation) as cause:
            raise WindowGoneError(f"the window at {visit.start.isoformat()} is taken") from cause

    def get(self, visit: UUID) -> Visit:
        """The visit, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(visit_row)) as cursor:
            found = cursor.execute(_GET_VISIT, (visit,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no visit {visit}")
        return found

    def ticket_of(self, visit: UUID) -> UUID:
        """Its ticket, without a lock."""
        row = self.conn.execute(_TICKET_OF, (visit,)).fetchone()
        if row is None or not isinstance(row[0], UUID):
            raise UnknownError(f"there is no visit {visit}")
        return row[0]

    def save(self, visit: Visit) -> Visit:
        """Write a visit, version by version."""
        row = (
            visit.state,
            visit.reason,
            visit.hold_until,
            visit.confirmed,
            visit.arrived,
            visit.finished,
            visit.locked,
            visit.id,
            visit.version,
        )
        if self.conn.execute(_SAVE_VISIT, row).rowcount != 1:
            raise ConflictError(f"visit {visit.id} was changed by someone else; read it again")
        return replace(visit, version=visit.version + 1)

    def of_ticket(self, ticket: UUID) -> list[Visit]:
        """Oldest first."""
        with self.conn.cursor(row_factory=kwargs_row(visit_row)) as cursor:
            return cursor.execute(_OF_TICKET, (ticket,)).fetchall()

    def bookings(self, technicians: Collection[UUID], span: Window) -> Mapping[UUID, Sequence[Booking]]:
        """Visits and absences in a span."""
        found: dict[UUID, list[Booking]] = defaultdict(list)
        with self.conn.cursor(row_factory=args_row(booking_row)) as cursor:
            cursor.execute(_BOOKINGS, {"who": list(technicians), "start": span.start, "end": span.end})
            for technician, booking in cursor:
                found[technician].append(booking)
        return found

    def absent(self, technician: UUID, away: Window, reason: str) -> None:
        """Enter an absence."""
        self.conn.execute(_ABSENT, (technician, away.start, away.end, reason))

    def report(self, outcome: Outcome) -> None:
        """Enter an outcome once."""
        row = (
            outcome.visit,
            outcome.code,
            outcome.cause,
            list(outcome.parts),
            outcome.note,
            outcome.at,
            outcome.actor,
        )
        self.conn.execute(_ADD_OUTCOME, row)

    def outcome(self, visit: UUID) -> Outcome | None:
        """The outcome, or None."""
        with self.conn.cursor(row_factory=kwargs_row(outcome_row)) as cursor:
            return cursor.execute(_OUTCOME, (visit,)).fetchone()


@dataclass(frozen=True, slots=True)
class PgParts:
    """Stock; a piece is on hand, reserved or gone, counted by the database."""

    conn: Connection

    def stock(self, org: str, skus: Collection[str]) -> Mapping[str, PartStock]:
        """By SKU."""
        with self.conn.cursor(row_factory=class_row(PartStock)) as cursor:
            return {part.sku: part for part in cursor.execute(_STOCK, (org, list(skus)))}

    def vans(self, technicians: Collection[UUID], skus: Collection[str]) -> Mapping[UUID, Mapping[str, int]]:
        """By technician and SKU."""
        found: dict[UUID, dict[str, int]] = defaultdict(dict)
        with self.conn.cursor(row_factory=args_row(van_row)) as cursor:
            for technician, sku, free in cursor.execute(_VANS, (list(technicians), list(skus))):
                found[technician][sku] = free
        return found

    def reserve(self, org: str, visit: UUID, sku: str, technician: UUID | None = None) -> bool:
        """Put a piece aside."""
        if technician is not None and self.conn.execute(_TAKE_VAN, (technician, sku)).rowcount == 1:
            self.conn.execute(_NOTE, (visit, org, sku, technician))
            return True
        if self.conn.execute(_TAKE, (org, sku)).rowcount != 1:
            return False
        self.conn.execute(_NOTE, (visit, org, sku, None))
        return True

    def put_aside(self, visit: UUID) -> frozenset[str]:
        """Of a visit."""
        with self.conn.cursor(row_factory=scalar_row) as cursor:
            return frozenset(cursor.execute(_PUT_ASIDE, (visit,)))

    def release(self, visit: UUID) -> None:
        """Give back."""
        self.conn.execute(_RELEASE, (visit,))

    def use(self, visit: UUID, skus: Collection[str]) -> None:
        """Use some, give back the rest."""
        self.conn.execute(_USE, (visit, list(skus)))
        self.release(visit)
