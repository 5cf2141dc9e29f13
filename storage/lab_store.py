"""Work of the engineers' bench, asked for by a page and done by a worker; and what people ask of the fleet clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from storage.pool import Connection
from storage.registry import DeviceRow

SILENCE = timedelta(seconds=20)
"""A run whose worker gave no sign of life for so long is taken over."""
ATTEMPTS = 3
KEPT = timedelta(days=30)
_COLUMNS = "id, what, device, subject, asked, asked_by, state, share, ended, error, result"
_LATEST = f"""
select {_COLUMNS} from lab_run where device = %s and what = %s and subject = %s
  and (state <> 'done') = %s order by asked desc, id desc limit 1
"""  # noqa: S608  (a constant of columns)
_ONE = f"select {_COLUMNS} from lab_run where id = %s"  # noqa: S608  (likewise)
_OPEN = """
select id from lab_run where device = %s and what = %s and subject = %s and state in ('waiting', 'running') limit 1
"""
_ASK = "insert into lab_run (id, what, device, subject, asked, asked_by) values (%s, %s, %s, %s, %s, %s)"
_FORGET = "delete from lab_run where state in ('done', 'failed') and asked < %s"
_DEVICE = """
select no, org, device, kind, model, serial, room, lang, household, installed, warranty_until, registered
from device where no = %s
"""
_LOCK = "select pg_advisory_xact_lock(hashtextextended('lab_run' || %s::text || %s || %s, 0))"
_TAKE = """
update lab_run set state = 'running', beat = %(wall)s, attempts = attempts + 1
where id = (
    select id from lab_run
    where attempts < %(attempts)s and (state = 'waiting' or (state = 'running' and beat < %(silent)s))
    order by asked, id limit 1 for update skip locked)
