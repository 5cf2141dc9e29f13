"""Any table is read, from front to back, and what cannot be used is said."""

from __future__ import annotations

import gzip
import io
import itertools
import math
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from stack.errors import StackError
from stack.table_file import Rows, TableFile

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).timestamp()


def table(folder: Path, text: str | bytes, name: str = "t.csv") -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def read(path: str, time: str | None = None, columns: Sequence[str] | None = None) -> tuple[TableFile, Rows]:
    with TableFile(path, time, columns) as source:
        blocks = list(source.blocks())
    times = list(itertools.chain.from_iterable(block.times for block in blocks))
    return source, Rows(times, np.concatenate([b.t for b in blocks]), np.concatenate([b.x for b in blocks]))


@pytest.mark.parametrize(
    ("text", "names", "x"),
    [
        ("timestamp,value\n2024-03-05 12:00:00,7\n2024-03-05 12:00:01,8.5\n", ["value"], [[7], [8.5]]),
        (
            "datetime;a;b\n2024-03-05 12:00:00;1,5;2\n2024-03-05T12:00:01Z;1.234,5;3\n",
            ["a", "b"],
            [[1.5, 2], [1234.5, 3]],
        ),
        ("a\tts\n1\t1709640000\n2\t1709640001\n", ["a"], [[1], [2]]),
        ("ts,a\n1709640000000,1\n1709640001000,2\n", ["a"], [[1], [2]]),
        ('"time","a, b"\n"2024-03-05 12:00:00","1"\n2024-03-05 12:00:01,"2"\n', ["a, b"], [[1], [2]]),
        ("\ufefftime,a\r\n2024-03-05 12:00:00,1\r\n2024-03-05 12:00:01,2\r\n", ["a"], [[1], [2]]),
        ("05/03/2024 12:00:00;79;80\n05/03/2024 12:00:01;77;75\n", ["column2", "column3"], [[79, 80], [77, 75]]),
        ("Date;Time;P\n05.03.2024;12:00:00;4\n05.03.2024;12:00:01;5\n", ["P"], [[4], [5]]),
        ("when,a\n2024-03-05 13:00:00+01:00,1\n2024-03-05 13:00:01+01:00,2\n", ["a"], [[1], [2]]),
        ("time,a,\n2024-03-05 12:00:00,1,\n2024-03-05 12:00:01,2\n", ["a", ""], None),
    ],
)
def test_the_usual_forms_are_read(tmp_path: Path, text: str, names: list[str], x: list[list[float]] | None) -> None:
    if x is None:
        with pytest.raises(StackError, match="line 3"):
            read(table(tmp_path, text))
        return
    source, rows = read(table(tmp_path, text))
    assert [source.columns.names[i] for i in source.columns.values] == names
    assert_array_equal(rows.x, np.array(x, dtype=float))
    assert_array_equal(rows.t, [NOON, NOON + 1])


def test_a_packed_and_a_wide_file_are_read(tmp_path: Path) -> None:
    text = "time,a\n2024-03-05 12:00:00,1\n2024-03-05 12:00:01,2\n"
    for data in (gzip.compress(text.encode()), text.encode("utf-16")):
        _, rows = read(table(tmp_path, data))
        assert_array_equal(rows.x[:, 0], [1, 2])
        assert rows.times == [("2024-03-05 12:00:00",), ("2024-03-05 12:00:01",)]


def test_labels_text_and_row_numbers_are_left_out_and_said(tmp_path: Path) -> None:
    text = ",time,a,state,anomaly,changepoint,is_anomaly,Ground Truth,b\n0,2024-03-05,1,run,0,0,0,0,2\n"
    source, rows = read(table(tmp_path, text))
    assert dict(source.columns.left_out) == {
        "the first column": "looks like row numbers",
        "state": "text",
        **dict.fromkeys(["anomaly", "changepoint", "is_anomaly", "Ground Truth"], "looks like a label"),
    }
    assert_array_equal(rows.x, [[1, 2]])


