"""Due things, jobs, control entries, owners' links and findings, for the desk's use cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from servicedesk.errors import UnknownError
from servicedesk.model import Due
from storage import jobs
from storage.access import create_owner_link
from storage.pool import Connection
from telemetry.finding import Finding
from telemetry.identity import DeviceKey

_SET_DUE = """
insert into due (kind, ref, due) values (%s, %s, %s)
on conflict (kind, ref) where done_at is null do update set due = excluded.due, handed_at = null
"""
_KEEP_DUE = """
insert into due (kind, ref, due) values (%s, %s, %s) on conflict (kind, ref) where done_at is null do nothing
"""
_DROP_DUE = "delete from due where ref = %s and kind = any(%s) and done_at is null"
_HAND_OVER = """
update due set handed_at = %(now)s where id in (
    select id from due where due <= %(now)s and handed_at is null and done_at is null
    order by due, id limit %(limit)s for update skip locked
) returning id, kind, ref, due, handed_at, done_at
"""
_NEXT_DUE = "select min(due) from due where handed_at is null and done_at is null"
_DONE = "update due set done_at = %s where id = %s and done_at is null"
_CONTROL = "insert into control_entry (id, device, kind, at, body) values (%s, %s, %s, %s, %s)"
_FINDING = """
select body from finding_revision where finding = %s and revision = coalesce(%s, revision)
order by revision desc limit 1
"""
_DEVICE = "select no from device where org = %s and device = %s"
_OPEN_DUE = """
select (select count(*) from due where due <= %s and handed_at is null and done_at is null)
     + (select count(*) from procrastinate_jobs
        where status in ('todo', 'doing') and queue_name = 'desk' and (scheduled_at is null or scheduled_at <= now()))
"""
# Handed over, but the job is gone without having done it (a crash, or retries used up).
_FORGOTTEN = """
update due set handed_at = null where handed_at is not null and done_at is null and not exists (
    select from procrastinate_jobs j where j.status in ('todo', 'doing') and j.queueing_lock = 'due:' || due.id
)
"""


@dataclass(frozen=True, slots=True)
class PgAgenda:
    """What follows a use case."""

    conn: Connection
    public_url: str

    def set_due(self, kind: str, ref: UUID, due: datetime) -> None:
        """Note a due thing, or move it."""
        self.conn.execute(_SET_DUE, (kind, ref, due))

    def keep_due(self, kind: str, ref: UUID, due: datetime) -> None:
        """Note a due thing, unless one waits."""
        self.conn.execute(_KEEP_DUE, (kind, ref, due))

    def drop_due(self, kinds: Collection[str], ref: UUID) -> None:
        """Take back what was not done."""
        self.conn.execute(_DROP_DUE, (ref, list(kinds)))

    def hand_over(self, now: datetime, limit: int) -> list[Due]:
        """What is due, marked as handed, oldest first."""
        with self.conn.cursor(row_factory=class_row(Due)) as cursor:
            found = cursor.execute(_HAND_OVER, {"now": now, "limit": limit}).fetchall()
        return sorted(found, key=lambda each: (each.due, each.id))

    def next_due(self) -> datetime | None:
        """When the next waiting thing is due."""
        row = self.conn.execute(_NEXT_DUE).fetchone()
        return row[0] if row is not None and isinstance(row[0], datetime) else None

    def done(self, due: int, at: datetime) -> bool:
        """Mark as done, once."""
        return self.conn.execute(_DONE, (at, due)).rowcount == 1

    def defer(
        self,
        task: str,
        /,
        *,
        lock: str | None = None,
        once: str | None = None,
        later: datetime | None = None,
        **arguments: Any,  # noqa: ANN401  (JSON values)
    ) -> None:
        """Leave a job with this transaction."""
        jobs.defer(self.conn, task, lock=lock, once=once, later=later, **arguments)

    def control(self, entry: UUID, device: int, kind: str, at: datetime, body: Mapping[str, Any]) -> None:
        """Enter a control entry; the worker publishes it to the device's partition."""
        self.conn.execute(_CONTROL, (entry, device, kind, at, Jsonb(dict(body))))

    def owner_link(self, ticket: UUID, now: datetime) -> str:
        """A new address of the owner's page."""
        return f"{self.public_url}/o/{create_owner_link(self.conn, now=now, ticket=ticket)}"

    def finding(self, finding: UUID, revision: int | None = None) -> Finding | None:
        """A revision, by default the newest."""
        row = self.conn.execute(_FINDING, (finding, revision)).fetchone()
        return None if row is None else msgspec.convert(row[0], Finding)

    def device_of(self, key: DeviceKey) -> int:
        """The number of a device in the registry."""
        row = self.conn.execute(_DEVICE, (key.org, key.device)).fetchone()
        if row is None or not isinstance(row[0], int):
            raise UnknownError(f"there is no device {key}")
        return row[0]


def open_due(conn: Connection, now: datetime) -> int:
    """How much is open at a fleet time: due things nobody was handed and jobs that could run now.

    An accelerated clock is held while this is above zero. A job that waits for its technical retry does not count, nor
    does what is sent to other systems: their servers hold no clock.
    """
    row = conn.execute(_OPEN_DUE, (now,)).fetchone()
    return row[0] if row is not None and isinstance(row[0], int) else 0


def take_back(conn: Connection) -> int:
    """Give forgotten due things back to the poller; returns how many."""
    return conn.execute(_FORGOTTEN).rowcount
