"""Devices, readings and findings as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import sql
from psycopg.rows import class_row, dict_row

from storage.pool import Connection
from storage.read_lab import EVERY_DEVICE, MATCH, Wanted
from storage.read_models import DEVICE_SCOPE, Cursor, Scope
from storage.registry import DeviceRow
from telemetry.finding import Finding, Signal

_DEVICE = """
select d.no, d.org, d.device, d.kind, d.model, d.serial, d.room, d.lang, d.household, d.installed, d.warranty_until,
       d.registered, d.lot, w.version as firmware, w.since as firmware_since,
       coalesce(o.health, 'unknown') as health, o.since as health_since, o.last_t, o.last_arrival
from device d
left join device_observed o on o.device = d.no
left join lateral (
    select version, since from device_firmware where device = d.no order by epoch desc, seq desc limit 1
) w on true
"""
_DEVICES = _DEVICE + DEVICE_SCOPE + MATCH + " and d.no > %(after)s order by d.no limit %(limit)s"
_ONE_DEVICE = _DEVICE + DEVICE_SCOPE + " and d.org = %(of_org)s and d.device = %(of_device)s"

# Columns of a kind are identifiers of the catalogue, checked there, and quoted here.
_READINGS = """
select t, epoch, seq, sub, arrival, phase, late, {columns}
from {table}
where device = %(device)s and t >= %(start)s and t < %(end)s
  and (%(after_t)s::timestamptz is null
       or (t, epoch, seq, sub) > (%(after_t)s, %(after_epoch)s::bigint, %(after_seq)s::bigint, %(after_sub)s::smallint))
order by t, epoch, seq, sub
limit %(limit)s
"""

_FINDING = """
select f.id, d.org, d.device, d.kind, f.family, f.opened, f.history, f.revision, f.state, f.severity, f.onset,
       f.onset_low,
       f.onset_high, f.observed, f.score, f.life_low, f.life_high, f.detector, f.version, f.body, f.arrived,
       (select c.message from correlation c where c.finding = f.id) as correlation,
       (select s.at from suggestion s where s.finding = f.id) as suggested
from finding_current f
join device d on d.no = f.device
"""
_FINDING_SCOPE = f"""
{DEVICE_SCOPE}
  and (%(only_ticket)s::uuid is null or f.id = (select t.finding from ticket t where t.id = %(only_ticket)s))
"""  # noqa: S608  (constants of this module)
_FINDINGS = (
    _FINDING
    + _FINDING_SCOPE
    + """
  and (%(of_org)s::text is null or (d.org = %(of_org)s and d.device = %(of_device)s))
  and (%(state)s::text is null or f.state = %(state)s)
  and (%(after_at)s::timestamptz is null or (f.opened, f.id) < (%(after_at)s, %(after_id)s::uuid))
order by f.opened desc, f.id desc
limit %(limit)s
"""
)
_ONE_FINDING = _FINDING + _FINDING_SCOPE + " and f.id = %(finding)s"
_EVIDENCE = """
select body -> 'evidence' from finding_revision where finding = %s order by revision desc limit 24
"""


@dataclass(frozen=True, slots=True)
class DeviceView(DeviceRow):
    """A device with its health.

    Attributes:
        last_t: event time of the last observed reading.
        firmware: the version that it said last, if any.
        firmware_since: event time of the first message from that version.
    """

    health: str
    health_since: datetime | None
    last_t: datetime | None
    last_arrival: datetime | None
    firmware: str | None = None
    firmware_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class FindingView:
    """The newest revision of a finding, with its device; `body` is the whole finding as JSON."""

    id: UUID
    org: str
    device: str
    kind: str
    family: str
    opened: datetime
    history: bool
    revision: int
    state: str
    severity: int
    onset: datetime
    onset_low: datetime
    onset_high: datetime
    observed: datetime
    score: float
    life_low: float | None
    life_high: float | None
    detector: str
    version: str
    body: dict[str, Any]
    arrived: datetime
    correlation: str | None = None
    suggested: datetime | None = None

    @property
    def finding(self) -> Finding:
        """As the shared word."""
        return msgspec.convert(self.body, Finding)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reading stands among those of its device by event time."""

    t: datetime
    epoch: int
    seq: int
    sub: int


def list_devices(
    conn: Connection, scope: Scope, *, after: int, limit: int, wanted: Wanted = EVERY_DEVICE
) -> list[DeviceView]:
    """Devices by number, after one, among those that are looked for."""
    given = scope.parameters() | wanted.parameters() | {"after": after, "limit": limit}
    with conn.cursor(row_factory=class_row(DeviceView)) as cursor:
        return cursor.execute(_DEVICES, given).fetchall()


def get_device(conn: Connection, scope: Scope, org: str, device: str) -> DeviceView | None:
    """One device, or None when it is not there or not in scope."""
    with conn.cursor(row_factory=class_row(DeviceView)) as cursor:
        return cursor.execute(_ONE_DEVICE, scope.parameters() | {"of_org": org, "of_device": device}).fetchone()


def list_readings(
    conn: Connection,
    device: int,
    kind: str,
    channels: Sequence[str],
    *,
    start: datetime,
    end: datetime,
    limit: int,
    after: Place | None = None,
) -> list[dict[str, Any]]:
    """Readings of a device by event time; absent values are None.

    Args:
        conn: a connection.
        device: its number.
        kind: names the table.
        channels: the kind's channels, which are the columns.
        start: first event time.
        end: first event time left out.
        limit: at most so many rows.
        after: only those that stand behind.
    """
    statement = sql.SQL(_READINGS).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, channels)), table=sql.Identifier(f"reading_{kind}")
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        parameters: dict[str, Any] = {
            "device": device,
            "start": start,
            "end": end,
            "limit": limit,
            "after_t": after.t if after else None,
            "after_epoch": after.epoch if after else None,
            "after_seq": after.seq if after else None,
            "after_sub": after.sub if after else None,
        }
        return cursor.execute(statement, parameters).fetchall()


def list_findings(
    conn: Connection,
    scope: Scope,
    *,
    device: tuple[str, str] | None,
    state: str | None,
    after: Cursor | None,
    limit: int,
) -> list[FindingView]:
    """Findings, newest first."""
    parameters = scope.parameters() | {
        "of_org": device[0] if device else None,
        "of_device": device[1] if device else None,
        "state": state,
        "after_at": after.at if after else None,
        "after_id": after.id if after else None,
        "limit": limit,
    }
    with conn.cursor(row_factory=class_row(FindingView)) as cursor:
        return cursor.execute(_FINDINGS, parameters).fetchall()


def get_finding(conn: Connection, scope: Scope, finding: UUID) -> FindingView | None:
    """One finding, or None when it is not there or not in scope."""
    with conn.cursor(row_factory=class_row(FindingView)) as cursor:
        return cursor.execute(_ONE_FINDING, scope.parameters() | {"finding": finding}).fetchone()


def evidence_of(conn: Connection, finding: UUID) -> list[Signal]:
    """The signals of the last revisions, newest revision first: together they reach further back than one window."""
    rows = conn.execute(_EVIDENCE, (finding,)).fetchall()
    return [signal for (evidence,) in rows for signal in msgspec.convert(evidence or [], list[Signal])]
