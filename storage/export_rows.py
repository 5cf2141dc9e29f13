"""Tables to be taken out: rows stream from the server, none of them names a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg import sql

from storage.pool import Connection

_AT_ONCE = 5_000
_TICKETS = """
select t.id::text as id, t.ref, t.org, t.org || '/' || d.device as device, d.kind, h.area, t.family, t.fault,
    t.finding::text as finding, t.severity, t.safety, t.state, t.reason, t.responsible, t.next_action, t.next_due,
    t.opened, t.planned, t.done, t.verified, t.closed
from ticket t join device d on d.no = t.device left join household h on h.id = t.household
where (%(org)s::text is null or t.org = %(org)s) and t.opened >= %(start)s and t.opened < %(end)s
order by t.opened, t.id
"""
_FINDINGS = """
select f.id::text as id, d.org || '/' || d.device as device, d.kind, f.family, r.state, r.severity, f.opened, r.onset,
    r.onset_low, r.onset_high, r.observed, r.score, r.life_low, r.life_high, r.detector, r.version, r.revision,
    f.history
from finding f join device d on d.no = f.device
join lateral (select * from finding_revision r where r.finding = f.id order by r.revision desc limit 1) r on true
where (%(org)s::text is null or d.org = %(org)s) and f.opened >= %(start)s and f.opened < %(end)s
order by f.opened, f.id
"""
_READINGS: LiteralString = """
select d.org || '/' || d.device as device, r.t, r.arrival, r.epoch, r.seq, r.sub, r.phase, r.late, {columns}
from {table} r join device d on d.no = r.device
where (%(org)s::text is null or d.org = %(org)s) and (%(device)s::text is null or d.device = %(device)s)
  and r.t >= %(start)s and r.t < %(end)s
order by d.org, d.device, r.t, r.epoch, r.seq, r.sub
"""
_TYPES = {
    "bool": "bool",
    "int2": "int",
    "int4": "int",
    "int8": "int",
    "float4": "float",
    "float8": "float",
    "timestamptz": "time",
}


@dataclass(frozen=True, slots=True)
class Span:
    """Which rows: of an organisation, or of all; from a time, before another; for readings, of one device or all."""

    start: datetime
    end: datetime
    org: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A table.

    Attributes:
        columns: names and kinds: text, int, float, bool or time.
        pieces: some thousand rows at a time.
    """

    columns: Sequence[tuple[str, str]]
    pieces: Iterator[Sequence[Sequence[Any]]]


def tickets(conn: Connection, span: Span) -> Rows:
    """Tickets by the time they opened."""
    return _rows(conn, sql.SQL(_TICKETS), span)


def findings(conn: Connection, span: Span) -> Rows:
    """The newest revision of each finding, by the time it opened."""
    return _rows(conn, sql.SQL(_FINDINGS), span)


def readings(conn: Connection, span: Span, kind: str, channels: Sequence[str]) -> Rows:
    """Readings of the appliances of a kind, by device and event time.

    Args:
        conn: a connection.
        span: which.
        kind: of the catalogue; names the table.
        channels: the kind's channels, which are columns.
    """
    statement = sql.SQL(_READINGS).format(
        columns=sql.SQL(", ").join(sql.Identifier("r", each) for each in channels),
        table=sql.Identifier(f"reading_{kind}"),
    )
    return _rows(conn, statement, span)


def _rows(conn: Connection, statement: sql.Composed | sql.SQL, span: Span) -> Rows:
    given = {"org": span.org, "device": span.device, "start": span.start, "end": span.end}
    cursor = conn.cursor(name="export")
    cursor.itersize = _AT_ONCE
    cursor.execute(statement, given)
    first = cursor.fetchmany(_AT_ONCE)
    columns = [(each.name, _kind(conn, each.type_code)) for each in cursor.description or ()]

    def pieces() -> Iterator[Sequence[Sequence[Any]]]:
        piece = first
        while piece:
            yield piece
            piece = cursor.fetchmany(_AT_ONCE)
        cursor.close()

    return Rows(columns, pieces())


def _kind(conn: Connection, oid: int) -> str:
    known = conn.adapters.types.get(oid)
    return _TYPES.get(known.name if known is not None else "", "text")
