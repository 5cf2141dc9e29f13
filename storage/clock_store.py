"""The persisted row of the fleet clock."""

from __future__ import annotations

from storage.pool import Connection
from telemetry.clock import FleetClock

_READ = "select rev, wall, fleet, speed from fleet_clock"
_WRITE = """
insert into fleet_clock (rev, wall, fleet, speed) values (%s, %s, %s, %s)
on conflict (one) do update set rev = excluded.rev, wall = excluded.wall, fleet = excluded.fleet, speed = excluded.speed
where fleet_clock.rev < excluded.rev
"""


def read_clock(conn: Connection) -> FleetClock | None:
    """The clock's row, or None before it was first set."""
    row = conn.execute(_READ).fetchone()
    return None if row is None else FleetClock(*row)  # type: ignore[arg-type]


def write_clock(conn: Connection, clock: FleetClock) -> bool:
    """Store a later revision. Returns whether it was later than what stood there."""
    cursor = conn.execute(_WRITE, (clock.rev, clock.wall, clock.fleet, clock.speed))
    return cursor.rowcount == 1
