"""Due things that come again and again, and the lock that keeps their work from running twice at once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from storage.pool import Connection

_ENSURE = (
    "insert into due (kind, ref, due) values (%s, %s, %s) on conflict (kind, ref) where done_at is null do nothing"
)
_AGAIN = "update due set due = %s, handed_at = null where id = %s and done_at is null"
_KEY = 7_239_431


def ensure_due(conn: Connection, kind: str, ref: UUID, due: datetime) -> None:
    """Note a due thing unless it waits already."""
    conn.execute(_ENSURE, (kind, ref, due))


def due_again(conn: Connection, due: int, at: datetime) -> None:
    """A due thing is done for now: it waits again, until `at` in fleet time."""
    conn.execute(_AGAIN, (at, due))


def alone(conn: Connection) -> None:
    """Take the lock of upkeep and keep it while the connection lives; waits for whoever has it."""
    conn.execute("select pg_advisory_lock(%s)", (_KEY,))
