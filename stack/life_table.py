"""Tables of units for the life model: NASA's text of numbers, or CSV with a header. Errors name file and line."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.rul.records import Record, Records
from stack.errors import StackError

CMAPSS, CSV = "cmapss", "csv"
_SETTINGS = 3
_LEAST_COLUMNS = 2 + _SETTINGS + 1
_ABSENT = frozenset({"", "nan", "na", "n/a", "null", "none", "?"})
_ANSWERS = frozenset({"rul", "ttf", "label", "target", "remaining", "remaining_life", "remaining_useful_life"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a CSV are what.

    Attributes:
        unit: names the unit; the first column unless told.
        time: cycles, hours or another unit of time; the second unless told.
        settings: operating settings.
        sensors: only these; all other columns of numbers unless told.
    """

    unit: str | None = None
    time: str | None = None
    settings: tuple[str, ...] = ()
    sensors: tuple[str, ...] | None = None


def read_units(path: Path, form: str, layout: Layout) -> tuple[Records, dict[str, str]]:
    """Read a table of units, gzipped or not.

    Returns:
        The units in order of appearance, rows in order of time, a repeated time taken once; and the columns left out,
        each with why.

    Raises:
        StackError: it cannot be read; names the line.
    """
    text = _text(path)
    if form == CMAPSS:
        return _cmapss(text.splitlines(), path), {}
    return _csv(text, path, layout)


def form_of(path: Path) -> str:
    """The format of a table: a first line of numbers alone is no header."""
    first = next((line for line in _text(path).splitlines() if line.strip()), "")
    return CMAPSS if all(_is_number(cell) for cell in first.split()) else CSV


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
        return content.decode("utf-8-sig")
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise StackError(f"{path} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise StackError(f"{path} is no text: byte {error.start} is not UTF-8") from error


def _cmapss(lines: Iterable[str], path: Path) -> Records:
    rows: list[list[float]] = []
    names: list[str] = []
    width = 0
    for number, line in enumerate(lines, 1):
        cells = line.split()
        if not cells:
            continue
        if not width:
            width = len(cells)
            if width < _LEAST_COLUMNS:
                raise StackError(
                    f"{path} line {number}: {width} columns; unit, cycle, three settings and at least one sensor are "
                    "expected, divided by spaces (for a table with commas and a header, --format csv)"
                )
        if len(cells) != width:
            raise StackError(f"{path} line {number}: {len(cells)} columns where the first line has {width}")
        rows.append([_number(cell, path, number) for cell in cells[1:]])
        names.append(_unit(cells[0]))
        if not math.isfinite(rows[-1][0]):
            raise StackError(f"{path} line {number}: no cycle")
    if not rows:
        raise StackError(f"{path} has no rows")
    values = np.array(rows)
    return Records(
        _grouped(names, values[:, 0], values[:, 1 : 1 + _SETTINGS], values[:, 1 + _SETTINGS :]),
        tuple(f"setting_{i + 1}" for i in range(_SETTINGS)),
        tuple(f"sensor_{i + 1}" for i in range(width - 1 - 1 - _SETTINGS)),
    )


def _csv(text: str, path: Path, layout: Layout) -> tuple[Records, dict[str, str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    header = [name.strip() for name in next(lines, [])]
    if len(header) != len(set(header)):
        twice = next(name for name in header if header.count(name) > 1)
        raise StackError(f"{path} line 1: two columns are called {twice!r}")
    if len(header) < 3:  # noqa: PLR2004  (unit, time and one sensor)
        raise StackError(f"{path} line 1: a header with unit, time and at least one sensor is expected")
    unit, time = layout.unit or header[0], layout.time or header[1]
    for name in (unit, time, *layout.settings, *(layout.sensors or ())):
        if name not in header:
            raise StackError(f"{path} line 1: no column {name!r}; there are {', '.join(header)}")
    cells = list(_rows(lines, header, path))
    if not cells:
        raise StackError(f"{path} has no rows")
    numbers = [number for number, _ in cells]
    column = {name: [row[i].strip() for _, row in cells] for i, name in enumerate(header)}
    chosen, left_out = _sensors(header, column, layout, {unit, time, *layout.settings})
    if not chosen:
        raise StackError(f"{path}: no column of numbers is left for the sensors")

    def read(names: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        parts = [[_number(c, path, n, name) for c, n in zip(column[name], numbers, strict=True)] for name in names]
        return np.array(parts, dtype=np.float64).reshape(len(names), len(cells)).T

    when = read([time])[:, 0]
    if not np.isfinite(when).all():
        raise StackError(f"{path} line {numbers[int(np.argmin(np.isfinite(when)))]}: no time in column {time!r}")
    units = _grouped([_unit(cell) for cell in column[unit]], when, read(layout.settings), read(chosen))
    return Records(units, layout.settings, tuple(chosen)), left_out


def _rows(lines: Iterator[list[str]], header: list[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(lines, 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise StackError(f"{path} line {number}: {len(row)} columns where the header has {len(header)}")
        yield number, row


def _sensors(
    header: list[str], column: dict[str, list[str]], layout: Layout, taken: set[str]
) -> tuple[list[str], dict[str, str]]:
    """Columns of numbers, and why others are none."""
    if layout.sensors is not None:
        return list(layout.sensors), {}
    chosen, left_out = [], {}
    for name in header:
        if name in taken:
            continue
        told = next((cell for cell in column[name] if cell.lower() not in _ABSENT), None)
        if name.lower().replace(" ", "_") in _ANSWERS:
            left_out[name] = "named like the answer"
        elif told is None:
            left_out[name] = "empty"
        elif not _is_number(told):
            left_out[name] = "text"
        else:
            chosen.append(name)
    return chosen, left_out


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str, path: Path, line: int, column: str | None = None) -> float:
    if cell.lower() in _ABSENT:
        return math.nan
    try:
        found = float(cell)
    except ValueError:
        where = f" in column {column!r}" if column is not None else ""
        raise StackError(f"{path} line {line}: {cell[:40]!r}{where} is no number") from None
    return found if math.isfinite(found) else math.nan


def _unit(cell: str) -> str:
    """`1`, `1.0` and `1.0000e+00` are one unit."""
    if _is_number(cell) and math.isfinite(float(cell)) and float(cell) == int(float(cell)):
        return str(int(float(cell)))
    return cell


def _grouped(
    names: Sequence[str],
    time: np.ndarray[tuple[int], np.dtype[np.float64]],
    settings: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    sensors: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> list[Record]:
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        rows.setdefault(name, []).append(i)
    found = []
    for name, mine in rows.items():
        # The first row of each time, in order of time: repeated and late rows change nothing.
        _, order = np.unique(time[mine], return_index=True)
        at = np.array(mine)[order]
        found.append(Record(name, time[at], settings[at], sensors[at]))
    return found
