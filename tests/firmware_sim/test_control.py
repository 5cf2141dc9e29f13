"""Control of a running fleet over the socket in its folder."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from firmware_sim.control import ControlServer
from firmware_sim.fleet_file import RecordedFleet
from firmware_sim.process import Simulation
from firmware_sim.runner import open_fleet
from firmware_sim.scenario import FleetEntry, Scenario
from stack.embedded_nats import EmbeddedNats
from telemetry.clock import MICROS, FleetClock, system_wall
from telemetry.identity import parse_key
from telemetry.message import decode_envelope
from telemetry.steering import (
    Answer,
    Clear,
    ControlError,
    Developing,
    Inject,
    NotRunningError,
    Reboot,
    Record,
    Request,
    SetNetwork,
    Status,
    ask,
)
from telemetry.topics import Channel
from tests.firmware_sim.answering import Answering
from tests.firmware_sim.listener import Listener
from tests.spine.rig import wait_for

START = 1_772_323_200 * MICROS
SMALL = Scenario(id="small", title="small", fleet=(FleetEntry(kind="refrigerator", count=3),))


@dataclass(frozen=True, slots=True)
class Running:
    """A simulation with its server's side, at 1,800 times real time."""

    folder: Path
    simulation: Simulation
    server: Answering


@pytest.fixture
def running(nats: EmbeddedNats, tmp_path: Path) -> Iterator[Running]:
    server = Answering(nats.mqtt_url("ingest"))
    fleet = open_fleet(tmp_path / "sim", SMALL, 1001, START)
    simulation = Simulation(fleet, tmp_path / "sim", nats.mqtt_url("gateway"), system_wall)
    thread = threading.Thread(target=simulation.run)
    thread.start()
    server.clock(FleetClock(1, system_wall(), START, 1800.0))
    with server.changed:
        assert server.changed.wait_for(lambda: server.count() >= 3, 30)
    yield Running(tmp_path / "sim", simulation, server)
    simulation.stop()
    thread.join(30)
    server.close()


@pytest.mark.stack
def test_a_fault_is_injected_and_cleared_while_the_fleet_runs(running: Running) -> None:
    fault = ask(running.folder, Inject(device="fridge-002", fault="condenser_fan_wear", lead_days=2.0))["fault"]
    assert fault["device"] == "demo/fridge-002"
    assert fault["failure"] - fault["onset"] == pytest.approx(2 * 86_400)
    said = ask(running.folder, Status(device="demo/fridge-002"))
    assert [one["fault"] for one in said["faults"]] == ["condenser_fan_wear"]
    (growing,) = ask(running.folder, Developing())["faults"]
    assert (growing["device"], growing["fault"]) == ("demo/fridge-002", "condenser_fan_wear")
    assert 0 <= growing["level"] < 1
    again = open_fleet(running.folder, SMALL, 1001, START)
    assert again.active("demo/fridge-002", fault["family"]) is not None
    cleared = ask(running.folder, Clear(device="fridge-002", fault="condenser_fan_wear"))["cleared"]
    assert [one["fault"] for one in cleared] == ["condenser_fan_wear"]
    assert ask(running.folder, Status(device="fridge-002"))["faults"] == []
    assert ask(running.folder, Clear(device="fridge-002")) == {"cleared": []}


@pytest.mark.stack
def test_unknown_names_are_refused_with_the_nearest(running: Running) -> None:
    wrong: list[tuple[Request, str]] = [
        (Inject(device="fridge-0002", fault="condenser_fan_wear"), "demo/fridge-002"),
        (Inject(device="fridge-002", fault="condenser_fan_ware"), "condenser_fan_wear"),
        (Clear(device="fridge-002", fault="condenser_fan_ware"), "condenser_fan_wear"),
        (SetNetwork(values={"offline_hour": 2.0}), "offline_hours"),
        (SetNetwork(device="frige-001"), "demo/fridge-001"),
        (Reboot(device="demo/fridge-01"), "demo/fridge-001"),
    ]
    for request, nearest in wrong:
        with pytest.raises(ControlError) as refused:
            ask(running.folder, request)
        assert refused.value.nearest == nearest
        assert nearest in str(refused.value)
    impossible: list[tuple[Request, str]] = [
        (SetNetwork(values={"offline_hours": 25.0}), "<= 24"),
        (Inject(device="fridge-002", fault="condenser_fan_wear", lead_days=-1.0), "above 0"),
    ]
    for request, why in impossible:
        with pytest.raises(ControlError, match=why):
            ask(running.folder, request)


