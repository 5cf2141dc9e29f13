"""Many connections from one process, on the real broker."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Collection
from pathlib import Path

import msgspec
import numpy as np
import pytest

from firmware_sim.firmware import Body
from firmware_sim.mqtt import DescriptorError, Gateway
from firmware_sim.network_spec import NetworkSpec
from firmware_sim.runner import Runner, open_fleet
from firmware_sim.scenario import FleetEntry, Scenario
from firmware_sim.spool import Spool
from firmware_sim.steering import Steering
from firmware_sim.wear import HOUR
from stack.embedded_nats import EmbeddedNats
from telemetry.clock import MICROS, FleetClock, system_wall
from telemetry.identity import parse_key
from telemetry.message import State, encode_json
from telemetry.steering import SetNetwork
from telemetry.topics import Channel
from tests.firmware_sim.answering import Answering
from tests.firmware_sim.listener import Listener
from tests.spine.rig import wait_for

pytestmark = pytest.mark.stack

START = 1_772_323_200 * MICROS
ONLINE, OFFLINE, WILL = (
    encode_json(State(online=True, fw="2.4.1")),
    encode_json(State(online=False, fw="2.4.1")),
    encode_json(State(online=False)),
)


class Crowd:
    """Devices that each hold a connection and say what they are told."""

    def __init__(
        self, nats: EmbeddedNats, folder: Path, count: int, *, own_users: bool = False, kept: Collection[str] = ()
    ) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.keys = [f"demo/plug-{n:04d}" for n in range(count)]
        devices = [parse_key(key) for key in self.keys]
        if own_users:
            nats.add_devices(devices)
        folder.mkdir(exist_ok=True)
        self.spool = Spool(folder / "spool.sqlite", system_wall)
        self.gateway = Gateway(
            nats.mqtt_url("gateway"),
            self.keys,
            self.spool,
            system_wall,
            rng=np.random.default_rng(1),
            client_id="crowd",
            on_command=lambda key, payload: self.asked.append((key, payload)),
            each=True,
            kept=lambda key: key in kept,
            url_of=(lambda key: nats.device_url(parse_key(key))) if own_users else None,
        )
        self.gateway.start()

    def up(self, count: int, seconds: float) -> float:
        return wait_for(lambda: self.gateway.counts().connections == count, seconds, f"{count} connections")

    def say(self, value: float) -> None:
        at = system_wall()
        bodies = [(key, Body(device=n, done=at, t=at, q={"power": value})) for n, key in enumerate(self.keys)]
        self.gateway.offer(self.spool.append(bodies))

    def close(self) -> None:
        self.gateway.stop(20)
        self.spool.close()


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_fifty_devices_with_a_connection_and_a_user_each(nats: EmbeddedNats, tmp_path: Path) -> None:
    server, states = Answering(nats.mqtt_url("ingest")), Listener(nats.mqtt_url("ingest"), Channel.STATE)
    threads, files = threading.active_count(), open_files()
    crowd = Crowd(nats, tmp_path, 50, own_users=True)
    crowd.up(50, 20)
    assert threading.active_count() == threads + 1
    assert open_files() - files <= 50 + 10
    for value in range(4):
        crowd.say(float(value))
    assert crowd.gateway.settled(20)
    assert server.count() == 200
    assert all([e.q["power"] for e in server.seen[parse_key(key)]] == [0, 1, 2, 3] for key in crowd.keys)
    states.last(crowd.keys[17], ONLINE)
    crowd.close()
    states.last(crowd.keys[17], OFFLINE)
    assert WILL not in states.heard[crowd.keys[17]]
    states.close()
    server.close()


def test_a_device_that_loses_its_connection_leaves_its_will_and_comes_back_with_what_it_kept(
    nats: EmbeddedNats, tmp_path: Path
) -> None:
    server, states = Answering(nats.mqtt_url("ingest")), Listener(nats.mqtt_url("ingest"), Channel.STATE)
    crowd = Crowd(nats, tmp_path, 5)
    crowd.up(5, 20)
    dark = crowd.keys[2]
    crowd.gateway.hold(dark)
    crowd.up(4, 10)
    states.last(dark, WILL)
    crowd.say(1.0)
    assert crowd.gateway.settled(10)
    counts = crowd.gateway.counts()
    assert (counts.held, counts.unreceipted, counts.lag, counts.connected) == (1, 0, 0.0, True)
    assert server.count() == 4
    crowd.gateway.release(dark)
    crowd.up(5, 10)
    states.last(dark, ONLINE)
    wait_for(lambda: server.count() == 5, 10, "what was kept")
    crowd.close()
    states.close()
    server.close()


def test_firmware_that_keeps_its_session_hears_what_was_asked_while_it_was_away(
    nats: EmbeddedNats, tmp_path: Path
) -> None:
    keeps, forgets = "demo/plug-0000", "demo/plug-0001"
    server = Answering(nats.mqtt_url("ingest"))
    crowd = Crowd(nats, tmp_path / "first", 2, own_users=True, kept={keeps})
    crowd.up(2, 20)
    for key in (keeps, forgets):
        crowd.gateway.hold(key)
    crowd.up(0, 10)
    for key in (keeps, forgets):
        server.ask(key, b"while away")
    for key in (keeps, forgets):
        crowd.gateway.release(key)
    crowd.up(2, 10)
    for key in (keeps, forgets):
        server.ask(key, b"back")
    wait_for(lambda: len(crowd.asked) >= 3, 10, "what was asked")
    assert sorted(crowd.asked) == [(keeps, b"back"), (keeps, b"while away"), (forgets, b"back")]
    # Another process goes on with the session that the broker has kept.
    crowd.close()
    server.ask(keeps, b"nobody there")
    again = Crowd(nats, tmp_path / "second", 2, kept={keeps})
    again.up(2, 20)
    wait_for(lambda: again.asked == [(keeps, b"nobody there")], 10, "what was asked of nobody")
    again.close()
    server.close()


def test_connections_come_back_after_the_broker_was_killed(nats: EmbeddedNats, tmp_path: Path) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    crowd = Crowd(nats, tmp_path, 20)
    crowd.up(20, 20)
    nats.kill()
    server.close()
    crowd.up(0, 10)
    crowd.say(1.0)
    nats.start()
    back = Answering(nats.mqtt_url("ingest"), server)
    crowd.up(20, 20)
    assert crowd.gateway.settled(20)
    assert back.count() == 20
    crowd.close()
    back.close()


def test_more_connections_than_files_are_refused(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard in {resource.RLIM_INFINITY, -1} or hard > 100_000:
        pytest.skip(f"this system allows {hard} open files")
    spool = Spool(tmp_path / "spool.sqlite", system_wall)
    with pytest.raises(DescriptorError, match="ulimit -n"):
        Gateway(
            "mqtt://127.0.0.1:1",
            [f"demo/d-{n}" for n in range(hard)],
            spool,
            system_wall,
            rng=np.random.default_rng(1),
            client_id="x",
            each=True,
        )
    spool.close()


FLAKY = Scenario(
    id="flaky",
    title="flaky",
    fleet=(FleetEntry(kind="refrigerator", count=6),),
    network=NetworkSpec(
        offline_hours=6.0, outage_hours=2.0, duplicates=0.3, reorder=0.3, reorder_seconds=600.0, reboots=6.0
    ),
)


@pytest.mark.parametrize("connections", ["gateway", pytest.param("each", marks=pytest.mark.long)])
def test_nothing_is_lost_on_a_flaky_network(nats: EmbeddedNats, tmp_path: Path, connections: str) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    fleet = open_fleet(tmp_path, FLAKY, 1006, START)
    runner = Runner(
        fleet,
        tmp_path,
        nats.mqtt_url("gateway"),
        system_wall,
        connections="each" if connections == "each" else "gateway",
    )
    runner.start()
    server.clock(FleetClock(1, system_wall(), START, 7200.0))
    seen_offline = 0
    began = time.monotonic()
    while server.count() < 400 and time.monotonic() - began < 60:
        seen_offline = max(seen_offline, runner.stats().offline)
        with server.changed:
            server.changed.wait(0.1)
    assert seen_offline > 0
    assert server.repeats > 0
    Steering(runner)(SetNetwork(values={"offline_hours": 0.0, "duplicates": 0.0, "reorder": 0.0}))
    assert runner.stats().offline == 0
    clock = runner.clock()
    assert clock is not None
    server.clock(clock.change(system_wall(), 0.0))
    assert all(gateway.settled(30) for gateway in runner.uplink.gateways)
    stats = runner.stats()
    assert stats.messages - stats.held <= server.count() <= stats.messages
    orders = [[envelope.seq for envelope in found] for found in server.seen.values()]
    assert all(sorted(order) == list(range(1, len(order) + 1)) for order in orders)
    assert any(order != sorted(order) for order in orders)
    runner.stop()
    server.close()


def test_a_stepped_clock_brings_late_messages_in_their_step(nats: EmbeddedNats, tmp_path: Path) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    network = NetworkSpec(offline_hours=4.0, outage_hours=2.0, reorder=0.5, reorder_seconds=7_200.0)
    scenario = msgspec.structs.replace(FLAKY, network=network)
    runner = Runner(open_fleet(tmp_path, scenario, 1006, START), tmp_path, nats.mqtt_url("gateway"), system_wall)
    runner.start()
    held = []

    def settled() -> bool:
        # What a device sent before it went offline has arrived, though it cannot know yet.
        stats = runner.stats()
        return stats.fleet == goal and stats.unreceipted == 0 and server.count() >= stats.messages - stats.held

    for step in range(1, 9):
        goal = START + step * 2 * HOUR
        server.clock(FleetClock(step, system_wall(), goal, 0.0))
        wait_for(settled, 30, f"receipts of step {step}")
        held.append(runner.stats().held)
    assert max(held) > 0
    runner.stop()
    server.close()


@pytest.mark.long
def test_a_thousand_connections_from_one_process(nats: EmbeddedNats, tmp_path: Path) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    threads, files = threading.active_count(), open_files()
    crowd = Crowd(nats, tmp_path, 1_000)
    took = crowd.up(1_000, 120)
    assert threading.active_count() == threads + 1
    assert open_files() - files <= 1_000 + 10
    for value in range(5):
        crowd.say(float(value))
    assert crowd.gateway.settled(120)
    assert server.count() == 5_000
    began, cpu = time.monotonic(), time.process_time()
    threading.Event().wait(10)
    idle = (time.process_time() - cpu) / (time.monotonic() - began)
    print(f"1000 connections in {took:.1f} s; {open_files() - files} files; idle {idle:.1%} of a core")  # noqa: T201
    assert idle < 0.35
    crowd.close()
    server.close()
