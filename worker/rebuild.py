"""Memory of devices made anew: the snapshot of each, then what was stored since, observed again.

Many devices go side by side, since detectors take many at once and the database answers one question for all. How
their messages are divided into runs does not show; a control entry is told after the message behind which it took
effect, a loss for each of its rows, as when it was live.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.engine import DetectorFactory, Observation
from storage.telemetry_rows import Batch, DeviceHistory, Observed, Readings, Replay, SeqRange, StoredControl
from telemetry.catalogue import Catalogue
from telemetry.control import ControlEntry, ControlKind
from worker.history import History
from worker.memory import DeviceMemory
from worker.observer import feed
from worker.run import Run, Told
from worker.verdict import plausible

_DEVICES = 128
_MESSAGES = 500
"""Together they bound what is in memory at once."""

Mark = tuple[int, int, "Told | tuple[str, ...]"]
"""Seq, its order there, and what is told: the codes of a message with events, a loss, a control entry."""
_EVENTS, _LOSS, _CONTROL = 0, 1, 2
_NO_TIMES = np.empty(0, dtype=np.int64)


@dataclass(slots=True)
class _Rebuilding:
    """One device on its way.

    Attributes:
        bounds: by epoch, behind which seq it begins and with which it ends.
        windows: still to be read.
        controls: still to take effect.
    """

    memory: DeviceMemory
    past: DeviceHistory
    observed: Observed
    bounds: dict[int, tuple[int, int]]
    windows: deque[SeqRange]
    controls: deque[StoredControl]


def rebuild(
    loaded: Sequence[tuple[DeviceMemory, DeviceHistory]],
    history: History,
    catalogue: Catalogue,
    detectors: DetectorFactory,
    told: Batch | None = None,
) -> None:
    """Bring fresh detectors to where their devices were observed.

    A snapshot of another version is not loaded: the whole history is observed anew. What it finds is in the database.

    Args:
        loaded: devices with a fresh detector each, and what the database has of them.
        history: the database.
        catalogue: kinds and channels.
        detectors: what made the detectors.
        told: takes the findings that are made on the way; None when they are in the database already.
    """
    silent = Batch() if told is None else told
    by_kind: dict[str, list[_Rebuilding]] = {}
    controls = history.read_controls([memory.row.no for memory, past in loaded if past.observed is not None])
    for memory, past in loaded:
        started = _start(memory, past, controls.get(memory.row.no, []), detectors.version)
        if started is not None:
            by_kind.setdefault(memory.row.kind, []).append(started)
    for kind, devices in by_kind.items():
        for at in range(0, len(devices), _DEVICES):
            _rebuild_some(kind, devices[at : at + _DEVICES], history, catalogue, detectors, silent=silent)


def _start(
    memory: DeviceMemory, past: DeviceHistory, controls: list[StoredControl], version: str
) -> _Rebuilding | None:
    observed, snapshot = past.observed, past.snapshot
    if observed is None:
        return None
    at = (0, 0)
    if snapshot is not None and snapshot.version == version:
        memory.detector.restore(snapshot.state)
        at = snapshot.epoch, snapshot.seq
        # A snapshot is taken at the end of a transaction: entries at its own place are in it.
        held = past.entries
        controls = [c for c in controls if (c.epoch, c.seq) > at] if held is None else controls[held:]
    bounds: dict[int, tuple[int, int]] = {}
    for progress in sorted(past.progress, key=lambda p: p.epoch):
        if not at[0] <= progress.epoch <= observed.epoch:
            continue
        upto = observed.seq if progress.epoch == observed.epoch else progress.upto
        start = at[1] if progress.epoch == at[0] else 0
        bounds[progress.epoch] = start, upto
        memory.since_snapshot += max(0, upto - start)
    windows = deque(
        SeqRange(memory.row.no, epoch, low, min(upto, low + _MESSAGES - 1))
        for epoch, (start, upto) in bounds.items()
        for low in range(start + 1, upto + 1, _MESSAGES)
    )
    return _Rebuilding(memory, past, observed, bounds, windows, deque(controls))


def _rebuild_some(
    kind: str,
    devices: Sequence[_Rebuilding],
    history: History,
    catalogue: Catalogue,
    detectors: DetectorFactory,
    *,
    silent: Batch,
) -> None:
    while True:
        turn = [(device, device.windows.popleft()) for device in devices if device.windows]
        if not turn:
            break
        replay = history.replay(kind, [window for _, window in turn])
        spec = catalogue[kind]
        # Events alone bring no row, nor the columns.
        values = replay.readings.values if len(replay.readings) else np.empty((0, len(spec.channels)), np.float32)
        seen = plausible(values, spec)
        windows = [_Window(device, span, replay, seen) for device, span in turn]
        feed([(window.device.memory, deque(_runs(window))) for window in windows], detectors, silent)
    for device in devices:
        memory, observed = device.memory, device.observed
        feed([(memory, deque(_entry(c, memory) for c in device.controls))], detectors, silent)
        memory.epoch, memory.seq, memory.last_t = observed.epoch, observed.seq, observed.last_t
        memory.last_arrival = observed.last_arrival
        memory.open_families = set(device.past.open_families)
        memory.live = memory.progress.get(memory.epoch)


@dataclass(frozen=True, slots=True)
class _Window:
    """What was read of one device, among that of others; `seen` are the readings' values without implausible ones."""

    device: _Rebuilding
    span: SeqRange
    replay: Replay
    seen: NDArray[np.float32]


