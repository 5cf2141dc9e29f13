"""Rows of readings in PostgreSQL's binary COPY format, a message at a time, laid out by numpy.

Format: PostgreSQL documentation, "COPY", section "Binary Format": per row a 16-bit field count, per field a 32-bit
length (-1 for null) and the value, all big-endian; timestamps are microseconds since 2000-01-01.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from storage.telemetry_rows import StoredMessage

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_POSTGRES_EPOCH = 946_684_800_000_000
_FIXED = 8
_NULL = -1


@lru_cache(maxsize=4096)
def _layout(phase: bytes | None, present: tuple[bool, ...]) -> tuple[np.dtype[np.void], NDArray[np.void]]:
    """The row's layout and a one-row template with all that is the same in every row of a message."""
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


def encode_rows(message: StoredMessage) -> bytes:
    """The rows of one message, in the order of the staging table's columns; NaN becomes null."""
    absent: NDArray[np.bool_] = np.isnan(message.values)
    whole = np.logical_and.reduce(absent, axis=0)
    if bool((absent == whole).all()):
        return _encode(message, slice(None), 0, whole)
    # Single cells are absent: each row has a layout of its own.
    return b"".join(_encode(message, slice(i, i + 1), i, row) for i, row in enumerate(list(absent)))


def _encode(message: StoredMessage, part: slice, first_sub: int, absent: NDArray[np.bool_]) -> bytes:
    values = message.values[part]
    present = tuple(bool(x) for x in ~absent)
    dtype, template = _layout(None if message.phase is None else message.phase.encode(), present)
    rows = np.empty(len(values), dtype)
    rows[:] = template
    rows["device"] = message.device
    rows["t"] = message.t[part] - _POSTGRES_EPOCH
    rows["epoch"] = message.epoch
    rows["seq"] = message.seq
    rows["sub"] = np.arange(first_sub, first_sub + len(values))
    rows["arrival"] = message.arrival - _POSTGRES_EPOCH
    rows["late"] = message.late
    for index, there in enumerate(present):
        if there:
            rows[f"q{index}"] = values[:, index]
    return rows.tobytes()
