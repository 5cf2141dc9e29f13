"""The spool: messages on disk until a receipt covers them. One SQLite file serves many devices.

What `append` returned from is on disk: a message is published only afterwards, and survives `kill -9` (write-ahead
log, synchronised at every commit). Appends and deletes are grouped by the caller, one transaction a group. Threads
may share it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from firmware_sim.firmware import Body
from telemetry.errors import WellkeptError
from telemetry.message import MAX_MESSAGE_BYTES, encode_envelope, telemetry_message
from telemetry.topics import Channel

DEFAULT_LIMIT = 16 * 1024 * 1024
"""Bytes of payload one device may hold."""

OPEN: Final[dict[str, Any]] = {"isolation_level": None, "check_same_thread": False}
"""How the file is opened."""

_SCHEMA = """
create table if not exists device (
  id integer primary key,
  key text not null unique,
  epoch integer not null,
  next_seq integer not null,
  done integer not null,
  dropped integer not null
) strict;
create table if not exists message (
  device integer not null references device (id),
  seq integer not null,
  channel text not null,
  payload blob not null,
  primary key (device, seq)
) strict, without rowid;
"""


class OversizeError(WellkeptError):
    """A message above the limit of the wire: refused before the spool, because the broker would cut the connection."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """A message with its place; `done` is known where it was just spooled."""

    device: str
    epoch: int
    seq: int
    channel: Channel
    payload: bytes
    done: int = field(default=0, compare=False)


@dataclass(slots=True)
class Slot:
    """What the spool knows of one device.

    Attributes:
        id: row.
        key: `org/device`.
        epoch: of this spool.
        next_seq: of the next message.
        done: completion time of the newest message, microseconds; what was made before it is not taken again.
        dropped: messages lost to a full spool since it was made.
        held: seq to size, ascending.
        size: bytes held.
    """

    id: int
    key: str
    epoch: int
    next_seq: int
    done: int
    dropped: int
    held: dict[int, int]
    size: int

    @property
    def base(self) -> int:
        """Lowest seq held; the next one when nothing is held."""
        return next(iter(self.held), self.next_seq)


class Spool:
    """The file.

    Args:
        disk: the SQLite file, made when absent; or a connection, which then stands for the disk of a simulated device
            and outlives this object.
        new_epoch: an integer for devices that the file does not know, greater than any before (wall microseconds).
        limit: bytes of payload one device may hold; above it the oldest are dropped.
    """

    def __init__(
        self, disk: Path | sqlite3.Connection, new_epoch: Callable[[], int], limit: int = DEFAULT_LIMIT
    ) -> None:
        self._new_epoch, self._limit = new_epoch, limit
        self._db = disk if isinstance(disk, sqlite3.Connection) else sqlite3.connect(disk, **OPEN)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_SCHEMA)
        self._lock = threading.RLock()
        self._slots: dict[str, Slot] = {}
        for row in self._db.execute("select id, key, epoch, next_seq, done, dropped from device"):
            held = dict(
                self._db.execute("select seq, length(payload) from message where device = ? order by seq", (row[0],))
            )
            number, key, epoch, next_seq, done, dropped = row
            self._slots[key] = Slot(number, key, epoch, next_seq, done, dropped, held, sum(held.values()))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def slot(self, key: str) -> Slot:
        """The device's slot; a new epoch when the file does not know it."""
        with self._lock:
            if key not in self._slots:
                epoch = self._new_epoch()
                cursor = self._db.execute(
                    "insert into device (key, epoch, next_seq, done, dropped) values (?, ?, 1, -1, 0)", (key, epoch)
                )
                self._slots[key] = Slot(int(cursor.lastrowid or 0), key, epoch, 1, -1, 0, {}, 0)
            return self._slots[key]

    def know(self, keys: Iterable[str]) -> None:
        """Make slots for devices that the file does not know, in one transaction."""
        with self._lock:
            fresh = [key for key in keys if key not in self._slots]
            if fresh:
                with self._transaction():
                    for key in fresh:
                        self.slot(key)

    def append(self, bodies: Iterable[tuple[str, Body]]) -> list[Spooled]:
        """Give messages their places and write them, in one transaction. Returns when they are on disk.

        A body that is not newer than what the device spooled before (its fleet was made again after a crash)
        is passed over.

        Raises:
            OversizeError: one is above the limit; nothing of this call is taken.
        """
        with self._lock:
            wanted = list(bodies)
            for key, body in wanted:
                size = len(_encode(self.slot(key), body, base=1))
                if size > MAX_MESSAGE_BYTES:
                    raise OversizeError(
                        f"{key}: a message of {size} bytes; the limit is {MAX_MESSAGE_BYTES}: send smaller arrays"
                    )
            taken: list[Spooled] = []
            rows: list[tuple[int, int, str, bytes]] = []
            drops: list[tuple[int, int]] = []
            marks: dict[int, int] = {slot.id: slot.done for slot in self._slots.values()}
            for key, body in wanted:
                slot = self.slot(key)
                if body.done <= marks.setdefault(slot.id, slot.done):
                    continue
                payload = self._make_room(slot, body, drops)
                channel = Channel.EVENT if body.events else Channel.TELEMETRY
                rows.append((slot.id, slot.next_seq, channel.value, payload))
                taken.append(Spooled(key, slot.epoch, slot.next_seq, channel, payload, body.done))
                slot.held[slot.next_seq] = len(payload)
                slot.size += len(payload)
                slot.next_seq += 1
                slot.done = max(slot.done, body.done)
            self._write(rows, drops, {one.device for one in taken})
            return taken

    def delete(self, receipts: Iterable[tuple[str, Sequence[int]]]) -> None:
        """Forget what receipts cover, in one transaction."""
        with self._lock:
            gone: list[tuple[int, int]] = []
            for key, seqs in receipts:
                slot = self.slot(key)
                for seq in seqs:
                    size = slot.held.pop(seq, None)
                    if size is not None:
                        slot.size -= size
                        gone.append((slot.id, seq))
            if gone:
                with self._transaction():
                    self._db.executemany("delete from message where device = ? and seq = ?", gone)

    def lose(self, key: str) -> Slot:
        """Lose everything of a device, as a broken memory does: a new epoch begins."""
        with self._lock:
            slot = self.slot(key)
            epoch = max(self._new_epoch(), slot.epoch + 1)
            with self._transaction():
                self._db.execute("delete from message where device = ?", (slot.id,))
                self._db.execute("update device set epoch = ?, next_seq = 1 where id = ?", (epoch, slot.id))
            slot.epoch, slot.next_seq, slot.size, slot.held = epoch, 1, 0, {}
            return slot

    def read(self, key: str, seq: int) -> Spooled | None:
        """A message that is still held."""
        with self._lock:
            slot = self.slot(key)
            row = self._db.execute(
                "select channel, payload from message where device = ? and seq = ?", (slot.id, seq)
            ).fetchone()
            return None if row is None else Spooled(key, slot.epoch, seq, Channel(row[0]), row[1])

    def _make_room(self, slot: Slot, body: Body, drops: list[tuple[int, int]]) -> bytes:
        """Drop the oldest until the message fits; its base says so."""
        payload = _encode(slot, body, min(slot.base, slot.next_seq))
        while slot.held and slot.size + len(payload) > self._limit:
            seq = next(iter(slot.held))
            slot.size -= slot.held.pop(seq)
            slot.dropped += 1
            drops.append((slot.id, seq))
            payload = _encode(slot, body, slot.base)
        return payload

    def _write(self, rows: list[tuple[int, int, str, bytes]], drops: list[tuple[int, int]], keys: set[str]) -> None:
        if not rows:
            return
        slots = [self._slots[key] for key in keys]
        with self._transaction():
            self._db.executemany("insert into message (device, seq, channel, payload) values (?, ?, ?, ?)", rows)
            self._db.executemany("delete from message where device = ? and seq = ?", drops)
            self._db.executemany(
                "update device set next_seq = ?, done = ?, dropped = ? where id = ?",
                [(slot.next_seq, slot.done, slot.dropped, slot.id) for slot in slots],
            )

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("begin immediate")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("commit" if kind is None else "rollback")


def _encode(slot: Slot, body: Body, base: int) -> bytes:
    return encode_envelope(
        telemetry_message(
            epoch=slot.epoch,
            seq=slot.next_seq,
            base=base,
            t_micros=body.t,
            q=body.q,
            dt_micros=body.dt,
            phase=body.phase,
            fw=body.fw,
            events=body.events,
        )
    )
