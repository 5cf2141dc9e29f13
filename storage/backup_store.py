"""Backups as the database knows them: when each began and finished, and the positions that the purge respects.

A backup is entered *before* its snapshot, with the positions as they are then. From that commit on no worker purges
beyond them, so that whatever the snapshot does not hold is still in the stream. An unfinished backup counts only while
its session holds the advisory lock: one that was killed does not hold the stream for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from storage.api_events import begin_anew
from storage.pool import Connection
from storage.session_locks import SessionLock, try_lock

_BEGIN = "insert into backup (id, began, folder) values (%s, %s, %s)"
_HOLD = """
insert into backup_position (backup, partition, incarnation, seq)
select %s, partition, incarnation, seq from partition_position
"""
_FINISH = "update backup set finished = %s where id = %s"
_SETTLE = """
insert into backup_position (backup, partition, incarnation, seq) values (%s, %s, %s, %s)
on conflict (backup, partition) do update set incarnation = excluded.incarnation, seq = excluded.seq
"""
_FAILED = "delete from backup where id = %s and finished is null"
_RELEASE = "update backup set released = %s where released is null and finished is not null"
_LIST = "select id, began, finished, released, folder from backup order by began desc, id desc limit %s"
# The last finished one, and one at work: its session holds the lock.
_COUNTING = """
(select id from backup where finished is not null and released is null order by finished desc, began desc limit 1)
union
select id from backup where finished is null and exists (
    select 1 from pg_locks
    where locktype = 'advisory' and classid = 0 and objid = %s and granted
      and database = (select oid from pg_database where datname = current_database())
)
"""
_FLOOR = "select partition, incarnation, seq from backup_position where backup = any(%s)"
_SNAPSHOT = "select pg_export_snapshot()"
_POSITIONS = "select partition, incarnation, seq from partition_position order by partition"
_MESSAGES = """
select (select coalesce(sum(upto + coalesce(
            (select sum(upper(r) - lower(r)) from unnest(beyond) r), 0)), 0)::bigint from device_progress),
       (select count(*) from ticket), (select count(*) from dead_letter)
"""
_MIGRATIONS = "select name from schema_migration order by name"
_EXTENSION = "select extversion from pg_extension where extname = 'timescaledb'"
_SERVER = "select current_setting('server_version')"
_EMPTY = """
select not exists (
    select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p')
)
"""
# Backends of the lost cluster: their numbers may belong to anybody in the new one.
_NO_OWNERS = "update partition_position set owner_pid = null"
_ANALYZE = "analyze"


@dataclass(frozen=True, slots=True)
class BackupRow:
    """One backup; times are wall times."""

    id: UUID
    began: datetime
    finished: datetime | None
    released: datetime | None
    folder: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a snapshot of the database holds, for the manifest and for the check after a restore.

    Attributes:
        positions: partition to stream incarnation and seq.
        messages: stored, dead-lettered and lost ones.
        tickets: how many.
        dead_letters: how many.
        migrations: names of those applied.
        server: version of PostgreSQL.
        timescale: version of the extension, or None.
    """

    positions: dict[int, tuple[str, int]]
    messages: int
    tickets: int
    dead_letters: int
    migrations: list[str]
    server: str
    timescale: str | None


def lock(conn: Connection) -> bool:
    """Take the one backup lock of this database for the session. False when another backup runs."""
    held = try_lock(conn, SessionLock.BACKUP)
    conn.commit()
    return held


def begin(conn: Connection, backup: UUID, folder: str, now: datetime) -> None:
    """Enter a backup and hold the stream at today's positions; committed on return.

    Args:
        conn: a session that holds `lock`.
        backup: its id.
        folder: where it goes.
        now: wall time.
    """
    conn.execute(_BEGIN, (backup, now, folder))
    conn.execute(_HOLD, (backup,))
    conn.commit()


