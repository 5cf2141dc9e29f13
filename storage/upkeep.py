"""Due things that come again and again, and the lock that keeps their work from running twice at once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from storage.pool import Connection
from storage.session_locks import SessionLock, wait_for

_ENSURE = (
    "insert into due (kind, ref, due) values (%s, %s, %s) on conflict (kind, ref) where done_at is null do nothing"
)
_AGAIN = "update due set due = %s, handed_at = null where id = %s and done_at is null"
# A number may belong to somebody else by now: only a session of upkeep is ended.
_END_FORMER = """
select pg_terminate_backend(l.pid) from pg_locks l
join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.classid = 0 and l.objid = %s and l.granted and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
  and a.application_name = %s
"""

APPLICATION = "wellkept-upkeep"
"""Name of the sessions that do the upkeep."""


def ensure_due(conn: Connection, kind: str, ref: UUID, due: datetime) -> None:
    """Note a due thing unless it waits already."""
    conn.execute(_ENSURE, (kind, ref, due))


def due_again(conn: Connection, due: int, at: datetime) -> None:
    """A due thing is done for now: it waits again, until `at` in fleet time."""
    conn.execute(_AGAIN, (at, due))


def alone(conn: Connection) -> None:
    """Take the lock of upkeep and keep it while the connection lives.

    Jobs of upkeep run one after the other. Who has the lock nevertheless belongs to a worker that froze and whose job
    was taken over: its session is ended.
    """
    conn.execute(_END_FORMER, (int(SessionLock.UPKEEP), APPLICATION))
    wait_for(conn, SessionLock.UPKEEP)
