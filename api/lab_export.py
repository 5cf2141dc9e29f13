"""Readings of a device as a file: CSV always, Parquet where the extra is installed. Written piece by piece."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from fastapi import Response
from fastapi.responses import StreamingResponse

from api.context import Context
from api.lab_signals import Stretch
from api.problems import problem
from storage.read_devices import DeviceView, Place, list_readings
from telemetry.catalogue import KindSpec

_PIECE = 5_000
_FIXED = ("t", "arrival", "epoch", "seq", "sub", "phase", "late")


class Form(StrEnum):
    """How a file is written."""

    CSV = "csv"
    PARQUET = "parquet"


_TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.PARQUET: "application/vnd.apache.parquet"}


def export(context: Context, device: DeviceView, kind: KindSpec, stretch: Stretch, form: Form) -> Response:
    """A stretch of a device's readings as a file to keep.

    Raises:
        ProblemError: 422, Parquet is not installed here.
    """
    pieces = _pieces(context, device, kind, stretch)
    body = _csv(pieces, kind) if form is Form.CSV else _parquet(pieces, kind)
    name = f"{device.org}-{device.device}-{stretch.start:%Y%m%dT%H%M%S}-{stretch.end:%Y%m%dT%H%M%S}.{form}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(body, headers=headers, media_type=_TYPES[form])


def _pieces(context: Context, device: DeviceView, kind: KindSpec, stretch: Stretch) -> Iterator[list[dict[str, Any]]]:
    """Readings in order, so many at a time, each piece in a transaction of its own: a slow reader holds none open."""
    channels = tuple(kind.channels)
    after: Place | None = None
    while True:
        with context.begin() as tx:
            rows = list_readings(
                tx.conn,
                device.no,
                device.kind,
                channels,
                start=stretch.start,
                end=stretch.end,
                limit=_PIECE,
                after=after,
            )
        if rows:
            yield rows
        if len(rows) < _PIECE:
            return
        last = rows[-1]
        after = Place(last["t"], last["epoch"], last["seq"], last["sub"])


def _csv(pieces: Iterator[list[dict[str, Any]]], kind: KindSpec) -> Iterator[bytes]:
    names = (*_FIXED, *kind.channels)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for rows in pieces:
        for row in rows:
            times = (row["t"].isoformat(), row["arrival"].isoformat())
            writer.writerow([*times, *(_plain(row[name]) for name in names[2:])])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _plain(value: object) -> object:
    """A float32 as short as it can be said; nothing is an empty field."""
    return "" if value is None else f"{value:.7g}" if isinstance(value, float) else value


def _parquet(pieces: Iterator[list[dict[str, Any]]], kind: KindSpec) -> Iterator[bytes]:
    try:
        import pyarrow as pa  # noqa: PLC0415  (an extra)
        import pyarrow.parquet as pq  # noqa: PLC0415  (likewise)
    except ImportError as cause:
        raise problem(
            "invalid",
            "this server writes no Parquet: install the extra with `pip install 'wellkept[parquet]'`",
            errors=[],
        ) from cause
    moment = pa.timestamp("us", tz="UTC")
    types = {"t": moment, "arrival": moment, "epoch": pa.int64(), "seq": pa.int64(), "sub": pa.int16()}
    schema = pa.schema(
        [
            *types.items(),
            ("phase", pa.string()),
            ("late", pa.bool_()),
            *((name, pa.float32()) for name in kind.channels),
        ]
    )
    return _written(pieces, pa, pq, schema)


def _written(pieces: Iterator[list[dict[str, Any]]], pa: Any, pq: Any, schema: Any) -> Iterator[bytes]:  # noqa: ANN401  (the library has no types)
    sink = _Sink()
    with pq.ParquetWriter(sink, schema) as writer:
        for rows in pieces:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """A file that is only written to, and whose bytes leave as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:  # noqa: ANN401  (any buffer)
        part = bytes(data)
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
