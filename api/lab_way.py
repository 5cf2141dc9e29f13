"""The way of a device's messages: receipts, gaps, what was lost or dead-lettered, and how its clock stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from api.context import Tx
from storage.read_devices import DeviceView
from storage.read_lab import (
    DetectorError,
    Epoch,
    Letter,
    Lost,
    Observed,
    Times,
    count_letters,
    errors_of,
    letters_of,
    lost_of,
    observed_of,
    progress_of,
    times_of,
)

SINCE = timedelta(days=7)
_CLOCK = timedelta(days=2)
_LETTERS = 20
_RANGE = re.compile(r"\[(\d+),(\d+)\)")


@dataclass(frozen=True, slots=True)
class Way:
    """What became of what a device sent.

    Attributes:
        epochs: receipts, the newest epoch first.
        observed: how far detectors have come.
        waiting: messages of the newest epoch that are missing below one that came.
        gaps: the ranges that are missing, at most so many.
        lost: declared lost in the last seven days.
        times: arrival against event time.
        letters: the newest dead letters.
        dead: how many there are in all.
        errors: where detectors failed.
    """

    epochs: list[Epoch]
    observed: Observed | None
    waiting: int
    gaps: list[tuple[int, int]]
    lost: Lost
    times: Times
    letters: list[Letter]
    dead: int
    errors: list[DetectorError]


def read_way(tx: Tx, row: DeviceView) -> Way:
    """Read the way of a device's messages."""
    epochs = progress_of(tx.conn, row.no)
    gaps = missing(epochs[0]) if epochs else []
    return Way(
        epochs=epochs,
        observed=observed_of(tx.conn, row.no),
        waiting=sum(high - low + 1 for low, high in gaps),
        gaps=gaps[:_LETTERS],
        lost=lost_of(tx.conn, row.no, tx.now - SINCE),
        times=times_of(tx.conn, row.no, row.kind, tx.now - _CLOCK),
        letters=letters_of(tx.conn, row.org, row.device, limit=_LETTERS),
        dead=count_letters(tx.conn, row.org, row.device),
        errors=errors_of(tx.conn, row.no),
    )


def missing(epoch: Epoch) -> list[tuple[int, int]]:
    """The seqs between `upto` and what came beyond it, as inclusive ranges."""
    found: list[tuple[int, int]] = []
    first = epoch.upto + 1
    for low, high in ((int(a), int(b)) for a, b in _RANGE.findall(epoch.beyond)):
        if low > first:
            found.append((first, low - 1))
        first = high
    return found
