"""Jobs that leave with a transaction: procrastinate's schema and deferring through a given connection."""

from __future__ import annotations

import psycopg
from procrastinate.schema import SchemaManager

_INSTALLED = "select to_regclass('procrastinate_jobs') is not null"


def install(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Create procrastinate's tables when they are not there; part of the migration's transaction."""
    row = conn.execute(_INSTALLED).fetchone()
    if row is not None and row[0]:
        return
    conn.execute(SchemaManager.get_schema().encode())
