"""A technician's way to a visit: van, position, delay, and the list that is ticked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from servicedesk.checklists import Phase, checklist, open_steps
from servicedesk.errors import IllegalMoveError, NeedsReasonError
from servicedesk.model import Outcome, OutcomeCode, PartStock, Visit
from servicedesk.office import OWNER
from servicedesk.on_the_road import (
    LATE,
    arrive,
    cannot_come,
    load_van,
    note_position,
    running_late,
    set_out,
    steps_of,
    tick,
)
from servicedesk.planning import confirm
from servicedesk.selfcheck import AnswerError
from servicedesk.states import TicketState, VisitState
from servicedesk.travel import Place
from servicedesk.visiting import finish, move_visit
from tests.servicedesk.world import CATALOGUE, World

HERE = Place(31.2, 121.5)
WHO = "technician:x"


def booked(world: World) -> Visit:
    """A visit that the owner has agreed to, an hour before its window."""
    ticket = world.opened()
    world.work()
    visit = confirm(world.office, world.visit(ticket).id, world.now, OWNER)
    world.now = visit.start - timedelta(hours=1)
    return visit


def test_every_fault_of_the_catalogue_has_a_whole_list() -> None:
    for name, kind in CATALOGUE.kinds.items():
        for fault in kind.faults:
            phases = {step.phase for step in checklist(name, fault, [])}
            assert phases == {Phase.SAFETY, Phase.TEST, Phase.REPAIR, Phase.PROOF}, f"{name}.{fault}"
    assert checklist("toaster", None, []) == ()


def test_a_position_lives_as_long_as_the_journey() -> None:
    world = World()
    visit = booked(world)
    with pytest.raises(IllegalMoveError):
        note_position(world.office, visit.id, HERE, world.now)
    set_out(world.office, visit.id, world.now, WHO)
    assert set_out(world.office, visit.id, world.now, WHO).state is VisitState.TRAVELLING
    note_position(world.office, visit.id, HERE, world.now)
    known = world.desk.day.position(visit.id)
    assert known is not None
    assert known.place == HERE
    arrive(world.office, visit.id, world.now, WHO)
    assert world.desk.day.position(visit.id) is None
    with pytest.raises(IllegalMoveError):
        note_position(world.office, visit.id, HERE, world.now)


@pytest.mark.parametrize("end", [VisitState.MISSED, VisitState.CANCELLED])
def test_a_journey_that_ends_otherwise_leaves_no_position(end: VisitState) -> None:
    world = World()
    visit = booked(world)
    set_out(world.office, visit.id, world.now, WHO)
    note_position(world.office, visit.id, HERE, world.now)
    move_visit(world.office, visit.id, end, world.now, WHO, reason="the van broke down")
    assert world.desk.day.position(visit.id) is None


def test_the_household_is_told_each_time_it_gets_later() -> None:
    world = World()
    visit = booked(world)
    expected = visit.start + timedelta(minutes=30)
    running_late(world.office, visit.id, expected, world.now, WHO)
    told = running_late(world.office, visit.id, expected + timedelta(minutes=30), world.now, WHO)
    assert told.times == 2
    letters = [each for each in world.desk.notices.of_ticket(visit.ticket) if each.stage == LATE]
    assert len(letters) == 2
    assert "about" in letters[1].subject
    for wrong in (world.now, visit.end + timedelta(hours=25)):
        with pytest.raises(AnswerError):
            running_late(world.office, visit.id, wrong, world.now, WHO)
    set_out(world.office, visit.id, world.now, WHO)
    arrive(world.office, visit.id, world.now, WHO)
    with pytest.raises(IllegalMoveError):
        running_late(world.office, visit.id, expected, world.now, WHO)


def test_a_visit_that_cannot_be_made_is_planned_again() -> None:
    world = World()
    visit = booked(world)
    with pytest.raises(NeedsReasonError):
        cannot_come(world.office, visit.id, " ", world.now, WHO)
    assert cannot_come(world.office, visit.id, "van broke down", world.now, WHO).state is VisitState.MISSED
    assert cannot_come(world.office, visit.id, "again", world.now, WHO).reason == "van broke down"
    ticket = world.desk.tickets.get(visit.ticket)
    assert (ticket.state, ticket.next_action) == (TicketState.OPEN, "plan_visit")
    world.work()
    assert world.visit(ticket).state is VisitState.PROPOSED


def test_the_list_is_ticked_and_the_van_is_loaded() -> None:
    world = World()
    visit = booked(world)
    steps = steps_of(world.office, world.desk.tickets.get(visit.ticket), visit)
    assert [step.id for step in steps][:3] == ["van:RF-FAN-120", "safety-1", "safety-2"]
    assert load_van(world.office, visit.id, world.now, WHO).state is VisitState.DISPATCHED
    assert load_van(world.office, visit.id, world.now, WHO).state is VisitState.DISPATCHED
    tick(world.office, visit.id, "safety-1", world.now, WHO, done=True)
    tick(world.office, visit.id, "safety-1", world.now, WHO, done=False)
    left = open_steps(steps, world.desk.day.ticks(visit.id))
    assert [step.id for step in left][:2] == ["safety-1", "safety-2"]
    with pytest.raises(AnswerError):
        tick(world.office, visit.id, "safety-9", world.now, WHO, done=True)
    cannot_come(world.office, visit.id, "ill", world.now, WHO)
    with pytest.raises(IllegalMoveError):
        tick(world.office, visit.id, "safety-1", world.now, WHO, done=True)


def test_a_part_that_nobody_had_put_aside_leaves_the_van() -> None:
    world = World()
    visit = booked(world)
    set_out(world.office, visit.id, world.now, WHO)
    arrive(world.office, visit.id, world.now, WHO)
    vans, depot = world.desk.parts.in_vans, world.desk.parts.rows
    vans[visit.technician, "RF-PTC-START"] = PartStock(org="demo", sku="RF-PTC-START", on_hand=2)
    before = depot["demo", "RF-NTC-10"].on_hand
    outcome = Outcome(
        visit=visit.id,
        code=OutcomeCode.REPAIRED,
        at=world.now,
        actor=WHO,
        cause="condenser_fan_wear",
        parts=("RF-FAN-120", "RF-PTC-START", "RF-NTC-10"),
        note="starter and probe were worn as well",
    )
    finish(world.office, outcome)
    assert vans[visit.technician, "RF-PTC-START"] == replace(
        PartStock(org="demo", sku="RF-PTC-START", on_hand=1), reserved=0
    )
    assert depot["demo", "RF-NTC-10"].on_hand == before - 1
    finish(world.office, outcome)
    assert vans[visit.technician, "RF-PTC-START"].on_hand == 1
