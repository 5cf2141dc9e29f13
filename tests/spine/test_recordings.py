"""Real recordings through broker, stream and database: who is healthy stays unnamed, who changed gets one ticket.

The worker is killed on the way; what it found is compared, bit for bit, with one pass without network or restart.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.bank import Bank
from firmware_sim.recordings import Change, Recording, find_recordings, recording_messages, together
from firmware_sim.replay import Recorded, Replay
from storage.clock_store import read_clock, write_clock
from storage.memory_telemetry import MemoryTelemetry
from storage.pool import connect
from storage.registry import DeviceRow
from stream.nats_client import NatsStream
from stream.port import Entry, Position
from telemetry.block import BlockBuilder
from telemetry.catalogue import load_catalogue
from telemetry.clock import FleetClock, system_wall, to_micros
from telemetry.identity import DeviceKey
from telemetry.message import telemetry_message
from tests.faults.auditor import tickets
from tests.spine.rig import Rig, rig, wait_for
from worker.core import WorkerCore

pytestmark = [pytest.mark.stack, pytest.mark.data]

CHANGED = "fridge-changed"
CHANGE = datetime(2012, 5, 23, tzinfo=UTC)
DAYS_A_MINUTE = 30


@pytest.fixture
def running() -> Iterator[Rig]:
    # One each: the two sets lie years apart, and each test judges everything that was found.
    with rig() as one:
        yield one


def anchor(running: Rig, first: int, speed: float) -> None:
    """Let the fleet clock begin where the recordings do."""
    with connect(running.database_url, application="rig", autocommit=True) as conn:
        wait_for(lambda: read_clock(conn) is not None, 40, "the worker's clock")
        now = read_clock(conn)
        assert now is not None
        at = system_wall() + 1_500_000
        clock = FleetClock(now.rev + 1, at, first, speed)
        assert write_clock(conn, clock)
    mirror = NatsStream(running.supervisor.nats_url(), name="rig")
    mirror.put_clock(clock)
    mirror.close()
    # A recording lies in the past of the clock before: it would all be due at once.
    wait_for(lambda: system_wall() > at + 500_000, 5, "the clock's change")


def found(running: Rig) -> dict[str, list[dict[str, Any]]]:
    """Revisions by device, as the database keeps them."""
    query = """
    select d.device, r.body from finding f join finding_revision r on r.finding = f.id join device d on d.no = f.device
    order by d.device, f.opened, r.revision
    """
    revisions: dict[str, list[dict[str, Any]]] = {}
    with connect(running.database_url, application="look") as conn:
        for device, body in conn.execute(query).fetchall():
            assert isinstance(body, dict)
            revisions.setdefault(str(device), []).append(body)
    return revisions


def in_one_pass(recording: Recording, change: Change | None, shift: int, epoch: int) -> list[dict[str, Any]]:
    """What one worker finds that is never interrupted."""
    catalogue = load_catalogue()
    key = DeviceKey("demo", recording.device)
    row = DeviceRow(1, *key, recording.kind, None, None, None, "en", None, None, None, datetime.now(UTC))
    store = MemoryTelemetry([row])
    core = WorkerCore(catalogue, Bank(catalogue), store)
    core.own(0, Position(*store.take([0])[0]))
    for seq, body in enumerate(recording_messages(recording, change, shift), 1):
        builder = BlockBuilder()
        message = telemetry_message(
            epoch=epoch, seq=seq, base=1, t_micros=body.t, dt_micros=body.dt, q=body.q, phase=body.phase
        )
        builder.add(key, message, body.done)
        store.write(core.decide([Entry(0, "one", seq, builder.encode(), 0)]).batch)
    ordered = sorted(store.revisions.values(), key=lambda r: (r.finding.opened, r.finding.revision))
    return [json.loads(msgspec.json.encode(r.finding)) for r in ordered]


def without_arrival(revisions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whether something is history depends on when it arrived; all else must not."""
    return [{key: value for key, value in revision.items() if key != "history"} for revision in revisions]


