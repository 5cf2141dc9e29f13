"""Peers through the worker: the same entries and findings on one partition or several, in memory or in PostgreSQL."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from detectors.bank import Bank
from detectors.engine import Observation
from servicedesk.cohorts import ALL, compare, take_summary
from servicedesk.memory import MemoryDesk
from servicedesk.office import Office
from storage.control_store import claim_controls
from storage.desk import PgDesk
from storage.memory_telemetry import MemoryTelemetry
from storage.pool import connect
from storage.registry import DeviceRow, register_device
from storage.telemetry_store import TelemetryStore
from stream.port import Entry, Position
from telemetry.block import BlockBuilder
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import MICROS, to_datetime, to_micros
from telemetry.control import ControlEntry, ControlKind
from telemetry.identity import DeviceKey, partition_of
from telemetry.ids import Ids
from telemetry.message import telemetry_message
from tests.detectors.streams import DAY, START
from worker.core import Outcome, WorkerCore
from worker.desk import appliance_of, hear_summaries

KIND = "smart_plug"
HOME = datetime(2026, 1, 1, tzinfo=UTC)
PLUGS = 10
DAYS, CHANGE = 9, 6.0
"""The plugs' appliances run a quarter longer and stronger from that day on, all but the last; that one by itself."""


@cache
def catalogue() -> Catalogue:
    page = load_catalogue()
    plug = msgspec.structs.replace(page[KIND], tuning={**page[KIND].tuning, "cohort_shift": 1})
    return Catalogue({**page.kinds, KIND: plug}, page.hash + "+peers")


@cache
def bank() -> Bank:
    return Bank(catalogue())


@cache
def streams() -> tuple[tuple[Observation, ...], ...]:
    """A compressor on each plug at one reading a minute."""
    found = []
    for seed in range(PLUGS):
        rng = np.random.default_rng(seed)
        power: list[float] = []
        while len(power) < DAYS * 1440:
            worn = 1.0 if len(power) < CHANGE * 1440 else 1.6 if seed == PLUGS - 1 else 1.25
            on = round(30 * worn * rng.normal(1, 0.04))
            power += (80 * worn * rng.normal(1, 0.01) + rng.normal(0, 1, on)).tolist()
            power += [0.0] * round(40 * rng.normal(1, 0.08))
        rows = np.array(power[: DAYS * 1440], np.float32)[:, None]
        found.append(
            tuple(
                Observation(
                    1, seq, START + (low + np.arange(60, dtype=np.int64)) * 60 * MICROS, None, rows[low : low + 60]
                )
                for seq, low in enumerate(range(0, len(rows), 60), 1)
            )
        )
    return tuple(found)


