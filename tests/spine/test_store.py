"""One contract for both forms of the telemetry store: PostgreSQL and memory."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import psycopg
import pytest

from storage.memory_telemetry import MemoryTelemetry
from storage.pool import Connection, connect
from storage.registry import DeviceRow, register_device
from storage.telemetry_rows import Batch, Readings, SeqRange
from storage.telemetry_store import PositionLostError, TelemetryStore
from stream.port import Entry, Position
from telemetry.block import BlockBuilder, Reject
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_datetime
from telemetry.control import ControlEntry, ControlKind
from telemetry.identity import DeviceKey
from telemetry.message import telemetry_message
from tests.spine.recorder import Recorders
from worker.core import WorkerCore
from worker.history import History

CATALOGUE = load_catalogue()
NOW = 1_800_000_000_000_000
KEYS = [DeviceKey("demo", "plug"), DeviceKey("demo", "fridge"), DeviceKey("demo", "nobody")]


class Form(Protocol):
    """What the contract asks beside `History`."""

    @property
    def history(self) -> History: ...
    def take(self) -> tuple[str, int]: ...
    def commit(self, batch: Batch) -> None: ...
    def enter(self, entry: ControlEntry) -> None: ...


@dataclass
class Memory:
    store: MemoryTelemetry

    @property
    def history(self) -> History:
        return self.store

    def take(self) -> tuple[str, int]:
        return self.store.take([0])[0]

    def commit(self, batch: Batch) -> None:
        self.store.write(batch)

    def enter(self, entry: ControlEntry) -> None:
        self.store.enter_control(entry)


@dataclass
class Postgres:
    conn: Connection
    store: TelemetryStore
    devices: dict[DeviceKey, int]

    @property
    def history(self) -> History:
        return self.store

    def take(self) -> tuple[str, int]:
        position = self.store.take([0])[0]
        self.conn.commit()
        return position

    def commit(self, batch: Batch) -> None:
        try:
            self.store.stage(batch.readings)
            self.store.write(batch)
            self.conn.commit()
        except PositionLostError:
            self.conn.rollback()
            self.store.forget_staged()
            raise

    def enter(self, entry: ControlEntry) -> None:
        self.conn.execute(
            "insert into control_entry (id, device, kind, at) values (%s, %s, %s, %s)",
            (entry.id, self.devices[entry.device], entry.kind, to_datetime(entry.at)),
        )
        self.conn.commit()


def rows() -> list[DeviceRow]:
    registered = datetime(2026, 1, 1, tzinfo=UTC)
    kinds = ("smart_plug", "refrigerator")
    return [
        DeviceRow(no, *KEYS[no - 1], kind, None, None, None, "en", None, None, None, registered)
        for no, kind in enumerate(kinds, 1)
    ]


@pytest.fixture
def memory() -> Memory:
    return Memory(MemoryTelemetry(rows()))


@pytest.fixture
def postgres_form(database_url: str) -> Iterator[Postgres]:
    with connect(database_url, application="wellkept-worker") as conn:
        devices = {row.key: register_device(conn, row.key, row.kind, registered=row.registered).no for row in rows()}
        conn.commit()
        yield Postgres(conn, TelemetryStore(conn, CATALOGUE), devices)


def script(form: Form, seed: int, restarts: float = 0.3) -> tuple[list[object], WorkerCore]:
    """The same disorderly delivery for every form; restarts in between. Returns what can be compared."""
    rng = random.Random(seed)
    core = WorkerCore(CATALOGUE, Recorders(), form.history)
    core.own(0, Position(*form.take()))
    seqs = [(key, seq) for key in KEYS for seq in range(1, 26)]
    rng.shuffle(seqs)
    seen: list[object] = []
    for number, at in enumerate(range(0, len(seqs), 6), 1):
        builder = BlockBuilder()
        for key, seq in seqs[at : at + 6] + rng.sample(seqs, 2):
            cells = [float(seq), None, float(seq) / 3]
            q: dict[str, list[float | None]] = {"power": cells}
            if key == KEYS[1]:
                q["ambient"] = [None, None, None]
            builder.add(
                key,
                telemetry_message(
                    epoch=1 + (seq > 20),
                    seq=seq if seq <= 20 else seq - 20,
                    base=0 if seq != 17 else 4,
                    t_micros=NOW - 10**9 + seq,
                    dt_micros=60_000_000,
                    q=q if seq % 5 else {},
                    events=[f"e{seq}"] if seq % 5 == 0 else (),
                    phase="on" if seq % 2 else None,
                    fw=f"1.{seq // 8}" if seq % 3 else None,
                ),
                NOW,
            )
        if number % 3 == 0:
            entry = ControlEntry(
                id=f"00000000-0000-4000-8000-{number:012d}", device=KEYS[0], kind=ControlKind.REPAIR_DONE, at=number
            )
            if number % 2:  # the others are in the stream alone, as after a restore from before they were entered
                form.enter(entry)
            builder.control(entry)
            builder.reject(Reject(topic="t", reason="malformed", detail="d", raw=b"\x00", arrival=NOW))
        if rng.random() < restarts:
            core = WorkerCore(CATALOGUE, Recorders(), form.history)
            core.own(0, Position(*form.take()))
        outcome = core.decide([Entry(0, "inc", number, builder.encode(), 0)])
        form.commit(outcome.batch)
        seen.append([(f.finding.family, f.finding.revision) for f in outcome.batch.findings])
        seen.append(sorted((k[0], k[1], p.upto, tuple(p.beyond)) for k, p in outcome.receipts.items()))
        seen.append([(d.reason, d.seq) for d in outcome.batch.dead])
    return seen, core


@pytest.mark.stack
@pytest.mark.parametrize("seed", range(4))
def test_both_forms_tell_the_same_story(memory: Memory, postgres_form: Postgres, seed: int) -> None:
    in_memory, _ = script(memory, seed)
    in_postgres, _ = script(postgres_form, seed)
    assert in_postgres == in_memory
    loaded_m, loaded_p = memory.history.load([1, 2]), postgres_form.history.load([1, 2])
    for no, kind in ((1, "smart_plug"), (2, "refrigerator")):
        assert loaded_p[no].progress == loaded_m[no].progress
        assert loaded_p[no].lost == loaded_m[no].lost
        assert loaded_p[no].observed == loaded_m[no].observed
        assert loaded_p[no].open_families == loaded_m[no].open_families
        assert loaded_p[no].firmware == loaded_m[no].firmware
        assert [each.version for each in loaded_p[no].firmware] == ["1.0", "1.1", "1.2", "1.3"]
        for epoch in (1, 2):
            pairs = zip(
                postgres_form.history.read_back(no, kind, epoch, 1, 99),
                memory.history.read_back(no, kind, epoch, 1, 99),
                strict=True,
            )
            for stored, remembered in pairs:
                assert (stored.seq, stored.phase, stored.events, stored.arrival) == (
                    remembered.seq,
                    remembered.phase,
                    remembered.events,
                    remembered.arrival,
                )
                np.testing.assert_array_equal(stored.t, remembered.t)
                assert len(stored.values) == len(remembered.values)
                if len(stored.values):
                    np.testing.assert_array_equal(stored.values, remembered.values)
            ranges = [SeqRange(no, epoch, 1, 9), SeqRange(no, epoch, 11, 99)]
            replayed, again = (form.history.replay(kind, ranges) for form in (postgres_form, memory))
            assert replayed.events == again.events
            assert comparable(replayed.readings) == comparable(again.readings)
    assert postgres_form.history.read_controls([1, 2]) == memory.history.read_controls([1, 2])
    assert postgres_form.history.load_strangers(KEYS) == memory.history.load_strangers(KEYS)


def comparable(readings: Readings) -> list[object]:
    phases = (*readings.words, None)
    columns = (readings.device, readings.epoch, readings.seq, readings.sub, readings.t, readings.arrival)
    values = [[None if math.isnan(x) else x for x in row] for row in readings.values.tolist()]
    return [*(column.tolist() for column in columns), [phases[i] for i in readings.phase], values]


def assert_restarts_change_nothing(seed: int) -> None:
    with_restarts, _ = script(Memory(MemoryTelemetry(rows())), seed, restarts=0.5)
    without, _ = script(Memory(MemoryTelemetry(rows())), seed, restarts=0.0)
    assert with_restarts == without, seed


def test_restarts_change_nothing() -> None:
    for seed in range(60):
        assert_restarts_change_nothing(seed)


@pytest.mark.stack
def test_a_moved_partition_fences_its_former_owner(postgres_form: Postgres, database_url: str) -> None:
    script(postgres_form, 1)
    zombie = WorkerCore(CATALOGUE, Recorders(), postgres_form.history)
    zombie.own(0, Position("inc", 1))
    builder = BlockBuilder()
    builder.add(KEYS[0], telemetry_message(epoch=9, seq=1, base=0, t_micros=NOW, q={"power": 1.0}), NOW)
    outcome = zombie.decide([Entry(0, "inc", 2, builder.encode(), 0)])
    with pytest.raises(PositionLostError):
        postgres_form.commit(outcome.batch)
    with connect(database_url, application="look") as conn:
        assert conn.execute("select count(*) from reading_smart_plug where epoch = 9").fetchone() == (0,)


@pytest.mark.stack
def test_the_taker_ends_the_former_owners_backend(postgres_form: Postgres, database_url: str) -> None:
    postgres_form.take()
    with connect(database_url, application="wellkept-worker") as conn:
        TelemetryStore(conn, CATALOGUE).take([0])
        conn.commit()
        with pytest.raises(psycopg.OperationalError):
            postgres_form.conn.execute("select 1")
