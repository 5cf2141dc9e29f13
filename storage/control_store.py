"""Control entries as rows: written first, published afterwards, repeated until they took effect."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg

from telemetry.clock import to_micros
from telemetry.control import ControlEntry, ControlKind
from telemetry.identity import DeviceKey

_WAITING = """
select c.id, d.org, d.device, c.kind, c.at, c.body
from control_entry c join device d on d.no = c.device
where c.effect_seq is null and (c.published is null or c.published < now() - %s)
order by c.at, c.id limit 200
"""
_PUBLISHED = "update control_entry set published = now() where id = %s"
_REPEAT = timedelta(seconds=10)


def waiting_controls(conn: psycopg.Connection[tuple[object, ...]]) -> list[ControlEntry]:
    """Entries to publish: new ones, and those that were published ten seconds ago without effect."""
    rows = conn.execute(_WAITING, (_REPEAT,)).fetchall()
    return [
        ControlEntry(
            id=str(row[0]),
            device=DeviceKey(str(row[1]), str(row[2])),
            kind=ControlKind(str(row[3])),
            at=to_micros(row[4]),  # type: ignore[arg-type]
            body=row[5],  # type: ignore[arg-type]
        )
        for row in rows
    ]


def mark_published(conn: psycopg.Connection[tuple[object, ...]], entry: ControlEntry) -> None:
    """Remember when an entry was last handed to the stream (wall time: a technical retry)."""
    conn.execute(_PUBLISHED, (UUID(entry.id),))