class Line:
    """A worker, the desk's night and the stream between them.

    Args:
        partitions: of the stream.
        url: of a database; None is the memory's form.
    """

    def __init__(self, partitions: int, url: str | None) -> None:
        self.partitions = partitions
        self._conn = None if url is None else connect(url, application="wellkept-worker")
        keys = [DeviceKey("demo", f"plug-{number}") for number in range(PLUGS)]
        if self._conn is None:
            self.rows = {key: _row(no, key) for no, key in enumerate(keys, 1)}
            self._store: MemoryTelemetry | TelemetryStore = MemoryTelemetry(list(self.rows.values()))
            self._desk: MemoryDesk | PgDesk = MemoryDesk()
            for row in self.rows.values():
                self._desk.people.appliances[row.no] = appliance_of(row)
        else:
            self.rows = {key: register_device(self._conn, key, KIND, registered=HOME) for key in keys}
            self._conn.commit()
            self._desk = PgDesk(self._conn, "http://desk")
        self._ids = Ids(random.Random(4))
        self.heard: dict[str, list[Any]] = defaultdict(list)
        self.findings: list[Any] = []
        self.restart()

    def restart(self) -> None:
        """Forget everything that is not stored."""
        if self._conn is not None:
            self._store = TelemetryStore(self._conn, catalogue())
        self._core = WorkerCore(catalogue(), bank(), self._store)
        for partition, (incarnation, seq) in self._store.take(list(range(self.partitions))).items():
            self._core.own(partition, Position(incarnation, seq))

    def live(self, *, restarts: bool) -> None:
        """All days; with `restarts` the worker begins anew each noon."""
        midnight = START // DAY * DAY
        for day in range(DAYS + 1):
            begin = midnight + day * DAY
            for low, high in ((begin, begin + 2 * DAY // 24), (begin + 2 * DAY // 24, begin + DAY)):
                self._tell(
                    [
                        (key, message)
                        for key, stream in zip(self.rows, streams(), strict=True)
                        for message in stream
                        if low <= message.t[-1] < high
                    ]
                )
                if low == begin:
                    self._night(high)
            if restarts:
                self.restart()

    def _tell(self, messages: Sequence[tuple[DeviceKey, Observation]]) -> None:
        builders: dict[int, BlockBuilder] = defaultdict(BlockBuilder)
        for key, message in sorted(messages, key=lambda item: int(item[1].t[0])):
            envelope = telemetry_message(
                epoch=1,
                seq=message.seq,
                base=1,
                t_micros=int(message.t[0]),
                dt_micros=60 * MICROS,
                q={"power": message.values[:, 0].tolist()},
            )
            builders[partition_of(key, self.partitions)].add(key, envelope, int(message.t[-1]) + MICROS)
        self._decide(builders)

    def _night(self, now: int) -> None:
        office = Office(self._desk, catalogue(), lambda: self._ids.at(now))
        compare(office, ALL, to_datetime(now))
        builders: dict[int, BlockBuilder] = defaultdict(BlockBuilder)
        for entry in self._entries():
            self.heard[entry.device.device].append((entry.at, entry.body))
            builders[partition_of(entry.device, self.partitions)].control(entry)
        self._decide(builders)

    def _entries(self) -> Iterator[ControlEntry]:
        if self._conn is not None:
            yield from claim_controls(self._conn)
            return
        assert isinstance(self._desk, MemoryDesk)
        assert isinstance(self._store, MemoryTelemetry)
        keys = {row.no: key for key, row in self.rows.items()}
        for ident, (no, kind, at, body) in self._desk.agenda.controls.items():
            entry = ControlEntry(id=str(ident), device=keys[no], kind=ControlKind(kind), at=to_micros(at), body=body)
            if entry.id not in self._store.controls:
                self._store.enter_control(entry)
                yield entry

    def _decide(self, builders: dict[int, BlockBuilder]) -> None:
        for partition, builder in sorted(builders.items(), reverse=True):
            seq = self._core.position(partition).seq + 1
            self._commit(self._core.decide([Entry(partition, "a", seq, builder.encode(), 0)]))

    def _commit(self, outcome: Outcome) -> None:
        if isinstance(self._store, TelemetryStore):
            self._store.stage(outcome.batch.readings)
        self._store.write(outcome.batch)
        if self._conn is not None:
            hear_summaries(self._conn, outcome.batch.summaries)
            self._conn.commit()
        else:
            for no, (summary, arrival) in sorted(outcome.batch.summaries.items()):
                take_summary(self._desk, no, summary, to_datetime(arrival))
        assert not outcome.batch.errors
        self.findings += [msgspec.to_builtins(each.finding) for each in outcome.batch.findings]

    def told(self) -> tuple[dict[str, list[Any]], list[Any]]:
        """What devices heard, and what was found on each."""
        if self._conn is not None:
            self._conn.close()
        return dict(self.heard), sorted(self.findings, key=lambda one: (one["id"], one["revision"]))


def _row(no: int, key: DeviceKey) -> DeviceRow:
    made: dict[str, Any] = dict.fromkeys(DeviceRow.__dataclass_fields__)
    return DeviceRow(
        **made | {"no": no, "org": key.org, "device": key.device, "kind": KIND, "lang": "en", "registered": HOME}
    )


@pytest.mark.long
@pytest.mark.stack
def test_partitions_restarts_and_the_database_change_nothing(database_url: str) -> None:
    plain, spread, real = Line(1, None), Line(4, None), Line(3, database_url)
    plain.live(restarts=False)
    spread.live(restarts=True)
    real.live(restarts=True)
    expected = plain.told()
    assert spread.told() == expected
    assert real.told() == expected
    heard, findings = expected
    assert heard.keys() == {key.device for key in plain.rows}
    # Never twice in a night, and hardly ever.
    for entries in heard.values():
        nights = [at for at, _ in entries]
        assert sorted(set(nights)) == nights
        assert len(nights) <= 4
    # A sudden change is judged before the night's comparison: it is about the same findings, not about none.
    assert f"plug-{PLUGS - 1}" in {one["device"][1] for one in findings}
