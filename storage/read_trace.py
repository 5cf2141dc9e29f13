"""The way of one message through the tables, from its reading to the notices that it brought about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row

from storage.pool import Connection

_BY_TICKET = """
select c.message from correlation c join ticket t on t.finding = c.finding where t.ref = %s
"""
_BY_FINDING = "select message from correlation where finding = %s"
_DEVICE = "select no, kind from device where org = %s and device = %s"
_SETTLED = """
select epoch, upto, beyond::text, (%s::bigint <= upto or %s::bigint <@ beyond) as settled from device_progress
where device = %s and epoch = %s
"""
_STRANGER = """
select epoch, upto, beyond::text, (%s::bigint <= upto or %s::bigint <@ beyond) as settled from stranger_progress
where org = %s and device = %s and epoch = %s
"""
_LOST = """
select from_seq, to_seq, at, why from declared_lost
where device = %s and epoch = %s and %s between from_seq and to_seq
"""
_DEAD = """
select id, reason, detail, arrival, replayed, partition, stream_seq from dead_letter
where org = %s and device = %s and epoch = %s and seq = %s
"""
_EVENTS = "select t, code, arrival, late from device_event where device = %s and epoch = %s and seq = %s order by sub"
_ERRORS = "select at, error from detector_error where device = %s and epoch = %s and seq = %s"
_FINDINGS = """
select f.id, f.family, f.opened, f.state, f.revision, f.severity, f.arrived from correlation c
join finding_current f on f.id = c.finding where c.message = %s order by f.opened
"""
_TICKETS = """
select t.id, t.ref, t.state, t.family, t.fault, t.opened, t.closed from correlation c
join ticket t on t.finding = c.finding where c.message = %s order by t.opened
"""
_TIMELINE = "select at, kind, actor, body from ticket_event where ticket = %s order by id"
_VISITS = (
    "select state, lower(span) as start, proposed, confirmed, finished from visit where ticket = %s order by proposed"
)
_NOTICES = """
select id, stage, state, channel, queued, sent, delivered, message_id from notice where ticket = %s order by queued
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the message met.

    Attributes:
        what: table, in plain words.
        at: when, in fleet time; None where the table has no time.
        detail: columns to values.
    """

    what: str
    at: datetime | None
    detail: dict[str, object]


def message_of(conn: Connection, name: str) -> str | None:
    """The message that a ticket's reference or a finding's id goes back to."""
    try:
        row = conn.execute(_BY_FINDING, (UUID(name),)).fetchone()
    except ValueError:
        row = conn.execute(_BY_TICKET, (name,)).fetchone()
    return str(row[0]) if row is not None else None


def trace(conn: Connection, org: str, device: str, epoch: int, seq: int) -> Iterator[Step]:
    """Everything that the database has of a message, in the order of its way."""
    registered = conn.execute(_DEVICE, (org, device)).fetchone()
    yield from _rows(conn, "dead letter", "arrival", _DEAD, (org, device, epoch, seq))
    if registered is None:
        yield from _rows(conn, "receipt of a stranger", None, _STRANGER, (seq, seq, org, device, epoch))
        return
    no, kind = int(str(registered[0])), str(registered[1])
    reading = sql.SQL("select * from {table} where device = %s and epoch = %s and seq = %s order by sub").format(
        table=sql.Identifier(f"reading_{kind}")
    )
    yield from _rows(conn, "reading", "t", reading, (no, epoch, seq))
    yield from _rows(conn, "event", "t", _EVENTS, (no, epoch, seq))
    yield from _rows(conn, "declared lost", "at", _LOST, (no, epoch, seq))
    yield from _rows(conn, "receipt", None, _SETTLED, (seq, seq, no, epoch))
    yield from _rows(conn, "detector error", "at", _ERRORS, (no, epoch, seq))
    message = f"{org}/{device}/{epoch}/{seq}"
    yield from _rows(conn, "finding", "opened", _FINDINGS, (message,))
    for ticket in _rows(conn, "ticket", "opened", _TICKETS, (message,)):
        yield ticket
        of_ticket = (ticket.detail["id"],)
        yield from _rows(conn, "timeline", "at", _TIMELINE, of_ticket)
        yield from _rows(conn, "visit", "proposed", _VISITS, of_ticket)
        yield from _rows(conn, "notice", "queued", _NOTICES, of_ticket)


def _rows(
    conn: Connection, what: str, time: str | None, query: str | sql.Composed, given: tuple[object, ...]
) -> Iterator[Step]:
    with conn.cursor(row_factory=dict_row) as cursor:
        # Constants of this module, and one composed of identifiers.
        for row in cursor.execute(query, given).fetchall():
            at = row.pop(time) if time is not None else None
            yield Step(what, at if isinstance(at, datetime) else None, {k: v for k, v in row.items() if v is not None})
