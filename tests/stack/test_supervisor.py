"""Processes under supervision: restart with backoff, orphans, status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stack import run_state
from stack.child import Backoff, Child
from stack.doctor import examine
from stack.errors import StackError
from stack.process import Identity, identify, wait_until
from stack.run_state import PartState, RunState
from stack.settings import Settings
from stack.status import collect
from stack.supervisor import Supervisor

SLEEP = ("-c", "import signal; signal.pause()")


def test_backoff_doubles_and_forgets_after_a_healthy_life() -> None:
    backoff = Backoff()
    waits = []
    for now in (0.0, 1.0, 2.0, 3.0):
        backoff.started(now)
        waits.append(backoff.ended(now + 0.1))
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.6])
    backoff.started(10.0)
    assert backoff.ended(50.0) == pytest.approx(0.2)


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    told: list[str] = []
    child = Child("sleeper", SLEEP, {}, tmp_path / "log")
    child.start()
    first = child.identity
    child.kill()
    try:
        assert wait_until(lambda: child.tend(told.append) and child.restarts == 1, 5)
        assert child.running
        assert child.identity != first
        assert "status -9" in told[0]
    finally:
        child.stop()
    assert not child.running
    assert not child.tend(told.append)


def test_a_pid_that_belongs_to_somebody_else_by_now_is_left_alone() -> None:
    me = identify(os.getpid())
    assert me is not None
    stale = PartState("worker-1", os.getpid(), "0")
    assert not stale.alive
    assert run_state.end_orphans(RunState(run_state.own_part(), [stale])) == []
    assert me.alive()


def test_an_orphan_is_ended_by_its_identity() -> None:
    orphan = subprocess.Popen([sys.executable, *SLEEP])  # noqa: S603  (our own interpreter)
    who = identify(orphan.pid)
    assert isinstance(who, Identity)
    state = RunState(run_state.own_part(), [PartState("worker-1", who.pid, who.started)])
    assert run_state.end_orphans(state) == ["worker-1"]
    assert orphan.wait(5) == -signal.SIGTERM


def test_a_data_directory_has_one_supervisor(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, *SLEEP])  # noqa: S603  (our own interpreter)
    who = identify(other.pid)
    assert who is not None
    RunState(PartState("supervisor", who.pid, who.started)).save(tmp_path)
    try:
        with pytest.raises(StackError, match="in use by process"):
            Supervisor(Settings(data_dir=tmp_path), lambda _line: None).start_servers()
    finally:
        other.kill()
        other.wait()


def test_status_of_what_never_ran_and_of_what_stopped(tmp_path: Path) -> None:
    assert collect(tmp_path)["running"] is False
    secrets = {"http_url": "http://127.0.0.1:1", "database_url": "postgresql://nobody@127.0.0.1:1/x"}
    RunState(PartState("supervisor", os.getpid(), "0"), [PartState("api", os.getpid(), "0")], secrets).save(tmp_path)
    found = collect(tmp_path)
    assert found["running"] is False
    assert [(part["name"], part["state"], part["pid"]) for part in found["parts"]] == [("api", "stopped", None)]
    assert "nobody" not in json.dumps(found)


def test_the_doctor_finds_this_machine_fit(tmp_path: Path) -> None:
    assert [line for line in examine(tmp_path) if line.result not in {"ok", "note"}] == []


# Tells that it was asked to end, and ends well only when its like was asked too.
TOGETHER = """
import pathlib, signal, sys, time
own, other = (pathlib.Path(name) for name in sys.argv[1:3])
def asked(*_):
    own.touch()
    for _ in range(500):
        if other.exists():
            sys.exit(0)
        time.sleep(0.02)
    sys.exit(3)
signal.signal(signal.SIGTERM, asked)
own.with_suffix(".ready").touch()
while True:
    signal.pause()
"""


def test_workers_are_asked_to_leave_together(tmp_path: Path) -> None:
    supervisor = Supervisor(
        Settings(
            data_dir=tmp_path / "data",
            mqtt_url="mqtt://127.0.0.1:1",
            nats_url="nats://127.0.0.1:1",
            database_url="postgresql://nobody@127.0.0.1:1/x",
        ),
        lambda _line: None,
    )
    one, two = tmp_path / "one", tmp_path / "two"
    for name, own, other in (("worker-1", one, two), ("worker-2", two, one)):
        supervisor.add(name, ("-c", TOGETHER, str(own), str(other)), {})
    assert wait_until(lambda: one.with_suffix(".ready").exists() and two.with_suffix(".ready").exists(), 10)
    supervisor.stop()
    assert [child.exit_status for child in supervisor.children] == [0, 0]


@pytest.mark.stack
def test_everything_starts_serves_survives_a_kill_and_stops(server_folder: Path) -> None:
    data_dir = server_folder / "up"
    told: list[str] = []
    supervisor = Supervisor(Settings(data_dir=data_dir, workers=2), told.append)
    try:
        supervisor.start_servers()
        supervisor.start_processes()
        supervisor.wait_ready()
        found = collect(data_dir)
        assert found["running"] is True
        assert {part["name"]: part["state"] for part in found["parts"]} == dict.fromkeys(
            ("nats", "postgres", "ingest", "worker-1", "worker-2", "api"), "running"
        )
        assert found["clock"]["production"] is True
        assert wait_until(lambda: [len(each["partitions"]) for each in collect(data_dir)["workers"]] == [8, 8], 30)
        assert "password" not in json.dumps(found)
        worker = next(child for child in supervisor.children if child.name == "worker-1")
        assert supervisor.nats is not None
        assert supervisor.postgres is not None
        worker.kill()
        supervisor.nats.kill()
        supervisor.postgres.kill()
        assert wait_until(lambda: bool(supervisor.tend()) and worker.restarts == 1 and worker.running, 30)
        assert wait_until(lambda: (supervisor.tend() or True) and supervisor.ready(), 30)
        assert supervisor.nats.healthy()
        assert supervisor.postgres.healthy()
    finally:
        supervisor.stop()
        if supervisor.postgres is not None:
            supervisor.postgres.remove()
    stopped = collect(data_dir)
    assert stopped["running"] is True  # this process is the supervisor
    assert {part["state"] for part in stopped["parts"]} == {"stopped"}
