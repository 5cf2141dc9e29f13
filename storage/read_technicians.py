"""Technicians as dispatch sees them: their work of some days, absences, and what lies in the van."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from storage.pool import Connection
from storage.read_models import TICKET_SCOPE, Scope

_WORK = f"""
select v.id, v.technician, v.state, lower(v.span) as start, upper(v.span) as "end", v.minutes, t.ref, d.kind, t.family,
    t.fault, coalesce(h.area, '') as area, coalesce(h.name, '') as household,
    t.id in (select t.id from ticket t {TICKET_SCOPE}) as visible
from visit v join ticket t on t.id = v.ticket join device d on d.no = t.device
left join household h on h.id = t.household
where v.technician = any(%(who)s) and v.span && tstzrange(%(start)s, %(end)s)
  and v.state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site', 'done')
order by lower(v.span), v.id
"""  # noqa: S608  (constants of this package)
_AWAY = """
select technician, lower(away) as start, upper(away) as "end", reason from technician_absence
where technician = any(%s) and upper(away) > %s order by lower(away)
"""
_VAN = "select sku, on_hand, reserved from van_stock where technician = %s and on_hand > 0 order by sku"
_ORG = "select org from technician where id = %s"


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A visit on a technician's days; whose it is, is told where it is `visible` to the asker."""

    id: UUID
    technician: UUID
    state: str
    start: datetime
    end: datetime
    minutes: int
    ref: str
    kind: str
    family: str
    fault: str | None
    area: str
    household: str
    visible: bool


@dataclass(frozen=True, slots=True)
class AwayRow:
    """When a technician is away, and why."""

    technician: UUID
    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class VanRow:
    """Pieces of a part in a van; some are put aside for visits."""

    sku: str
    on_hand: int
    reserved: int


def work_of(conn: Connection, scope: Scope, who: list[UUID], start: datetime, end: datetime) -> list[WorkRow]:
    """The visits of technicians in a span, by their window."""
    asked = scope.parameters() | {"who": who, "start": start, "end": end}
    with conn.cursor(row_factory=class_row(WorkRow)) as cursor:
        return cursor.execute(_WORK, asked).fetchall()


def absences_of(conn: Connection, who: list[UUID], now: datetime) -> list[AwayRow]:
    """Absences of technicians that are not over."""
    with conn.cursor(row_factory=class_row(AwayRow)) as cursor:
        return cursor.execute(_AWAY, (who, now)).fetchall()


def van_of(conn: Connection, technician: UUID) -> list[VanRow]:
    """What lies in a technician's van."""
    with conn.cursor(row_factory=class_row(VanRow)) as cursor:
        return cursor.execute(_VAN, (technician,)).fetchall()


def org_of(conn: Connection, technician: UUID) -> str | None:
    """The organisation of a technician, or None where there is no such one."""
    row = conn.execute(_ORG, (technician,)).fetchone()
    return None if row is None else str(row[0])
