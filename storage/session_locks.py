"""The database's advisory locks that a session holds while it lives, and their keys in one place: none is used twice.

Who holds one is the only one that does its work; when its process ends, however it ends, the database lets go of it.
"""

from __future__ import annotations

from enum import IntEnum

from storage.pool import Connection

_TRY = "select pg_try_advisory_lock(%s)"
_WAIT = "select pg_advisory_lock(%s)"
_RELEASE = "select pg_advisory_unlock(%s)"


class SessionLock(IntEnum):
    """Keys, on which running processes agree: a change lets an older process work beside a newer one."""

    MIGRATION = 7_239_401
    BACKUP = 7_239_402
    HOME_NEWS = 7_239_411
    UPKEEP = 7_239_431
    SHADOW = 0x5AAD0


def try_lock(conn: Connection, lock: SessionLock) -> bool:
    """Whether this session holds the lock now; it does until it ends. A session may take it more than once."""
    return conn.execute(_TRY, (int(lock),)).fetchone() == (True,)


def wait_for(conn: Connection, lock: SessionLock) -> None:
    """Wait until this session holds the lock."""
    conn.execute(_WAIT, (int(lock),))


def release(conn: Connection, lock: SessionLock) -> None:
    """Let go of it once."""
    conn.execute(_RELEASE, (int(lock),))
