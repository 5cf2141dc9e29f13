"""The device's own test, from the desk's side: asked for once, answered, silent, late, and put on the ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from servicedesk.care_rows import SelfTestStatus
from servicedesk.model import Ticket
from servicedesk.policy import self_test_helps
from servicedesk.self_tests import ANSWERED, PATIENCE, SILENT, NoSelfTestError, ask_self_test, take_answer
from telemetry.finding import Cause, Finding
from tests.servicedesk.world import CATALOGUE, World, finding

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


def doubtful(p: float = 0.6, *, severity: int = 3, revision: int = 0) -> Finding:
    causes = (Cause("condenser_fan_wear", p), Cause("unknown", 1 - p))
    return finding(causes=causes, severity=severity, revision=revision)


def test_the_desk_asks_once_by_itself_where_the_first_cause_is_in_doubt(world: World) -> None:
    ticket = world.opened(doubtful())
    assert [each.actor for each in world.desk.care.help.tests(ticket.id)] == ["system"]
    world.report(doubtful(revision=1))
    assert kinds(world, ticket) == ["self_test_asked"]


def test_the_desk_asks_by_itself_where_two_causes_read_otherwise(world: World) -> None:
    close = (Cause("condenser_fan_wear", 0.82), Cause("condenser_dust", 0.15), Cause("unknown", 0.03))
    assert kinds(world, world.opened(finding(causes=close))) == ["self_test_asked"]


def test_a_persons_question_takes_the_place_of_the_desks_own(world: World) -> None:
    ticket = world.opened(doubtful())
    first = world.desk.care.help.tests(ticket.id)[0]
    asked = ask_self_test(world.office, ticket.id, world.now, "dispatch")
    assert [each.id for each in world.desk.care.help.tests(ticket.id) if each.answered is None] == [asked.id]
    # Nobody is told of a silence that nobody waited for, and the answer to the first question still counts.
    assert kinds(world, ticket) == ["self_test_asked", "self_test_asked"]
    world.desk.care.help.test_answers[first.id] = {"status": "ok", "values": {"fan_rpm": 940.0}}
    take_answer(world.office, first.id, world.now)
    assert kinds(world, ticket) == ["self_test_asked", "self_test_asked", "self_test"]


@pytest.mark.parametrize("found", [doubtful(p=0.9), doubtful(severity=1)], ids=["sure", "safety"])
def test_the_desk_does_not_ask_where_it_helps_nobody_or_may_harm(world: World, found: Finding) -> None:
    assert kinds(world, world.opened(found)) == []


def test_a_kind_without_a_table_is_not_asked() -> None:
    page = CATALOGUE["refrigerator"]
    assert self_test_helps(doubtful(), page)
    assert not self_test_helps(doubtful(), msgspec.structs.replace(page, self_test={}))


def test_the_answer_s_effect_stands_on_the_timeline_and_the_visit_brings_the_other_part(world: World) -> None:
    ticket = world.opened(doubtful())
    world.work()
    (visit,) = world.desk.visits.of_ticket(ticket.id)
    assert visit.parts == ("RF-FAN-120",)
    (test,) = world.desk.care.help.tests(ticket.id)
    now_dust = (Cause("condenser_dust", 0.9), Cause("condenser_fan_wear", 0.06), Cause("unknown", 0.04))
    world.report(finding(causes=now_dust, revision=1))
    world.desk.care.help.test_answers[test.id] = ANSWER
    take_answer(world.office, test.id, world.now)
    told = world.desk.tickets.timeline(ticket.id)[-1]
    assert told.body["causes"][0] == ["condenser_dust", 0.9]
    assert told.body["before"][0] == ["condenser_fan_wear", 0.6]
    assert world.desk.tickets.get(ticket.id).fault == "condenser_dust"
    (visit,) = world.desk.visits.of_ticket(ticket.id)
    assert visit.parts == ()
    assert world.desk.parts.put_aside(visit.id) == frozenset()


def test_an_answer_without_a_revision_has_no_effect(world: World) -> None:
    ticket = world.opened(doubtful())
    (test,) = world.desk.care.help.tests(ticket.id)
    world.desk.care.help.test_answers[test.id] = ANSWER
    take_answer(world.office, test.id, world.now)
    assert "causes" not in world.desk.tickets.timeline(ticket.id)[-1].body
    assert world.desk.tickets.get(ticket.id).fault == "condenser_fan_wear"
