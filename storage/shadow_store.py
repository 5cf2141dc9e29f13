"""Detectors in the shadow: their states and findings, apart from those that open tickets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from storage.pool import Connection
from storage.registry import DeviceRow
from storage.telemetry_rows import Snapshot
from telemetry.clock import to_datetime
from telemetry.finding import Finding
from telemetry.identity import DeviceKey

FAILED = "failed"
"""Version of a device whose shadow detector failed: it is passed over from there on."""
_ONE_VIEW = "set transaction isolation level repeatable read"
_BEGIN = """
insert into shadow (name, version, config, since, began) values (%s, %s, %s, %s, %s)
on conflict (name) do update set version = excluded.version, config = excluded.config, since = excluded.since
returning (select version from shadow where name = %s), (select since from shadow where name = %s)
"""
_FORGET = ("delete from shadow_progress where shadow = %s", "delete from shadow_finding where shadow = %s")
_LIST = """
select s.name, s.version, s.since, s.began,
       (select count(*) from shadow_progress p where p.shadow = s.name) as devices,
       (select count(*) from shadow_progress p where p.shadow = s.name and p.version = 'failed') as failed,
       (select count(distinct f.finding) from shadow_finding f where f.shadow = s.name) as findings
from shadow s order by s.name
"""
_DROP = "delete from shadow where name = %s"
_BEHIND = """
select d.no, d.org, d.device, d.kind, d.model, d.serial, d.room, d.lang, d.household, d.installed, d.warranty_until,
       d.registered
from device_observed o
join device d on d.no = o.device
left join shadow_progress p on p.shadow = %(shadow)s and p.device = o.device
where (%(devices)s::int[] is null or o.device = any(%(devices)s))
  and (p.device is null or (p.version <> 'failed' and ((o.epoch, o.seq) > (p.epoch, p.seq) or p.entries < (
       select count(*) from control_entry c where c.device = o.device and c.effect_seq is not null))))
order by p.device is not null, o.device
limit %(limit)s
"""
_STATES = (
    "select device, epoch, seq, version, state, entries from shadow_progress where shadow = %s and device = any(%s)"
)
_PROGRESS = """
insert into shadow_progress (shadow, device, epoch, seq, version, state, entries, first_t, last_t)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (shadow, device) do update set epoch = excluded.epoch, seq = excluded.seq, version = excluded.version,
  state = excluded.state, entries = excluded.entries, last_t = excluded.last_t
"""
_FINDING = """
insert into shadow_finding (shadow, finding, revision, device, family, state, opened, onset, observed, score, history,
    version, body)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class ShadowView:
    """A shadow as it is listed."""

    name: str
    version: str
    since: datetime | None
    began: datetime
    devices: int
    failed: int
    findings: int


@dataclass(frozen=True, slots=True)
class ShadowState:
    """How far a device was observed: its state there and the control entries it holds."""

    snapshot: Snapshot
    entries: int
    first_t: int | None = None
    last_t: int | None = None


def one_view(conn: Connection) -> None:
    """See the database as it is now until the transaction ends; called first in it."""
    conn.execute(_ONE_VIEW)


def begin(conn: Connection, name: str, version: str, *, config: str, since: datetime | None, now: datetime) -> None:
    """Enter a shadow, or go on with it; what another version or another beginning had found is forgotten."""
    before: Any = conn.execute(_BEGIN, (name, version, config, since, now, name, name)).fetchone()
    if before not in {(None, None), (version, since)}:
        for statement in _FORGET:
            conn.execute(statement, (name,))


def list_shadows(conn: Connection) -> list[ShadowView]:
    """All of them, by name."""
    with conn.cursor(row_factory=class_row(ShadowView)) as cursor:
        return cursor.execute(_LIST).fetchall()


def drop(conn: Connection, name: str) -> bool:
    """Forget a shadow and all that it found. False when there is none."""
    return conn.execute(_DROP, (name,)).rowcount == 1


def behind(conn: Connection, name: str, devices: Sequence[int] | None, limit: int) -> list[DeviceRow]:
    """Devices that were observed further than the shadow has; those it never saw first.

    Args:
        conn: a connection.
        name: of the shadow.
        devices: among these; None means all.
        limit: at most so many.
    """
    wanted = {"shadow": name, "devices": None if devices is None else list(devices), "limit": limit}
    with conn.cursor(row_factory=class_row(DeviceRow)) as cursor:
        return cursor.execute(_BEHIND, wanted).fetchall()


def states(conn: Connection, name: str, devices: Sequence[int]) -> dict[int, ShadowState]:
    """Where the shadow stands with devices, by number."""
    rows: Any = conn.execute(_STATES, (name, list(devices))).fetchall()
    return {row[0]: ShadowState(Snapshot(*row[:5]), row[5]) for row in rows}


