"""What readiness and metrics read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row
from psycopg_pool import PoolTimeout

from storage.pool import Connection

_ANSWER = "select count(*) from schema_migration"
_POSITIONS = "select partition, seq, moved from partition_position order by partition"
_TOTALS = """
select (select count(*) from device) as devices,
       (select count(*) from finding) as findings,
       (select coalesce(sum(to_seq - from_seq + 1), 0)::bigint from declared_lost) as lost_messages,
       (select count(*) from dead_letter where replayed is null) as dead_letters,
       (select count(*) from detector_error) as detector_errors,
       (select count(*) from control_entry where effect_seq is null) as waiting_controls,
       (select count(*) from notice where sent is null and state = 'queued') as waiting_notices,
       (select count(*) from held_reading) as held_readings,
       (select count(*) from due where done_at is null and due <= %s) as overdue
"""
_JOBS = """
select s::text, count(j.id) from unnest(array['todo', 'doing', 'failed']) s
left join procrastinate_jobs j on j.status::text = s and j.queue_name = 'desk' group by s order by s
"""
_WEBHOOKS = "select state, count(*) from webhook group by state"
_WAITING_DELIVERIES = "select count(*) from webhook_delivery where state = 'pending'"
_HEALTH = """
select coalesce(o.health, 'unknown'), count(*) from device d left join device_observed o on o.device = d.no group by 1
"""
# The promises of tickets that are still with us.
_PROMISES = """
select case when c.breached is not null then 'broken' when c.expected >= c.due then 'at_risk' else 'kept' end, count(*)
from level_clock c join ticket t on t.id = c.ticket
where c.met is null and t.state not in ('closed', 'self_fixed', 'false_alarm', 'cancelled', 'verified')
group by 1
"""
_TICKETS = "select state, count(*) from ticket group by state order by state"

OUTAGES = (psycopg.OperationalError, psycopg.errors.UndefinedTable, PoolTimeout)
"""The database does not answer, or has no schema yet."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition stands in its stream; `moved` is wall time."""

    partition: int
    seq: int
    moved: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Row counts for metrics."""

    devices: int
    findings: int
    lost_messages: int
    dead_letters: int
    detector_errors: int
    waiting_controls: int
    waiting_notices: int
    held_readings: int
    overdue: int


def migrations_applied(conn: Connection) -> int:
    """How many migrations the database has; shows that it answers."""
    row = conn.execute(_ANSWER).fetchone()
    return int(str(row[0])) if row else 0


def positions(conn: Connection) -> list[Position]:
    """All partitions' positions."""
    with conn.cursor(row_factory=class_row(Position)) as cursor:
        return cursor.execute(_POSITIONS).fetchall()


def totals(conn: Connection, fleet_now: datetime) -> Totals:
    """Row counts; what is overdue at a fleet time."""
    with conn.cursor(row_factory=class_row(Totals)) as cursor:
        row = cursor.execute(_TOTALS, (fleet_now,)).fetchone()
    if row is None:  # an aggregate always gives a row
        raise LookupError("no totals")
    return row


def health_states(conn: Connection) -> dict[str, int]:
    """Devices by health; all three words are there."""
    return {"ok": 0, "faulty": 0, "unknown": 0} | {
        str(health): int(str(count)) for health, count in conn.execute(_HEALTH).fetchall()
    }


def promises(conn: Connection) -> dict[str, int]:
    """Running promises of open tickets by how they stand: kept so far, at risk, broken."""
    return {"kept": 0, "at_risk": 0, "broken": 0} | {
        str(stands): int(str(count)) for stands, count in conn.execute(_PROMISES).fetchall()
    }


def ticket_states(conn: Connection) -> dict[str, int]:
    """Tickets by state."""
    return {str(state): int(str(count)) for state, count in conn.execute(_TICKETS)}


def webhook_states(conn: Connection) -> dict[str, int]:
    """Endpoints of other systems by state; all three words are there."""
    return {"enabled": 0, "paused": 0, "disabled": 0} | {
        str(state): int(str(count)) for state, count in conn.execute(_WEBHOOKS)
    }


def waiting_deliveries(conn: Connection) -> int:
    """Messages to them that were not taken yet."""
    row = conn.execute(_WAITING_DELIVERIES).fetchone()
    return int(str(row[0])) if row else 0


def jobs(conn: Connection) -> dict[str, int]:
    """Jobs by status: `todo` wait, `doing` are at work."""
    return {str(status): int(str(count)) for status, count in conn.execute(_JOBS)}
