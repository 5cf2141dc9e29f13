"""Quotes and serial numbers as `/v1` reads them, narrowed by a scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, kwargs_row

from servicedesk.money import Line
from storage.desk_money import lines_of
from storage.pool import Connection
from storage.read_models import DEVICE_SCOPE, TICKET_SCOPE, Cursor, Scope

_QUOTE = """
select q.id, q.ticket, t.ref, d.org || '/' || d.device as device, t.family, t.household, q.state, q.currency, q.lines,
    q.total, q.tax, q.rule, q.valid_until, q.made, q.decided, q.reason
from quote q join ticket t on t.id = q.ticket join device d on d.no = t.device
"""
# A draft is the desk's own.
_TOLD = " and (q.state <> 'draft' or (%(household)s::uuid is null and %(only_ticket)s::uuid is null))"
_QUOTES = (
    _QUOTE
    + TICKET_SCOPE
    + _TOLD
    + """
  and (%(states)s::text[] is null or q.state = any(%(states)s))
  and (%(of)s::uuid is null or q.ticket = %(of)s)
  and (%(after_at)s::timestamptz is null or (q.made, q.id) < (%(after_at)s, %(after_id)s::uuid))
order by q.made desc, q.id desc
limit %(limit)s
"""
)
_ONE_QUOTE = _QUOTE + TICKET_SCOPE + _TOLD + " and q.id = %(quote)s"
_SERIAL = f"""
select d.no, d.org, d.device, d.kind, d.model, d.serial, d.sold, d.warranty_until
from device d
{DEVICE_SCOPE} and d.serial = %(serial)s
order by d.no
"""  # noqa: S608  (constants of this module)
_TICKETS_OF = f"""
select t.id from ticket t {TICKET_SCOPE} and t.device = %(device)s order by t.opened desc, t.id desc limit %(limit)s
"""  # noqa: S608  (constants of this module)
_OF_DECISION = f"""
select t.id from warranty_decision w join ticket t on t.id = w.ticket {TICKET_SCOPE} and w.id = %(decision)s
"""  # noqa: S608  (likewise)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteView:
    """A quote with its ticket's reference."""

    id: UUID
    ticket: UUID
    ref: str
    device: str
    family: str
    household: UUID | None
    state: str
    currency: str
    lines: tuple[Line, ...]
    total: Decimal
    tax: Decimal
    rule: str
    valid_until: datetime
    made: datetime
    decided: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialView:
    """The appliance that bears a serial number."""

    no: int
    org: str
    device: str
    kind: str
    model: str | None
    serial: str
    sold: date | None
    warranty_until: date | None


def _quote(*, lines: list[dict[str, Any]], **columns: Any) -> QuoteView:  # noqa: ANN401  (columns of one row)
    return QuoteView(lines=lines_of(lines), **columns)


def list_quotes(
    conn: Connection,
    scope: Scope,
    *,
    states: list[str] | None = None,
    ticket: UUID | None = None,
    after: Cursor | None = None,
    limit: int = 100,
) -> list[QuoteView]:
    """Quotes, newest first."""
    more = {
        "states": states,
        "of": ticket,
        "after_at": after.at if after is not None else None,
        "after_id": after.id if after is not None else None,
        "limit": limit,
    }
    with conn.cursor(row_factory=kwargs_row(_quote)) as cursor:
        return cursor.execute(_QUOTES, scope.parameters() | more).fetchall()


def get_quote(conn: Connection, scope: Scope, quote: UUID) -> QuoteView | None:
    """A quote, or None when it is not there or not in scope."""
    with conn.cursor(row_factory=kwargs_row(_quote)) as cursor:
        return cursor.execute(_ONE_QUOTE, scope.parameters() | {"quote": quote}).fetchone()


def find_serial(conn: Connection, scope: Scope, serial: str) -> SerialView | None:
    """The appliance of a serial number, or None when it is not there or not in scope: both look the same."""
    with conn.cursor(row_factory=class_row(SerialView)) as cursor:
        return cursor.execute(_SERIAL, scope.parameters() | {"serial": serial}).fetchone()


def tickets_of(conn: Connection, scope: Scope, device: int, limit: int = 20) -> list[UUID]:
    """The newest tickets of an appliance."""
    found = conn.execute(_TICKETS_OF, scope.parameters() | {"device": device, "limit": limit}).fetchall()
    return [row[0] for row in found if isinstance(row[0], UUID)]


def ticket_of_decision(conn: Connection, scope: Scope, decision: UUID) -> UUID | None:
    """The ticket of a warranty decision, or None when it is not there or not in scope."""
    row = conn.execute(_OF_DECISION, scope.parameters() | {"decision": decision}).fetchone()
    return row[0] if row is not None and isinstance(row[0], UUID) else None
