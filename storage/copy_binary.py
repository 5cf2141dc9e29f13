"""Readings in PostgreSQL's binary COPY format, laid out by numpy.

Format: PostgreSQL documentation, "COPY", section "Binary Format": per row a 16-bit field count, per field a 32-bit
length (-1 for null) and the value, all big-endian; timestamps are microseconds since 2000-01-01.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from storage.telemetry_rows import Readings

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01, from which PostgreSQL counts, in microseconds since 1970."""
_FIXED = 8
_NULL = -1


@lru_cache(maxsize=4096)
def _layout(phase: bytes | None, present: tuple[bool, ...]) -> tuple[np.dtype[np.void], NDArray[np.void]]:
    """The row's layout and a one-row template with all that is the same in every row of it."""
    fields: list[tuple[str, str]] = [("n", ">i2")]
    lengths: dict[str, int] = {}
    columns = (("device", ">i4", 4), ("t", ">i8", 8), ("epoch", ">i8", 8), ("seq", ">i8", 8), ("sub", ">i2", 2))
    for name, code, size in (*columns, ("arrival", ">i8", 8)):
        fields += [(f"{name}#", ">i4"), (name, code)]
        lengths[f"{name}#"] = size
    fields.append(("phase#", ">i4"))
    lengths["phase#"] = _NULL if phase is None else len(phase)
    if phase:
        fields.append(("phase", f"S{len(phase)}"))
    fields += [("late#", ">i4"), ("late", "u1")]
    lengths["late#"] = 1
    for index, there in enumerate(present):
        fields.append((f"q{index}#", ">i4"))
        lengths[f"q{index}#"] = 4 if there else _NULL
        if there:
            fields.append((f"q{index}", ">f4"))
    dtype = np.dtype(fields)
    template = np.zeros(1, dtype)
    template["n"] = _FIXED + len(present)
    for name, size in lengths.items():
        template[name] = size
    if phase:
        template["phase"] = phase
    return dtype, template


def encode_readings(readings: Readings) -> Iterator[bytes]:
    """The rows in the order of the staging table's columns, NaN as null; rows of one layout stand together."""
    absent: NDArray[np.bool_] = np.isnan(readings.values)
    channels = absent.shape[1]
    # A layout is a phase and a set of absent channels; there are few of them in a batch.
    weights = 1 << np.arange(channels, dtype=np.uint64)
    pattern = absent @ weights if absent.any() else np.zeros(len(readings), dtype=np.uint64)
    layouts = np.stack([readings.phase.astype(np.int64), pattern.astype(np.int64)], axis=1)
    if len(layouts) and bool((layouts == layouts[0]).all()):
        yield _encode(readings, slice(None), absent[0])
        return
    for phase, bits in np.unique(layouts, axis=0).tolist():
        rows = np.flatnonzero((layouts[:, 0] == phase) & (layouts[:, 1] == bits))
        yield _encode(readings, rows, absent[rows[0]])


def _encode(readings: Readings, part: slice | NDArray[np.intp], absent: NDArray[np.bool_]) -> bytes:
    values = readings.values[part]
    present = tuple((~absent).tolist())
    phase = int(readings.phase[part][0])
    dtype, template = _layout(None if phase < 0 else readings.words[phase].encode(), present)
    rows = np.empty(len(values), dtype)
    rows[:] = template
    rows["device"] = readings.device[part]
    rows["t"] = readings.t[part] - POSTGRES_EPOCH
    rows["epoch"] = readings.epoch[part]
    rows["seq"] = readings.seq[part]
    rows["sub"] = readings.sub[part]
    rows["arrival"] = readings.arrival[part] - POSTGRES_EPOCH
    rows["late"] = readings.late[part]
    for index, there in enumerate(present):
        if there:
            rows[f"q{index}"] = values[:, index]
    return rows.tobytes()
