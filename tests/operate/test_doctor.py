"""The doctor finds each trouble when it is made, and says the mend."""

from __future__ import annotations

import http.server
import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from stack import doctor_machine, doctor_product
from stack.checks import TroubleError, run_checks
from stack.cli import app
from stack.doctor import examine
from stack.doctor_machine import _Rate
from stack.embedded_nats import EmbeddedNats
from stack.process import free_port
from stack.run_state import PartState, RunState, own_part
from stack.settings import Settings
from stack.supervisor import Supervisor
from storage import backup_store
from storage.pool import connect
from stream.heads import Fill, read_fill
from stream.nats_client import NatsStream
from stream.rights import INGEST_HEARS, INGEST_PUBLISHES
from telemetry.clock import MICROS, FleetClock, production_clock, system_wall
from tests.spine.rig import wait_for, whole_product

NOW = 1_800_000_000 * MICROS


def trouble(look: object, *arguments: object, **named: object) -> TroubleError:
    assert callable(look)
    with pytest.raises(TroubleError) as caught:
        look(*arguments, **named)
    assert caught.value.mend, "each trouble has its mend"
    return caught.value


# the machine


def test_a_port_that_somebody_else_has_is_named_with_its_holder() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = str(trouble(doctor_machine.port_free, "127.0.0.1", port))
        assert f"port {port} is taken by pid {os.getpid()}" in said
        findings = examine(Path("/nonexistent"), Settings(data_dir=Path("/nonexistent"), http_port=port))
        assert [each.check for each in findings if each.result == "error"] == ["http port"]
    assert "free" in doctor_machine.port_free("127.0.0.1", port)


def test_a_full_disk(tmp_path: Path) -> None:
    assert "free" in doctor_machine.disk(tmp_path / "not" / "yet", least=1)
    assert "are needed" in str(trouble(doctor_machine.disk, tmp_path, least=1 << 60))


def test_files_with_passwords_that_others_may_read(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "run.json").chmod(0o600)
    assert doctor_machine.secrets(tmp_path)
    (tmp_path / "run.json").chmod(0o640)
    assert "chmod 600" in trouble(doctor_machine.secrets, tmp_path).mend


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_that_belong_to_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    assert doctor_machine.data_directory(tmp_path)
    os.chown(tmp_path / "run.json", 12_345, 12_345)
    found = trouble(doctor_machine.data_directory, tmp_path)
    assert "user 12345" in str(found)
    assert found.mend.startswith("chown")


def test_a_window_that_does_not_carry_the_rate() -> None:
    own = Settings(mqtt_url="mqtt://ingest:secret@broker:1883")
    found = trouble(doctor_machine.window, own, _Rate(mqtt_window=20, rate=1_500.0))
    assert "20 messages in flight" in str(found)
    assert found.where == "broker:1883"
    assert doctor_machine.window(own, _Rate(mqtt_window=5_000, rate=1_500.0))


def test_what_is_optional_is_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    assert trouble(doctor_machine.node).result == "note"
    assert trouble(doctor_machine.chromium).result == "note"
    (tmp_path / "chromium-1").mkdir()
    assert doctor_machine.chromium().endswith("chromium-1")


def test_one_broken_check_does_not_hide_the_others() -> None:
    def broken() -> str:
        raise OSError("gone")

    found = run_checks([("one", "here", broken), ("two", "there", lambda: "fine")])
    assert [(each.result, each.detail) for each in found] == [("error", "gone"), ("ok", "fine")]


# clocks, stores, backups


def test_clocks_that_disagree() -> None:
    row = production_clock()
    assert doctor_product.judge_clock(row, row, NOW)
    assert "never set" in str(trouble(doctor_product.judge_clock, None, None, NOW))
    assert "mirrors none" in str(trouble(doctor_product.judge_clock, row, None, NOW))
    later = FleetClock(row.rev + 1, NOW, NOW, 1.0)
    assert "mirrors revision" in str(trouble(doctor_product.judge_clock, later, row, NOW))
    back = FleetClock(1, NOW + 7_200 * MICROS, NOW + 7_200 * MICROS, 1.0)
    assert "went back" in str(trouble(doctor_product.judge_clock, back, back, NOW))
    off = FleetClock(1, NOW, NOW + 60 * MICROS, 1.0)
    assert "+60.0 s off" in str(trouble(doctor_product.judge_clock, off, off, NOW))
    fast = FleetClock(1, NOW, NOW + 10**12, 3_600.0)
    assert "speed 3600" in doctor_product.judge_clock(fast, fast, NOW)


def test_a_stream_that_will_refuse_soon_and_why() -> None:
    def fill(used: int) -> Fill:
        return Fill("a", 100, used, 1_000, 1, 100)

    assert doctor_product.judge_fill(fill(700), 100, held=False)
    assert "backup" in trouble(doctor_product.judge_fill, fill(800), 100, held=True).mend
    assert "workers are behind" in trouble(doctor_product.judge_fill, fill(800), 10, held=True).mend
    assert "purges" in trouble(doctor_product.judge_fill, fill(800), 100, held=False).mend
    assert trouble(doctor_product.judge_fill, fill(800), 100, held=False).result == "warning"
    assert trouble(doctor_product.judge_fill, fill(960), 100, held=False).result == "error"
    assert trouble(doctor_product.judge_store, 76, 100).result == "warning"
    assert trouble(doctor_product.judge_store, 96, 100).result == "error"


