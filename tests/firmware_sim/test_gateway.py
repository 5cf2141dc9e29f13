"""The shell on the real broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_sim.recordings import Recording
from firmware_sim.replay import Recorded, Replay
from firmware_sim.runner import Runner, open_fleet
from firmware_sim.scenario import FaultRates, FleetEntry, Scenario
from stack.embedded_nats import EmbeddedNats
from telemetry.clock import MICROS, FleetClock, system_wall
from telemetry.identity import parse_key
from tests.firmware_sim.answering import Answering

pytestmark = pytest.mark.stack

START = 1_772_323_200 * MICROS
SMALL = Scenario(
    id="small",
    title="small",
    fleet=(FleetEntry(kind="refrigerator", count=6), FleetEntry(kind="washing_machine", count=2)),
    faults=FaultRates(part_worn=0.125),
)


def running(nats: EmbeddedNats, folder: Path, connections: int = 1) -> Runner:
    fleet = open_fleet(folder, SMALL, 1006, START)
    runner = Runner(fleet, folder, nats.mqtt_url("gateway"), system_wall, connections=connections)
    runner.start()
    return runner


def gapless(server: Answering) -> bool:
    return all(
        sorted(envelope.seq for envelope in found) == list(range(1, len(found) + 1)) for found in server.seen.values()
    )


@pytest.mark.parametrize("connections", [1, 2])
def test_a_fleet_follows_the_clock_and_every_message_gets_its_receipt(
    nats: EmbeddedNats, tmp_path: Path, connections: int
) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    runner = running(nats, tmp_path / "sim", connections)
    server.clock(FleetClock(1, system_wall(), START, 7200.0))
    with server.changed:
        assert server.changed.wait_for(lambda: server.count() >= 60, 30)
    now = runner.now()
    assert now is not None
    assert START < runner.fleet.now <= now
    clock = runner.clock()
    assert clock is not None
    server.clock(clock.change(system_wall(), 0.0))
    assert all(gateway.settled(10) for gateway in runner.uplink.gateways)
    stats = runner.stats()
    assert (stats.unreceipted, stats.lag, stats.connected) == (0, 0.0, True)
    assert server.count() == stats.messages
    assert gapless(server)
    runner.stop()
    server.close()


def test_what_has_no_receipt_survives_a_broker_that_is_killed_and_a_restart(nats: EmbeddedNats, tmp_path: Path) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    server.mute = True
    runner = running(nats, tmp_path / "sim")
    server.clock(FleetClock(1, system_wall(), START, 7200.0))
    with server.changed:
        assert server.changed.wait_for(lambda: server.count() >= 30, 30)
    runner.stop()
    held = {one.key: list(runner.uplink.spool._slots[one.key].held) for one in runner.fleet.devices}
    assert sum(len(one) for one in held.values()) >= 30
    server.close()
    nats.stop()
    nats.start()
    server = Answering(nats.mqtt_url("ingest"))
    server.clock(FleetClock(2, system_wall(), START, 0.0))
    again = running(nats, tmp_path / "sim")
    with server.changed:
        assert server.changed.wait_for(lambda: server.count() >= sum(len(one) for one in held.values()), 15)
    assert again.fleet.now > START
    assert {key: [e.seq for e in server.seen[parse_key(key)]] for key in held if held[key]} == {
        key: seqs for key, seqs in held.items() if seqs
    }
    again.stop()
    server.close()


def test_a_killed_broker_costs_nothing(nats: EmbeddedNats, tmp_path: Path) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    runner = running(nats, tmp_path / "sim")
    server.clock(FleetClock(1, system_wall(), START, 7200.0))
    with server.changed:
        assert server.changed.wait_for(lambda: server.count() >= 30, 30)
    nats.kill()
    server.close()
    nats.start()
    back = Answering(nats.mqtt_url("ingest"), server)
    before = back.count()
    with back.changed:
        assert back.changed.wait_for(lambda: back.count() >= before + 30, 30)
    clock = runner.clock()
    assert clock is not None
    back.clock(clock.change(system_wall(), 0.0))
    runner._pace.heard(clock.change(system_wall(), 0.0))
    assert all(gateway.settled(15) for gateway in runner.uplink.gateways)
    assert back.count() == runner.stats().messages
    assert gapless(back)
    runner.stop()
    back.close()


def test_a_recording_is_replayed_with_receipts(nats: EmbeddedNats, tmp_path: Path) -> None:
    path = tmp_path / "dev_X_2012.06.01.csv"
    rows = [
        f"01/06/2012 {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d};{80 if s // 1200 % 2 else 0};0"
        for s in range(0, 36_000, 5)
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    server = Answering(nats.mqtt_url("ingest"))
    replay = Replay(
        Recorded([Recording("plug", "smart_plug", (path,))], "demo"),
        tmp_path / "replay",
        nats.mqtt_url("gateway"),
        system_wall,
        speed=36_000.0,
    )
    replay.start()
    assert replay.wait(30)
    replay.stop()
    assert replay.readings == 3_600
    assert server.count() == replay.messages == 60
    assert gapless(server)
    server.close()
