"""What dispatch does besides moving tickets: notes, hands, absences, and groups of faults."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from servicedesk.absences import Absence, AbsenceError, enter_absence, touched
from servicedesk.errors import NeedsReasonError
from servicedesk.fleet_faults import FaultGroup
from servicedesk.model import Technician, Ticket, Visit, Window
from servicedesk.noting import NotOursError, hand_over, note
from servicedesk.promises import escalate
from servicedesk.rates import at_least
from servicedesk.states import TicketState, VisitState
from tests.servicedesk.world import START, World

ANA, BO = "dispatch:ana", "dispatch:bo"


def planned() -> tuple[World, Ticket, Visit, Technician]:
    world = World()
    ticket = world.opened()
    world.work()
    visit = world.visit(ticket)
    who = next(each for each in world.desk.people.technicians("demo") if each.id == visit.technician)
    return world, ticket, visit, who


def test_a_note_tells_nobody_and_stops_no_clock() -> None:
    world, ticket, _, _ = planned()
    told, clocks = len(world.notices(ticket)), world.desk.levels.clocks.of_ticket(ticket.id)
    note(world.office, ticket.id, "  cat at home ", world.now, ANA)
    world.work()
    line = world.desk.tickets.timeline(ticket.id)[-1]
    assert (line.kind, line.actor, line.body) == ("note", ANA, {"words": "cat at home"})
    assert len(world.notices(ticket)) == told
    assert world.desk.levels.clocks.of_ticket(ticket.id) == clocks
    with pytest.raises(NeedsReasonError):
        note(world.office, ticket.id, "  ", world.now, ANA)


def test_a_case_goes_from_hand_to_hand_and_up() -> None:
    world, ticket, _, _ = planned()
    before = world.ticket(ticket)
    taken = hand_over(world.office, ticket.id, ANA, world.now, ANA)
    assert (taken.responsible, taken.next_action, taken.next_due) == (ANA, before.next_action, before.next_due)
    kinds = [line.kind for line in world.desk.tickets.timeline(ticket.id)][-2:]
    assert kinds == ["handed_over", "acknowledged"]
    assert hand_over(world.office, ticket.id, ANA, world.now, ANA).version == taken.version
    given = hand_over(world.office, ticket.id, BO, world.now, ANA)
    assert given.responsible == BO
    # Whoever of dispatch has it: what is in danger goes to a supervisor.
    assert escalate(world.office, given, world.now, why="late").responsible == "supervisor"
    with pytest.raises(NotOursError):
        hand_over(world.office, ticket.id, "owner", world.now, ANA)
    world.confirm(ticket)
    with pytest.raises(NotOursError):
        hand_over(world.office, ticket.id, ANA, world.now, ANA)


def test_an_absence_names_what_it_touches_and_proposes_other_times() -> None:
    world, ticket, visit, who = planned()
    away = Window(visit.start - timedelta(hours=1), visit.end + timedelta(hours=1))
    assert [(row.ref, row.visit.id, row.movable) for row in touched(world.office, who.id, away)] == [
        (ticket.ref, visit.id, True)
    ]
    other = next(each for each in world.desk.people.technicians("demo") if each.id != who.id)
    assert touched(world.office, other.id, away) == []
    assert world.visit(ticket) == visit
    (row,) = enter_absence(world.office, Absence(who, away, "ill"), world.now, ANA, replan=True)
    assert row.new is not None
    assert world.desk.visits.get(visit.id).state is VisitState.MOVED
    new = world.visit(ticket)
    assert new.id == row.new.id
    assert new.technician != who.id or not new.window.overlaps(away)
    assert touched(world.office, who.id, away) == []
    assert "technician_away" in [line.kind for line in world.desk.tickets.timeline(ticket.id)]


def test_what_nobody_can_take_over_goes_to_dispatch() -> None:
    world, ticket, visit, who = planned()
    world.confirm(ticket)
    away = Window(visit.start, visit.end)
    for each in world.desk.people.technicians("demo"):
        if each.id != who.id:
            world.desk.people.technician_rows.remove(each)
    whole = Window(away.start - timedelta(days=1), away.start + timedelta(days=30))
    (row,) = enter_absence(world.office, Absence(who, whole), world.now, ANA, replan=True)
    assert row.new is None
    held = world.ticket(ticket)
    assert (held.responsible, held.next_action, held.state) == ("dispatch", "plan_visit", TicketState.PLANNED)
    assert world.desk.visits.get(visit.id).state is VisitState.CONFIRMED


def test_an_absence_in_the_past_or_backwards_is_none() -> None:
    world, _, visit, who = planned()
    for away in (Window(visit.end, visit.start), Window(START - timedelta(days=2), START - timedelta(days=1))):
        with pytest.raises(AbsenceError):
            enter_absence(world.office, Absence(who, away), world.now, ANA, replan=False)


def group(devices: int, findings: int, fleet: int = 1_000, all_findings: int = 20) -> FaultGroup:
    return FaultGroup(
        kind="refrigerator",
        family="condenser_airflow",
        by="model",
        name="lx260",
        devices=devices,
        findings=findings,
        fleet=fleet,
        fleet_findings=all_findings,
        first=START,
    )


def test_a_group_stands_out_against_the_rest_of_its_kind() -> None:
    assert group(100, 12).stands_out
    assert not group(100, 2).stands_out
    assert not group(1_000, 20).stands_out
    assert group(100, 12).expected == pytest.approx(100 * (8 + 0.02) / 901)
    # A rest without any finding is not one that never has them.
    assert 0 < group(100, 3, all_findings=3).expected < 1
    assert replace(group(100, 12), findings=0).chance == 1


def test_the_tail_is_poissons() -> None:
    assert at_least(0, 2.0) == 1
    assert at_least(1, 2.0) == pytest.approx(1 - 2.718281828**-2, abs=1e-6)
    assert at_least(60, 2.0) < 1e-9
