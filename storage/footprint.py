"""How much room readings and roll-ups take on disk."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from storage.pool import Connection
from storage.rollup_levels import LEVELS, reading_table
from storage.timescale import present

_PLAIN = """
select pg_relation_size(%(table)s::regclass), pg_indexes_size(%(table)s::regclass),
       pg_total_relation_size(%(table)s::regclass)
"""
_CHUNKED = """
select coalesce(sum(table_bytes + toast_bytes), 0)::bigint, coalesce(sum(index_bytes), 0)::bigint,
       coalesce(sum(total_bytes), 0)::bigint
from hypertable_detailed_size(%(table)s::regclass)
"""
_AGGREGATE = """
select format('%%I.%%I', materialization_hypertable_schema, materialization_hypertable_name)
from timescaledb_information.continuous_aggregates where view_name = %s
"""
_VACUUM = sql.SQL("vacuum analyze {table}")
_SERVER = """
select current_setting('server_version'), (select extversion from pg_extension where extname = 'timescaledb')
"""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes on disk: rows with what is stored out of line, indexes, everything."""

    heap: int
    index: int
    total: int


def footprint(conn: Connection, table: str) -> Footprint:
    """Of a table or hypertable, compressed chunks included."""
    row = conn.execute(_CHUNKED if present(conn) else _PLAIN, {"table": table}).fetchone()
    if row is None:  # an aggregate always gives a row
        raise LookupError(table)
    return Footprint(*(int(str(cell)) for cell in row))


def rollup_footprint(conn: Connection, kind: str) -> dict[str, Footprint]:
    """Of a kind's roll-ups, by level."""
    found: dict[str, Footprint] = {}
    for level in LEVELS:
        name = f"rollup_{kind}_{level.name}"
        if present(conn):
            row = conn.execute(_AGGREGATE, (name,)).fetchone()
            name = name if row is None else str(row[0])
        found[level.name] = footprint(conn, name)
    return found


def settle(conn: Connection, kind: str) -> None:
    """Vacuum and analyse readings, so that sizes and plans are those of a database at rest. `conn` is in autocommit."""
    conn.execute(_VACUUM.format(table=reading_table(kind)))


def server(conn: Connection) -> tuple[str, str | None]:
    """Versions of the server and of its extension."""
    row = conn.execute(_SERVER).fetchone()
    return ("", None) if row is None else (str(row[0]), None if row[1] is None else str(row[1]))


def create_database(url: str, name: str) -> str:
    """An empty database on a server; returns its address.

    Raises:
        psycopg.Error: the server does not answer, or its user may not create databases.
    """
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    return psycopg.conninfo.make_conninfo(url, dbname=name)


def drop_database(url: str, name: str) -> None:
    """Drop a database with its sessions."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
