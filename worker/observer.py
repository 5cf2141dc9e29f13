"""Feeds detectors a device's messages in `(epoch, seq)` order, never across a gap, live and when memory is rebuilt.

Both ways go through the same calls, so that a restart equals no restart: messages are observed one by one, a declared
loss is told once for each of its rows, a control entry after the message behind which it took effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import structlog

from detectors.engine import Observation
from storage.telemetry_rows import Batch, DetectorError, DeviceHistory, Reported, StoredControl, StoredMessage
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import EpisodeState, Finding
from telemetry.identity import DeviceKey
from worker.memory import DeviceMemory
from worker.verdict import plausible

log = structlog.get_logger()

_HISTORY = 24 * 3600 * MICROS
_CHUNK = 2_000
ReadBack = Callable[[int, str, int, int, int], list[StoredMessage]]


def observe_ready(memory: DeviceMemory, spec: KindSpec, batch: Batch, read_back: ReadBack) -> None:
    """Observe the longest gapless run that is now complete, epoch after epoch."""
    for epoch in sorted(memory.progress):
        if epoch < memory.epoch:
            continue
        upto = memory.progress[epoch].upto
        start = memory.seq if epoch == memory.epoch else 0
        if upto > start or epoch > memory.epoch:
            for seq, item in _run(memory, epoch, start, upto, read_back):
                _feed(memory, spec, batch, (epoch, seq), item)
            memory.epoch, memory.seq = epoch, upto


def _run(
    memory: DeviceMemory, epoch: int, start: int, upto: int, read_back: ReadBack
) -> Iterator[tuple[int, StoredMessage | None]]:
    """Messages and losses (None) of `start+1..upto` in order; what is not in memory is read back in chunks."""
    losses = [high for low, high in memory.lost.get(epoch, ()) if start < low and high <= upto]
    at = start + 1
    while at <= upto:
        if (epoch, at) in memory.waiting:
            end, found = at, [memory.waiting.pop((epoch, at))]
        else:
            end = min(upto, at + _CHUNK - 1, _next_waiting(memory, epoch, at, upto) - 1)
            found = read_back(memory.row.no, memory.row.kind, epoch, at, end)
        items: list[tuple[int, int, StoredMessage | None]] = [(m.seq, 0, m) for m in found]
        items += [(high, 1, None) for high in losses if at <= high <= end]
        for seq, _, item in sorted(items, key=lambda x: x[:2]):
            yield seq, item
        at = end + 1


def _next_waiting(memory: DeviceMemory, epoch: int, at: int, upto: int) -> int:
    return min((seq for e, seq in memory.waiting if e == epoch and at < seq <= upto), default=upto + 1)


def _feed(memory: DeviceMemory, spec: KindSpec, batch: Batch, at: tuple[int, int], item: StoredMessage | None) -> None:
    if item is not None:
        memory.last_t = int(item.t[-1])
    if memory.failed:
        return
    memory.since_snapshot += 1
    try:
        findings = memory.detector.lose(*at) if item is None else memory.detector.observe(_observation(item, spec))
    except Exception as error:  # noqa: BLE001  (whatever a detector does, its device alone must suffer)
        _poison(memory, at, error, batch)
        return
    arrival = memory.last_arrival if item is None else item.arrival
    _report(memory, findings, arrival, batch)


def control(memory: DeviceMemory, entry: ControlEntry, arrival: int, batch: Batch) -> None:
    """Let a control entry take effect behind the last observed message."""
    if memory.failed:
        return
    memory.since_snapshot += 1
    try:
        findings = memory.detector.control(entry)
    except Exception as error:  # noqa: BLE001  (likewise)
        _poison(memory, (memory.epoch, memory.seq), error, batch)
        return
    _report(memory, findings, arrival, batch)


def _report(memory: DeviceMemory, findings: list[Finding], arrival: int, batch: Batch) -> None:
    """Put revisions into the batch; one that rests on readings over a day old is history."""
    for finding in findings:
        dated = finding
        if arrival - finding.observed > _HISTORY:
            dated = msgspec.structs.replace(finding, history=True)
        if finding.state is EpisodeState.OPEN:
            memory.open_families.add(finding.family)
        else:
            memory.open_families.discard(finding.family)
        batch.findings.append(Reported(memory.row, dated, arrival))


def rebuild(
    memory: DeviceMemory,
    spec: KindSpec,
    history: DeviceHistory,
    *,
    controls: list[StoredControl],
    read_back: ReadBack,
    version: str,
) -> None:
    """Bring a fresh detector to where the device was observed: snapshot, then what was stored since.

    A snapshot of another version is not loaded: the whole history is observed anew. What it finds is in the database.
    """
    observed, snapshot = history.observed, history.snapshot
    if observed is None:
        return
    from_epoch, from_seq = 0, 0
    if snapshot is not None and snapshot.version == version:
        memory.detector.restore(snapshot.state)
        from_epoch, from_seq = snapshot.epoch, snapshot.seq
    silent = Batch()
    pending = [c for c in controls if (c.epoch, c.seq) >= (from_epoch, from_seq)]
    if snapshot is not None and snapshot.version == version:
        # A snapshot is taken at the end of a transaction: entries at its own place are in it.
        pending = [c for c in pending if (c.epoch, c.seq) > (from_epoch, from_seq)]
    memory.epoch, memory.seq = from_epoch, from_seq
    for progress in sorted(history.progress, key=lambda p: p.epoch):
        if not from_epoch <= progress.epoch <= observed.epoch:
            continue
        upto = observed.seq if progress.epoch == observed.epoch else progress.upto
        start = from_seq if progress.epoch == from_epoch else 0
        for seq, item in _run(memory, progress.epoch, start, upto, read_back):
            while pending and (pending[0].epoch, pending[0].seq) < (progress.epoch, seq):
                _repeat(memory, pending.pop(0), silent)
            _feed(memory, spec, silent, (progress.epoch, seq), item)
        memory.epoch, memory.seq = progress.epoch, upto
    for entry in pending:
        _repeat(memory, entry, silent)
    memory.epoch, memory.seq, memory.last_t = observed.epoch, observed.seq, observed.last_t
    memory.last_arrival = observed.last_arrival
    memory.open_families = set(history.open_families)


def _repeat(memory: DeviceMemory, stored: StoredControl, batch: Batch) -> None:
    entry = ControlEntry(
        id=stored.id,
        device=DeviceKey(memory.row.org, memory.row.device),
        kind=ControlKind(stored.kind),
        at=stored.at,
        body=dict(stored.body),
    )
    control(memory, entry, memory.last_arrival, batch)


def _observation(message: StoredMessage, spec: KindSpec) -> Observation:
    return Observation(
        epoch=message.epoch,
        seq=message.seq,
        t=message.t,
        phase=message.phase,
        values=plausible(message.values, spec),
        events=message.events,
    )


def _poison(memory: DeviceMemory, at: tuple[int, int], error: Exception, batch: Batch) -> None:
    memory.failed = True
    log.error("a detector failed; health is unknown from here", device=str(memory.row.key), error=repr(error))
    batch.errors.append(DetectorError(memory.row.no, *at, memory.last_arrival, repr(error)[:2000]))