@pytest.mark.stack
def test_a_stream_that_is_full(nats: EmbeddedNats, database_url: str) -> None:
    stream = NatsStream(nats.nats_url(), name="test", max_bytes=1_000_000)
    try:
        answers: list[Exception | None] = []
        for _ in range(16):
            stream.publish(0, "", bytes(50_000), answers.append)
        wait_for(lambda: len(answers) == 16, 10, "the stream's answers")
        with connect(database_url, application="test") as conn:
            assert "workers are behind" in trouble(doctor_product.stream_store, conn, stream).mend
    finally:
        stream.close()


@pytest.mark.stack
def test_clock_migrations_and_backups_of_a_database(database_url: str) -> None:
    with connect(database_url, application="test", autocommit=True) as conn:
        assert doctor_product.database_clock(conn)
        assert "differ by 3600" in str(
            trouble(doctor_product.database_clock, conn, lambda: system_wall() + 3_600 * MICROS)
        )
        assert doctor_product.migrations(conn)
        conn.execute("insert into schema_migration (name, hash) values ('9999_future.sql', 'x')")
        assert "upgrade" in str(trouble(doctor_product.migrations, conn))
        conn.execute("delete from schema_migration where name in ('9999_future.sql', '0041_kinds.sql')")
        assert trouble(doctor_product.migrations, conn).mend == "wellkept migrate"

        assert trouble(doctor_product.backups, conn).result == "note"
        backup, old = uuid4(), datetime.now(UTC) - timedelta(days=9)
        backup_store.begin(conn, backup, "/backups/1", old)
        backup_store.finish(conn, backup, old)
        assert "9 days old" in str(trouble(doctor_product.backups, conn))
        assert "/backups/1" in doctor_product.backups(conn, lambda: system_wall() - 8 * 86_400 * MICROS)


# rights


@pytest.mark.stack
def test_a_database_role_without_rights(database_url: str) -> None:
    role = f"poor_{os.getpid()}"
    with connect(database_url, application="test", autocommit=True) as conn:
        assert doctor_product.database_rights(conn)
        conn.execute(f"create role {role} login password 'x'")
        try:
            poor = psycopg.conninfo.make_conninfo(database_url, user=role, password="x")  # noqa: S106  (of this test)
            with connect(poor, application="test", autocommit=True) as other:
                found = str(trouble(doctor_product.database_rights, other))
            assert f"role {role} may not" in found
            assert "device_progress" in found or "more" in found
        finally:
            conn.execute(f"drop role {role}")


@pytest.mark.stack
def test_a_user_of_the_stream_without_rights_and_a_wrong_password(nats: EmbeddedNats) -> None:
    url = nats.nats_url("ingest")
    stream = NatsStream(nats.nats_url(), name="test")
    try:
        assert doctor_product.stream_rights(url, INGEST_PUBLISHES, INGEST_HEARS, "ingest")
        assert read_fill(stream).blocks == 0, "looking leaves nothing behind"
        found = str(trouble(doctor_product.stream_rights, url, ("wk.pulse.worker.x",), ("wk.block.>",), "ingest"))
        assert "publish to wk.pulse.worker.x" in found
        assert "subscription to wk.block.>" in found
        wrong = url.replace(url.split(":")[2].split("@")[0], "wrong")
        assert "lets nobody in" in str(trouble(doctor_product.stream_rights, wrong, (), (), "ingest"))
    finally:
        stream.close()


# servers that are not ours


@pytest.mark.stack
def test_a_server_that_is_not_ours(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path / "nats")
    server.start()
    try:
        assert doctor_product.own_server(tmp_path)
        state = json.loads((tmp_path / "nats" / "server.json").read_text())
        (tmp_path / "nats" / "server.json").write_text(json.dumps({**state, "name": "another"}))
        assert "not by 'another'" in str(trouble(doctor_product.own_server, tmp_path))
    finally:
        server.stop()
    assert "nothing of ours answers" in str(trouble(doctor_product.own_server, tmp_path))


def test_a_page_that_is_not_ours() -> None:
    port = free_port()
    assert "nothing answers" in str(trouble(doctor_product.own_pages, f"http://127.0.0.1:{port}"))
    with http.server.HTTPServer(("127.0.0.1", port), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        assert "answered by something else" in str(trouble(doctor_product.own_pages, f"http://127.0.0.1:{port}"))
        other.shutdown()


def test_a_process_that_does_not_run() -> None:
    state = RunState(own_part(), [PartState("worker-1", 1 << 22, "0", restarts=4)])
    assert "worker-1 does not run (started again 4 times)" in str(trouble(doctor_product.processes, state))


def test_measurements_that_somebody_else_shows() -> None:
    me = own_part()
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{other.server_port}/metrics"
        state = RunState(me, [PartState("worker-1", me.pid, me.started, address=address)])
        found = trouble(doctor_product.measurements, state)
        other.shutdown()
    assert (found.result, found.where) == ("warning", address)
    assert f"pid {os.getpid()}" in str(found)


# the whole


@pytest.fixture(scope="module")
def running() -> Iterator[Supervisor]:
    with whole_product() as supervisor:
        yield supervisor


@pytest.mark.stack
def test_a_product_that_runs_is_well_and_a_lost_part_is_an_error_with_its_exit_status(running: Supervisor) -> None:
    findings = examine(running.data_dir)
    assert [each for each in findings if each.result not in {"ok", "note"}] == []
    assert {"stream rights", "database rights", "fleet clock", "stream store", "readiness"} <= {
        f.check for f in findings
    }
    assert CliRunner().invoke(app, ["doctor", "--data-dir", str(running.data_dir)]).exit_code == 0
    next(child for child in running.children if child.name == "ingest").kill()
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(running.data_dir), "--json"])
    assert result.exit_code == 1
    said = [each for each in json.loads(result.stdout) if each["result"] == "error"]
    assert "ingest does not run" in said[0]["detail"]
