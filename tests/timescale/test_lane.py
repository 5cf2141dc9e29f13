"""What TimescaleDB adds, and that nothing else differs: the store's contract, compression, the way into the lane."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from psycopg import errors

from storage import migrate as migrating
from storage import timescale as lanes
from storage.memory_telemetry import MemoryTelemetry
from storage.migrate import migrate
from storage.pool import Connection, connect
from storage.registry import register_device
from storage.retention import Keep, retain
from storage.rollup_levels import LEVELS
from storage.telemetry_store import TelemetryStore
from storage.timescale import INTERVALS, ROWS_A_CHUNK, adopt, chunk_interval, compress, fit_chunks, reading_rate
from tests.spine.test_store import Memory, Postgres, rows, script
from tests.timescale.conftest import SERVER
from tests.timescale.lane import CATALOGUE, DAY0, KIND, Lane, every

pytestmark = pytest.mark.stack

DAYS = timedelta(days=1)


@pytest.fixture
def timescale_form(timescale_url: str) -> Iterator[Postgres]:
    with connect(timescale_url, application="wellkept-worker") as conn:
        devices = {row.key: register_device(conn, row.key, row.kind, registered=row.registered).no for row in rows()}
        conn.commit()
        yield Postgres(conn, TelemetryStore(conn, CATALOGUE, copies=bool(SERVER)), devices)


@pytest.mark.parametrize("seed", range(3))
def test_the_store_keeps_its_contract(timescale_form: Postgres, seed: int) -> None:
    memory = Memory(MemoryTelemetry(rows()))
    in_memory, _ = script(memory, seed)
    in_timescale, _ = script(timescale_form, seed)
    assert in_timescale == in_memory
    loaded_m, loaded_t = memory.history.load([1, 2]), timescale_form.history.load([1, 2])
    assert [loaded_t[no] for no in (1, 2)] == [loaded_m[no] for no in (1, 2)]
    for no, kind in ((1, "smart_plug"), (2, "refrigerator")):
        for epoch in (1, 2):
            stored = timescale_form.history.read_back(no, kind, epoch, 1, 99)
            remembered = memory.history.read_back(no, kind, epoch, 1, 99)
            assert [(m.seq, m.phase, m.events, m.arrival) for m in stored] == [
                (m.seq, m.phase, m.events, m.arrival) for m in remembered
            ]
            for one, other in zip(stored, remembered, strict=True):
                np.testing.assert_array_equal(one.t, other.t)
                np.testing.assert_array_equal(one.values.ravel(), other.values.ravel())


def test_a_repeat_is_stored_once_also_in_a_compressed_chunk(timescale: Lane) -> None:
    timescale.put(timescale.devices[0], every(600, 1000), first_seq=1)
    before = timescale.readings()
    assert compress(timescale.conn, CATALOGUE, readings=DAY0 + 60 * DAYS, minutes=DAY0) > 0
    assert timescale.readings() == before
    timescale.put(timescale.devices[0], every(600, 1000), first_seq=1, scale=5.0)
    assert timescale.readings() == before
    with pytest.raises(errors.UniqueViolation), timescale.conn.transaction():
        # A chunk renames the constraint: only the SQLSTATE says what it is.
        timescale.conn.execute(
            "insert into reading_pump (device, t, epoch, seq, sub, arrival) values (%s, %s, 1, 1, 0, now())",
            (timescale.devices[0], DAY0),
        )


def test_late_readings_go_into_compressed_chunks_and_are_rolled_up(plain: Lane, timescale: Lane) -> None:
    bound = DAY0 + 40 * DAYS
    for form in (plain, timescale):
        for device in form.devices[:2]:
            form.put(device, every(900, 1500), first_seq=1)
        form.refresh(bound)
    first = compress(timescale.conn, CATALOGUE, readings=bound, minutes=bound)
    assert first > 0
    assert compress(timescale.conn, CATALOGUE, readings=bound, minutes=bound) == 0
    for form in (plain, timescale):
        form.put(form.devices[2], every(900, 1500), first_seq=1)
        form.put(form.devices[0], every(7, 500, DAY0 + 9 * DAYS), first_seq=1, epoch=2)
        form.refresh(bound)
        form.assert_rolled_up(bound)
    assert timescale.readings() == plain.readings()
    # What they came into is compressed once more.
    assert 0 < compress(timescale.conn, CATALOGUE, readings=bound, minutes=bound) <= first
    assert timescale.readings() == plain.readings()
    for level in LEVELS:
        assert timescale.rows(level.name) == plain.rows(level.name)


def test_compression_is_worth_it(timescale: Lane) -> None:
    for device in timescale.devices:
        timescale.put(device, every(0.5, 8000), first_seq=1)
    compress(timescale.conn, CATALOGUE, readings=DAY0 + 60 * DAYS, minutes=DAY0)
    row = timescale.conn.execute(
        # The fullest chunk: others hold what tests before this one left in them.
        "select before_compression_total_bytes, after_compression_total_bytes from "
        "chunk_compression_stats('reading_pump') order by 1 desc nulls last limit 1"
    ).fetchone()
    assert row is not None
    assert int(str(row[0])) > 3 * int(str(row[1]))


def test_no_policy_of_the_extension_follows_the_servers_clock(timescale: Lane) -> None:
    rows = timescale.conn.execute(
        "select proc_name from timescaledb_information.jobs where hypertable_name is not null"
    ).fetchall()
    assert rows == []


def test_a_policy_run_by_hand_finds_what_our_refresh_left(timescale: Lane) -> None:
    """The extension's own job agrees that nothing is left to do."""
    timescale.put(timescale.devices[0], every(60, 3000), first_seq=1)
    bound = DAY0 + 2 * DAYS
    timescale.refresh(bound)
    before = timescale.rows("minute")
    row = timescale.conn.execute(
        "select add_continuous_aggregate_policy('rollup_pump_minute', start_offset => null, end_offset => "
        "now() - %s::timestamptz, schedule_interval => interval '1 h')",
        (bound,),
    ).fetchone()
    assert row is not None
    timescale.conn.execute("call run_job(%s)", (row[0],))
    timescale.conn.execute("select remove_continuous_aggregate_policy('rollup_pump_minute')")
    assert timescale.rows("minute") == before == timescale.expected(LEVELS[0], bound)