def replay(
    running: Rig, folder: Path, recordings: Sequence[Recording], change: Change | None, shifts: dict[str, int]
) -> Replay:
    url = running.supervisor.mqtt_url("gateway")
    return Replay(Recorded(recordings, "demo", change=change, shifts=shifts), folder, url, system_wall)


def test_real_appliances_over_mqtt(running: Rig, data_folder: Path, tmp_path: Path) -> None:
    healthy = find_recordings(data_folder, "tracebase")
    fridge = next(one for one in healthy if "refrigerator" in one.device)
    changed = dataclasses.replace(fridge, device=CHANGED)
    change = Change(to_micros(CHANGE), {"power": 1.15}, 1.2)
    running.register("smart_plug", [one.device for one in [*healthy, changed]])
    shifts = together([*healthy, changed])
    whole = replay(running, tmp_path / "healthy", healthy, None, shifts)
    other = replay(running, tmp_path / "changed", [changed], change, shifts)
    moved = to_micros(CHANGE) + shifts.get(CHANGED, 0)
    anchor(running, whole.first_time(), DAYS_A_MINUTE * 1_440.0)
    whole.start()
    other.start()
    wait_for(lambda: other.fleet > moved, 90, "the change")
    os.kill(running.pid("worker-1"), signal.SIGKILL)
    assert whole.wait(150)
    assert other.wait(60)
    sent = {
        CHANGED: (changed, other.spool.slot(f"demo/{CHANGED}").epoch, change),
        fridge.device: (fridge, whole.spool.slot(f"demo/{fridge.device}").epoch, None),
    }
    whole.stop()
    other.stop()
    revisions = found(running)
    assert revisions.keys() == {CHANGED}
    assert len({body["id"] for body in revisions[CHANGED]}) == 1
    delay = timedelta(microseconds=revisions[CHANGED][0]["opened"] - moved)
    assert timedelta(0) <= delay <= timedelta(days=5)
    assert [body["history"] for body in revisions[CHANGED]].count(True) == 0
    assert tickets(running.database_url) == {CHANGED: 1}
    for device, (recording, epoch, dated) in sent.items():
        expected = in_one_pass(recording, dated, shifts.get(device, 0), epoch)
        assert without_arrival(revisions.get(device, [])) == without_arrival(expected)
    print(f"changed fridge: one finding after {delay}, one ticket")  # noqa: T201  (shown with -s)


@pytest.mark.long
def test_the_pump_bed_over_mqtt(running: Rig, data_folder: Path, tmp_path: Path) -> None:
    pumps = find_recordings(data_folder, "skab")
    running.register("pump", [one.device for one in pumps])
    shifts = together(pumps)
    run = replay(running, tmp_path, pumps, None, shifts)
    anchor(running, run.first_time(), 900.0)
    run.start()
    assert run.wait(150)
    run.stop()
    opened: dict[str, list[int]] = {}
    for device, bodies in found(running).items():
        opened[device] = sorted({body["opened"] for body in bodies})
    clean = next(one for one in pumps if "free" in one.device)
    faulted = [one for one in pumps if one is not clean]
    early = [one.device for one in faulted if any(at < fault(one, shifts) for at in opened.get(one.device, []))]
    hit = [one.device for one in faulted if any(at >= fault(one, shifts) for at in opened.get(one.device, []))]
    clean_episodes = len(opened.get(clean.device, []))
    print(f"pump bed: {len(hit)} of {len(faulted)} found, {len(early)} too early, clean file {clean_episodes}")  # noqa: T201
    assert len(faulted) == 19
    assert clean_episodes == 0
    assert len(early) <= 1
    assert len(hit) >= 17


def fault(recording: Recording, shifts: dict[str, int]) -> int:
    """Event time of the first row that the recording's authors marked."""
    for line in recording.files[0].read_text(encoding="utf-8").splitlines()[1:]:
        cells = line.split(";")
        if float(cells[9]) == 1.0:
            at = datetime.strptime(cells[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            return to_micros(at) + shifts.get(recording.device, 0)
    raise AssertionError(f"{recording.device} has no marked row")