def first_reading(conn: Connection, device: DeviceRow) -> datetime | None:
    """Event time of a device's oldest stored reading."""
    query = sql.SQL("select min(t) from {table} where device = %s").format(
        table=sql.Identifier(f"reading_{device.kind}")
    )
    row: Any = conn.execute(query, (device.no,)).fetchone()
    return None if row is None else row[0]


def write(
    conn: Connection, name: str, progress: Iterable[ShadowState], findings: Iterable[tuple[int, Finding]]
) -> None:
    """States and revisions, in the caller's transaction."""
    with conn.cursor() as cursor:
        for state in progress:
            at = state.snapshot
            times = (None if t is None else to_datetime(t) for t in (state.first_t, state.last_t))
            cursor.execute(_PROGRESS, (name, at.device, at.epoch, at.seq, at.version, at.state, state.entries, *times))
        for device, f in findings:
            times_of = (to_datetime(t) for t in (f.opened, f.onset, f.observed))
            head = (name, f.id, f.revision, device, f.family, f.state.value)
            cursor.execute(_FINDING, (*head, *times_of, f.score, f.history, f.version, Jsonb(msgspec.to_builtins(f))))


@dataclass(frozen=True, slots=True)
class EpisodeView:
    """A fault episode as one side found it.

    Attributes:
        org: of the device.
        device: its name.
        kind: its kind.
        family: fault family.
        finding: id.
        opened: event time.
        onset: of the newest revision.
        last: event time of the last reading it rests on.
        hit: what its ticket's outcome said; None without one.
    """

    org: str
    device: str
    kind: str
    family: str
    finding: str
    opened: datetime
    onset: datetime
    last: datetime
    hit: bool | None

    @property
    def key(self) -> tuple[DeviceKey, str]:
        """Whose episode it is."""
        return DeviceKey(self.org, self.device), self.family


@dataclass(frozen=True, slots=True)
class Compared:
    """All that a comparison is made of.

    Attributes:
        live: episodes of the detectors that open tickets, on the shadow's devices and since its beginning.
        shadow: the shadow's.
        missed: when owners reported faults that telemetry had missed, by device and family.
        device_days: how long the shadow's devices were observed.
    """

    live: list[EpisodeView]
    shadow: list[EpisodeView]
    missed: dict[tuple[DeviceKey, str], list[datetime]]
    device_days: float


_LIVE_EPISODES = """
select d.org, d.device, d.kind, c.family, c.id::text as finding, c.opened, c.onset, c.observed as last, v.hit
from finding_current c
join shadow_progress p on p.device = c.device and p.shadow = %(shadow)s
join shadow s on s.name = p.shadow
join device d on d.no = c.device
left join verdict v on v.finding = c.id
where not c.history and c.opened >= coalesce(s.since, '-infinity')
order by c.opened, c.id
"""
_SHADOW_EPISODES = """
select distinct on (f.finding) d.org, d.device, d.kind, f.family, f.finding::text as finding, f.opened, f.onset,
       f.observed as last, null::boolean as hit
from shadow_finding f join device d on d.no = f.device
where f.shadow = %(shadow)s and not f.history
order by f.finding, f.revision desc
"""
_MISSED = """
select d.org, d.device, v.family, v.at from verdict v
join shadow_progress p on p.device = v.device and p.shadow = %(shadow)s
join device d on d.no = v.device
where v.truth = 'missed'
"""
_EXPOSURE = """
select coalesce(sum(extract(epoch from p.last_t - greatest(p.first_t, s.since))), 0)::float8 / 86400
from shadow_progress p join shadow s on s.name = p.shadow
where p.shadow = %(shadow)s and p.last_t > greatest(p.first_t, s.since)
"""


def compared(conn: Connection, name: str) -> Compared | None:
    """What both sides found on the shadow's devices; None when there is no such shadow."""
    if all(view.name != name for view in list_shadows(conn)):
        return None
    wanted = {"shadow": name}
    with conn.cursor(row_factory=class_row(EpisodeView)) as cursor:
        live = cursor.execute(_LIVE_EPISODES, wanted).fetchall()
        shadow = cursor.execute(_SHADOW_EPISODES, wanted).fetchall()
    missed: dict[tuple[DeviceKey, str], list[datetime]] = {}
    rows: Any = conn.execute(_MISSED, wanted).fetchall()
    for org, device, family, at in rows:
        missed.setdefault((DeviceKey(org, device), family), []).append(at)
    days: Any = conn.execute(_EXPOSURE, wanted).fetchone()
    return Compared(live, sorted(shadow, key=lambda e: (e.opened, e.finding)), missed, days[0])