def test_chunks_hold_about_as_many_rows_at_every_rate() -> None:
    assert chunk_interval(0) == 7 * DAYS
    for rate in (0.001, 0.1, 3, 20, 100, 500, 5_000, 100_000):
        interval = chunk_interval(rate)
        assert interval in INTERVALS
        assert interval == INTERVALS[0] or interval.total_seconds() * rate <= ROWS_A_CHUNK
    assert [chunk_interval(rate) for rate in (0.01, 3, 20, 80, 500)] == [28 * DAYS, 7 * DAYS, DAYS, DAYS / 4, DAYS / 24]
    assert all(reading_rate(spec) > 0 for spec in CATALOGUE.kinds.values())


def test_new_chunks_follow_the_number_of_devices(timescale: Lane) -> None:
    before = fit_chunks(timescale.conn, CATALOGUE)[KIND]
    timescale.conn.execute(
        "insert into device (org, device, kind, registered) select 'many', 'x' || n, %s, %s from "
        "generate_series(1, 5000) n",
        (KIND, DAY0),
    )
    assert fit_chunks(timescale.conn, CATALOGUE)[KIND] < before


def shape(conn: Connection) -> list[tuple[object, ...]]:
    """Everything that has a name in the schema, without what depends on how it came about."""
    return conn.execute(
        "select 'column', table_name, column_name, data_type, is_nullable, column_default from "
        "information_schema.columns where table_schema = 'public' and table_name not like 'procrastinate%' union all "
        "select 'index', tablename, indexname, indexdef, '', '' from pg_indexes where schemaname = 'public' union all "
        "select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' from pg_constraint "
        "where connamespace = 'public'::regnamespace order by 1, 2, 3, 4"
    ).fetchall()


def hypershape(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute(
        "select hypertable_name::text, compression_enabled::text, '' from timescaledb_information.hypertables "
        "where hypertable_schema = 'public' union all "
        "select view_name, materialized_only::text, view_definition from timescaledb_information.continuous_aggregates "
        "order by 1, 2, 3"
    ).fetchall()


@pytest.fixture
def old_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The migrations of the first release only."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for path in sorted(migrating._FOLDER.glob("*.sql")):
        if path.name <= "0020_access.sql":
            (folder / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(migrating, "_FOLDER", folder)
    return folder


def test_an_upgrade_equals_a_fresh_install(
    fresh_plain: str, plain: Lane, old_migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = Path(migrating.__file__).parent / "migrations"
    with connect(fresh_plain, application="test", autocommit=True) as conn:
        assert old_migrations == migrating._FOLDER
        assert "0020_access.sql" in migrate(fresh_plain)
        assert not any(name == "rollup_pump_day" for _, name, *_ in shape(conn))
        monkeypatch.setattr(migrating, "_FOLDER", newest)
        assert "0030_rollups.sql" in migrate(fresh_plain)
        assert shape(conn) == shape(plain.conn)


def test_a_full_plain_database_comes_into_the_lane(
    extensible: str, timescale: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the extension is added later: nothing stored is lost, and roll-ups of dropped readings are kept."""
    monkeypatch.setattr(lanes, "_POSSIBLE", "select false")
    migrate(extensible)
    with connect(extensible, application="wellkept-worker", autocommit=True) as conn:
        lane = Lane(conn, copies=bool(SERVER))
        assert not lane.chunked
        for device in lane.devices:
            lane.put(device, every(3600, 240), first_seq=1)
            lane.observed(device, 240, snapshot=240)
        lane.refresh(DAY0 + 10 * DAYS)
        retain(conn, CATALOGUE, Keep(readings=4 * DAYS, minutes=8 * DAYS), DAY0 + 10 * DAYS)
        stored, hours, days = lane.readings(), lane.rows("hour"), lane.rows("day")
        assert len(stored) == 3 * 4 * 24
        conn.execute("create extension timescaledb")
        assert adopt(conn, CATALOGUE)
        assert adopt(conn, CATALOGUE)
        again = Lane(conn, copies=bool(SERVER), stored=lane.stored)
        assert again.chunked
        again.refresh(DAY0 + 10 * DAYS)
        assert (again.readings(), again.rows("hour"), again.rows("day")) == (stored, hours, days)
        again.put(again.devices[0], every(60, 60, DAY0 + 8 * DAYS), first_seq=900)
        again.refresh(DAY0 + 10 * DAYS)
        assert again.rows("hour") == again.expected(LEVELS[1], DAY0 + 10 * DAYS)
        converted = hypershape(conn)
    # The same as where the extension was there from the start.
    assert [row[:2] for row in converted] == [row[:2] for row in hypershape(timescale.conn)]
    assert len(converted) == len(CATALOGUE.kinds) * 4 + 1
