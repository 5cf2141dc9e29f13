"""Connections: one pool a process, UTC, rows as tuples unless a row factory says otherwise."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

# A peer that vanished without a word is noticed within seconds, not hours.
_NET: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

Connection = psycopg.Connection[tuple[object, ...]]
Pool = ConnectionPool[Connection]


def _configure(conn: psycopg.Connection[object]) -> None:
    conn.execute("set time zone 'UTC'")
    conn.commit()


def connect(url: str, *, application: str, autocommit: bool = False) -> psycopg.Connection[tuple[object, ...]]:
    """Open one connection for a purpose of its own.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    conn = psycopg.connect(url, application_name=application, **_NET)
    _configure(conn)
    conn.autocommit = autocommit
    return conn


def open_pool(url: str, *, application: str, size: int = 8) -> ConnectionPool[psycopg.Connection[tuple[object, ...]]]:
    """Open a pool; connections are checked when handed out, so that a restarted database is survived."""
    return ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        kwargs={"application_name": application, **_NET},
        configure=_configure,
        check=ConnectionPool.check_connection,
        open=True,
    )
