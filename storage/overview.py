"""Counts and lags of the whole product, for status, the demo's panel and its score."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from storage.pool import Connection
from storage.rollup_levels import reading_table
from telemetry.catalogue import Catalogue

Unreachable = psycopg.OperationalError
"""Raised when the database does not answer."""

_COUNTS = """
select
    (select count(*) from device) as devices,
    (select coalesce(sum(upto + coalesce(
        (select sum(upper(r) - lower(r)) from unnest(beyond) r), 0)), 0)::bigint from device_progress) as messages,
    (select coalesce(sum(n_tup_ins), 0)::bigint from pg_stat_user_tables
     where starts_with(relname, 'reading_') and relname <> 'reading_horizon'
        or relid in (select i.inhrelid from pg_inherits i join pg_class p on p.oid = i.inhparent
                     where starts_with(p.relname, 'reading_'))) as readings_seen,
    (select coalesce(sum(to_seq - from_seq + 1), 0)::bigint from declared_lost) as lost,
    (select count(*) from dead_letter where replayed is null) as dead_letters,
    (select count(*) from detector_error) as detector_errors,
    (select count(*) from finding where not history) as findings,
    (select count(*) from ticket) as tickets,
    (select count(*) from visit) as visits,
    (select count(*) from notice) as notices,
    (select count(*) from ticket
     where closed is not null and verified is not null and state = 'closed') as closed_verified
"""
# A price counts when it was put to the owner; a repair as taken up again when telemetry said so, not a person.
_ENDINGS = """
select
    (select count(*) from quote where state <> 'draft') as quotes,
    (select count(*) from ticket where state = 'self_fixed') as self_fixed,
    (select count(*) from outcome where code = 'no_fault_found') as no_fault_found,
    (select count(distinct ticket) from ticket_event where kind = 'moved' and actor = 'system'
     and body ->> 'new' = 'reopened' and body ->> 'reason' in ('repair_failed', 'recurred')) as reopened
"""
_READINGS = sql.SQL("select count(*) from {table}")
_STATES = "select state, count(*) from ticket group by state order by state"
_TICKETS = """
select t.ref, d.org, d.device, d.kind, t.family, t.fault, t.state, t.opened, t.household,
       t.closed is not null as closed,
       (select v.state from visit v where v.ticket = t.id order by v.proposed desc limit 1) as visit,
       (select min(r.onset) from finding_revision r where r.finding = t.finding) as onset
from ticket t join device d on d.no = t.device order by t.opened, t.ref
"""
_DUE = "select count(*), min(due) from due where done_at is null and due <= %s"
_JOBS = """
select count(*) from procrastinate_jobs
where status in ('todo', 'doing') and queue_name = 'desk'
  and (scheduled_at is null or scheduled_at <= clock_timestamp())
"""
_POSITIONS = "select partition, incarnation, seq from partition_position order by partition"
_NOTICES = """
select n.queued, n.lang, n.subject, n.link, n.stage, n.household, n.ticket
from notice n order by n.queued desc, n.id desc limit %s
"""
_WAITING_ENTRIES = "select count(*) from control_entry where effect_seq is null"


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of everything there is. `messages` counts stored, dead-lettered and lost ones; `lost` is apart."""

    devices: int
    messages: int
    readings_seen: int
    lost: int
    dead_letters: int
    detector_errors: int
    findings: int
    tickets: int
    visits: int
    notices: int
    closed_verified: int


@dataclass(frozen=True, slots=True)
class Endings:
    """How cases went that are not simply mended.

    Attributes:
        quotes: prices that were put to owners.
        self_fixed: cases that owners mended by a guide, their visit withdrawn.
        no_fault_found: visits that found nothing.
        reopened: cases whose repair did not hold, by the telemetry's own verdict.
    """

    quotes: int
    self_fixed: int
    no_fault_found: int
    reopened: int


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket as the score sees it, in fleet times; `visit` is the latest one's state, `onset` the estimate."""

    ref: str
    org: str
    device: str
    kind: str
    family: str
    fault: str | None
    state: str
    opened: datetime
    household: object
    closed: bool
    visit: str | None
    onset: datetime | None


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """A notice as the panel shows it."""

    queued: datetime
    lang: str
    subject: str
    link: str
    stage: str
    household: object
    ticket: object


@dataclass(frozen=True, slots=True)
class Open:
    """What ought to have happened already at a fleet time.

    Attributes:
        due: things past their due time.
        oldest: the earliest of them.
        jobs: waiting or running in the job queue.
        entries: control entries that have not taken effect.
    """

    due: int
    oldest: datetime | None
    jobs: int
    entries: int


def read_counts(conn: Connection) -> Counts:
    """Cheap enough for once a second; readings come from the server's statistics, a little behind."""
    with conn.cursor(row_factory=class_row(Counts)) as cursor:
        row = cursor.execute(_COUNTS).fetchone()
    if row is None:  # an aggregate has a row
        raise LookupError("no counts")
    return row


def read_endings(conn: Connection) -> Endings:
    """How cases went that are not simply mended."""
    with conn.cursor(row_factory=class_row(Endings)) as cursor:
        row = cursor.execute(_ENDINGS).fetchone()
    if row is None:  # an aggregate has a row
        raise LookupError("no counts")
    return row


def count_readings(conn: Connection, catalogue: Catalogue) -> int:
    """All readings of the catalogue's kinds, counted one by one."""
    counts = (conn.execute(_READINGS.format(table=reading_table(kind))).fetchone() for kind in catalogue.kinds)
    return sum(map(_number, counts))


def ticket_states(conn: Connection) -> dict[str, int]:
    """Tickets by state."""
    return {str(state): int(str(count)) for state, count in conn.execute(_STATES)}


def list_tickets(conn: Connection) -> list[TicketLine]:
    """All tickets in the order in which they opened."""
    with conn.cursor(row_factory=class_row(TicketLine)) as cursor:
        return cursor.execute(_TICKETS).fetchall()


def latest_notices(conn: Connection, limit: int) -> list[NoticeLine]:
    """The latest notices, newest first."""
    with conn.cursor(row_factory=class_row(NoticeLine)) as cursor:
        return cursor.execute(_NOTICES, (limit,)).fetchall()


def open_things(conn: Connection, fleet_now: datetime) -> Open:
    """What is due at a fleet time and not done."""
    row = conn.execute(_DUE, (fleet_now,)).fetchone() or (0, None)
    oldest = row[1] if isinstance(row[1], datetime) else None
    jobs = _number(conn.execute(_JOBS).fetchone())
    entries = _number(conn.execute(_WAITING_ENTRIES).fetchone())
    return Open(int(str(row[0])), oldest, jobs, entries)


def positions(conn: Connection) -> dict[int, tuple[str, int]]:
    """Committed position of each partition: stream incarnation and sequence."""
    return {int(str(p)): (str(incarnation), int(str(seq))) for p, incarnation, seq in conn.execute(_POSITIONS)}


def _number(row: tuple[object, ...] | None) -> int:
    return int(str(row[0])) if row is not None else 0
