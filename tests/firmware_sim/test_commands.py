"""Commands: carried out by the devices of a fleet, and over the real broker through ingest's relay."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest

from firmware_sim.commander import NoAnswerError, command
from firmware_sim.commands import SELF_TEST, Commands
from firmware_sim.firmware import Body, readings
from firmware_sim.fleet import Fleet
from firmware_sim.runner import Runner, open_fleet
from firmware_sim.scenario import FleetEntry, HabitEntry, Scenario
from firmware_sim.wear import DAY, HOUR
from ingest.settings import IngestSettings
from ingest.shell import IngestProcess
from stack.embedded_nats import EmbeddedNats
from stack.nats_config import INFLIGHT
from stream.nats_client import NatsStream
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS, FleetClock, system_wall
from telemetry.command import Command, Response, Status, Value, decode_command, decode_response, new_command
from telemetry.errors import WireError
from telemetry.identity import DeviceKey, parse_key
from telemetry.topics import Channel
from tests.firmware_sim.answering import Answering
from tests.firmware_sim.listener import Listener

CATALOGUE = load_catalogue()
START = 1_772_323_200 * MICROS
SMALL = Scenario(
    id="small",
    title="small",
    fleet=(FleetEntry(kind="refrigerator", count=2), FleetEntry(kind="washing_machine", count=1)),
    habits={"washing_machine": HabitEntry(starts=4.0)},
)
FRIDGE, OTHER, WASHER = "demo/fridge-001", "demo/fridge-002", "demo/washer-001"


def fleet_at(at: int) -> Fleet:
    fleet = Fleet(SMALL, 1001, START, CATALOGUE)
    fleet.advance(at)
    return fleet


def asked(name: str, wanted: str = "c-1", **args: Value) -> Command:
    return Command(v=1, id=wanted, command=name, args=args)


def test_identify_says_what_is_on_the_plate() -> None:
    fleet = fleet_at(START + HOUR)
    answer = Commands(fleet).take(FRIDGE, asked("identify"))
    one = fleet.devices[0]
    assert answer.due == fleet.now
    assert answer.response == Response(
        v=1,
        id="c-1",
        command="identify",
        status=Status.OK,
        t=fleet.now / MICROS,
        info={"kind": "refrigerator", "model": one.model, "serial": one.serial, "fw": one.firmware},
    )


def test_a_self_test_takes_its_time_and_measures_the_same_at_the_same_time() -> None:
    one, two = (Commands(fleet_at(START + HOUR)).take(FRIDGE, asked("self_test", wanted)) for wanted in ("a", "b"))
    assert one.due == START + HOUR + SELF_TEST
    assert one.response.values
    assert one.response.values == two.response.values
    assert Commands(fleet_at(START + 2 * HOUR)).take(FRIDGE, asked("self_test")).response.values != one.response.values
    true = fleet_at(START + HOUR).self_test(FRIDGE)
    assert one.response.values == pytest.approx(true, rel=0.05)
    assert one.response.values != true


def test_a_self_test_tells_a_fault() -> None:
    fleet = fleet_at(START + HOUR)
    spec = CATALOGUE["refrigerator"].faults["condenser_fan_wear"]
    assert spec.mechanism
    healthy = fleet.self_test(FRIDGE)
    fleet.inject(FRIDGE, "condenser_fan_wear", fleet.now, lead_days=1.0)
    fleet.advance(START + DAY)
    worn = Commands(fleet).take(FRIDGE, asked("self_test")).response.values
    assert max(abs(worn[name] / healthy[name] - 1.0) for name in healthy if healthy[name]) > 0.15
    assert Commands(fleet).take(OTHER, asked("self_test")).response.values == pytest.approx(
        fleet.self_test(OTHER), rel=0.05
    )


def test_a_device_is_busy_while_it_tests_itself_and_while_a_programme_runs() -> None:
    fleet = fleet_at(START + HOUR)
    commands = Commands(fleet)
    commands.take(FRIDGE, asked("self_test", "a"))
    assert commands.take(FRIDGE, asked("self_test", "b")).response.status is Status.BUSY
    assert commands.take(OTHER, asked("self_test", "a")).response.status is Status.OK
    while not fleet.busy(WASHER):
        assert fleet.now < START + 2 * DAY
        fleet.advance(fleet.now + 600 * MICROS)
    busy = commands.take(WASHER, asked("self_test", "w"))
    assert busy.response.status is Status.BUSY
    assert "programme" in (busy.response.error or "")
    while fleet.busy(WASHER):
        fleet.advance(fleet.now + 600 * MICROS)
    assert commands.take(WASHER, asked("self_test", "w")).response.status is Status.OK
    assert commands.take(FRIDGE, asked("self_test", "b")).response.status is Status.OK


def test_a_repeat_is_answered_and_not_carried_out_again() -> None:
    fleet = fleet_at(START + HOUR)
    commands = Commands(fleet)
    first = commands.take(FRIDGE, asked("set_interval", "i", seconds=300.0))
    fleet.advance(START + 2 * HOUR)
    assert commands.take(FRIDGE, asked("set_interval", "i", seconds=300.0)) == first
    assert len(fleet.comms.interventions) == 1


def test_a_set_interval_is_obeyed_from_then_on_and_after_a_restart() -> None:
    fleet = fleet_at(START + HOUR)
    answer = Commands(fleet).take(FRIDGE, asked("set_interval", phase="cooling", seconds=290.0))
    assert answer.changed
    assert answer.response.values == {"cooling": 300.0}
    again = Fleet(SMALL, 1001, START, CATALOGUE)
    again.restore(fleet.snapshot())
    bodies = again.advance(START + 8 * HOUR)
    cooling = [body for body in bodies if body.device == 0 and body.phase == "cooling" and body.dt is not None]
    assert cooling
    assert {body.dt for body in cooling if body.t > START + HOUR + 3600 * MICROS} == {300 * MICROS}
    assert {body.dt for body in bodies if body.device == 0 and body.phase == "idle" and body.dt} == {120 * MICROS}


def test_a_plug_measures_as_often_as_it_is_told_and_has_nothing_to_test() -> None:
    plugs = (FleetEntry(kind="smart_plug", count=1, host="washing_machine"),)
    scenario = Scenario(id="plug", title="plug", fleet=plugs, habits={"washing_machine": HabitEntry(starts=2.0)})

    def live(*stops: int) -> list[Body]:
        fleet = Fleet(scenario, 1001, START, CATALOGUE)
        found = fleet.advance(START + 7 * HOUR)
        (one,) = fleet.devices
        answer = Commands(fleet).take(one.key, asked("set_interval", seconds=420.0))
        assert answer.response.values == {"metering": 420.0}
        refused = Commands(fleet).take(one.key, asked("self_test"))
        assert refused.response.status is Status.ERROR
        assert "no actuator" in (refused.response.error or "")
        for stop in stops:
            found += fleet.advance(START + stop)
            data = fleet.snapshot()
            fleet = Fleet(scenario, 1001, START, CATALOGUE)
            fleet.restore(data)
        return found + fleet.advance(START + 3 * DAY)

    told = live()
    assert live(8 * HOUR, DAY, DAY + 11 * HOUR) == told
    late = [body for body in told if body.t > START + 8 * HOUR]
    times = [body.t + i * (body.dt or 0) for body in late for i in range(readings(body))]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    # Seven minutes do not divide a day, and each day begins anew.
    assert sum(gap == 420 * MICROS for gap in gaps) == len(gaps) - 2
    assert max(gaps) == 420 * MICROS
    assert times[-1] >= START + 3 * DAY - HOUR


@pytest.mark.parametrize(
    ("name", "args", "why"),
    [
        ("self_tets", {}, "no command 'self_tets'; the nearest is 'self_test'"),
        ("set_interval", {"phase": "coolin", "seconds": 60.0}, "the nearest is 'cooling'"),
        ("set_interval", {"seconds": 5.0}, "a refrigerator can sample every 30 to 3600 s"),
        ("set_interval", {"seconds": "often"}, "needs seconds, a number"),
        ("set_interval", {"phase": 3.0, "seconds": 60.0}, "phase is a word"),
        ("set_interval", {}, "needs seconds, a number"),
    ],
)
def test_what_cannot_be_done_is_answered_with_why(name: str, args: dict[str, Value], why: str) -> None:
    fleet = fleet_at(START + HOUR)
    answer = Commands(fleet).take(FRIDGE, Command(v=1, id="c-1", command=name, args=args))
    assert answer.response.status is Status.ERROR
    assert why in (answer.response.error or "")
    assert not fleet.comms.interventions


@pytest.mark.parametrize(
    "payload", [b"", b"{", b'{"v":2,"id":"a","command":"identify"}', b'{"v":1,"id":"","command":"x"}', b"\xff" * 9]
)
def test_a_malformed_command_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode_command(payload)


@pytest.mark.stack
def test_a_command_goes_through_the_relay_of_ingest_and_its_answer_comes_back(
    nats: EmbeddedNats, tmp_path: Path
) -> None:
    server, answers = Answering(nats.mqtt_url("ingest")), Listener(nats.mqtt_url("ingest"), Channel.RESPONSE)
    runner = Runner(open_fleet(tmp_path, SMALL, 1001, START), tmp_path, nats.mqtt_url("gateway"), system_wall)
    runner.start()
    ended = threading.Event()
    settings = IngestSettings(mqtt_url=nats.mqtt_url("ingest"), nats_url=nats.nats_url("ingest"), mqtt_window=INFLIGHT)
    ingest = threading.Thread(target=IngestProcess(settings, ended).run)
    ingest.start()
    api = NatsStream(nats.nats_url(), name="api")
    try:
        api.put_clock(FleetClock(1, system_wall(), START, 3600.0))
        with server.changed:
            assert server.changed.wait_for(lambda: server.count() >= 3, 30)
        wishes: list[tuple[str, str, dict[str, Value]]] = [
            ("one", "identify", {}),
            ("two", "set_interval", {"seconds": 600.0}),
            ("three", "self_test", {}),
        ]
        for wanted, name, args in wishes:
            api.send(parse_key(FRIDGE), Channel.COMMAND, new_command(wanted, name, args))
        found = [decode_response(one) for one in answers.wait(FRIDGE, 3, 30)]
    finally:
        api.close()
        ended.set()
        ingest.join(20)
    assert [(one.id, one.status) for one in found] == [("one", "ok"), ("two", "ok"), ("three", "ok")]
    assert found[2].values
    assert (tmp_path / "fleet.snapshot").stat().st_size > 0
    runner.stop()
    answers.close()
    server.close()


@pytest.mark.stack
def test_a_person_asks_a_device_over_mqtt(nats: EmbeddedNats, tmp_path: Path) -> None:
    server = Answering(nats.mqtt_url("ingest"))
    runner = Runner(
        open_fleet(tmp_path, SMALL, 1001, START), tmp_path, nats.mqtt_url("gateway"), system_wall, connections="each"
    )
    runner.start()
    server.clock(FleetClock(1, system_wall(), START, 1200.0))
    with server.changed:
        assert server.changed.wait_for(lambda: server.count() >= 3, 30)
    found = command(nats.mqtt_url("ingest"), parse_key(OTHER), "self_test", timeout=30)
    assert found.status is Status.OK
    assert found.values == pytest.approx(runner.fleet.self_test(OTHER), rel=0.06)
    with pytest.raises(NoAnswerError, match="is it online"):
        command(nats.mqtt_url("ingest"), DeviceKey("demo", "nobody"), "identify", timeout=1)
    runner.stop()
    server.close()
