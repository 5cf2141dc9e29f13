"""Stored readings of many devices as columns, for detectors to observe again: one row of arrays instead of many rows.

PostgreSQL's binary arrays (src/backend/utils/adt/arrayfuncs.c, `array_send`): number of dimensions, whether there are
nulls, element type, and per dimension length and lower bound, each 32 bits; then per element its length and value. All
is big-endian, so that numpy reads a column at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from storage.copy_binary import POSTGRES_EPOCH
from storage.telemetry_rows import Readings, Replay, SeqRange, StoredEvent
from telemetry.clock import to_micros

_HEADER = 20
_SEPARATOR = "\x1f"  # no word holds one: words are printable
_FIXED = (("device", ">i4"), ("t", ">i8"), ("epoch", ">i8"), ("seq", ">i8"), ("sub", ">i2"), ("arrival", ">i8"))
_READINGS = sql.SQL("""
select array_agg(device), array_agg(t), array_agg(epoch), array_agg(seq), array_agg(sub), array_agg(arrival),
       string_agg(coalesce(phase, ''), chr(31)), {columns}
from (select r.* from unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[]) as w (device, epoch, low, high)
      join {table} r on r.device = w.device and r.epoch = w.epoch and r.seq between w.low and w.high
      where not r.late order by r.device, r.epoch, r.seq, r.sub) as ordered
""")
_EVENTS = """
select e.device, e.t, e.epoch, e.seq, e.sub, e.code, e.arrival
from unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[]) as w (device, epoch, low, high)
join device_event e on e.device = w.device and e.epoch = w.epoch and e.seq between w.low and w.high
where not e.late order by e.device, e.epoch, e.seq, e.sub
"""


def read_replay(
    conn: psycopg.Connection[tuple[Any, ...]], kind: str, channels: Sequence[str], ranges: Sequence[SeqRange]
) -> Replay:
    """What was stored of the ranges and is observed (late messages are not), by device, epoch, seq and sub.

    Args:
        conn: any.
        kind: of all these devices.
        channels: of the kind, in catalogue order.
        ranges: not overlapping.
    """
    wanted = [list(column) for column in zip(*((r.device, r.epoch, r.low, r.high) for r in ranges), strict=True)]
    query = _READINGS.format(
        table=sql.Identifier(f"reading_{kind}"),
        columns=sql.SQL(", ").join(
            sql.SQL("array_agg(coalesce({}, 'NaN'))").format(sql.Identifier(name)) for name in channels
        ),
    )
    result = conn.execute(query, wanted, binary=True).pgresult
    if result is None:
        raise psycopg.InterfaceError("a query without a result")
    cells = [result.get_value(0, index) for index in range(len(_FIXED) + 1 + len(channels))]
    fixed = {name: _column(cell, code) for (name, code), cell in zip(_FIXED, cells, strict=False)}
    rows = len(fixed["seq"])
    phases = (cells[len(_FIXED)] or b"").decode().split(_SEPARATOR) if rows else []
    words = {word: index for index, word in enumerate(dict.fromkeys(word for word in phases if word))}
    values = np.empty((rows, len(channels)), dtype=np.float32)
    for index, cell in enumerate(cells[len(_FIXED) + 1 :]):
        values[:, index] = _column(cell, ">f4")
    readings = Readings(
        kind=kind,
        device=fixed["device"].astype(np.int32),
        t=fixed["t"].astype(np.int64) + POSTGRES_EPOCH,
        epoch=fixed["epoch"].astype(np.int64),
        seq=fixed["seq"].astype(np.int64),
        sub=fixed["sub"].astype(np.int16),
        arrival=fixed["arrival"].astype(np.int64) + POSTGRES_EPOCH,
        phase=np.array([words.get(word, -1) for word in phases], dtype=np.int16),
        late=np.zeros(rows, dtype=np.bool_),
        values=values,
        words=tuple(words),
    )
    events = [
        StoredEvent(device, kind, to_micros(t), epoch, seq, sub, code, to_micros(arrival), late=False)
        for device, t, epoch, seq, sub, code, arrival in conn.execute(_EVENTS, wanted)
    ]
    return Replay(readings, events)


def _column(cell: bytes | None, code: str) -> NDArray[Any]:
    """An array without nulls; None is the aggregate of no row."""
    if cell is None:
        return np.empty(0, dtype=code)
    return np.frombuffer(cell, dtype=[("size", ">i4"), ("value", code)], offset=_HEADER)["value"]
