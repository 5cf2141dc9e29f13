"""The hot path: what a worker reads when it takes a partition over, and the one transaction of a batch of blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from storage.copy_binary import HEADER, TRAILER, encode_readings
from storage.registry import DeviceRow, find_devices
from storage.replay import read_replay
from storage.rollups import NOTE_LATE
from storage.stage_unnest import stage_unnest
from storage.telemetry_rows import (
    Batch,
    DeviceHistory,
    FirmwareSpell,
    HeldReading,
    Move,
    Observed,
    Readings,
    Replay,
    SeqRange,
    Snapshot,
    StoredControl,
    StoredMessage,
    to_messages,
)
from telemetry.catalogue import Catalogue
from telemetry.clock import to_datetime, to_micros
from telemetry.errors import WellkeptError
from telemetry.identity import DeviceKey
from telemetry.progress import Progress

Conn = psycopg.Connection[tuple[Any, ...]]

_MOVE = """
update partition_position set incarnation = %s, seq = %s, owner_pid = pg_backend_pid()
where partition = %s and incarnation = %s and seq = %s
"""
_TAKE = """
insert into partition_position (partition, incarnation, seq, owner_pid) values (%s, '', 0, pg_backend_pid())
on conflict (partition) do update set owner_pid = pg_backend_pid()
returning incarnation, seq
"""
_OWNERS = (
    "select distinct owner_pid from partition_position where partition = any(%s) and owner_pid <> pg_backend_pid()"
)
# A number may belong to somebody else by now: only a worker's backend is ended.
_END_BACKEND = """
select pg_terminate_backend(pid) from pg_stat_activity where pid = %s and application_name = 'wellkept-worker'
"""
_PROGRESS = """
insert into device_progress (device, epoch, upto, beyond)
select * from unnest(%s::int[], %s::bigint[], %s::bigint[], %s::text[]::int8multirange[])
on conflict (device, epoch) do update set upto = excluded.upto, beyond = excluded.beyond
"""
_STRANGER = """
insert into stranger_progress (org, device, epoch, upto, beyond) values (%s, %s, %s, %s, %s::int8multirange)
on conflict (org, device, epoch) do update set upto = excluded.upto, beyond = excluded.beyond
"""
_DEAD = """
insert into dead_letter (partition, incarnation, stream_seq, position_in_block, org, device, topic, reason, detail, raw,
                         epoch, seq, base, arrival)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""
_LOST = """
insert into declared_lost (device, epoch, from_seq, to_seq, at, why) values (%s, %s, %s, %s, %s, %s)
on conflict do nothing
"""
_EVENT = """
insert into device_event (device, t, epoch, seq, sub, code, arrival, late) values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict do nothing
"""
# Microseconds since 1970 become times exactly: an interval times a whole number below 2^53.
_OBSERVED = """
insert into device_observed (device, epoch, seq, last_t, last_arrival, health, since)
select device, epoch, seq, timestamptz 'epoch' + last_t * interval '1 microsecond',
       timestamptz 'epoch' + last_arrival * interval '1 microsecond', health,
       timestamptz 'epoch' + last_arrival * interval '1 microsecond'
from unnest(%s::int[], %s::bigint[], %s::bigint[], %s::float8[], %s::float8[], %s::text[])
  as o (device, epoch, seq, last_t, last_arrival, health)
on conflict (device) do update set epoch = excluded.epoch, seq = excluded.seq, last_t = excluded.last_t,
  last_arrival = excluded.last_arrival, health = excluded.health,
  since = case when device_observed.health = excluded.health then device_observed.since else excluded.since end
"""
_SNAPSHOT = """
insert into detector_snapshot (device, epoch, seq, version, state) values (%s, %s, %s, %s, %s)
on conflict (device) do update set epoch = excluded.epoch, seq = excluded.seq, version = excluded.version,
  state = excluded.state
"""
_ERROR = """
insert into detector_error (device, epoch, seq, at, error) values (%s, %s, %s, %s, %s) on conflict do nothing
"""
_FINDING = """
insert into finding (id, device, family, opened, arrived, history) values (%s, %s, %s, %s, %s, %s)
on conflict do nothing
"""
_REVISION = """
insert into finding_revision (finding, revision, state, severity, onset, onset_low, onset_high, observed, score,
                              life_low, life_high, detector, version, body, arrived)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""
# The row is there, unless the database was restored from before it was entered: the stream remembers it.
_CONTROL = """
insert into control_entry (id, device, kind, at, body, published, effect_epoch, effect_seq, effect_order)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (id) do update set effect_epoch = excluded.effect_epoch, effect_seq = excluded.effect_seq,
  effect_order = excluded.effect_order