returning id
"""
_GIVE_UP = """
update lab_run set state = 'failed', error = 'the worker ended each time before it was done'
where state = 'running' and attempts >= %s and beat < %s
"""
_BEAT = "update lab_run set beat = %s, share = coalesce(%s, share) where id = %s and state = 'running'"
_DONE = """
update lab_run set state = 'done', share = 1, ended = %s, result = %s, error = null where id = %s and state = 'running'
returning device, what, subject
"""
_REPLACE = (
    "delete from lab_run where device = %s and what = %s and subject = %s and id <> %s and state in ('done', 'failed')"
)
_FAILED = "update lab_run set state = 'failed', ended = %s, error = %s where id = %s and state = 'running'"


@dataclass(frozen=True, slots=True)
class LabRun:
    """One piece of work.

    Attributes:
        what: `trace` (a device observed again, cycle by cycle) or `decision` (a ticket's decision made again).
        device: number of the device.
        subject: of a decision: reference of the ticket, or id of the finding.
        asked: fleet time.
        asked_by: who.
        state: waiting, running, done or failed.
        share: how far it has come.
        ended: fleet time.
        error: a sentence, when it failed.
        result: JSON, when it is done.
    """

    id: UUID
    what: str
    device: int
    subject: str
    asked: datetime
    asked_by: str
    state: str
    share: float
    ended: datetime | None
    error: str | None
    result: dict[str, Any] | None

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in {"waiting", "running"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be observed again."""

    what: str
    device: int
    subject: str = ""


def ask_run(conn: Connection, ident: UUID, asked: Asked, *, by: str, now: datetime) -> UUID:
    """Ask for a run; the one that is open already is it. Runs of long ago are forgotten.

    Returns:
        Its id.
    """
    thing = (asked.device, asked.what, asked.subject)
    conn.execute(_LOCK, thing)
    row = conn.execute(_OPEN, thing).fetchone()
    if row is not None:
        return UUID(str(row[0]))
    conn.execute(_FORGET, (now - KEPT,))
    conn.execute(_ASK, (ident, asked.what, asked.device, asked.subject, now, by))
    return ident


def get_run(conn: Connection, ident: UUID) -> LabRun | None:
    """One run."""
    with conn.cursor(row_factory=class_row(LabRun)) as cursor:
        return cursor.execute(_ONE, (ident,)).fetchone()


def latest_run(conn: Connection, asked: Asked) -> LabRun | None:
    """The newest run of a thing that is done."""
    return _latest(conn, asked, unfinished=False)


def open_run(conn: Connection, asked: Asked) -> LabRun | None:
    """The newest run of a thing that is not done: waiting, running or failed, unless a later one is done."""
    found, done = _latest(conn, asked, unfinished=True), _latest(conn, asked, unfinished=False)
    return None if found is not None and done is not None and done.asked > found.asked else found


def _latest(conn: Connection, asked: Asked, *, unfinished: bool) -> LabRun | None:
    with conn.cursor(row_factory=class_row(LabRun)) as cursor:
        return cursor.execute(_LATEST, (asked.device, asked.what, asked.subject, unfinished)).fetchone()


def device_of(conn: Connection, no: int) -> DeviceRow | None:
    """The device of a number."""
    with conn.cursor(row_factory=class_row(DeviceRow)) as cursor:
        return cursor.execute(_DEVICE, (no,)).fetchone()


def take_run(conn: Connection, wall: datetime) -> UUID | None:
    """Take the oldest run that waits, or one whose worker fell silent; the caller commits before it begins."""
    silent = wall - SILENCE
    conn.execute(_GIVE_UP, (ATTEMPTS, silent))
    row = conn.execute(_TAKE, {"wall": wall, "silent": silent, "attempts": ATTEMPTS}).fetchone()
    return None if row is None else UUID(str(row[0]))


def beat_run(conn: Connection, ident: UUID, wall: datetime, share: float | None = None) -> bool:
    """A sign of life, and how far it is. False when the run is no longer ours."""
    return conn.execute(_BEAT, (wall, share, ident)).rowcount == 1


def finish_run(conn: Connection, ident: UUID, result: dict[str, Any], now: datetime) -> None:
    """Keep a result; what was found of the same thing before goes."""
    row = conn.execute(_DONE, (now, Jsonb(result), ident)).fetchone()
    if row is not None:
        conn.execute(_REPLACE, (*row, ident))


def fail_run(conn: Connection, ident: UUID, error: str, now: datetime) -> None:
    """Note why it could not be done."""
    conn.execute(_FAILED, (now, error, ident))


_WISH = "select rev, ceiling, until, asked, asked_by from clock_wish"
_WRITE_WISH = """
insert into clock_wish (rev, ceiling, until, asked, asked_by) values (1, %s, %s, %s, %s)
on conflict (one) do update set rev = clock_wish.rev + 1, ceiling = excluded.ceiling, until = excluded.until,
  asked = excluded.asked, asked_by = excluded.asked_by
"""
_KEEPER = "select seen, highest from clock_keeper"
_SEEN = """
insert into clock_keeper (seen, highest) values (%s, %s)
on conflict (one) do update set seen = excluded.seen, highest = excluded.highest
"""
_NO_WISH = "delete from clock_wish"


@dataclass(frozen=True, slots=True)
class ClockWish:
    """What a person asks of the fleet clock.

    Attributes:
        rev: counts up.
        ceiling: fleet seconds a wall second, at most; 0 pauses.
        until: fleet time at which it stands again; None goes on.
        asked: fleet time.
        asked_by: who.
    """

    rev: int
    ceiling: float
    until: datetime | None
    asked: datetime
    asked_by: str


@dataclass(frozen=True, slots=True)
class ClockKeeper:
    """Who paces the clock: wall time of its last sign of life, and the speed that it was started with."""

    seen: datetime
    highest: float


def read_wish(conn: Connection) -> ClockWish | None:
    """What was asked last."""
    with conn.cursor(row_factory=class_row(ClockWish)) as cursor:
        return cursor.execute(_WISH).fetchone()


def write_wish(conn: Connection, ceiling: float, until: datetime | None, *, by: str, now: datetime) -> None:
    """Ask for a greatest speed, and perhaps for a stop."""
    conn.execute(_WRITE_WISH, (ceiling, until, now, by))


def forget_wish(conn: Connection) -> None:
    """Nobody asks for anything: a new run of the pacing process begins at its own speed."""
    conn.execute(_NO_WISH)


def read_keeper(conn: Connection) -> ClockKeeper | None:
    """Who paces the clock, if anybody ever did."""
    with conn.cursor(row_factory=class_row(ClockKeeper)) as cursor:
        return cursor.execute(_KEEPER).fetchone()


def keep_clock(conn: Connection, wall: datetime, highest: float) -> None:
    """A sign of life of the process that paces the clock."""
    conn.execute(_SEEN, (wall, highest))
