"""Readings into the session's staging table without COPY, for servers that know none (PGlite): arrays and `unnest`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from storage.telemetry_rows import Readings

# Microseconds since 1970 become times exactly: an interval times a whole number below 2^53.
_STAGE = sql.SQL("""
insert into {stage}
select device, timestamptz 'epoch' + t * interval '1 microsecond', epoch, seq, sub,
       timestamptz 'epoch' + arrival * interval '1 microsecond', phase, late, {channels}
from unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::text[], %s::bool[],
            {arrays}) as r (device, t, epoch, seq, sub, arrival, phase, late, {channels})
""")


def stage_unnest(conn: psycopg.Connection[tuple[Any, ...]], readings: Readings, channels: Sequence[str]) -> None:
    """Insert readings into their kind's staging table, which is there.

    Args:
        conn: inside a transaction.
        readings: of one kind.
        channels: of the kind, as the columns of `readings.values` are ordered.
    """
    statement = _STAGE.format(
        stage=sql.Identifier(f"stage_{readings.kind}"),
        channels=sql.SQL(", ").join(map(sql.Identifier, channels)),
        arrays=sql.SQL(", ").join([sql.SQL("%s::real[]")] * len(channels)),
    )
    fixed = (readings.device, readings.t, readings.epoch, readings.seq, readings.sub, readings.arrival)
    words = (*readings.words, None)  # -1, the last, is no phase
    conn.execute(
        statement,
        [
            *(column.tolist() for column in fixed),
            [words[index] for index in readings.phase.tolist()],
            readings.late.tolist(),
            *(_cells(readings.values[:, index]) for index in range(len(channels))),
        ],
    )


def _cells(column: NDArray[np.float32]) -> list[float | None]:
    return [None if cell != cell else cell for cell in column.tolist()]  # noqa: PLR0124  (NaN is absent)