def test_columns_can_be_chosen(tmp_path: Path) -> None:
    text = "time,a,label,b\n2024-03-05,1,5,2\n"
    source, rows = read(table(tmp_path, text), columns=["b", "label"])
    assert_array_equal(rows.x, [[2, 5]])
    assert ("a", "not chosen") in source.columns.left_out
    with pytest.raises(StackError, match="no column 'c'; it has time, a, label, b"):
        read(table(tmp_path, text), columns=["c"])


def test_without_a_time_rows_are_numbered_through_all_blocks(tmp_path: Path) -> None:
    path = table(tmp_path, "a,b\n" + "1,2\n" * 50_000)
    source, rows = read(path)
    assert source.columns.time == ()
    assert_array_equal(rows.t, np.arange(50_000))


def test_cells_that_are_no_numbers_are_unknown_and_counted(tmp_path: Path) -> None:
    text = (
        "time,a,b\n2024-03-05 12:00:00,,1\nyesterday,oops,nan\n2024-03-05 11:00:00,NA,1e400\n2024-03-05 12:00:00,3,4\n"
    )
    source, rows = read(table(tmp_path, text))
    assert_array_equal(rows.x, [[math.nan, 1], [math.nan, math.nan], [math.nan, math.nan], [3, 4]])
    assert_array_equal(rows.t, [NOON, math.nan, NOON - 3600, NOON])
    counts = source.counts
    assert (counts.rows, counts.incomplete, counts.no_time, counts.falling) == (4, 3, 1, 1)
    assert counts.unreadable == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("time,a\n2024-03-05,1\n2024-03-05,1,2\n", "line 3: 3 cells where the header has 2"),
        ("time,a\n2024-03-05,1\n2024-03-05\n", "line 3: 1 cells where the header has 2"),
        ("time,name\n2024-03-05,x\n", "no column of numbers"),
        ("time,label\n2024-03-05,1\n", "no column of numbers"),
    ],
)
def test_an_unusable_table_is_refused_with_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    path = table(tmp_path, text)
    with pytest.raises(StackError, match=says) as caught:
        read(path)
    assert path in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="cannot be read"):
        TableFile(str(tmp_path / "none.csv"))


def test_a_header_alone_is_no_rows(tmp_path: Path) -> None:
    with TableFile(table(tmp_path, "time,a\n"), "time") as source:
        assert list(source.blocks()) == []


def test_the_beginning_of_a_file_is_read_as_in_the_whole(tmp_path: Path) -> None:
    lines = ["time;a;b"] + [
        f"2024-03-{1 + i // 24:02d} {i % 24:02d}:00:00;{i},5;{'' if i % 3 else i}" for i in range(200)
    ]
    _, whole = read(table(tmp_path, "\n".join(lines)))
    for n in (1, 2, 7, 150):
        _, part = read(table(tmp_path, "\n".join(lines[: n + 1])))
        assert_array_equal(part.x, whole.x[:n])
        assert_array_equal(part.t, whole.t[:n])


class _Endless(io.RawIOBase):
    """A pipe that brings rows as long as it is read."""

    def __init__(self, rows: int) -> None:
        self._parts = self._text(rows)
        self._rest = b""

    @staticmethod
    def _text(rows: int) -> Iterator[bytes]:
        yield b"time,a,b\n"
        for first in range(0, rows, 1000):
            yield b"".join(b"%d,%d.5,7\n" % (1_700_000_000 + i, i % 100) for i in range(first, first + 1000))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._rest = self._rest or next(self._parts, b"")
        n = min(len(buffer), len(self._rest))
        buffer[:n], self._rest = self._rest[:n], self._rest[n:]
        return n


class _Stdin:
    def __init__(self, rows: int) -> None:
        self.buffer = io.BufferedReader(_Endless(rows))  # type: ignore[type-var]


def most_memory(monkeypatch: pytest.MonkeyPatch, rows: int) -> int:
    monkeypatch.setattr(sys, "stdin", _Stdin(rows))
    tracemalloc.start()
    with TableFile("-") as source:
        assert sum(len(block.t) for block in source.blocks()) == rows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    assert most_memory(monkeypatch, 40_000) < most_memory(monkeypatch, 5_000) + 3_000_000


@pytest.mark.long
def test_a_million_rows_take_the_memory_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    assert most_memory(monkeypatch, 1_000_000) < 12_000_000
