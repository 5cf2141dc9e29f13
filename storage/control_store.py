"""Control entries as rows: written first, published afterwards, repeated until they took effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from storage.pool import Connection
from telemetry.clock import to_micros
from telemetry.control import ControlEntry, ControlKind
from telemetry.identity import DeviceKey

_CLAIM = """
update control_entry c set published = now() from device d
where d.no = c.device and c.id in (
    select w.id from control_entry w
    where w.effect_seq is null and (w.published is null or w.published < now() - %s)
    order by w.at, w.id limit 200 for update skip locked
)
returning c.id, d.org, d.device, c.kind, c.at, c.body
"""
_UNPUBLISHED = "update control_entry set published = null where id = any(%s) and effect_seq is null"
_OPEN_TESTS = """
select s.id, d.org, d.device from self_test s join device d on d.no = s.device
where s.answered is null order by s.asked, s.id limit 200
"""
_SILENT_TESTS = """
select s.id, d.org, d.device from self_test s join device d on d.no = s.device join ticket t on t.id = s.ticket
where s.status = 'silent' and t.closed is null and s.asked > %(since)s and not exists (
    select from self_test later where later.ticket = s.ticket and (later.asked, later.id) > (s.asked, s.id)
) order by s.asked, s.id limit 200
"""
_SENT = "update self_test set sent = %s where id = any(%s) and sent is null"
_REPEAT = timedelta(seconds=10)


def claim_controls(conn: Connection) -> list[ControlEntry]:
    """Entries to publish, for this caller alone: new ones, and those published ten seconds ago without effect.

    Wall time: a technical retry. The caller commits, then publishes.
    """
    rows = conn.execute(_CLAIM, (_REPEAT,)).fetchall()
    entries = [
        ControlEntry(
            id=str(row[0]),
            device=DeviceKey(str(row[1]), str(row[2])),
            kind=ControlKind(str(row[3])),
            at=to_micros(row[4]),  # type: ignore[arg-type]
            body=row[5],  # type: ignore[arg-type]
        )
        for row in rows
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.id))


def open_self_tests(conn: Connection) -> list[tuple[UUID, DeviceKey]]:
    """Self-tests that devices were asked for and have not answered, the oldest first."""
    return [
        (UUID(str(ident)), DeviceKey(str(org), str(device)))
        for ident, org, device in conn.execute(_OPEN_TESTS).fetchall()
    ]


def silent_self_tests(conn: Connection, since: datetime) -> list[tuple[UUID, DeviceKey]]:
    """Self-tests of open cases, asked for since a fleet time and the newest of theirs, whose device did not answer."""
    return [
        (UUID(str(ident)), DeviceKey(str(org), str(device)))
        for ident, org, device in conn.execute(_SILENT_TESTS, {"since": since}).fetchall()
    ]


def note_sent(conn: Connection, tests: Sequence[UUID], fleet_now: datetime) -> None:
    """The commands of self-tests have left for the first time."""
    conn.execute(_SENT, (fleet_now, list(tests)))


def give_back_controls(conn: Connection, entries: Sequence[ControlEntry]) -> None:
    """The stream did not take them: whoever looks next publishes them."""
    conn.execute(_UNPUBLISHED, ([UUID(entry.id) for entry in entries],))
