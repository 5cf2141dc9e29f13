"""`python -m worker.lab_run ID`: one run of the engineers' bench, in a process of its own that ends with it.

A device's stored readings are observed again from the first one, by detectors that keep what they see. Nothing of the
worker's own memory is touched, and what this costs in memory is gone afterwards.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from detectors.tracing.bank import TracingBank
from detectors.tracing.record import Record
from storage.clock_store import read_clock
from storage.lab_store import LabRun, beat_run, device_of, fail_run, finish_run, get_run
from storage.pool import Connection, connect
from storage.read_decisions import StoredDecision, read_decision
from storage.registry import DeviceRow
from storage.shadow_store import one_view
from storage.telemetry_rows import Replay, SeqRange
from storage.telemetry_store import TelemetryStore
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import production_clock, system_wall, to_datetime, to_micros
from telemetry.finding import Finding
from worker.replaying import observe_again, replay

_NICE = 10
_READ_SHARE = 0.95
_AROUND = 300

Told = Callable[[float], None]
"""Hears how far a run has come, 0 to 1."""


class Counted(TelemetryStore):
    """A store that says how much of a device's history it has read."""

    def __init__(self, conn: Connection, catalogue: Catalogue, told: Told) -> None:
        super().__init__(conn, catalogue)
        self._told = told
        self.messages = 0
        self.readings = 0
        self.first: int | None = None
        self.last: int | None = None
        self.total = 0

    def replay(self, kind: str, ranges: Sequence[SeqRange]) -> Replay:
        """As the store reads it."""
        found = super().replay(kind, ranges)
        self.messages += sum(each.high - each.low + 1 for each in ranges)
        self.readings += len(found.readings)
        if len(found.readings):
            first, last = int(found.readings.t.min()), int(found.readings.t.max())
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)
        if self.total:
            self._told(min(_READ_SHARE, self.messages / self.total))
        return found


def carry_out(conn: Connection, ident: UUID, bank: TracingBank, catalogue: Catalogue, told: Told) -> None:
    """Do a run and keep its result. The connection commits each statement.

    Args:
        conn: in autocommit.
        ident: of the run.
        bank: fresh, of this catalogue.
        catalogue: kinds.
        told: hears how far it has come.
    """
    run = get_run(conn, ident)
    if run is None or run.state != "running":
        return
    now = to_datetime((read_clock(conn) or production_clock()).fleet_at(system_wall()))
    try:
        with conn.transaction():
            one_view(conn)
            make = _decision if run.what == "decision" else _trace
            result = make(conn, run, bank, catalogue, told)
    except LookupError as error:
        fail_run(conn, ident, str(error), now)
        return
    finish_run(conn, ident, result, now)


def _trace(conn: Connection, run: LabRun, bank: TracingBank, catalogue: Catalogue, told: Told) -> dict[str, Any]:
    device = device_of(conn, run.device)
    if device is None:
        raise LookupError("the device is not registered any more")
    store = _store(conn, device, catalogue, told)
    findings = observe_again(device, store, catalogue, bank)
    record = bank.records[device.key]
    return _about(store, bank, device) | record.plain() | {"opened": _opened(findings.values())}


def _decision(conn: Connection, run: LabRun, bank: TracingBank, catalogue: Catalogue, told: Told) -> dict[str, Any]:
    decision = read_decision(conn, run.subject)
    if decision is None:
        raise LookupError(f"{run.subject} goes back to no finding of telemetry")
    device = decision.device
    store = _store(conn, device, catalogue, told)
    replayed = replay(decision, store, catalogue, bank)
    record = bank.records[device.key]
    first = decision.revisions[0].body if decision.revisions else {}
    opened = first.get("opened")
    return (
        _about(store, bank, device)
        | replayed.plain()
        | {
            "trace": _before(record, opened),
            "family": first.get("family"),
            "opened": opened,
            "decided": first,
            "costs": decision.costs,
            "ticket_opened": None if decision.opened is None else to_micros(decision.opened),
            "history": _history(decision),
        }
    )


def _store(conn: Connection, device: DeviceRow, catalogue: Catalogue, told: Told) -> Counted:
    store = Counted(conn, catalogue, told)
    past = store.load([device.no])[device.no]
    store.total = sum(progress.upto for progress in past.progress)
    return store


def _about(store: Counted, bank: TracingBank, device: DeviceRow) -> dict[str, Any]:
    past = store.load([device.no])[device.no]
    controls = store.read_controls([device.no]).get(device.no, [])
    learned = bank.learned(device.key)
    return {
        "version": bank.version,
        "messages": store.messages,
        "readings": store.readings,
        "first": store.first,
        "last": store.last,
        "epochs": len(past.progress),
        "lost": sum(high - low + 1 for ranges in past.lost.values() for low, high in ranges),
        "controls": len(controls),
        "learned": None if learned is None else {"cycles": learned[0], "of": learned[1]},
    }


def _opened(findings: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (any values of findings)
    firsts: list[Finding] = [each for each in findings if each.revision == 0]
    return [{"id": each.id, "family": each.family, "at": each.opened} for each in firsts]


def _before(record: Record, opened: int | None) -> dict[str, Any]:
    """What was seen up to the decision: its last judgements only."""
    found = record.plain(until=opened)
    keep = slice(-_AROUND, None)
    return {
        "t": found["t"][keep],
        "start": found["start"][keep],
        "seen": sum(1 for row in record.rows if opened is None or row.at <= opened),
        "features": {
            name: {key: column[keep] for key, column in columns.items()} for name, columns in found["features"].items()
        },
        "scores": {
            family: {name: score | {"value": score["value"][keep]} for name, score in scores.items()}
            for family, scores in found["scores"].items()
        },
    }


def _history(decision: StoredDecision) -> list[dict[str, Any]]:
    """The revisions in short."""
    return [
        {
            "revision": row.revision,
            "version": row.version,
            "arrived": to_micros(row.arrived),
            "state": row.body.get("state"),
            "observed": row.body.get("observed"),
            "score": row.body.get("score"),
            "severity": row.body.get("severity"),
            "proof": row.body.get("proof"),
        }
        for row in decision.revisions
    ]


def main() -> int:
    """Carry out the run that the first argument names. Returns the exit code."""
    ident = UUID(sys.argv[1])
    os.nice(_NICE)
    catalogue = load_catalogue()
    with (
        connect(os.environ["WELLKEPT_DATABASE_URL"], application="wellkept-lab", autocommit=True) as conn,
        connect(os.environ["WELLKEPT_DATABASE_URL"], application="wellkept-lab", autocommit=True) as heart,
    ):

        def told(share: float) -> None:
            beat_run(heart, ident, to_datetime(system_wall()), share)

        told(0.0)
        carry_out(conn, ident, TracingBank(catalogue), catalogue, told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