@pytest.mark.stack
def test_a_device_goes_offline_and_comes_back_with_its_backlog(running: Running) -> None:
    ask(running.folder, SetNetwork(device="fridge-001", values={"offline_hours": 24.0}))
    assert ask(running.folder, Status(device="fridge-001"))["link"]["offline_hours"] == 24.0
    wait_for(lambda: ask(running.folder, Status())["held"] >= 3, 20, "messages that are kept back")
    stats = ask(running.folder, Status())
    assert (stats["offline"], stats["connected"]) == (1, True)
    # Three hours at 1,800 times real time: a link that comes and goes would have been back by then.
    dark = len(running.server.seen[parse_key("demo/fridge-001")])
    ask(running.folder, SetNetwork(device="fridge-001"))
    wait_for(lambda: ask(running.folder, Status())["held"] == 0, 10, "the backlog")
    wait_for(lambda: len(running.server.seen[parse_key("demo/fridge-001")]) >= dark + 3, 10, "the backlog's arrival")


@pytest.mark.stack
def test_a_device_restarts_with_another_version_and_without_its_spool(running: Running, nats: EmbeddedNats) -> None:
    events = Listener(nats.mqtt_url("ingest"), Channel.EVENT)
    before = ask(running.folder, Status(device="fridge-003"))["epoch"]
    done = ask(running.folder, Reboot(device="fridge-003", fw="2.9.0", spool_lost=True))
    assert done["epoch"] > before
    said = decode_envelope(events.wait("demo/fridge-003", 1, 20)[0])
    assert (said.events, said.fw, said.epoch) == (["reboot", "firmware:2.9.0"], "2.9.0", done["epoch"])
    events.close()


@pytest.mark.stack
def test_a_recording_of_a_running_fleet_can_be_read(running: Running, tmp_path: Path) -> None:
    path = tmp_path / "some" / "life.jsonl"
    ask(running.folder, Record(path=str(path)))
    assert ask(running.folder, Status())["recording"] == str(path)
    wait_for(lambda: running.simulation.runner._recorder.messages >= 6, 20, "messages")  # type: ignore[union-attr]
    assert ask(running.folder, Record())["closed"] == str(path)
    recorded = RecordedFleet(path)
    messages = list(recorded.messages())
    assert len(messages) >= 6
    assert {key for key, _ in messages} <= set(recorded.devices) == {f"demo/fridge-00{n}" for n in (1, 2, 3)}
    assert all(body.done > recorded.first_time() for _, body in messages)


def echo(request: Request) -> dict[str, str]:
    return {"got": type(request).__name__}


def test_a_folder_with_a_long_name_has_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    server = ControlServer(folder, echo)
    server.start()
    assert len(str(server.path).encode()) < 100
    assert ask(folder, Status()) == {"got": "Status"}
    assert server.path.stat().st_mode & 0o077 == 0
    server.stop()
    assert not server.path.exists()
    with pytest.raises(NotRunningError, match="wellkept sim run"):
        ask(folder, Status())


def test_what_is_no_request_is_answered_and_the_next_one_served(tmp_path: Path) -> None:
    server = ControlServer(tmp_path, echo)
    server.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.path))
        with client.makefile("rwb") as line:
            for sent, ok in ((b"{", False), (b'{"do":"jump"}', False), (b'{"do":"status","x":1}', False)):
                line.write(sent + b"\n")
                line.flush()
                assert msgspec.json.decode(line.readline(), type=Answer).ok is ok
            line.write(b'{"do":"status"}\n')
            line.flush()
            assert msgspec.json.decode(line.readline(), type=Answer).result == {"got": "Status"}
    server.stop()


def test_without_a_process_there_is_nobody_to_ask(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="no fleet runs"):
        ask(tmp_path, Status())
