"""Any CSV as blocks of times and numbers, read once from front to back: nothing of a file's end is known.

What the columns are is settled by the header and the first row alone, so that a longer file of the same beginning is
read in the same way.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import math
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from stack.errors import StackError
from stack.table_time import Moments, is_clock_time, is_date, moment_format

_Bytes: TypeAlias = "io.BufferedReader | gzip.GzipFile"
_CHUNK = 1 << 16
_PACKED = b"\x1f\x8b"
_DELIMITERS = ("\t", ";", ",", "|")
_NOTHING = frozenset(
    {
        "",
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "nil",
        "-",
        "--",
        "?",
        ".",
        "#n/a",
        "missing",
        "inf",
        "-inf",
        "err",
        "error",
    }
)
_LABEL = re.compile(
    r"(is_?)?(anomal(y|ies|ous)|outliers?|change_?points?|labels?|targets?|ground_?truth|class|alarms?)"
    r"(_?(labels?|flags?|scores?|class|windows?|truth|type))?"
)
_TIME_NAMES = (
    *("timestamp", "datetime", "date_time", "time_stamp", "ctime", "time", "date", "ts", "utc", "epoch", "unix"),
    *("unix_time", "unixtime", "unix_timestamp", "epoch_time", "event_time", "recorded_at", "t"),
)
_ROW_NUMBERS = frozenset({"", "index", "row", "unnamed_0"})


@dataclass(frozen=True, slots=True)
class Columns:
    """What was made of a header.

    Attributes:
        names: of all columns.
        time: places of the columns that together give the time; none when rows are numbered instead.
        values: places of the columns of numbers.
        left_out: names of the others, each with the reason.
    """

    names: tuple[str, ...]
    time: tuple[int, ...]
    values: tuple[int, ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows.

    Attributes:
        times: the cells of the time columns as they were written.
        t: seconds, shape (n,); the row's number without a time column, NaN where the cell is no time.
        x: numbers, shape (n, columns); NaN where absent or unreadable.
    """

    times: list[tuple[str, ...]]
    t: NDArray[np.float64]
    x: NDArray[np.float64]


@dataclass(slots=True)
class Counts:
    """What was met on the way.

    Attributes:
        rows: read so far.
        unreadable: cells that are neither a number nor empty, by column.
        incomplete: rows with at least one absent or unreadable number.
        no_time: rows whose time cannot be read.
        falling: rows whose time lies before that of the row above.
    """

    rows: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    incomplete: int = 0
    no_time: int = 0
    falling: int = 0


