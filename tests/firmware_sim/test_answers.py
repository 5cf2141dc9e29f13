"""What a device was asked outlives the simulator's restart, the device's own, and the time it is away."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from firmware_sim.answers import FILE, AnswerBook
from firmware_sim.commands import SELF_TEST, Commands
from firmware_sim.comms import Restart
from firmware_sim.courier import Courier
from firmware_sim.fleet import Fleet
from firmware_sim.runner import Runner, open_fleet
from firmware_sim.scenario import FleetEntry, Scenario
from stack.embedded_nats import EmbeddedNats
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS, FleetClock, system_wall
from telemetry.command import Command, Response, Status, decode_response, new_command
from telemetry.topics import Channel
from tests.firmware_sim.answering import Answering
from tests.firmware_sim.listener import Listener
from tests.spine.rig import wait_for

CATALOGUE = load_catalogue()
START = 1_772_323_200 * MICROS
SMALL = Scenario(id="small", title="small", fleet=(FleetEntry(kind="refrigerator", count=2),))
FRIDGE = "demo/fridge-001"


class Post:
    """A fleet with its courier, by hand: time is the fleet's own, and what is said is kept."""

    def __init__(self, folder: Path, snapshot: bytes | None = None) -> None:
        self.fleet = Fleet(SMALL, 1001, START, CATALOGUE)
        if snapshot is None:
            self.fleet.advance(START + 3600 * MICROS)
        else:
            self.fleet.restore(snapshot)
        self.said: list[Response] = []
        self.changed = threading.Condition()
        self.kept = self.fleet.snapshot()
        self.courier = Courier(
            Commands(self.fleet),
            AnswerBook(folder / FILE),
            threading.RLock(),
            now=lambda: self.fleet.now,
            until=lambda due: max(due - self.fleet.now, 0) / MICROS,
            respond=self._respond,
            keep=self._keep,
        )
        self.courier.start()

    def _respond(self, _device: str, payload: bytes) -> None:
        with self.changed:
            self.said.append(decode_response(payload))
            self.changed.notify_all()

    def _keep(self) -> None:
        self.kept = self.fleet.snapshot()

    def ask(self, wanted: str, name: str = "self_test") -> None:
        self.courier.hand_in(FRIDGE, new_command(wanted, name))

    def answer(self, count: int = 1) -> Response:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.said) >= count, 10)
        return self.said[-1]


def under_way(folder: Path, wanted: str) -> None:
    """Wait until the test is on disk."""
    wait_for(lambda: wanted.encode() in (folder / FILE).read_bytes(), 10, "the test to begin")


def test_a_self_test_goes_on_after_the_simulator_was_killed(tmp_path: Path) -> None:
    one = Post(tmp_path)
    one.ask("t-1")
    under_way(tmp_path, "t-1")
    true = one.fleet.self_test(FRIDGE)
    # Killed: nothing is closed, the last line is torn, and the fleet wakes where it was last kept.
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"device":"demo/fridge-001","id":"t-1","giv')
    two = Post(tmp_path, one.kept)
    begun = two.fleet.now
    two.ask("busy")
    assert two.answer().status is Status.BUSY
    two.fleet.advance(begun + SELF_TEST)
    found = two.answer(2)
    assert (found.id, found.status, found.t) == ("t-1", Status.OK, (begun + SELF_TEST) / MICROS)
    assert found.values == pytest.approx(true, rel=0.05)
    two.courier.stop()
    # Given: nobody says it again unless asked under the same id, and then it is not carried out again.
    three = Post(tmp_path, two.fleet.snapshot())
    three.fleet.advance(begun + 10 * SELF_TEST)
    three.ask("t-1")
    assert three.answer() == found
    three.courier.stop()
    assert len(three.said) == 1
    one.courier.stop()


def test_a_self_test_that_a_restart_of_the_device_cuts_short_begins_anew(tmp_path: Path) -> None:
    post = Post(tmp_path)
    asked = post.fleet.now
    post.ask("t-2")
    under_way(tmp_path, "t-2")
    down = asked + SELF_TEST // 2
    post.fleet.intervene(Restart(device=FRIDGE, at=down))
    back = post.fleet.comms.restarted(0, asked, asked + SELF_TEST)
    assert back is not None
    assert back > down
    post.fleet.advance(asked + SELF_TEST)
    wait_for(lambda: (tmp_path / FILE).read_bytes().count(b'"t-2"') >= 4, 10, "the test to begin anew")
    assert not post.said
    post.fleet.advance(back + SELF_TEST)
    post.fleet.advance(back + SELF_TEST + 60 * MICROS)
    found = post.answer()
    assert (found.id, found.status, found.t) == ("t-2", Status.OK, (back + SELF_TEST) / MICROS)
    post.courier.stop()


def test_the_book_forgets_old_answers_and_none_that_is_open(tmp_path: Path) -> None:
    fleet = Fleet(SMALL, 1001, START, CATALOGUE)
    commands, book = Commands(fleet), AnswerBook(tmp_path / FILE)
    for number in range(30):
        fleet.advance(fleet.now + SELF_TEST)
        asked = Command(v=1, id=f"n-{number}", command="self_test")
        book.note(FRIDGE, asked, commands.take(FRIDGE, asked))
        if number != 3:
            book.given(FRIDGE, asked.id)
    book.close()
    for _ in range(2):
        book = AnswerBook(tmp_path / FILE)
        kept = book.kept()
        book.close()
        assert [one.command.id for one in kept if not one.given] == ["n-3"]
        assert [one.command.id for one in kept if one.given] == [f"n-{number}" for number in range(22, 30)]
    assert all(one.answer == commands.take(FRIDGE, one.command) for one in kept)


@pytest.mark.stack
def test_a_gateway_keeps_what_it_hears_for_a_device_that_is_away(nats: EmbeddedNats, tmp_path: Path) -> None:
    server, answers = Answering(nats.mqtt_url("ingest")), Listener(nats.mqtt_url("ingest"), Channel.RESPONSE)
    runner = Runner(open_fleet(tmp_path, SMALL, 1001, START), tmp_path, nats.mqtt_url("gateway"), system_wall)
    runner.start()
    server.clock(FleetClock(1, system_wall(), START, 600.0))
    with server.changed:
        assert server.changed.wait_for(lambda: server.count() >= 2, 30)
    (gateway,) = runner.uplink.gateways
    gateway.hold(FRIDGE)
    # Asked once; the other one answers, so that the first had its time.
    server.ask(FRIDGE, new_command("away", "identify"))
    server.ask("demo/fridge-002", new_command("here", "identify"))
    answers.wait("demo/fridge-002", 1)
    assert not answers.heard[FRIDGE]
    gateway.release(FRIDGE)
    (found,) = (decode_response(one) for one in answers.wait(FRIDGE, 1))
    assert (found.id, found.status) == ("away", Status.OK)
    runner.stop()
    answers.close()
    server.close()
