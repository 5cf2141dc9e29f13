"""What the product's role may do in the database, how its clock stands, and which migrations wait."""

from __future__ import annotations

from datetime import datetime

from storage.migrate import pending
from storage.pool import Connection

_TABLES = """
select c.relname || ': ' || string_agg(p, ', ' order by p)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
cross join unnest(array['select', 'insert', 'update', 'delete']) p
where c.relkind in ('r', 'p') and not has_table_privilege(current_user, c.oid, p)
group by c.relname order by c.relname
"""
_DATABASE = """
select p from unnest(array['temporary', 'connect']) p
where not has_database_privilege(current_user, current_database(), p)
"""
_SCHEMA = "select has_schema_privilege(current_user, 'public', 'usage')"
_CLOCK = "select clock_timestamp()"
_ROLE = "select current_user"


def role(conn: Connection) -> str:
    """Who we are there."""
    row = conn.execute(_ROLE).fetchone()
    return str(row[0]) if row else ""


def missing_rights(conn: Connection) -> list[str]:
    """What the role may not do and must: `table: insert, update`, or a right of the database as a whole."""
    missing = [f"{row[0]}" for row in conn.execute(_TABLES)]
    missing += [f"database: {row[0]}" for row in conn.execute(_DATABASE)]
    usage = conn.execute(_SCHEMA).fetchone()
    return missing if usage and usage[0] else [*missing, "schema public: usage"]


def database_time(conn: Connection) -> datetime:
    """The database server's clock, now."""
    row = conn.execute(_CLOCK).fetchone()
    if row is None or not isinstance(row[0], datetime):  # a function gives a row
        raise LookupError("no time")
    return row[0]


def pending_migrations(conn: Connection) -> list[str]:
    """Migrations of this version that the database does not have.

    Raises:
        MigrationError: it has one that this version does not know, or another text of one.
    """
    return [path.name for path in pending(conn)]
