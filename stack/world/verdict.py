"""What must hold in the end: every message accounted for, and findings as if nothing had ever gone wrong.

The reference is independent of the worker: fresh detectors are told, message by message, what the devices numbered, in
the order of their spools, with the losses and control entries that the database records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.engine import DetectorFactory, DeviceDetector, Observation
from firmware_sim.firmware import Body
from stack.world.invariants import Auditor, breach
from storage.registry import DeviceRow
from storage.telemetry_rows import StoredControl, StoredMessage
from telemetry.catalogue import Catalogue, KindSpec
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import EpisodeState, Finding
from telemetry.identity import DeviceKey


@dataclass(slots=True)
class Account:
    """What became of all that devices numbered."""

    numbered: int = 0
    stored: int = 0
    dead: int = 0
    lost: int = 0
    gone: int = 0
    """Numbered in a spool that was lost before anybody had them: nobody could."""
    findings: int = 0


def settle_accounts(
    auditor: Auditor, catalogue: Catalogue, detectors: DetectorFactory, states: Mapping[int, bytes]
) -> Account:
    """Check everything that must hold once all is quiet.

    Args:
        auditor: knows what devices said, and the database.
        catalogue: kinds.
        detectors: makes fresh ones, for the reference.
        states: of the detectors that run, by device; bit for bit those of the reference.

    Raises:
        BrokenPromiseError: something does not.
    """
    account = Account()
    for key, epoch, seq in auditor.ledger.said:
        account.numbered += 1
        _one_fate(auditor, account, key, epoch, seq)
    store = auditor.database.store
    said = {(store.devices[k].no, e, s) for k, e, s in auditor.ledger.said if k in store.devices}
    for place, stored in store.messages.items():
        if place not in said:
            breach("never-said", f"{place} is stored, but no device numbered it")
        _same_content(auditor, catalogue, place, stored)
    for row in store.devices.values():
        _same_progress(auditor, row)
        account.findings += _same_findings(auditor, catalogue[row.kind], detectors, row, states.get(row.no))
    return account


def _one_fate(auditor: Auditor, account: Account, key: DeviceKey, epoch: int, seq: int) -> None:
    """A message is stored once, or dead-lettered once, or declared lost because it truly is."""
    store, ledger = auditor.database.store, auditor.ledger
    place = key, epoch, seq
    row = store.devices.get(key)
    if row is not None and (row.no, epoch, seq) in store.messages:
        account.stored += 1
        if place in auditor.buried:
            breach("stored-and-buried", f"{place} is in the readings and a dead letter")
    elif place in auditor.buried:
        account.dead += 1
    elif place in ledger.deleted:
        breach("lost", f"{key} was told to forget {epoch}/{seq}, which is nowhere")
    elif place in ledger.dropped:
        account.lost += 1
    elif ledger.over(key, epoch):
        account.gone += 1
    else:
        declared = auditor.is_kept(key, epoch, seq)
        breach("lost", f"{place} is nowhere" + (", though declared lost while its spool held it" if declared else ""))


def _same_content(auditor: Auditor, catalogue: Catalogue, place: tuple[int, int, int], stored: StoredMessage) -> None:
    row = next(row for row in auditor.database.store.devices.values() if row.no == place[0])
    body = auditor.ledger.said[row.key, place[1], place[2]]
    t, values = _rows(body, catalogue[row.kind])
    same = (
        stored.events == body.events
        and (len(values) == 0 or stored.phase == body.phase)
        and np.array_equal(stored.t, t)
        and (len(values) == 0 or np.array_equal(stored.values, values, equal_nan=True))
    )
    if not same:
        breach("changed", f"{row.key} {place[1]}/{place[2]} is stored as {stored}, but was {body}")


def _rows(body: Body, spec: KindSpec) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Times and values of a message as they must be stored."""
    columns = [body.q.get(name) for name in spec.channels]
    n = max((len(c) if isinstance(c, list) else 1 for c in body.q.values()), default=0)
    cells = [c if isinstance(c, list) else [c] * max(n, 1) for c in columns]
    values = np.array([[np.nan if x is None else x for x in c] for c in cells], dtype=np.float64).astype(np.float32).T
    # The wire carries seconds as a double.
    t, dt = round(body.t / MICROS * MICROS), 0 if body.dt is None or n <= 1 else round(body.dt / MICROS * MICROS)
    return t + dt * np.arange(max(n, 1), dtype=np.int64), values[:n]


