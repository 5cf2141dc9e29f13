"""What engineers look at: devices to be found among many, and the way of one device's messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from storage.pool import Connection
from storage.read_models import DEVICE_SCOPE, Scope
from storage.rollup_levels import reading_table

MATCH: LiteralString = """
  and (%(kind)s::text is null or d.kind = %(kind)s)
  and (%(health)s::text is null or coalesce(o.health, 'unknown') = %(health)s)
  and (%(like)s::text is null or d.device ilike %(like)s or d.serial ilike %(like)s or d.model ilike %(like)s
       or d.room ilike %(like)s or d.org || '/' || d.device ilike %(like)s or d.kind = any(%(kinds)s::text[]))
"""
"""What narrows a statement about devices `d` and their `device_observed o` to those that are looked for."""
_FROM: LiteralString = " from device d left join device_observed o on o.device = d.no "
_CHOSEN: LiteralString = """
with chosen as (
    select d.no, d.org, d.device, d.kind, d.model, d.serial, d.room, coalesce(o.health, 'unknown') as health,
           o.since as health_since, o.last_t, o.last_arrival
"""
_WITH_FINDINGS: LiteralString = """
    order by d.no offset %(offset)s limit %(limit)s
)
select c.*, (select count(*) from finding f join lateral (
                select r.state from finding_revision r where r.finding = f.id order by r.revision desc limit 1
            ) r on r.state = 'open' where f.device = c.no)::int as open_findings,
       (select t.ref from ticket t where t.device = c.no
            and t.state not in ('closed', 'self_fixed', 'false_alarm', 'cancelled')
        order by t.opened desc limit 1) as ticket
from chosen c order by c.no
"""
_PAGE = _CHOSEN + _FROM + DEVICE_SCOPE + MATCH + _WITH_FINDINGS
_COUNTS = "select coalesce(o.health, 'unknown'), count(*)" + _FROM + DEVICE_SCOPE + MATCH + " group by 1"
_KINDS = "select d.kind, count(*) from device d " + DEVICE_SCOPE + " group by 1 order by 1"  # noqa: S608  (likewise)
_PROGRESS = "select epoch, upto, beyond::text as beyond from device_progress where device = %s order by epoch desc"
_OBSERVED = "select epoch, seq, last_t, last_arrival, health, since from device_observed where device = %s"
_LOST = """
select count(*)::int as ranges, coalesce(sum(to_seq - from_seq + 1), 0)::bigint as messages, max(at) as latest
from declared_lost where device = %s and at >= %s
"""
_TIMES = sql.SQL("""
select count(*)::int as messages, min(early)::float8 as least,
       percentile_cont(0.5) within group (order by early)::float8 as usual, coalesce(sum(late::int), 0)::int as late
from (select extract(epoch from max(arrival) - max(t)) as early, bool_or(late) as late
      from {table} where device = %s and t >= %s group by epoch, seq) m
""")
_DEAD = """
select id, reason, detail, arrival, epoch, seq, length(raw) as size, replayed from dead_letter
where org = %s and device = %s and (%s::bigint is null or id < %s) order by id desc limit %s
"""
_DEAD_COUNT = "select count(*) from dead_letter where org = %s and device = %s"
_ERRORS = "select at, epoch, seq, error from detector_error where device = %s order by id desc limit %s"
_FINDINGS = """
select f.id, f.family, f.opened, f.state, f.severity, f.onset, f.onset_low, f.onset_high, f.observed, f.detector,
       f.version, f.life_low, f.life_high, f.score,
       (select t.ref from ticket t where t.finding = f.id limit 1) as ticket
from finding_current f where f.device = %s order by f.opened desc limit 50
"""
_VISITS = """
select v.id, lower(v.span) as start, upper(v.span) as ends, v.state, v.finished, t.ref, t.family
from visit v join ticket t on t.id = v.ticket
where t.device = %s and v.state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site', 'done')
order by lower(v.span) desc limit 50
"""
_REPAIRS = """
select at, coalesce(body ->> 'family', '') as family from control_entry
where device = %s and kind = 'repair_done' order by at desc limit 50
"""
_ZONE = "select h.tz from device d join household h on h.id = d.household where d.no = %s"
_EVENTS = "select t, code from device_event where device = %s and t >= %s and t < %s order by t limit %s"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which devices are looked for.

    Attributes:
        q: part of a name, serial number, model or room.
        kinds: kinds whose title holds it.
        kind: one kind.
        health: ok, faulty or unknown.
    """

    q: str = ""
    kinds: tuple[str, ...] = ()
    kind: str | None = None
    health: str | None = None

    def parameters(self) -> dict[str, Any]:
        """For the statements of this module."""
        escaped = self.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        like = f"%{escaped}%" if self.q else None
        return {"like": like, "kinds": list(self.kinds), "kind": self.kind, "health": self.health}


EVERY_DEVICE = Wanted()


@dataclass(frozen=True, slots=True)
class LabDevice:
    """A device as the list shows it."""

    no: int
    org: str
    device: str
    kind: str
    model: str | None
    serial: str | None
    room: str | None
    health: str
    health_since: datetime | None
    last_t: datetime | None
    last_arrival: datetime | None
    open_findings: int
    ticket: str | None


def search_devices(conn: Connection, scope: Scope, wanted: Wanted, *, offset: int, limit: int) -> list[LabDevice]:
    """Devices in the order of their registration."""
    given = scope.parameters() | wanted.parameters() | {"offset": offset, "limit": limit}
    with conn.cursor(row_factory=class_row(LabDevice)) as cursor:
        return cursor.execute(_PAGE, given).fetchall()


