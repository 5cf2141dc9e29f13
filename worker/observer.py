"""Feeds detectors a device's messages in `(epoch, seq)` order, never across a gap.

Live and when memory is rebuilt, the same `feed` tells them, so that a restart equals no restart: messages in order,
whatever the runs they come in; a declared loss once for each of its rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import msgspec
import numpy as np
import structlog

from detectors.engine import DetectorFactory, Observation, compared
from storage.telemetry_rows import Batch, DetectorError, Reported, StoredMessage
from telemetry.catalogue import Catalogue, KindSpec
from telemetry.clock import MICROS
from telemetry.control import ControlEntry
from telemetry.finding import EpisodeState, Finding
from worker.gather import Gather, Seen
from worker.memory import DeviceMemory, Loss, Ready, Rows
from worker.run import Run, Told
from worker.verdict import plausible

log = structlog.get_logger()

_HISTORY = 24 * 3600 * MICROS
_CHUNK = 2_000
ReadBack = Callable[[int, str, int, int, int], list[StoredMessage]]


def advance(memory: DeviceMemory, read_back: ReadBack) -> None:
    """Make the longest gapless run that is now complete ready, epoch after epoch."""
    for epoch in sorted(memory.progress):
        if epoch < memory.epoch:
            continue
        upto = memory.progress[epoch].upto
        start = memory.seq if epoch == memory.epoch else 0
        if upto > start or epoch > memory.epoch:
            memory.ready += (item for _, item in _items(memory, epoch, start, upto, read_back))
            memory.open = None
            memory.epoch, memory.seq = epoch, upto
    memory.live = memory.progress.get(memory.epoch)


def observe(
    memories: Iterable[DeviceMemory], gather: Gather, catalogue: Catalogue, detectors: DetectorFactory, batch: Batch
) -> None:
    """Show detectors what is ready, many devices at once, and put what they say into the batch."""
    by_kind: dict[str, list[DeviceMemory]] = {}
    for memory in memories:
        if memory.ready:
            by_kind.setdefault(memory.row.kind, []).append(memory)
    queues: list[tuple[DeviceMemory, deque[Told]]] = []
    for kind, of_kind in by_kind.items():
        spec = catalogue[kind]
        rows = [item for memory in of_kind for item in memory.ready if isinstance(item, Rows)]
        seen = gather.see(kind, [x for r in rows for x in r.starts], [x for r in rows for x in r.counts])
        at = 0
        for memory in of_kind:
            runs, at = _runs(memory.ready, spec, seen, at)
            if not memory.failed:
                memory.told += runs
            memory.since_snapshot += _messages(memory.ready)
            memory.ready, memory.open = [], None
            for run in runs:
                if run.observation is not None:
                    memory.last_t = int(run.observation.t[-1])
                    memory.last_arrival = max(memory.last_arrival, int(run.arrival[-1]))
            queues.append((memory, deque[Told](runs)))
    feed(queues, detectors, batch)


def feed(queues: Sequence[tuple[DeviceMemory, deque[Told]]], detectors: DetectorFactory, batch: Batch) -> None:
    """One run of each device at a time, until all were told everything; then what they tell of themselves."""
    fed = [memory for memory, _ in queues]
    while queues:
        turn: list[tuple[DeviceMemory, Run, Observation]] = []
        for memory, runs in queues:
            while runs and not memory.failed:
                run = runs.popleft()
                if isinstance(run, ControlEntry):
                    control(memory, run, memory.last_arrival, batch)
                elif run.observation is None:
                    _tell_loss(memory, run, batch)
                else:
                    turn.append((memory, run, run.observation))
                    break
        answers = detectors.observe([(memory.detector, observation) for memory, _, observation in turn])
        for (memory, run, observation), answer in zip(turn, answers, strict=True):
            if isinstance(answer, Exception):
                _poison(memory, (run.epoch, run.seq), answer, batch)
            elif answer:
                _report(memory, answer, partial(_arrived, run, observation), batch)
        queues = [(memory, runs) for memory, runs in queues if runs and not memory.failed]
    for memory in fed:
        _summarise(memory, batch)


def _summarise(memory: DeviceMemory, batch: Batch) -> None:
    """Hand out the summary of a day that has ended; the same one a second time changes nothing."""
    peers = compared(memory.detector)
    summary = None if peers is None else peers.summary
    if summary is not None and summary.day > memory.told_day and not memory.failed:
        memory.told_day = summary.day
        firmware = memory.firmware[-1].version if memory.firmware else None
        batch.summaries[memory.row.no] = msgspec.structs.replace(summary, firmware=firmware), memory.last_arrival


def _tell_loss(memory: DeviceMemory, run: Run, batch: Batch) -> None:
    try:
        findings = memory.detector.lose(run.epoch, run.seq)
    except Exception as error:  # noqa: BLE001  (whatever a detector does, its device alone must suffer)
        _poison(memory, (run.epoch, run.seq), error, batch)
        return
    _report(memory, findings, lambda _finding: memory.last_arrival, batch)


def _arrived(run: Run, observation: Observation, finding: Finding) -> int:
    """When the reading came that a revision rests on."""
    upto = np.flatnonzero(observation.t[: len(run.arrival)] <= finding.observed)
    return int(run.arrival[upto[-1] if len(upto) else 0])


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
    _report(memory, findings, lambda _finding: arrival, batch)


def _report(memory: DeviceMemory, findings: list[Finding], arrival_of: Callable[[Finding], int], batch: Batch) -> None:
    """Put revisions into the batch; one that rests on readings over a day old is history."""
    for finding in findings:
        arrival = arrival_of(finding)
        dated = finding
        if arrival - finding.observed > _HISTORY:
            dated = msgspec.structs.replace(finding, history=True)
        if finding.state is EpisodeState.OPEN:
            memory.open_families.add(finding.family)
        else:
            memory.open_families.discard(finding.family)
        batch.findings.append(Reported(memory.row, dated, arrival))


def _items(
    memory: DeviceMemory, epoch: int, start: int, upto: int, read_back: ReadBack
) -> Iterator[tuple[int, StoredMessage | Loss]]:
    """Messages and losses of `start+1..upto` with their seq, in order; what is not in memory is read back in chunks."""
    losses = [high for low, high in memory.lost.get(epoch, ()) if start < low and high <= upto]
    at = start + 1
    while at <= upto:
        if (epoch, at) in memory.waiting:
            end, found = at, [memory.waiting.pop((epoch, at))]
        else:
            # One question for the whole stretch, though some of it is in memory: after a shuffled day every other
            # message is, and a question each would keep other devices waiting.
            end = min(upto, at + _CHUNK - 1)
            stretch = {m.seq: m for m in read_back(memory.row.no, memory.row.kind, epoch, at, end)}
            stretch |= {seq: m for (e, seq), m in memory.waiting.items() if e == epoch and at <= seq <= end}
            for seq in stretch:
                memory.waiting.pop((epoch, seq), None)
            found = list(stretch.values())
        items: list[tuple[int, int, StoredMessage | Loss]] = [(m.seq, 0, m) for m in found]
        items += [(high, 1, Loss(epoch, high)) for high in losses if at <= high <= end]
        for seq, _, item in sorted(items, key=lambda x: x[:2]):
            yield seq, item
        at = end + 1


def _messages(ready: Sequence[Ready]) -> int:
    return sum(len(item.starts) if isinstance(item, Rows) else 1 for item in ready)


def _runs(ready: Sequence[Ready], spec: KindSpec, seen: Seen, at: int) -> tuple[list[Run], int]:
    """Divide what is ready into runs. `at` is where the device's readings begin in `seen`; returns their end too."""
    runs: list[Run] = []
    messages: list[StoredMessage] = []
    for item in ready:
        if messages and not _goes_on(messages[-1], item):
            runs.append(_stored_run(messages, spec))
            messages = []
        if isinstance(item, Rows):
            part = slice(at, at + sum(item.counts))
            at = part.stop
            observation = Observation(item.epoch, item.seq, seen.t[part], item.phase, seen.values[part])
            seqs = range(item.seq - len(item.counts) + 1, item.seq + 1)
            runs.append(Run(item.epoch, item.seq, observation, seen.arrival[part], seqs, item.counts))
        elif isinstance(item, Loss):
            runs.append(Run(item.epoch, item.seq, None, seen.arrival[:0]))
        else:
            messages.append(item)
    if messages:
        runs.append(_stored_run(messages, spec))
    return runs, at