def finish(
    conn: Connection, backup: UUID, now: datetime, positions: Mapping[int, tuple[str, int]] | None = None
) -> None:
    """Everything lies in its folder: from here on its positions are the floor. Committed on return.

    Args:
        conn: a session that holds `lock`.
        backup: its id.
        now: wall time.
        positions: of its snapshot, which may lie beyond those at its begin.
    """
    for partition, (incarnation, seq) in (positions or {}).items():
        conn.execute(_SETTLE, (backup, partition, incarnation, seq))
    conn.execute(_FINISH, (now, backup))
    conn.commit()


def give_up(conn: Connection, backup: UUID) -> None:
    """Forget a backup that failed; committed on return."""
    conn.execute(_FAILED, (backup,))
    conn.commit()


def release(conn: Connection, now: datetime) -> int:
    """Let the purge go again as if there were no backup. Returns how many were released."""
    return conn.execute(_RELEASE, (now,)).rowcount


def list_backups(conn: Connection, limit: int = 20) -> list[BackupRow]:
    """The latest backups, newest first."""
    with conn.cursor(row_factory=class_row(BackupRow)) as cursor:
        return cursor.execute(_LIST, (limit,)).fetchall()


@dataclass(frozen=True, slots=True)
class PurgeFloor:
    """How far the purge may go.

    Attributes:
        held: partition to the `(incarnation, seq)` of every backup that counts.
        backups: how many count; without one nothing is held.
    """

    held: dict[int, list[tuple[str, int]]]
    backups: int

    def upto(self, partition: int, incarnation: str, seq: int) -> int:
        """The seq up to which a partition may be purged that is committed at `(incarnation, seq)`.

        A partition that a backup does not know, or knows of an earlier stream, is held whole: after a restore it is
        read from its first entry.
        """
        standing = self.held.get(partition, [])
        if len(standing) < self.backups:
            return 0
        return min([seq, *(at if of == incarnation else 0 for of, at in standing)])


def purge_floor(conn: Connection) -> PurgeFloor:
    """What the last finished backup, and one that runs, need of the stream.

    Read it *after* the position that is to be purged was committed: a backup that begins later begins behind it.
    """
    held: dict[int, list[tuple[str, int]]] = {}
    backups = conn.execute(_COUNTING, (int(SessionLock.BACKUP),)).fetchall()
    if backups:
        ids = [row[0] for row in backups]
        for partition, incarnation, seq in conn.execute(_FLOOR, (ids,)):
            held.setdefault(int(str(partition)), []).append((str(incarnation), int(str(seq))))
    return PurgeFloor(held, len(backups))


def export_snapshot(conn: Connection) -> tuple[str, Standing]:
    """Begin a repeatable-read transaction and give its snapshot's name with what it holds; valid until it ends."""
    conn.execute("set transaction isolation level repeatable read read only")
    row = conn.execute(_SNAPSHOT).fetchone()
    if row is None:  # a function gives a row
        raise LookupError("no snapshot")
    return str(row[0]), standing(conn)


def standing(conn: Connection) -> Standing:
    """What the transaction sees."""
    positions = {int(str(p)): (str(i), int(str(seq))) for p, i, seq in conn.execute(_POSITIONS)}
    counted = conn.execute(_MESSAGES).fetchone() or (0, 0, 0)
    server = conn.execute(_SERVER).fetchone()
    extension = conn.execute(_EXTENSION).fetchone()
    return Standing(
        positions=positions,
        messages=int(str(counted[0])),
        tickets=int(str(counted[1])),
        dead_letters=int(str(counted[2])),
        migrations=[str(row[0]) for row in conn.execute(_MIGRATIONS)],
        server=str(server[0]) if server else "",
        timescale=str(extension[0]) if extension else None,
    )


def is_empty(conn: Connection) -> bool:
    """Whether the database holds no table yet."""
    row = conn.execute(_EMPTY).fetchone()
    return bool(row and row[0])


def settle_restored(conn: Connection, backup: UUID, now: datetime) -> None:
    """After a restore: the backup itself is finished (its dump could not know), and no backend owns a partition.

    Readers of the feed of changes are told that what they saw last may be lost.
    """
    conn.execute(_NO_OWNERS)
    conn.execute(_FINISH, (now, backup))
    begin_anew(conn, now)
    conn.commit()
    conn.autocommit = True
    conn.execute(_ANALYZE)
    conn.autocommit = False
