"""The memory form of the telemetry store: passes the same contract suite, serves tests and simulations without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from storage.registry import DeviceRow
from storage.telemetry_rows import (
    Batch,
    DeadLetter,
    DetectorError,
    DeviceHistory,
    FirmwareSpell,
    HeldReading,
    Observed,
    Readings,
    Replay,
    Reported,
    SeqRange,
    Snapshot,
    StoredControl,
    StoredMessage,
    to_messages,
)
from storage.telemetry_store import PositionLostError
from telemetry.control import ControlEntry
from telemetry.finding import EpisodeState
from telemetry.identity import DeviceKey
from telemetry.progress import Progress


class MemoryTelemetry:
    """Rows in dictionaries; `write` is all or nothing."""

    def __init__(self, devices: Sequence[DeviceRow]) -> None:
        self.devices = {row.key: row for row in devices}
        self.positions: dict[int, tuple[str, int]] = {}
        self.messages: dict[tuple[int, int, int], StoredMessage] = {}
        self.dead: dict[tuple[str, int, int, int], DeadLetter] = {}
        self.progress: dict[tuple[int, int], Progress] = {}
        self.strangers: dict[tuple[DeviceKey, int], Progress] = {}
        self.lost: dict[int, dict[int, list[tuple[int, int]]]] = {}
        self.observed: dict[int, Observed] = {}
        self.snapshots: dict[int, Snapshot] = {}
        self.revisions: dict[tuple[str, int], Reported] = {}
        self.errors: list[DetectorError] = []
        self.held: dict[tuple[int, int], HeldReading] = {}
        self.firmware: dict[int, tuple[FirmwareSpell, ...]] = {}
        self.asked: dict[str, int] = {}
        self.controls: dict[str, tuple[ControlEntry, StoredControl | None]] = {}

    def enter_control(self, entry: ControlEntry) -> None:
        """Write a control entry's row."""
        self.controls[entry.id] = (entry, None)

    def take(self, partitions: Sequence[int]) -> dict[int, tuple[str, int]]:
        """See `TelemetryStore.take`."""
        return {partition: self.positions.setdefault(partition, ("", 0)) for partition in partitions}

    def find(self, keys: Sequence[DeviceKey]) -> dict[DeviceKey, DeviceRow]:
        """See `TelemetryStore.find`."""
        return {key: self.devices[key] for key in keys if key in self.devices}

    def load(self, devices: Sequence[int]) -> dict[int, DeviceHistory]:
        """See `TelemetryStore.load`."""
        return {no: self._history(no) for no in devices}

    def _history(self, no: int) -> DeviceHistory:
        newest: dict[str, Reported] = {}
        for (name, _), reported in sorted(self.revisions.items(), key=lambda item: item[0][1]):
            if reported.device.no == no:
                newest[name] = reported
        opened = {r.finding.family for r in newest.values() if r.finding.state is EpisodeState.OPEN}
        progress = [p.copy() for (device, _), p in sorted(self.progress.items()) if device == no]
        lost = {epoch: list(ranges) for epoch, ranges in self.lost.get(no, {}).items()}
        held = [one for (device, _), one in sorted(self.held.items()) if device == no]
        firmware = list(self.firmware.get(no, ()))
        return DeviceHistory(
            progress, lost, self.observed.get(no), self.snapshots.get(no), opened, held=held, firmware=firmware
        )

    def load_strangers(self, keys: Sequence[DeviceKey]) -> dict[tuple[DeviceKey, int], Progress]:
        """See `TelemetryStore.load_strangers`."""
        return {k: p.copy() for k, p in self.strangers.items() if k[0] in keys}

    def read_back(self, device: int, kind: str, epoch: int, from_seq: int, to_seq: int) -> list[StoredMessage]:
        """See `TelemetryStore.read_back`."""
        found = [
            m
            for (no, e, seq), m in self.messages.items()
            if (no, e) == (device, epoch) and from_seq <= seq <= to_seq and not m.late and m.kind == kind
        ]
        return sorted((m for m in found if len(m.values) or m.events), key=lambda m: m.seq)

    def replay(self, kind: str, ranges: Sequence[SeqRange]) -> Replay:
        """See `TelemetryStore.replay`."""
        messages = [
            message
            for r in sorted(ranges, key=lambda r: (r.device, r.epoch, r.low))
            for message in self.read_back(r.device, kind, r.epoch, r.low, r.high)
        ]
        return Replay(_readings(kind, messages), [event for m in messages for event in m.event_rows()])

    def came_late(self, device: DeviceRow, epoch: int, seq: int) -> bool:
        """See `TelemetryStore.came_late`."""
        return (device.no, epoch, seq) in self.messages or any(
            (d.device, d.epoch, d.seq) == (device.key, epoch, seq) for d in self.dead.values()
        )

    def is_stored(self, device: DeviceRow, t: int) -> bool:
        """See `TelemetryStore.is_stored`."""
        return any(no == device.no and t in m.t for (no, _, _), m in self.messages.items())

    def read_controls(self, devices: Sequence[int]) -> dict[int, list[StoredControl]]:
        """See `TelemetryStore.read_controls`."""
        found: dict[int, list[StoredControl]] = {no: [] for no in devices}
        for entry, effect in self.controls.values():
            no = self.devices[entry.device].no
            if effect is not None and no in found:
                found[no].append(effect)
        return {no: sorted(effects, key=lambda c: (c.epoch, c.seq, c.order)) for no, effects in found.items()}

    def asked_tests(self, ids: Sequence[str]) -> dict[str, int]:
        """See `TelemetryStore.asked_tests`."""
        return {ident: self.asked[ident] for ident in ids if ident in self.asked}

    def taken_effect(self, ids: Sequence[str]) -> set[str]:
        """See `TelemetryStore.taken_effect`."""
        return {name for name in ids if name in self.controls and self.controls[name][1] is not None}

    def write(self, batch: Batch) -> None:
        """See `TelemetryStore.write`; staging is not needed here."""
        for move in batch.moves:
            if self.positions.get(move.partition) != (move.old_incarnation, move.old_seq):
                raise PositionLostError(f"partition {move.partition} was moved by another owner")
        for move in batch.moves:
            self.positions[move.partition] = (move.incarnation, move.seq)
        for m in to_messages(batch.readings, batch.events):
            self.messages.setdefault((m.device, m.epoch, m.seq), m)
        for d in batch.dead:
            self.dead.setdefault((d.incarnation, d.partition, d.stream_seq, d.position_in_block), d)
        self.progress |= {k: p.copy() for k, p in batch.progress.items()}
        self.strangers |= {k: p.copy() for k, p in batch.strangers.items()}
        for x in batch.lost:
            self.lost.setdefault(x.device, {}).setdefault(x.epoch, []).append((x.from_seq, x.to_seq))
        self.observed |= batch.observed
        self.snapshots |= {s.device: s for s in batch.snapshots}
        for r in batch.findings:
            self.revisions.setdefault((r.finding.id, r.finding.revision), r)
        self.errors += batch.errors
        self.held = {place: h for place, h in (self.held | batch.held).items() if place not in set(batch.released)}
        self.firmware |= batch.firmware
        for c in batch.controls:
            entry, effect = self.controls.get(c.id, (c.entry, None))
            if effect is None:
                stored = StoredControl(c.id, entry.kind, entry.at, entry.body, c.epoch, c.seq, c.order)
                self.controls[c.id] = (entry, stored)


def _readings(kind: str, messages: Sequence[StoredMessage]) -> Readings:
    """Their readings as columns."""
    filled = [m for m in messages if len(m.values)]
    words = {word: index for index, word in enumerate(dict.fromkeys(m.phase for m in filled if m.phase is not None))}
    counts = [len(m.values) for m in filled]

    def spread(cells: Iterable[int]) -> NDArray[np.int64]:
        return np.repeat(np.array(list(cells), dtype=np.int64), counts)

    return Readings(
        kind=kind,
        device=spread(m.device for m in filled).astype(np.int32),
        t=np.concatenate([np.empty(0, dtype=np.int64), *(m.t for m in filled)]),
        epoch=spread(m.epoch for m in filled),
        seq=spread(m.seq for m in filled),
        sub=np.concatenate([np.empty(0, dtype=np.int16), *(np.arange(n, dtype=np.int16) for n in counts)]),
        arrival=spread(m.arrival for m in filled),
        phase=spread(-1 if m.phase is None else words[m.phase] for m in filled).astype(np.int16),
        late=np.zeros(sum(counts), dtype=np.bool_),
        values=np.concatenate([m.values for m in filled]) if filled else np.empty((0, 0), dtype=np.float32),
        words=tuple(words),
    )