def count_health(conn: Connection, scope: Scope, wanted: Wanted) -> dict[str, int]:
    """How many of them are in each health."""
    rows: Any = conn.execute(_COUNTS, scope.parameters() | wanted.parameters()).fetchall()
    return {str(health): int(n) for health, n in rows}


def count_kinds(conn: Connection, scope: Scope) -> dict[str, int]:
    """How many devices there are of each kind."""
    rows: Any = conn.execute(_KINDS, scope.parameters()).fetchall()
    return {str(kind): int(n) for kind, n in rows}


@dataclass(frozen=True, slots=True)
class Epoch:
    """Receipts of one spool epoch: all up to `upto`, and the ranges of `beyond` as PostgreSQL writes them."""

    epoch: int
    upto: int
    beyond: str


@dataclass(frozen=True, slots=True)
class Observed:
    """How far the detectors have come."""

    epoch: int
    seq: int
    last_t: datetime | None
    last_arrival: datetime | None
    health: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Lost:
    """What was declared lost since a time."""

    ranges: int
    messages: int
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class Times:
    """How arrival stands to event time, seconds, of messages since a time; the least is the clock's error at most.

    Attributes:
        messages: counted.
        least: smallest arrival minus event time; below zero the device's clock is fast.
        usual: the median.
        late: messages that came after they had been declared lost.
    """

    messages: int
    least: float | None
    usual: float | None
    late: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without its bytes."""

    id: int
    reason: str
    detail: str
    arrival: datetime
    epoch: int | None
    seq: int | None
    size: int
    replayed: datetime | None


@dataclass(frozen=True, slots=True)
class DetectorError:
    """A message at which a detector failed."""

    at: datetime
    epoch: int
    seq: int
    error: str


@dataclass(frozen=True, slots=True)
class Episode:
    """A finding as marks on a time axis."""

    id: UUID
    family: str
    opened: datetime
    state: str
    severity: int
    onset: datetime
    onset_low: datetime
    onset_high: datetime
    observed: datetime
    detector: str
    version: str
    life_low: float | None
    life_high: float | None
    score: float
    ticket: str | None


@dataclass(frozen=True, slots=True)
class VisitMark:
    """A visit that was not called off."""

    id: UUID
    start: datetime
    ends: datetime
    state: str
    finished: datetime | None
    ref: str
    family: str


@dataclass(frozen=True, slots=True)
class RepairMark:
    """When a repair was entered."""

    at: datetime
    family: str


def progress_of(conn: Connection, device: int) -> list[Epoch]:
    """Receipts by epoch, the newest first."""
    with conn.cursor(row_factory=class_row(Epoch)) as cursor:
        return cursor.execute(_PROGRESS, (device,)).fetchall()


def observed_of(conn: Connection, device: int) -> Observed | None:
    """How far detectors have come with a device."""
    with conn.cursor(row_factory=class_row(Observed)) as cursor:
        return cursor.execute(_OBSERVED, (device,)).fetchone()


def lost_of(conn: Connection, device: int, since: datetime) -> Lost:
    """What was declared lost of a device."""
    with conn.cursor(row_factory=class_row(Lost)) as cursor:
        return cursor.execute(_LOST, (device, since)).fetchone() or Lost(0, 0, None)


def times_of(conn: Connection, device: int, kind: str, since: datetime) -> Times:
    """How arrival stands to event time."""
    with conn.cursor(row_factory=class_row(Times)) as cursor:
        query = _TIMES.format(table=reading_table(kind))
        return cursor.execute(query, (device, since)).fetchone() or Times(0, None, None, 0)


def letters_of(conn: Connection, org: str, device: str, *, limit: int, before: int | None = None) -> list[Letter]:
    """A device's dead letters, the newest first."""
    with conn.cursor(row_factory=class_row(Letter)) as cursor:
        return cursor.execute(_DEAD, (org, device, before, before, limit)).fetchall()


def count_letters(conn: Connection, org: str, device: str) -> int:
    """How many dead letters a device has."""
    row: Any = conn.execute(_DEAD_COUNT, (org, device)).fetchone()
    return int(row[0])


def errors_of(conn: Connection, device: int, limit: int = 20) -> list[DetectorError]:
    """Where detectors failed on a device."""
    with conn.cursor(row_factory=class_row(DetectorError)) as cursor:
        return cursor.execute(_ERRORS, (device, limit)).fetchall()


def episodes_of(conn: Connection, device: int) -> list[Episode]:
    """A device's findings, the newest first."""
    with conn.cursor(row_factory=class_row(Episode)) as cursor:
        return cursor.execute(_FINDINGS, (device,)).fetchall()


def visits_of_device(conn: Connection, device: int) -> list[VisitMark]:
    """Visits to a device, the newest first."""
    with conn.cursor(row_factory=class_row(VisitMark)) as cursor:
        return cursor.execute(_VISITS, (device,)).fetchall()


def repairs_of(conn: Connection, device: int) -> list[RepairMark]:
    """Repairs of a device, the newest first."""
    with conn.cursor(row_factory=class_row(RepairMark)) as cursor:
        return cursor.execute(_REPAIRS, (device,)).fetchall()


def events_of(conn: Connection, device: int, start: datetime, end: datetime, limit: int = 200) -> Sequence[Any]:
    """Event codes of a device in a stretch of time, with their times."""
    return conn.execute(_EVENTS, (device, start, end, limit)).fetchall()


def zone_of_device(conn: Connection, device: int) -> str:
    """The time zone of a device's household; UTC where there is none."""
    row = conn.execute(_ZONE, (device,)).fetchone()
    return "UTC" if row is None else str(row[0])
