"""A fleet's readings as rows of a table: CSV, and Parquet with the extra `parquet`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_sim.firmware import Body
from telemetry.clock import to_datetime
from telemetry.errors import WellkeptError

FORMATS = (".csv", ".parquet")
_WORDS = ("device", "t", "phase", "events")


class ExportError(WellkeptError):
    """A table that cannot be written; says what to do."""


class Table(Protocol):
    """A file that takes messages."""

    rows: int

    def write(self, bodies: Iterable[Body]) -> None:
        """Add the readings of messages of the table's kind."""
        ...


def readings(body: Body, channels: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times in microseconds, shape (n,), and values, shape (n, channels), NaN where absent."""
    columns = [body.q.get(name) for name in channels]
    n = max((len(one) for one in columns if isinstance(one, list)), default=1 if body.q else 0)
    values = np.full((n, len(channels)), np.nan)
    for number, column in enumerate(columns):
        if column is not None:
            values[:, number] = np.array(column, dtype=np.float64)
    return body.t + np.arange(n, dtype=np.int64) * (body.dt or 0), values


@contextmanager
def open_table(path: Path, channels: Sequence[str], keys: dict[int, str]) -> Iterator[Table]:
    """A table of one kind; it appears under its name when everything is in it.

    Columns: device, t (UTC), phase, events (of the message, with its first reading), then the channels.

    Args:
        path: ends in one of FORMATS.
        channels: of the kind.
        keys: index in the fleet to `org/device`.

    Raises:
        ExportError: another ending, or pyarrow is not installed.
    """
    if path.suffix not in FORMATS:
        raise ExportError(f"{path.name} ends in neither {' nor '.join(FORMATS)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    try:
        with (_csv if path.suffix == ".csv" else _parquet)(fresh, channels, keys) as table:
            yield table
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


class _Csv:
    def __init__(self, writer: Any, channels: Sequence[str], keys: dict[int, str]) -> None:  # noqa: ANN401  (csv names no type)
        self._writer, self._channels, self._keys = writer, channels, keys
        self.rows = 0
        writer.writerow([*_WORDS, *channels])

    def write(self, bodies: Iterable[Body]) -> None:
        """Add readings."""
        for body in bodies:
            t, values = readings(body, self._channels)
            for row, (at, numbers) in enumerate(zip(t.tolist(), values.tolist(), strict=True)):
                # NaN is the only number that differs from itself.
                cells = ["" if value != value else f"{value:.7g}" for value in numbers]  # noqa: PLR0124
                events = ";".join(body.events) if row == 0 else ""
                stamp = to_datetime(at).isoformat().replace("+00:00", "Z")
                self._writer.writerow([self._keys[body.device], stamp, body.phase or "", events, *cells])
            self.rows += len(t)


class _Parquet:
    def __init__(self, writer: Any, schema: Any, channels: Sequence[str], keys: dict[int, str]) -> None:  # noqa: ANN401  (an optional extra)
        self._writer, self._schema, self._channels, self._keys = writer, schema, channels, keys
        self.rows = 0

    def write(self, bodies: Iterable[Body]) -> None:
        """Add readings, one row group a call."""
        import pyarrow as pa  # noqa: PLC0415  (an optional extra)

        device: list[str] = []
        phase: list[str | None] = []
        events: list[list[str]] = []
        times, numbers = [np.zeros(0, np.int64)], [np.zeros((0, len(self._channels)))]
        for body in bodies:
            t, values = readings(body, self._channels)
            device += [self._keys[body.device]] * len(t)
            phase += [body.phase] * len(t)
            events += [list(body.events) if row == 0 else [] for row in range(len(t))]
            times.append(t)
            numbers.append(values)
        if not device:
            return
        table = np.concatenate(numbers).astype(np.float32)
        absent = np.isnan(table)
        columns = [
            pa.array(device, self._schema.field("device").type),
            pa.array(np.concatenate(times), pa.int64()).cast(self._schema.field("t").type),
            pa.array(phase, self._schema.field("phase").type),
            pa.array(events, self._schema.field("events").type),
            *(pa.array(table[:, i], pa.float32(), mask=absent[:, i]) for i in range(len(self._channels))),
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self.rows += len(device)


@contextmanager
def _csv(path: Path, channels: Sequence[str], keys: dict[int, str]) -> Iterator[_Csv]:
    with path.open("w", encoding="utf-8", newline="") as file:
        yield _Csv(csv.writer(file), channels, keys)


@contextmanager
def _parquet(path: Path, channels: Sequence[str], keys: dict[int, str]) -> Iterator[_Parquet]:
    if find_spec("pyarrow") is None:
        raise ExportError("Parquet needs pyarrow: install the extra `parquet`, e.g. `pip install 'wellkept[parquet]'`")
    import pyarrow as pa  # noqa: PLC0415  (an optional extra)
    import pyarrow.parquet as pq  # noqa: PLC0415  (likewise)

    schema = pa.schema(
        [
            ("device", pa.dictionary(pa.int32(), pa.string())),
            ("t", pa.timestamp("us", tz="UTC")),
            ("phase", pa.dictionary(pa.int32(), pa.string())),
            ("events", pa.list_(pa.string())),
            *((channel, pa.float32()) for channel in channels),
        ]
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield _Parquet(writer, schema, channels, keys)