def _same_progress(auditor: Auditor, row: DeviceRow) -> None:
    """Nothing waits in the device's present epoch, and progress settles only what has a fate."""
    store, ledger = auditor.database.store, auditor.ledger
    for epoch in ledger.epochs.get(row.key, ()):
        progress = store.progress.get((row.no, epoch))
        last = max(seq for key, e, seq in ledger.said if (key, e) == (row.key, epoch))
        if progress is None:
            if not ledger.over(row.key, epoch):
                breach("no-progress", f"{row.key} has no progress in its epoch {epoch}")
            continue
        if not ledger.over(row.key, epoch) and (progress.beyond or progress.upto != last):
            breach("gap", f"{row.key} said {epoch}/{last}, but progress is {progress}")
        for low, high in store.lost.get(row.no, {}).get(epoch, ()):
            held = [s for s in range(low, high + 1) if s <= last and (row.key, epoch, s) not in ledger.dropped]
            if held and not ledger.over(row.key, epoch):
                breach("declared-lost-wrongly", f"{row.key} {epoch}/{held[:5]}: its spool had not dropped them")
        for seq in range(1, last + 1):
            if seq in progress and not auditor.is_kept(row.key, epoch, seq):
                breach("settled-for-nothing", f"{row.key} {epoch}/{seq} is settled, but has no row of any kind")


def _same_findings(
    auditor: Auditor, spec: KindSpec, detectors: DetectorFactory, row: DeviceRow, state: bytes | None
) -> int:
    """Findings equal those of a run without faults; whether one is history depends on arrival and is not compared."""
    store = auditor.database.store
    told = _Reference(row.key, detectors(row.key, spec))
    effective = store.read_controls([row.no])[row.no]
    controls = [c for c in effective if c.epoch == 0]
    told.controls(controls)
    pending = [c for c in effective if c.epoch > 0]
    for epoch in ledger_epochs(auditor, row):
        messages = {seq: m for (no, e, seq), m in store.messages.items() if (no, e) == (row.no, epoch) and not m.late}
        losses = {high for _, high in store.lost.get(row.no, {}).get(epoch, ())}
        for seq in sorted(messages.keys() | losses):
            while pending and (pending[0].epoch, pending[0].seq) < (epoch, seq):
                told.controls([pending.pop(0)])
            if seq in messages:
                body = auditor.ledger.said[row.key, epoch, seq]
                told.message(epoch, seq, body, spec)
            if seq in losses:
                told.loss(epoch, seq)
    told.controls(pending)
    found = {
        (r.finding.id, r.finding.revision): msgspec.structs.replace(r.finding, history=False)
        for r in store.revisions.values()
        if r.device.no == row.no
    }
    wanted = {(f.id, f.revision): f for f in told.findings}
    if found != wanted:
        missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
        differ = sorted(k for k in wanted.keys() & found.keys() if wanted[k] != found[k])
        breach("findings", f"{row.key}: missing {missing[:3]}, too many {extra[:3]}, different {differ[:3]}")
    if state is not None and state != told.detector.snapshot():
        breach("state", f"{row.key}: its detector's state is not the one that its readings lead to")
    observed = store.observed.get(row.no)
    if observed is not None and observed.health != told.health():
        breach("health", f"{row.key} is said to be {observed.health}, but is {told.health()}")
    return len(wanted)


def ledger_epochs(auditor: Auditor, row: DeviceRow) -> list[int]:
    """Epochs of which anything is stored or lost, ascending."""
    store = auditor.database.store
    return sorted({e for no, e, _ in store.messages if no == row.no} | set(store.lost.get(row.no, {})))


@dataclass(slots=True)
class _Reference:
    """A detector that is told one thing after the other."""

    key: DeviceKey
    detector: DeviceDetector
    findings: list[Finding] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    failed: bool = False

    def message(self, epoch: int, seq: int, body: Body, spec: KindSpec) -> None:
        t, values = _rows(body, spec)
        low = np.array([c.low for c in spec.channels.values()], dtype=np.float32)
        high = np.array([c.high for c in spec.channels.values()], dtype=np.float32)
        with np.errstate(invalid="ignore"):
            values = np.where((values < low) | (values > high), np.float32(np.nan), values)
        phase = body.phase if len(values) else None
        self._do(lambda: self.detector.observe(Observation(epoch, seq, t, phase, values, body.events)))

    def loss(self, epoch: int, seq: int) -> None:
        self._do(lambda: self.detector.lose(epoch, seq))

    def controls(self, entries: list[StoredControl]) -> None:
        for each in entries:
            entry = ControlEntry(
                id=each.id, device=self.key, kind=ControlKind(each.kind), at=each.at, body=dict(each.body)
            )
            self._do(lambda entry=entry: self.detector.control(entry))  # type: ignore[misc]

    def health(self) -> str:
        return "unknown" if self.failed else "faulty" if self.open else "ok"

    def _do(self, tell: Callable[[], list[Finding]]) -> None:
        if self.failed:
            return
        try:
            said = tell()
        except Exception:  # noqa: BLE001  (a detector that fails is part of the story)
            self.failed = True
            return
        for finding in said:
            self.findings.append(finding)
            (self.open.add if finding.state is EpisodeState.OPEN else self.open.discard)(finding.family)
