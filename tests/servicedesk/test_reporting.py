from __future__ import annotations

from datetime import timedelta

import pytest

from servicedesk.errors import UnknownError
from servicedesk.office import SUPERVISOR
from servicedesk.reporting import COMPLAINT, REPORTED, complain, report_fault
from servicedesk.states import TicketState, VisitState
from tests.servicedesk.world import START, World, finding

WORDS = "It no longer cools."


def kinds(world: World) -> list[str]:
    return [event.kind for event in world.desk.tickets.events]


def test_what_telemetry_missed_becomes_a_ticket_with_a_visit() -> None:
    world = World()
    ticket = report_fault(world.office, world.appliance, "refrigerant", WORDS, START)
    world.work()
    ticket = world.ticket(ticket)
    assert (ticket.family, ticket.finding, ticket.state) == ("refrigerant", None, TicketState.OPEN)
    assert ticket.priority == 10
    visit = world.visit(ticket)
    assert (visit.state, visit.parts) == (VisitState.PROPOSED, ("RF-GAS-600A",))
    event = next(each for each in world.desk.tickets.timeline(ticket.id) if each.kind == REPORTED)
    assert (event.actor, event.body["words"]) == ("owner", WORDS)
    # What telemetry finds later belongs to it.
    assert world.report(finding(family="refrigerant")) is None


def test_words_that_point_nowhere_take_the_most_frequent_family() -> None:
    world = World()
    ticket = report_fault(world.office, world.appliance, None, WORDS, START)
    assert ticket.family == "condenser_airflow"


def test_an_open_ticket_is_met_not_doubled() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    met = report_fault(world.office, world.appliance, ticket.family, WORDS, START)
    assert met.id == ticket.id
    assert met.priority == 10
    assert len(world.desk.tickets.rows) == 1
    assert len(world.desk.visits.rows) == 1
    assert REPORTED in kinds(world)


def test_a_repaired_appliance_that_failed_is_taken_up_again() -> None:
    world = World()
    ticket, _ = world.repaired()
    again = report_fault(world.office, world.appliance, ticket.family, WORDS, world.now + timedelta(hours=1))
    assert (again.id, again.state, again.callout_free) == (ticket.id, TicketState.REOPENED, True)


def test_a_family_that_the_kind_does_not_have_is_refused_with_those_it_has() -> None:
    world = World()
    with pytest.raises(UnknownError, match="condenser_airflow"):
        report_fault(world.office, world.appliance, "drainage", WORDS, START)


def test_a_complaint_without_a_visit_is_a_call_at_once() -> None:
    world = World()
    ticket = world.opened()
    complained = complain(world.office, ticket.id, "Nobody called.", START)
    assert (complained.responsible, complained.next_action) == (SUPERVISOR, "call_owner")
    assert complained.next_due == START + timedelta(minutes=5)
    assert kinds(world).count(COMPLAINT) == 1


def test_a_complaint_about_a_visit_under_way_stays_on_the_timeline() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    before = world.ticket(ticket)
    assert complain(world.office, ticket.id, "So late.", START).next_action == before.next_action
    assert COMPLAINT in kinds(world)
