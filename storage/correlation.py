"""The message that a finding goes back to, and with it its ticket and its notices."""

from __future__ import annotations

from uuid import UUID

from psycopg import sql

from storage.pool import Connection
from storage.registry import DeviceRow
from telemetry.clock import to_datetime
from telemetry.finding import Finding
from telemetry.logs import correlation

_EVENT = "select epoch, seq from device_event where device = %s and t = %s and not late order by 1 desc, 2 limit 1"
_OBSERVED = "select epoch, seq from device_observed where device = %s"
_NOTE = "insert into correlation (finding, message) values (%s, %s) on conflict do nothing"
_OF_FINDING = "select message from correlation where finding = %s"
_OF_TICKET = "select c.message from correlation c join ticket t on t.finding = c.finding where t.id = %s"
_OF_NOTICE = """
select c.message from correlation c
join ticket t on t.finding = c.finding join notice n on n.ticket = t.id where n.id = %s
"""
_OF_VISIT = """
select c.message from correlation c
join ticket t on t.finding = c.finding join visit v on v.ticket = t.id where v.id = %s
"""


def note_correlation(conn: Connection, finding: Finding, device: DeviceRow) -> str | None:
    """Remember the message at which a finding opened; its later revisions go back to the same one.

    In the transaction that stores both. The message is the one whose reading or event has the time at which the
    episode opened; where a loss or a control entry opened it, the last one observed before.
    """
    if finding.revision:
        return of_finding(conn, UUID(finding.id))
    opened = (device.no, to_datetime(finding.opened))
    reading = sql.SQL(
        "select epoch, seq from {table} where device = %s and t = %s and not late order by 1 desc, 2 limit 1"
    ).format(table=sql.Identifier(f"reading_{device.kind}"))
    row = (
        conn.execute(reading, opened).fetchone()
        or conn.execute(_EVENT, opened).fetchone()
        or conn.execute(_OBSERVED, opened[:1]).fetchone()
    )
    if row is None:
        return None
    message = correlation(device.key.org, device.key.device, int(str(row[0])), int(str(row[1])))
    conn.execute(_NOTE, (finding.id, message))
    return message


def of_finding(conn: Connection, finding: UUID) -> str | None:
    """The message that a finding goes back to."""
    return _text(conn.execute(_OF_FINDING, (finding,)).fetchone())


def of_ticket(conn: Connection, ticket: UUID) -> str | None:
    """Likewise of a ticket; None for one that a person opened."""
    return _text(conn.execute(_OF_TICKET, (ticket,)).fetchone())


def of_notice(conn: Connection, notice: UUID) -> str | None:
    """Likewise of a notice."""
    return _text(conn.execute(_OF_NOTICE, (notice,)).fetchone())


def of_thing(conn: Connection, thing: UUID) -> str | None:
    """Likewise of whatever an id belongs to: a ticket, a notice or a visit."""
    for query in (_OF_TICKET, _OF_NOTICE, _OF_VISIT):
        found = _text(conn.execute(query, (thing,)).fetchone())
        if found is not None:
            return found
    return None


def _text(row: tuple[object, ...] | None) -> str | None:
    return str(row[0]) if row is not None else None
