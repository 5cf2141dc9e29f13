"""The device's own test, from the desk's side: asked for once, answered, silent, late, and put on the ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from servicedesk.care_rows import SelfTestStatus
from servicedesk.model import Ticket
from servicedesk.self_tests import ANSWERED, PATIENCE, SILENT, NoSelfTestError, ask_self_test, take_answer
from tests.servicedesk.world import World

ANSWER = {"status": "ok", "values": {"fan_rpm": 940.0}, "error": ""}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def ticket(world: World) -> Ticket:
    return world.opened()


def kinds(world: World, ticket: Ticket) -> list[str]:
    return [event.kind for event in world.desk.tickets.timeline(ticket.id) if event.kind.startswith("self_test")]


def test_an_answer_stands_on_the_ticket_once(world: World, ticket: Ticket) -> None:
    help_ = world.desk.care.help
    test = ask_self_test(world.office, ticket.id, world.now, "dispatch")
    with pytest.raises(NoSelfTestError, match="not been answered"):
        ask_self_test(world.office, ticket.id, world.now, "dispatch")
    take_answer(world.office, test.id, world.now)
    assert help_.get_test(test.id).status is None
    help_.test_answers[test.id] = ANSWER
    for _ in range(2):
        take_answer(world.office, test.id, world.now)
    kept = help_.get_test(test.id)
    assert (kept.status, kept.values) == (SelfTestStatus.OK, {"fan_rpm": 940.0})
    assert kinds(world, ticket) == ["self_test_asked", "self_test"]
    world.step(world.now + PATIENCE)
    assert kinds(world, ticket) == ["self_test_asked", "self_test"]


def test_a_silent_device_is_said_so_and_a_late_answer_counts(world: World, ticket: Ticket) -> None:
    test = ask_self_test(world.office, ticket.id, world.now, "dispatch")
    world.step(world.now + PATIENCE + timedelta(minutes=1))
    assert world.desk.care.help.get_test(test.id).status is SelfTestStatus.SILENT
    world.desk.care.help.test_answers[test.id] = ANSWER
    take_answer(world.office, test.id, world.now)
    assert world.desk.care.help.get_test(test.id).status is SelfTestStatus.OK
    # Once it is answered the device may be asked again.
    ask_self_test(world.office, ticket.id, world.now, "dispatch")


def test_who_cannot_be_asked_is_told_why(world: World, ticket: Ticket) -> None:
    number = ticket.device
    people = world.desk.people
    people.appliances[number] = replace(people.appliances[number], kind="smart_plug")
    with pytest.raises(NoSelfTestError, match="only measures"):
        ask_self_test(world.office, ticket.id, world.now, "dispatch")


def test_due_things_of_tests_are_known(world: World, ticket: Ticket) -> None:
    test = ask_self_test(world.office, ticket.id, world.now, "dispatch")
    world.desk.care.help.test_answers[test.id] = ANSWER
    world.desk.agenda.set_due(ANSWERED, test.id, world.now)
    world.step(world.now + timedelta(seconds=1))
    assert world.desk.care.help.get_test(test.id).status is SelfTestStatus.OK
    assert SILENT != ANSWERED