where control_entry.effect_seq is null
"""
_LOAD_PROGRESS = "select device, epoch, upto, beyond from device_progress where device = any(%s) order by epoch"
_LOAD_STRANGERS = """
select s.org, s.device, s.epoch, s.upto, s.beyond from stranger_progress s
join unnest(%s::text[], %s::text[]) as k (org, device) on k.org = s.org and k.device = s.device
"""
_LOAD_LOST = "select device, epoch, from_seq, to_seq from declared_lost where device = any(%s) order by epoch, from_seq"
_LOAD_OBSERVED = """
select device, epoch, seq, last_t, last_arrival, health from device_observed where device = any(%s)
"""
_LOAD_SNAPSHOT = "select device, epoch, seq, version, state from detector_snapshot where device = any(%s)"
_LOAD_OPEN = "select device, family from finding_current where device = any(%s) and state = 'open'"
_LOAD_CONTROLS = """
select device, id, kind, at, body, effect_epoch, effect_seq, effect_order from control_entry
where device = any(%s) and effect_seq is not null order by effect_epoch, effect_seq, effect_order
"""
_HAS_EVENT = "select exists (select from device_event where device = %s and epoch = %s and seq = %s)"
_HAS_DEAD = """
select exists (select from dead_letter where org = %s and device = %s and epoch = %s and seq = %s)
"""
_LOAD_HELD = "select device, t, arrival, channels, numbers from held_reading where device = any(%s) order by t"
_HOLD = """
insert into held_reading (device, t, arrival, channels, numbers) values (%s, %s, %s, %s, %s)
on conflict (device, t) do update set channels = excluded.channels, numbers = excluded.numbers
"""
_RELEASE = "delete from held_reading where device = %s and t = %s"
_LOAD_FIRMWARE = """
select device, epoch, seq, since, version from device_firmware where device = any(%s) order by epoch, seq
"""
_FORGET_FIRMWARE = "delete from device_firmware where device = any(%s)"
_FIRMWARE = "insert into device_firmware (device, epoch, seq, since, version) values (%s, %s, %s, %s, %s)"
_LOAD_ASKED = "select id, device from self_test where id = any(%s)"
_LOAD_EFFECTS = "select id from control_entry where id = any(%s) and effect_seq is not null"


class PositionLostError(WellkeptError):
    """Another owner moved the partition: this one's transaction must not count."""


