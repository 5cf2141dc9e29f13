"""Visits, outcomes, stock and quotes on PostgreSQL; the exclusion constraint forbids double booking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from psycopg import errors
from psycopg.rows import args_row, class_row, kwargs_row
from psycopg.types.json import Jsonb

from servicedesk.errors import ConflictError, UnknownError, WindowGoneError
from servicedesk.model import Outcome, PartStock, Quote, Visit, Window
from storage.desk_rows import VISIT_COLUMNS, booking_row, outcome_row, quote_row, visit_row
from storage.pool import Connection

_ADD_VISIT = """
insert into visit (id, ticket, technician, skill, parts, span, state, reason, hold_until, calendar, sequence, proposed)
values (%s, %s, %s, %s, %s, tstzrange(%s, %s), %s, %s, %s, %s, %s, %s)
"""
_GET_VISIT = f"select {VISIT_COLUMNS} from visit where id = %s for update"  # noqa: S608  (a constant of this package)
_TICKET_OF = "select ticket from visit where id = %s"
_OF_TICKET = f"select {VISIT_COLUMNS} from visit where ticket = %s order by proposed, id"  # noqa: S608  (likewise)
_SAVE_VISIT = """
update visit set state = %s, reason = %s, hold_until = %s, confirmed = %s, arrived = %s, finished = %s,
    version = version + 1 where id = %s and version = %s
"""
_BOOKED = """
select technician, lower(span), upper(span) from visit
where technician = any(%(who)s) and span && tstzrange(%(start)s, %(end)s)
    and state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site', 'done')
union all
select technician, coalesce(lower(away), %(start)s), coalesce(upper(away), %(end)s) from technician_absence
where technician = any(%(who)s) and away && tstzrange(%(start)s, %(end)s)
"""
_ADD_OUTCOME = """
insert into outcome (visit, code, cause, parts, note, at, actor) values (%s, %s, %s, %s, %s, %s, %s)
on conflict (visit) do nothing
"""
_OUTCOME = "select visit, code, at, actor, cause, parts, note from outcome where visit = %s"
_STOCK = "select org, sku, on_hand, reserved, arrives from part_stock where org = %s and sku = any(%s)"
_TAKE = "update part_stock set reserved = reserved + 1 where org = %s and sku = %s and on_hand - reserved > 0"
_NOTE = """
insert into part_reservation (visit, org, sku, state) values (%s, %s, %s, 'reserved')
on conflict (visit, sku) do nothing
"""
_RELEASE = """
with given as (
    update part_reservation set state = 'released' where visit = %s and state = 'reserved' returning org, sku
)
update part_stock p set reserved = p.reserved - 1 from given g where p.org = g.org and p.sku = g.sku
"""
_USE = """
with used as (
    update part_reservation set state = 'used' where visit = %s and state = 'reserved' and sku = any(%s)
    returning org, sku
)
update part_stock p set reserved = p.reserved - 1, on_hand = p.on_hand - 1
from used u where p.org = u.org and p.sku = u.sku
"""
_ADD_QUOTE = """
insert into quote (id, ticket, state, currency, lines, total, valid_until, reason, made, decided)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_GET_QUOTE = """
select id, ticket, state, currency, lines, total, valid_until, made, reason, decided, version
from quote where id = %s for update
"""
_SAVE_QUOTE = """
update quote set state = %s, reason = %s, decided = %s, version = version + 1 where id = %s and version = %s
"""


@dataclass(frozen=True, slots=True)
class PgVisits:
    """Visits and outcomes."""

    conn: Connection

    def add(self, visit: Visit) -> None:
        """Enter a visit; a clash leaves the transaction usable."""
        row = (
            visit.id,
            visit.ticket,
            visit.technician,
            visit.skill,
            list(visit.parts),
            visit.start,
            visit.end,
            visit.state,
            visit.reason,
            visit.hold_until,
            visit.calendar,
            visit.sequence,
            visit.proposed,
        )
        try:
            with self.conn.transaction():
                self.conn.execute(_ADD_VISIT, row)
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

    def booked(self, technicians: Collection[UUID], span: Window) -> Mapping[UUID, Sequence[Window]]:
        """Visits and absences in a span."""
        found: dict[UUID, list[Window]] = defaultdict(list)
        with self.conn.cursor(row_factory=args_row(booking_row)) as cursor:
            cursor.execute(_BOOKED, {"who": list(technicians), "start": span.start, "end": span.end})
            for technician, start, end in cursor:
                found[technician].append(Window(start, end))
        return found

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

    def reserve(self, org: str, visit: UUID, sku: str) -> bool:
        """Put a piece aside."""
        if self.conn.execute(_TAKE, (org, sku)).rowcount != 1:
            return False
        self.conn.execute(_NOTE, (visit, org, sku))
        return True

    def release(self, visit: UUID) -> None:
        """Give back."""
        self.conn.execute(_RELEASE, (visit,))

    def use(self, visit: UUID, skus: Collection[str]) -> None:
        """Use some, give back the rest."""
        self.conn.execute(_USE, (visit, list(skus)))
        self.release(visit)


@dataclass(frozen=True, slots=True)
class PgQuotes:
    """Prices put to owners."""

    conn: Connection

    def add(self, quote: Quote) -> None:
        """Enter a quote."""
        lines = Jsonb([[text, str(amount)] for text, amount in quote.lines])
        row = (
            quote.id,
            quote.ticket,
            quote.state,
            quote.currency,
            lines,
            quote.total,
            quote.valid_until,
            quote.reason,
            quote.made,
            quote.decided,
        )
        self.conn.execute(_ADD_QUOTE, row)

    def get(self, quote: UUID) -> Quote:
        """The quote, its row locked."""
        with self.conn.cursor(row_factory=kwargs_row(quote_row)) as cursor:
            found = cursor.execute(_GET_QUOTE, (quote,)).fetchone()
        if found is None:
            raise UnknownError(f"there is no quote {quote}")
        return found

    def save(self, quote: Quote) -> Quote:
        """Write a quote, version by version."""
        row = (quote.state, quote.reason, quote.decided, quote.id, quote.version)
        if self.conn.execute(_SAVE_QUOTE, row).rowcount != 1:
            raise ConflictError(f"quote {quote.id} was changed by someone else; read it again")
        return replace(quote, version=quote.version + 1)