def _goes_on(message: StoredMessage, item: object) -> bool:
    """Whether an item continues the run that ends with this message."""
    return (
        isinstance(item, StoredMessage)
        and not (message.events or item.events)
        and (item.epoch, item.phase) == (message.epoch, message.phase)
    )


def _stored_run(messages: list[StoredMessage], spec: KindSpec) -> Run:
    last = messages[-1]
    t = last.t if len(messages) == 1 else np.concatenate([m.t for m in messages])
    values = last.values if len(messages) == 1 else np.concatenate([m.values for m in messages])
    if len(values) == 0:
        values = np.empty((0, len(spec.channels)), dtype=np.float32)
    arrival = np.repeat([m.arrival for m in messages], [len(m.t) for m in messages])
    observation = Observation(last.epoch, last.seq, t, last.phase, plausible(values, spec), last.events)
    counts = [len(m.values) for m in messages]
    return Run(last.epoch, last.seq, observation, arrival, [m.seq for m in messages], counts)


def _poison(memory: DeviceMemory, at: tuple[int, int], error: Exception, batch: Batch) -> None:
    memory.failed = True
    log.error("a detector failed; health is unknown from here", device=str(memory.row.key), error=repr(error))
    batch.errors.append(DetectorError(memory.row.no, *at, memory.last_arrival, repr(error)[:2000]))
