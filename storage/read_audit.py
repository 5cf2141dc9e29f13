"""The audit log as people search it, and its end for a look whether the chain holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from servicedesk.care_rows import AuditRow
from storage.pool import Connection

_WHERE = """
from audit_log a left join household h on h.id = (a.content::jsonb ->> 'household')::uuid
where (%(actor)s::text is null or position(%(actor)s in lower(a.content::jsonb ->> 'actor')) > 0)
  and (%(action)s::text is null or a.content::jsonb ->> 'action' = %(action)s)
  and (%(household)s::text is null or a.content::jsonb ->> 'household' = %(household)s
       or position(%(household)s in lower(coalesce(h.name, ''))) > 0)
  and (%(since)s::timestamptz is null or (a.content::jsonb ->> 'at')::timestamptz >= %(since)s)
  and (%(until)s::timestamptz is null or (a.content::jsonb ->> 'at')::timestamptz < %(until)s)
"""
_SEARCH = f"""
select a.seq, a.content::jsonb ->> 'action' as action, (a.content::jsonb ->> 'at')::timestamptz as at,
    a.content::jsonb ->> 'actor' as actor, a.content::jsonb ->> 'what' as what,
    (a.content::jsonb ->> 'household')::uuid as household, coalesce(h.name, '') as household_name,
    a.content::jsonb -> 'body' as body, encode(a.hash, 'hex') as hash
{_WHERE} and (%(before)s::bigint is null or a.seq < %(before)s)
order by a.seq desc limit %(limit)s
"""
_TAIL = "select seq, content, prev, hash from audit_log where seq > %s order by seq"
_HEAD = "select coalesce(max(seq), 0) from audit_log"
_ROW = "select seq, content, prev, hash from audit_log where seq = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which rows are asked for; what is None does not narrow.

    Attributes:
        actor: a part of who it was.
        action: what was done.
        household: its id, or a part of its name.
        since: first moment.
        until: first moment after it.
    """

    actor: str | None = None
    action: str | None = None
    household: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def parameters(self) -> dict[str, Any]:
        """For the statements of this module."""
        return {
            "actor": self.actor.lower() if self.actor else None,
            "action": self.action or None,
            "household": self.household.lower() if self.household else None,
            "since": self.since,
            "until": self.until,
        }


@dataclass(frozen=True, slots=True)
class AuditView:
    """A row of the log in its parts."""

    seq: int
    action: str
    at: datetime
    actor: str
    what: str
    household: UUID | None
    household_name: str
    body: dict[str, Any]
    hash: str


def search_audit(conn: Connection, wanted: AuditFilter, *, before: int | None, limit: int) -> list[AuditView]:
    """Rows, newest first."""
    with conn.cursor(row_factory=class_row(AuditView)) as cursor:
        return cursor.execute(_SEARCH, wanted.parameters() | {"before": before, "limit": limit}).fetchall()


def audit_tail(conn: Connection, most: int) -> tuple[AuditRow | None, list[AuditRow]]:
    """The last rows by number, at most so many, and the row before them; None when they begin with the first."""
    row = conn.execute(_HEAD).fetchone()
    start = max(0, int(str(row[0])) - most) if row else 0
    with conn.cursor(row_factory=class_row(AuditRow)) as cursor:
        before = cursor.execute(_ROW, (start,)).fetchone() if start else None
        return before, cursor.execute(_TAIL, (start,)).fetchall()