class TableFile:
    """One table, read block by block. A context manager.

    Args:
        path: a file, gzipped or not, or `-` for standard input.
        time: the time column's name; guessed when None.
        columns: the columns of numbers to read; every one that is no label when None.

    Attributes:
        columns: what was made of the header.
        counts: what was met so far.

    Raises:
        StackError: there is no such file, no such column, or no column of numbers.
    """

    def __init__(self, path: str, time: str | None = None, columns: Sequence[str] | None = None) -> None:
        self.name = "standard input" if path == "-" else path
        self.counts = Counts()
        self._last = -math.inf
        self._exit = ExitStack()
        try:
            self._lines = _Lines(self._open(path))
            first, second = next(self._lines, ""), next(self._lines, "")
            delimiter = _delimiter(first, second)
            self._comma = delimiter != ","
            self._lines.put_back([line for line in (first, second) if line])
            self._reader = csv.reader(self._lines, delimiter=delimiter, skipinitialspace=True)
            self._waiting: list[list[str]] = []
            self.columns = self._settle(time, columns)
        except BaseException:
            self._exit.close()
            raise

    def __enter__(self) -> Self:
        """Read it in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._exit.close()

    def blocks(self, most: int = 4096) -> Iterator[Rows]:
        """Rows in the file's order, in blocks of at most `most`; sooner where a stream pauses.

        Raises:
            StackError: a row has another number of cells than the header.
        """
        held: list[list[str]] = []
        while True:
            cells = self._next()
            if cells is None:
                break
            held.append(cells)
            if len(held) >= most or self._lines.dry:
                yield self._block(held)
                held = []
        if held:
            yield self._block(held)

    def _open(self, path: str) -> _Bytes:
        if path == "-":
            raw = cast("io.BufferedReader", sys.stdin.buffer)
        else:
            try:
                raw = Path(path).open("rb")  # noqa: SIM115  (closed by `_exit`)
            except OSError as cause:
                raise StackError(f"{path} cannot be read: {cause.strerror or cause}") from cause
            self._exit.enter_context(raw)
        return gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == _PACKED else raw

    def _settle(self, time: str | None, wanted: Sequence[str] | None) -> Columns:
        """What the columns are: by the header and the first row."""
        head = self._row()
        if head is None:
            raise StackError(f"{self.name} is empty: give a table with a header and one row a reading")
        if self._is_data(head):
            names = [f"column{place}" for place in range(1, len(head) + 1)]
            first: list[str] | None = head
        else:
            names = _distinct([cell.strip() for cell in head])
            first = self._row()
        if first is not None:
            self._waiting.append(first)
            self._check(first, len(names))
        row = first or [""] * len(names)
        at = self._time_columns(names, row, time)
        self._moments = Moments(moment_format(" ".join(row[i].strip() for i in at))) if at else None
        chosen = self._value_columns(names, row, at, wanted)
        if not chosen.values:
            raise StackError(
                f"{self.name} has no column of numbers besides {', '.join(names[i] for i in at) or 'text'}; "
                "name the columns with --columns a,b"
            )
        self.counts.unreadable = {names[i]: 0 for i in chosen.values}
        return chosen

    def _is_data(self, cells: list[str]) -> bool:
        kinds = [self._kind(cell) for cell in cells]
        return "number" in kinds and "text" not in kinds

    def _kind(self, cell: str) -> str:
        text = cell.strip()
        if text.lower() in _NOTHING:
            return "nothing"
        if not math.isnan(_number(text, comma=self._comma)):
            return "number"
        return "time" if is_date(text) or is_clock_time(text) else "text"

    def _time_columns(self, names: list[str], row: list[str], wanted: str | None) -> tuple[int, ...]:
        if wanted is not None:
            return (_place(names, wanted, self.name),)
        kinds = [self._kind(cell) for cell in row]
        plain = [_plain(name) for name in names]
        for known in _TIME_NAMES:
            for i, name in enumerate(plain):
                if name != known or kinds[i] not in {"time", "number"}:
                    continue
                if is_clock_time(row[i].strip()):
                    continue
                clocks = [j for j in range(len(row)) if j != i and is_clock_time(row[j].strip())]
                midnight = ":" not in row[i] and is_date(row[i].strip())
                return (i, clocks[0]) if midnight and clocks else (i,)
        return next(((i,) for i, cell in enumerate(row) if is_date(cell.strip())), ())

    def _value_columns(
        self, names: list[str], row: list[str], time: tuple[int, ...], wanted: Sequence[str] | None
    ) -> Columns:
        if wanted is not None:
            values = [_place(names, name, self.name) for name in wanted]
            left = tuple((names[i], "not chosen") for i in range(len(names)) if i not in {*values, *time})
            return Columns(tuple(names), time, tuple(values), left)
        values, out = [], []
        for i, name in enumerate(names):
            if i in time:
                continue
            if _LABEL.fullmatch(_plain(name)):
                out.append((name, "looks like a label"))
            elif i == 0 and _plain(name) in _ROW_NUMBERS:
                out.append((name or "the first column", "looks like row numbers"))
            elif self._kind(row[i]) in {"text", "time"}:
                out.append((name, "text"))
            else:
                values.append(i)
        return Columns(tuple(names), time, tuple(values), tuple(out))

    def _next(self) -> list[str] | None:
        cells = self._waiting.pop() if self._waiting else self._row()
        if cells is not None:
            self._check(cells, len(self.columns.names))
        return cells

    def _row(self) -> list[str] | None:
        """The next line that is not blank."""
        try:
            return next((cells for cells in self._reader if cells), None)
        except (csv.Error, EOFError, OSError) as cause:
            raise StackError(f"{self.name}, line {self._reader.line_num}: {cause}") from cause

    def _check(self, cells: list[str], wanted: int) -> None:
        # A delimiter at a line's end is common, and says nothing.
        while len(cells) > wanted and not cells[-1].strip():
            cells.pop()
        if len(cells) != wanted:
            raise StackError(
                f"{self.name}, line {self._reader.line_num}: {len(cells)} cells where the header has {wanted}; "
                "quote cells that hold the delimiter, and complete or remove the line"
            )

    def _block(self, rows: list[list[str]]) -> Rows:
        columns, counts, n = self.columns, self.counts, len(rows)
        x = np.empty((n, len(columns.values)), dtype=np.float64)
        for k, place in enumerate(columns.values):
            x[:, k] = self._numbers(columns.names[place], [cells[place] for cells in rows])
        times = [tuple(cells[i] for i in columns.time) for cells in rows]
        if self._moments is None:
            t = np.arange(counts.rows, counts.rows + n, dtype=np.float64)
        else:
            read = self._moments.seconds
            t = np.array([read(" ".join(cell.strip() for cell in cells)) for cells in times], dtype=np.float64)
            known = t[~np.isnan(t)]
            counts.no_time += n - len(known)
            if len(known):
                counts.falling += int((np.diff(known, prepend=max(self._last, -1e300)) < 0).sum())
                self._last = float(known[-1])
        counts.rows += n
        counts.incomplete += int(np.isnan(x).any(axis=1).sum())
        return Rows(times, t, x)

    def _numbers(self, name: str, cells: list[str]) -> NDArray[np.float64]:
        try:
            found = np.array(list(map(float, cells)))
        except ValueError:
            found = np.array([_number(cell.strip(), comma=self._comma) for cell in cells])
        if np.isfinite(found).all():
            return found
        for cell, value in zip(cells, found.tolist(), strict=True):
            if not math.isfinite(value) and cell.strip().lower() not in _NOTHING:
                self.counts.unreadable[name] += 1
        return np.where(np.isfinite(found), found, np.nan)


class _Lines:
    """Lines of text from bytes, as they come; `dry` when the next one would have to be waited for."""

    def __init__(self, file: _Bytes) -> None:
        self._file = file
        self._decoder: codecs.IncrementalDecoder | None = None
        self._lines: list[str] = []
        self._rest = ""
        self._ended = False

    @property
    def dry(self) -> bool:
        return not self._lines

    def put_back(self, lines: list[str]) -> None:
        self._lines += reversed(lines)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while not self._lines:
            if self._ended:
                raise StopIteration
            self._fill()
        return self._lines.pop()

    def _fill(self) -> None:
        data = self._file.read1(_CHUNK)
        if self._decoder is None:
            wide = data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
            self._decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")("replace")
        self._ended = not data
        # A return alone ends a line too, but not the first half of a pair whose second is still to come.
        text = self._rest + self._decoder.decode(data, final=self._ended)
        cut = len(text) if self._ended else text.rfind("\n") + 1
        self._rest = text[cut:]
        lines = io.StringIO(text[:cut].replace("\0", "\ufffd"), newline="").readlines()
        self._lines = lines[::-1]


def _delimiter(first: str, second: str) -> str:
    """The one that divides header and first row alike; decimal commas make the semicolon win over the comma."""
    fits = []
    for delimiter in _DELIMITERS:
        head, row = (
            next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []) for line in (first, second)
        )
        if len(head) > 1 and (not row or len(head) == len(row)):
            return delimiter
        fits.append(len(head))
    return _DELIMITERS[fits.index(max(fits))] if max(fits) > 1 else ","


def _number(text: str, *, comma: bool) -> float:
    """A number, or NaN: a decimal comma is read where commas do not divide the cells."""
    try:
        value = float(text)
    except ValueError:
        if not comma or text.count(",") != 1:
            return math.nan
        try:
            value = float(text.replace(".", "").replace(",", "."))
        except ValueError:
            return math.nan
    return value if math.isfinite(value) else math.nan


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return found


def _place(names: list[str], wanted: str, file: str) -> int:
    if wanted in names:
        return names.index(wanted)
    lower = [name.lower() for name in names]
    if wanted.lower() in lower:
        return lower.index(wanted.lower())
    raise StackError(f"{file} has no column {wanted!r}; it has {', '.join(names)}")