def _runs(window: _Window) -> Iterator[Told]:
    """What is told of a window, in order."""
    readings, no = window.replay.readings, window.span.device
    low, high = np.searchsorted(readings.device, [no, no + 1]).tolist()
    seqs = readings.seq[low:high]
    at = low
    for seq, order, what in sorted(_marks(window), key=lambda mark: mark[:2]):
        before = low + int(np.searchsorted(seqs, seq, side="left" if order == _EVENTS else "right"))
        yield from _plain(window, at, before)
        at = before
        if isinstance(what, tuple):
            at = low + int(np.searchsorted(seqs, seq, side="right"))
            yield _with_events(window, seq, what, slice(before, at))
        else:
            yield what
    yield from _plain(window, at, high)


def _marks(window: _Window) -> Iterator[Mark]:
    """Where a run ends: at messages with events, losses and control entries."""
    device, span = window.device, window.span
    codes: dict[int, list[str]] = {}
    for event in window.replay.events_of(span.device):
        codes.setdefault(event.seq, []).append(event.code)
    for seq, of_seq in codes.items():
        yield seq, _EVENTS, tuple(of_seq)
    start, upto = device.bounds[span.epoch]
    for first, last in device.memory.lost.get(span.epoch, ()):
        # A loss is told at its end; one that began before the snapshot is in it.
        if span.low <= last <= span.high and start < first and last <= upto:
            yield last, _LOSS, Run(span.epoch, last, None, _NO_TIMES)
    while device.controls and (device.controls[0].epoch, device.controls[0].seq) < (span.epoch, span.high):
        stored = device.controls.popleft()
        yield (stored.seq if stored.epoch == span.epoch else 0), _CONTROL, _entry(stored, device.memory)


def _plain(window: _Window, low: int, high: int) -> Iterator[Run]:
    """Messages without events, a run a phase."""
    if low == high:
        return
    readings, epoch = window.replay.readings, window.span.epoch
    cuts = (np.flatnonzero(np.diff(readings.phase[low:high])) + low + 1).tolist()
    for first, end in zip([low, *cuts], [*cuts, high], strict=True):
        seq, part = int(readings.seq[end - 1]), slice(first, end)
        observation = Observation(epoch, seq, readings.t[part], _word(readings, first), window.seen[part])
        yield Run(epoch, seq, observation, readings.arrival[part])


def _with_events(window: _Window, seq: int, codes: tuple[str, ...], part: slice) -> Run:
    """A message with events stands alone; without readings it has its event's time."""
    readings, epoch = window.replay.readings, window.span.epoch
    t, arrival, word = readings.t[part], readings.arrival[part], None
    if len(t):
        word = _word(readings, part.start)
    else:
        first = next(e for e in window.replay.events_of(window.span.device) if e.seq == seq)
        t, arrival = np.array([first.t], dtype=np.int64), np.array([first.arrival], dtype=np.int64)
    return Run(epoch, seq, Observation(epoch, seq, t, word, window.seen[part], codes), arrival)


def _word(readings: Readings, row: int) -> str | None:
    phase = int(readings.phase[row])
    return None if phase < 0 else readings.words[phase]


def _entry(stored: StoredControl, memory: DeviceMemory) -> ControlEntry:
    return ControlEntry(
        id=stored.id, device=memory.key, kind=ControlKind(stored.kind), at=stored.at, body=dict(stored.body)
    )