class TelemetryStore:
    """A worker's session with the database. One thread, one connection.

    Args:
        conn: not in autocommit; the caller opens and commits.
        catalogue: gives tables and columns.
        copies: whether the server knows COPY; PGlite does not.
    """

    def __init__(self, conn: Conn, catalogue: Catalogue, *, copies: bool = True) -> None:
        self._conn = conn
        self._copies = copies
        self._kinds = {kind: list(spec.channels) for kind, spec in catalogue.kinds.items()}
        self._staged: set[str] = set()

    # taking over

    def take(self, partitions: Sequence[int]) -> dict[int, tuple[str, int]]:
        """Own the partitions: end the former owner's backend, return positions as (incarnation, seq)."""
        with self._conn.transaction():
            former = [row[0] for row in self._conn.execute(_OWNERS, (list(partitions),)).fetchall()]
        for pid in former:
            with self._conn.transaction():
                self._conn.execute(_END_BACKEND, (pid,))
        positions: dict[int, tuple[str, int]] = {}
        with self._conn.transaction():
            for partition in partitions:
                row = self._conn.execute(_TAKE, (partition,)).fetchone()
                positions[partition] = ("", 0) if row is None else (row[0], row[1])
        return positions

    def find(self, keys: Sequence[DeviceKey]) -> dict[DeviceKey, DeviceRow]:
        """The registered devices among the keys."""
        return find_devices(self._conn, keys)

    def load(self, devices: Sequence[int]) -> dict[int, DeviceHistory]:
        """Progress, observation, snapshot and open episodes of devices, by number."""
        wanted = (list(devices),)
        found = {no: DeviceHistory([], {}, None, None, set()) for no in devices}
        for no, epoch, upto, beyond in self._conn.execute(_LOAD_PROGRESS, wanted):
            found[no].progress.append(Progress(epoch, upto, _ranges(beyond)))
        for no, epoch, low, high in self._conn.execute(_LOAD_LOST, wanted):
            found[no].lost.setdefault(epoch, []).append((low, high))
        for no, epoch, seq, last_t, last_arrival, health in self._conn.execute(_LOAD_OBSERVED, wanted):
            at = None if last_t is None else to_micros(last_t)
            found[no].observed = Observed(no, epoch, seq, at, to_micros(last_arrival), health)
        for row in self._conn.execute(_LOAD_SNAPSHOT, wanted):
            found[row[0]].snapshot = Snapshot(*row)
        for no, family in self._conn.execute(_LOAD_OPEN, wanted):
            found[no].open_families.add(family)
        for no, t, arrival, channels, numbers in self._conn.execute(_LOAD_HELD, wanted):
            q = dict(zip(channels, numbers, strict=True))
            found[no].held.append(HeldReading(no, to_micros(t), to_micros(arrival), q))
        for no, epoch, seq, since, version in self._conn.execute(_LOAD_FIRMWARE, wanted):
            found[no].firmware.append(FirmwareSpell(no, epoch, seq, to_micros(since), version))
        return found

    def load_strangers(self, keys: Sequence[DeviceKey]) -> dict[tuple[DeviceKey, int], Progress]:
        """What was receipted to devices that the registry does not know."""
        wanted = ([key.org for key in keys], [key.device for key in keys])
        return {
            (DeviceKey(org, device), epoch): Progress(epoch, upto, _ranges(beyond))
            for org, device, epoch, upto, beyond in self._conn.execute(_LOAD_STRANGERS, wanted)
        }

    def replay(self, kind: str, ranges: Sequence[SeqRange]) -> Replay:
        """What was stored of the ranges and is observed, by device, epoch, seq and sub; late messages are left out."""
        return read_replay(self._conn, kind, self._kinds[kind], ranges)

    def read_back(self, device: int, kind: str, epoch: int, from_seq: int, to_seq: int) -> list[StoredMessage]:
        """The observed messages of a range as they were stored, by seq; late ones are left out."""
        found = self.replay(kind, [SeqRange(device, epoch, from_seq, to_seq)])
        return sorted(to_messages([found.readings], found.events), key=lambda message: message.seq)

    def came_late(self, device: DeviceRow, epoch: int, seq: int) -> bool:
        """Whether a message that was declared lost has come since and is kept."""
        readings = sql.SQL("select exists (select from {table} where device = %s and epoch = %s and seq = %s)").format(
            table=sql.Identifier(f"reading_{device.kind}")
        )
        asked = (
            (readings, (device.no, epoch, seq)),
            (_HAS_EVENT, (device.no, epoch, seq)),
            (_HAS_DEAD, (device.org, device.device, epoch, seq)),
        )
        return any(self._conn.execute(query, wanted).fetchone() == (True,) for query, wanted in asked)

    def is_stored(self, device: DeviceRow, t: int) -> bool:
        """Whether a reading with this event time is kept, whatever its place in the sequence."""
        query = sql.SQL("select exists (select from {table} where device = %s and t = %s)").format(
            table=sql.Identifier(f"reading_{device.kind}")
        )
        return self._conn.execute(query, (device.no, to_datetime(t))).fetchone() == (True,)

    def read_controls(self, devices: Sequence[int]) -> dict[int, list[StoredControl]]:
        """Control entries that took effect, by device, in the order in which they did."""
        found: dict[int, list[StoredControl]] = {no: [] for no in devices}
        for no, ident, kind, at, body, epoch, seq, order in self._conn.execute(_LOAD_CONTROLS, (list(devices),)):
            found[no].append(StoredControl(str(ident), kind, to_micros(at), body, epoch, seq, order or 0))
        return found

    def asked_tests(self, ids: Sequence[str]) -> dict[str, int]:
        """Self-tests that were asked for, among the ids: whose device each concerns."""
        return {str(ident): no for ident, no in self._conn.execute(_LOAD_ASKED, (list(ids),))} if ids else {}

    def taken_effect(self, ids: Sequence[str]) -> set[str]:
        """Which control entries took effect already; a repeat of theirs is harmless."""
        return {str(row[0]) for row in self._conn.execute(_LOAD_EFFECTS, (list(ids),))} if ids else set()

    # writing

    def stage(self, readings: Iterable[Readings]) -> None:
        """COPY readings to the session's own staging tables; touches no shared row."""
        for of_kind in readings:
            if not len(of_kind):
                continue
            self._ensure_staging(of_kind.kind)
            if self._copies:
                statement = sql.SQL("copy {stage} from stdin (format binary)").format(
                    stage=sql.Identifier(f"stage_{of_kind.kind}")
                )
                with self._conn.cursor() as cursor, cursor.copy(statement) as copy:
                    copy.write(HEADER + b"".join(encode_readings(of_kind)) + TRAILER)
            else:
                stage_unnest(self._conn, of_kind, self._kinds[of_kind.kind])
            self._staged.add(of_kind.kind)

    def write(self, batch: Batch) -> None:
        """Everything of a batch but what the desk adds. The caller commits.

        Raises:
            PositionLostError: a partition was moved by another owner.
        """
        for move in batch.moves:
            self._move(move)
        for kind in sorted(self._staged):
            stage = sql.Identifier(f"stage_{kind}")
            self._conn.execute(
                sql.SQL("insert into {table} select * from {stage} on conflict do nothing").format(
                    table=sql.Identifier(f"reading_{kind}"), stage=stage
                )
            )
            self._conn.execute(NOTE_LATE.format(stage=stage, kind=sql.Literal(kind)))
        self._staged.clear()
        self._write_progress(batch)
        self._write_lists(batch)
        self._write_findings(batch)

    def forget_staged(self) -> None:
        """After a rollback: what was staged is gone with it."""
        self._staged.clear()

    def _ensure_staging(self, kind: str) -> None:
        self._conn.execute(
            sql.SQL(
                "create temporary table if not exists {stage} "
                "(device integer, t timestamptz, epoch bigint, seq bigint, sub smallint, arrival timestamptz, "
                "phase text, late boolean, {columns}) on commit delete rows"
            ).format(
                stage=sql.Identifier(f"stage_{kind}"),
                columns=sql.SQL(", ").join(
                    sql.SQL("{} real").format(sql.Identifier(name)) for name in self._kinds[kind]
                ),
            )
        )

    def _move(self, move: Move) -> None:
        cursor = self._conn.execute(
            _MOVE, (move.incarnation, move.seq, move.partition, move.old_incarnation, move.old_seq)
        )
        if cursor.rowcount != 1:
            raise PositionLostError(f"partition {move.partition} was moved by another owner")

    def _write_progress(self, batch: Batch) -> None:
        if batch.progress:
            rows = [(no, epoch, p.upto, f'"{_multirange(p)}"') for (no, epoch), p in sorted(batch.progress.items())]
            self._conn.execute(_PROGRESS, _arrays(rows))
        self._many(
            _STRANGER, [(k.org, k.device, epoch, p.upto, _multirange(p)) for (k, epoch), p in batch.strangers.items()]
        )

    def _write_lists(self, batch: Batch) -> None:
        self._many(
            _DEAD,
            [
                (
                    *(d.partition, d.incarnation, d.stream_seq, d.position_in_block),
                    *((d.device.org, d.device.device) if d.device else (None, None)),
                    # A topic comes as the broker gave it; the database's text has no NUL.
                    *(
                        d.topic and d.topic.replace("\0", "\ufffd"),
                        d.reason,
                        d.detail,
                        d.raw,
                        d.epoch,
                        d.seq,
                        d.base,
                        to_datetime(d.arrival),
                    ),
                )
                for d in batch.dead
            ],
        )
        self._many(_LOST, [(x.device, x.epoch, x.from_seq, x.to_seq, to_datetime(x.at), x.why) for x in batch.lost])
        self._many(
            _EVENT,
            [
                (e.device, to_datetime(e.t), e.epoch, e.seq, e.sub, e.code, to_datetime(e.arrival), e.late)
                for e in batch.events
            ],
        )
        if batch.observed:
            self._conn.execute(
                _OBSERVED,
                _arrays(
                    [
                        (o.device, o.epoch, o.seq, "null" if o.last_t is None else o.last_t, o.last_arrival, o.health)
                        for _, o in sorted(batch.observed.items())
                    ]
                ),
            )
        self._many(_SNAPSHOT, [(s.device, s.epoch, s.seq, s.version, s.state) for s in batch.snapshots])
        self._many(_RELEASE, [(no, to_datetime(t)) for no, t in batch.released])
        self._many(
            _HOLD,
            [
                (h.device, to_datetime(h.t), to_datetime(h.arrival), list(h.q), list(h.q.values()))
                for h in batch.held.values()
            ],
        )
        if batch.firmware:
            self._conn.execute(_FORGET_FIRMWARE, (sorted(batch.firmware),))
            self._many(
                _FIRMWARE,
                [
                    (s.device, s.epoch, s.seq, to_datetime(s.since), s.version)
                    for _, spells in sorted(batch.firmware.items())
                    for s in spells
                ],
            )
        self._many(_ERROR, [(e.device, e.epoch, e.seq, to_datetime(e.at), e.error) for e in batch.errors])
        self._many(
            _CONTROL,
            [
                (
                    *(c.id, c.device, c.entry.kind.value, to_datetime(c.entry.at), Jsonb(c.entry.body)),
                    *(to_datetime(c.entry.at), c.epoch, c.seq, c.order),
                )
                for c in batch.controls
            ],
        )

    def _write_findings(self, batch: Batch) -> None:
        for reported in batch.findings:
            f, arrived = reported.finding, to_datetime(reported.arrival)
            self._conn.execute(
                _FINDING, (f.id, reported.device.no, f.family, to_datetime(f.opened), arrived, f.history)
            )
            self._conn.execute(
                _REVISION,
                (
                    *(f.id, f.revision, f.state.value, f.severity),
                    *(to_datetime(f.onset), to_datetime(f.onset_low), to_datetime(f.onset_high)),
                    *(to_datetime(f.observed), f.score, f.life_low, f.life_high, f.detector, f.version),
                    *(Jsonb(msgspec.to_builtins(f)), arrived),
                ),
            )

    def _many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            with self._conn.cursor() as cursor:
                cursor.executemany(statement, rows)


def _arrays(rows: Sequence[tuple[object, ...]]) -> list[str]:
    """Columns of rows as array literals: for a thousand rows much cheaper than adapting each element.

    Elements are numbers, plain words or quoted text; nothing that came from outside.
    """
    return ["{" + ",".join(map(str, column)) + "}" for column in zip(*rows, strict=True)]


def _multirange(progress: Progress) -> str:
    return "{" + ",".join(f"[{low},{high}]" for low, high in progress.beyond) + "}"


def _ranges(beyond: Iterable[Any]) -> list[tuple[int, int]]:
    """PostgreSQL's canonical ranges exclude their upper end."""
    return [(r.lower, r.upper - 1) for r in beyond]
