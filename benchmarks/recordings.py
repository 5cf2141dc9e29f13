"""Reads the public recordings as messages of a device: tracebase (plug power) and SKAB (pump).

Nothing of them is in this repository. tracebase: https://www.tracebase.org (ODbL 1.0). SKAB:
https://github.com/waico/SKAB (GPL-3.0).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.engine import Observation
from telemetry.clock import MICROS, to_micros

TRACEBASE = ("Refrigerator", "Washingmachine", "LaundryDryer")
COMMISSIONING = 400


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording on its way to a device: times (n,) int64 microseconds, values (n, channels) float32."""

    name: str
    t: NDArray[np.int64]
    values: NDArray[np.float32]
    anomaly: NDArray[np.bool_]


def tracebase(root: Path, appliance: str, grid: int = 10) -> Recording:
    """All days of one appliance, mean power on a grid of so many seconds; grid points without a reading are absent."""
    seconds: list[int] = []
    power: list[float] = []
    for path in sorted((root / "tracebase" / appliance).glob("*.csv")):
        for line in path.read_text(encoding="ascii").splitlines():
            stamp, value, *_ = line.split(";")
            moment = datetime.strptime(stamp.strip(), "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC)
            seconds.append(to_micros(moment) // MICROS)
            power.append(float(value))
    at, first = np.unique(np.array(seconds, np.int64) // grid, return_index=True)
    mean = np.add.reduceat(np.array(power), first) / np.diff(np.append(first, len(power)))
    return Recording(appliance, at * grid * MICROS, mean.astype(np.float32)[:, None], np.zeros(len(at), bool))


def changed(recording: Recording, day: int, *, power: float, stretch: float, threshold: float) -> Recording:
    """The same appliance from midnight of its `day`-th day on (0 is the first) with more power and longer runs.

    Readings above the threshold are repeated so that runs become longer; what follows on that day moves back, and
    what no longer fits into the day is cut off.
    """
    days = recording.t // (86_400 * MICROS)
    known = np.unique(days)
    grid = int(np.median(np.diff(recording.t)))
    t, values = [], []
    for index, number in enumerate(known.tolist()):
        inside = days == number
        at, watts = recording.t[inside], recording.values[inside]
        if index < day:
            t.append(at)
            values.append(watts)
            continue
        working = watts[:, 0] >= threshold
        begun = np.flatnonzero(np.diff(working.astype(np.int8), prepend=0) == 1)
        ended = np.append(np.flatnonzero(np.diff(working.astype(np.int8)) == -1) + 1, len(at))[: len(begun)]
        parts_t, parts_v, shift, done = [], [], 0, 0
        for low, high in zip(begun.tolist(), ended.tolist(), strict=True):
            extra = round((high - low) * (stretch - 1))
            parts_t += [at[done:high] + shift, at[high - 1] + shift + grid * np.arange(1, extra + 1)]
            again = np.clip(high - 1 - np.arange(extra)[::-1] % max(high - low, 1), low, None)
            parts_v += [watts[done:high], watts[again]]
            shift += extra * grid
            done = high
        parts_t.append(at[done:] + shift)
        parts_v.append(watts[done:])
        moved, scaled = np.concatenate(parts_t), np.concatenate(parts_v) * np.float32(power)
        fits = moved < (number + 1) * 86_400 * MICROS
        t.append(moved[fits])
        values.append(scaled[fits])
    times = np.concatenate(t)
    return Recording(f"{recording.name}+change", times, np.concatenate(values), np.zeros(len(times), bool))


def skab(root: Path) -> Iterator[Recording]:
    """The pump files, one device each, the clean one first; times on a grid of one second as they were written."""
    folder = root / "SKAB"
    for path in sorted(folder.glob("*/*.csv")):
        with path.open(encoding="utf-8") as lines:
            rows = list(csv.reader(lines, delimiter=";"))[1:]
        t = np.array(
            [to_micros(datetime.strptime(r[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)) for r in rows], np.int64
        )
        values = np.array([[float(x) for x in r[1:9]] for r in rows], np.float32)
        labels = np.array([len(r) > 9 and float(r[9]) == 1 for r in rows], bool)  # noqa: PLR2004  (column of the label)
        yield Recording(f"{path.parent.name}/{path.stem}", t, values, labels)


def messages(recording: Recording, size: int = 60) -> Iterator[Observation]:
    """The recording as observations of up to `size` readings; one ends where a reading is missing."""
    step = np.diff(recording.t)
    usual = int(np.median(step))
    starts = [0]
    for cut in [*(np.flatnonzero(step != usual) + 1).tolist(), len(recording.t)]:
        while cut - starts[-1] > size:
            starts.append(starts[-1] + size)
        if cut > starts[-1]:
            starts.append(cut)
    for seq, (low, high) in enumerate(pairwise(starts), start=1):
        yield Observation(1, seq, recording.t[low:high], None, recording.values[low:high])
