"""The Skoltech Anomaly Benchmark of a pump test bed, guarded against detectors that know when its faults begin.

I. Katser, V. Kozitsin, "Skoltech Anomaly Benchmark (SKAB)", 2020. In most of its files the fault lies at the same rows,
so that an alarm by the row's number alone beats every published detector. Here a random number of healthy rows of the
same file is put in behind the rows that detectors learn from, and alarms are counted on the rows behind those.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stack.errors import StackError
from stack.scoring.common import Floats

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]

TRAIN_ROWS = 400
MOST_INSERTED = 1_500
BLOCK = 60
"""Consecutive rows that are put in together: a minute, so that what follows what stays."""
CLEAN = "anomaly-free"
_LABELS = ("anomaly", "changepoint")


@dataclass(frozen=True, slots=True)
class Recording:
    """One file.

    Attributes:
        name: folder and file.
        t: seconds since 1970, shape (n,).
        x: values, shape (n, channels).
        fault: the label, shape (n,); nowhere in a file without labels.
    """

    name: str
    t: Floats
    x: Floats
    fault: Flags

    @property
    def group(self) -> str:
        """Its folder: one kind of experiment."""
        return self.name.split("/")[0]


def load(folder: Path) -> list[Recording]:
    """Read every file of the benchmark, in order of name.

    Raises:
        StackError: none is there, or one is not a table of the benchmark.
    """
    found = [_recording(path, f"{path.parent.name}/{path.stem}") for path in sorted(folder.glob("*/*.csv"))]
    if not found:
        raise StackError(f"no folder with .csv files in {folder}")
    return found


def _recording(path: Path, name: str) -> Recording:
    with path.open(encoding="utf-8", newline="") as lines:
        head, *rows = list(csv.reader(lines, delimiter=";"))
    values = [i for i, column in enumerate(head) if i and column not in _LABELS]
    try:
        t = np.array([row[0] for row in rows], dtype="datetime64[us]").astype(np.int64) / 1e6
        x = np.array([[float(row[i]) for i in values] for row in rows])
        label = head.index("anomaly") if "anomaly" in head else None
        fault = np.array([label is not None and float(row[label]) > 0 for row in rows])
    except (ValueError, IndexError) as cause:
        raise StackError(f"{path}: rows must be a time and numbers, parted by semicolons ({cause})") from cause
    return Recording(name, t, x, fault)


def guarded(
    recording: Recording, seed: int, *, block: int = BLOCK, whole: bool = False, train_rows: int = TRAIN_ROWS
) -> Recording:
    """The same file with 0 to 1,500 healthy rows put in behind the training rows.

    They are drawn with replacement from the training rows that are labelled healthy, in blocks of consecutive rows of
    which the last may be shorter. The number of rows and the draws depend on the seed and the file's name alone. The
    times behind them are later by a second a row.

    Args:
        recording: as it was made.
        seed: of the draws.
        block: rows that stay together; 1 draws single rows, which leaves no trace of what follows what.
        whole: draw from every healthy row of the file, those behind the fault included. The machine is then often where
            it had never been in the training rows, and jumps there and back.
        train_rows: after how many rows they are put in.
    """
    rng = np.random.default_rng((seed, zlib.crc32(recording.name.encode())))
    count = int(rng.integers(0, MOST_INSERTED + 1))
    healthy = np.flatnonzero(~(recording.fault if whole else recording.fault[:train_rows]))
    chosen: list[Rows] = [np.empty(0, np.intp)]
    missing = count if len(healthy) else 0
    while missing > 0:
        rows = _run(healthy, int(rng.integers(len(healthy))), min(block, missing))
        chosen.append(rows)
        missing -= len(rows)
    put_in = np.concatenate(chosen)
    order = np.concatenate([np.arange(train_rows), put_in, np.arange(train_rows, len(recording.t))])
    fault = recording.fault[order]
    fault[train_rows : train_rows + len(put_in)] = False
    t = recording.t[order]
    t[train_rows : train_rows + len(put_in)] = recording.t[train_rows - 1] + 1 + np.arange(len(put_in))
    t[train_rows + len(put_in) :] += len(put_in)
    return Recording(recording.name, t, recording.x[order], fault)


def _run(healthy: Rows, first: int, most: int) -> Rows:
    """At most so many healthy rows that follow one another, from the given one on."""
    rows = healthy[first : first + most]
    return rows[: int(np.argmax(np.append(np.diff(rows) > 1, True))) + 1]


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of one or several files, by label and alarm."""

    hit: int = 0
    false: int = 0
    missed: int = 0
    quiet: int = 0

    @property
    def f1(self) -> float:
        """Harmonic mean of the precision and the recall of rows; 0 where there is neither fault nor alarm."""
        return 2 * self.hit / max(2 * self.hit + self.false + self.missed, 1)

    @property
    def far(self) -> float:
        """False alarm rate: per cent of the healthy rows with an alarm."""
        return 100 * self.false / max(self.false + self.quiet, 1)

    @property
    def mar(self) -> float:
        """Missed alarm rate: per cent of the faulty rows without one."""
        return 100 * self.missed / max(self.hit + self.missed, 1)


def tally(alarm: Flags, fault: Flags) -> Tally:
    """Count rows."""
    hit = int((alarm & fault).sum())
    false, missed = int(alarm.sum()) - hit, int(fault.sum()) - hit
    return Tally(hit, false, missed, len(fault) - hit - false - missed)


def total(tallies: Sequence[Tally]) -> Tally:
    """The sum: every row counts the same, in whichever file it is."""
    return Tally(
        sum(t.hit for t in tallies),
        sum(t.false for t in tallies),
        sum(t.missed for t in tallies),
        sum(t.quiet for t in tallies),
    )


@dataclass(frozen=True, slots=True)
class Events:
    """What a person would see of one file.

    Attributes:
        found: an alarm within the fault.
        early: an alarm before it.
        delay: rows from the fault's first to the first alarm within it; None where there is none.
        episodes: how often an alarm began.
    """

    found: bool
    early: bool
    delay: int | None
    episodes: int


def events(alarm: Flags, fault: Flags) -> Events:
    """Alarms of one file against its one fault."""
    first = int(np.argmax(fault)) if fault.any() else len(fault)
    within = np.flatnonzero(alarm & fault)
    episodes = int((np.diff(alarm.astype(np.int8), prepend=0) > 0).sum())
    return Events(len(within) > 0, bool(alarm[:first].any()), int(within[0]) - first if len(within) else None, episodes)


def standing(alarm: Flags, rows: int) -> Flags:
    """Where an alarm has stood for more than so many rows: what is worth a ticket."""
    at = np.arange(len(alarm))
    began = np.maximum.accumulate(np.where(alarm, -1, at))
    return np.asarray(at - began > rows)


def best_threshold(scored: Sequence[tuple[Floats, Flags]]) -> float:
    """The threshold with the greatest F1 over all rows of the files: an alarm is a score at or above it.

    Half way between two scores that occur, so that it does not hang on one of them.
    """
    score = np.concatenate([s for s, _ in scored])
    fault = np.concatenate([f for _, f in scored])
    order = np.argsort(-score, kind="stable")
    levels, hits = score[order], np.cumsum(fault[order])
    f1 = 2 * hits / np.maximum(np.arange(1, len(levels) + 1) + int(fault.sum()), 1)
    last = np.append(levels[1:] != levels[:-1], True)
    f1 = np.where(last, f1, -1.0)
    at = int(np.argmax(f1))
    below = levels[at + 1] if at + 1 < len(levels) else levels[at]
    return float((levels[at] + below) / 2)
