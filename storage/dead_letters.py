"""Dead letters of devices that have been registered since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from storage.pool import Connection
from telemetry.identity import DeviceKey

_WAITING = """
select id, raw, arrival from dead_letter
where org = %s and device = %s and reason = 'unknown_device' and replayed is null and id > %s
order by id limit %s
"""
_REPLAYED = "update dead_letter set replayed = %s where id = any(%s)"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message as it lies there; `raw` is its wire form, `arrival` in fleet time."""

    id: int
    raw: bytes
    arrival: datetime


def waiting_letters(conn: Connection, key: DeviceKey, *, after: int, limit: int) -> list[DeadLetter]:
    """What a device sent before it was registered and was not replayed yet, in order of arrival."""
    with conn.cursor(row_factory=class_row(DeadLetter)) as cursor:
        return cursor.execute(_WAITING, (key.org, key.device, after, limit)).fetchall()


def mark_replayed(conn: Connection, letters: Sequence[int], at: datetime) -> None:
    """Note that these went into the stream again."""
    conn.execute(_REPLAYED, (at, list(letters)))
