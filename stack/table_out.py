"""Writes a table as CSV or Parquet; a file appears under its name when everything is in it."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from stack.errors import StackError
from storage.export_rows import Rows
from telemetry.table_text import cell

FORMATS = ("csv", "parquet")


def check_form(out: Path | None, form: str) -> None:
    """Pass when a table can be written so.

    Raises:
        StackError: Parquet without a file, or without pyarrow.
    """
    if form == "parquet" and out is None:
        raise StackError("Parquet goes into a file: add --out tickets.parquet")
    if form == "parquet" and find_spec("pyarrow") is None:
        raise StackError("Parquet needs pyarrow: pip install 'wellkept[parquet]'")


def write_table(rows: Rows, out: Path | None, form: str) -> int:
    """Write a table. Returns how many rows it has.

    Args:
        rows: the table.
        out: the file; standard output when None.
        form: one of FORMATS, checked.

    Raises:
        StackError: the file cannot be written.
    """
    if out is None:
        return _csv(rows, sys.stdout)
    if form == "csv":
        with _fresh(out) as path, path.open("w", encoding="utf-8", newline="") as file:
            return _csv(rows, file)
    with _fresh(out) as path:
        return _parquet(rows, path)


@contextmanager
def _fresh(out: Path) -> Iterator[Path]:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise StackError(f"{out.parent} cannot be written to: {cause.strerror}") from cause
    path = out.with_name(out.name + ".new")
    try:
        yield path
        path.replace(out)
    except OSError as cause:
        raise StackError(f"{out} cannot be written: {cause.strerror}") from cause
    finally:
        path.unlink(missing_ok=True)


def _csv(rows: Rows, file: IO[str]) -> int:
    writer, count = csv.writer(file, lineterminator="\n"), 0
    writer.writerow([name for name, _ in rows.columns])
    for piece in rows.pieces:
        writer.writerows([cell(value) for value in row] for row in piece)
        count += len(piece)
    return count


def _parquet(rows: Rows, path: Path) -> int:
    import pyarrow as pa  # noqa: PLC0415  (an extra; heavy)
    import pyarrow.parquet as pq  # noqa: PLC0415  (likewise)

    kinds: dict[str, Any] = {
        "text": pa.string(),
        "int": pa.int64(),
        "float": pa.float64(),
        "bool": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    schema, count = pa.schema([(name, kinds[kind]) for name, kind in rows.columns]), 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for piece in rows.pieces:
            columns = _turned(piece)
            arrays = [
                pa.array(_plain(c, kind), kinds[kind]) for c, (_, kind) in zip(columns, rows.columns, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(piece)
    return count


def _turned(piece: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    return list(zip(*piece, strict=True))


def _plain(column: Sequence[Any], kind: str) -> Sequence[Any]:
    return [None if each is None else str(each) for each in column] if kind == "text" else column
