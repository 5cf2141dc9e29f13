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


def connect(url: str, *, application: str, autocommit: bool = False, idle: float | None = None) -> Connection:
    """Open one connection for a purpose of its own.

    Args:
        url: of the database.
        application: shown by the server.
        autocommit: each statement a transaction.
        idle: seconds after which the server ends a session that rests within a transaction: its process froze, and
            others wait for its locks.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    conn = psycopg.connect(url, application_name=application, **_NET, **_resting(idle))
    _configure(conn)
    conn.autocommit = autocommit
    return conn


def open_pool(url: str, *, application: str, size: int = 8, idle: float | None = None) -> Pool:
    """Open a pool; connections are checked when handed out, so that a restarted database is survived.

    `idle` as for `connect`.
    """
    return ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        kwargs={"application_name": application, **_NET, **_resting(idle)},
        configure=_configure,
        check=ConnectionPool.check_connection,
        open=True,
    )


def _resting(idle: float | None) -> dict[str, Any]:
    return {} if idle is None else {"options": f"-c idle_in_transaction_session_timeout={round(idle * 1_000)}"}
