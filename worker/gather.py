"""The readings of a batch as columns, one set a kind: what is stored, and what detectors look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from storage.telemetry_rows import Readings
from telemetry.block import Block
from telemetry.catalogue import Catalogue, KindSpec
from worker.memory import DeviceMemory
from worker.verdict import ahead_of, plausible

Ints = NDArray[np.int64]
T = TypeVar("T", bound=np.generic)


class Status(IntEnum):
    """What became of a message."""

    NOT_STORED = 0
    STORED = 1
    STORED_LATE = 2


@dataclass(frozen=True, slots=True)
class _Part:
    """Readings of one block, one kind and one set of channels; `row` is the message of each."""

    status: list[int]
    block: Block
    row: Ints
    device: NDArray[np.int32]
    t: Ints
    sub: Ints
    phase: NDArray[np.int16]
    values: NDArray[np.float32]


@dataclass(slots=True)
class _Kind:
    parts: list[_Part] = field(default_factory=list)
    words: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def codes(self, words: Sequence[str]) -> NDArray[np.int16]:
        """Our number of each word of a block, and behind them -1, which is where -1 points."""
        return np.array([self.words.setdefault(word, len(self.words)) for word in words] + [-1], dtype=np.int16)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a block's messages lie in their kind's columns.

    Attributes:
        fit: whether registry, channels and date speak for storing it, and it has readings and no events.
        start: its first reading's place.
        n: how many readings.
        phase: of the message, or None.
        status: to be filled in; `Status` by message.
        offsets: see `Block.offsets`.
    """

    fit: list[bool]
    start: list[int]
    n: list[int]
    phase: list[str | None]
    status: list[int]
    offsets: Ints


@dataclass(frozen=True, slots=True)
class Seen:
    """Columns as detectors see them: implausible values are absent."""

    t: Ints
    values: NDArray[np.float32]
    arrival: Ints


NOTHING_SEEN = Seen(np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.float32), np.empty(0, dtype=np.int64))


class Gather:
    """Gathers the blocks of one batch.

    Args:
        catalogue: channels and their order.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kinds: dict[str, _Kind] = {}

    def add(self, block: Block, memories: Sequence[DeviceMemory | None]) -> Placed:
        """Take a block; `memories` are those of `block.devices`, None for strangers."""
        count = len(block)
        fit, start = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
        words = [None, *block.words]
        placed_phase = [words[i + 1] for i in block.phase.tolist()]
        status = [int(Status.NOT_STORED)] * count
        offsets = block.offsets()
        if count:
            kinds = list(dict.fromkeys(m.row.kind for m in memories if m is not None))
            of_device = np.array([-1 if m is None else kinds.index(m.row.kind) for m in memories], dtype=np.int64)
            numbers = np.array([0 if m is None else m.row.no for m in memories], dtype=np.int32)
            sort = of_device[block.device] * len(block.shapes) + block.shape
            for code in np.unique(sort).tolist():
                kind, shape = divmod(code, len(block.shapes))
                if kind < 0:
                    continue
                spec = self._catalogue[kinds[kind]]
                places = _places(spec, block.shapes[shape])
                if places is None:
                    continue
                rows = np.flatnonzero(sort == code)
                of_kind = self._kinds.setdefault(spec.kind, _Kind())
                n = block.n[rows]
                first = np.cumsum(n) - n
                row = np.repeat(rows, n)
                sub = np.arange(len(row), dtype=np.int64) - np.repeat(first, n)
                values = np.full((len(row), len(spec.channels)), np.nan, dtype=np.float32)
                if len(rows) == count:
                    values[:, places] = block.values.reshape(len(row), len(places))
                else:
                    cells = (offsets[row] + sub * len(places))[:, None] + np.arange(len(places))
                    values[:, places] = block.values[cells]
                of_kind.parts.append(
                    _Part(
                        status=status,
                        block=block,
                        row=row,
                        device=numbers[block.device[row]],
                        t=block.t[row] + block.dt[row] * sub,
                        sub=sub,
                        phase=of_kind.codes(block.words)[block.phase[row]],
                        values=values,
                    )
                )
                start[rows] = of_kind.count + first
                of_kind.count += len(row)
                last = block.t[rows] + block.dt[rows] * np.maximum(block.n[rows] - 1, 0)
                fit[rows] = (last <= block.arrival[rows] + ahead_of(block.speed)) & (block.n[rows] > 0)
            fit[list(block.events)] = False
        return Placed(fit.tolist(), start.tolist(), block.n.tolist(), placed_phase, status, offsets)

    def stored(self) -> list[Readings]:
        """What is to be stored, by the statuses that were filled in; a device's readings stand together.

        Neighbours in the index are then written one after the other, which the database does in less time.
        """
        found = []
        for name, kind in self._kinds.items():
            parts = kind.parts
            status = _joined([np.array(p.status, dtype=np.int8)[p.row] for p in parts])
            device = _joined([p.device for p in parts])
            order = np.argsort(device, kind="stable")
            keep = order if bool(status.all()) else order[status[order] != Status.NOT_STORED]
            found.append(
                Readings(
                    kind=name,
                    device=device[keep],
                    t=_joined([p.t for p in parts])[keep],
                    epoch=_joined([p.block.epoch[p.row] for p in parts])[keep],
                    seq=_joined([p.block.seq[p.row] for p in parts])[keep],
                    sub=_joined([p.sub for p in parts]).astype(np.int16)[keep],
                    arrival=_joined([p.block.arrival[p.row] for p in parts])[keep],
                    phase=_joined([p.phase for p in parts])[keep],
                    late=(status == Status.STORED_LATE)[keep],
                    values=_joined([p.values for p in parts])[keep],
                    words=tuple(kind.words),
                )
            )
        return [readings for readings in found if len(readings)]

    def see(self, kind: str, starts: Sequence[int], counts: Sequence[int]) -> Seen:
        """The readings of messages, one message after the other."""
        if not starts:
            return NOTHING_SEEN
        parts = self._kinds[kind].parts
        n = np.array(counts, dtype=np.int64)
        ends = np.cumsum(n)
        places = np.repeat(np.array(starts, dtype=np.int64) - ends + n, n) + np.arange(int(ends[-1]))
        return Seen(
            _joined([p.t for p in parts])[places],
            plausible(_joined([p.values for p in parts])[places], self._catalogue[kind]),
            _joined([p.block.arrival[p.row] for p in parts])[places],
        )


def _joined(arrays: list[NDArray[T]]) -> NDArray[T]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


@lru_cache(maxsize=1024)
def _columns_of(channels: tuple[str, ...], shape: tuple[str, ...]) -> Ints | None:
    if any(name not in channels for name in shape):
        return None
    return np.array([channels.index(name) for name in shape], dtype=np.int64)


def _places(spec: KindSpec, shape: tuple[str, ...]) -> Ints | None:
    """Column of each of a message's channels, or None when the kind does not know one of them."""
    return _columns_of(tuple(spec.channels), shape)
