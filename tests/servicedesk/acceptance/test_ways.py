"""Where no technician reaches: the alternatives with their dates, and a repair away from home to its proof."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from servicedesk.errors import ConflictError, IllegalMoveError, UnknownError
from servicedesk.office import OWNER
from servicedesk.states import TicketState, VisitState
from servicedesk.way_offers import live_case, way_offers
from servicedesk.way_rows import Way, WayKind, WayState
from servicedesk.ways import move_way, take_way
from tests.servicedesk.world import World

POINT = Way(
    id=uuid.UUID(int=1),
    org="demo",
    kind=WayKind.SERVICE_POINT,
    name="North Gate",
    address="Road 9",
    hours="9-18",
    kinds=("refrigerator",),
    lead_days=1,
    work_days=3,
)
MAIL = Way(id=uuid.UUID(int=2), org="demo", kind=WayKind.MAIL_IN, name="Depot", lead_days=2, work_days=6)
FAR = replace(POINT, id=uuid.UUID(int=3), name="Far", areas=("elsewhere",))
OTHER = replace(POINT, id=uuid.UUID(int=4), name="Washers", kinds=("washing_machine",))
AWAY = (WayState.PICKED_UP, WayState.RECEIVED, WayState.ON_BENCH, WayState.MENDED)


def world_without_technicians() -> World:
    world = World()
    world.desk.people.technician_rows.clear()
    for way in (POINT, MAIL, FAR, OTHER):
        world.desk.ways.register(way)
    return world


def test_where_no_technician_reaches_the_alternatives_are_told_with_their_dates() -> None:
    world = world_without_technicians()
    ticket = world.opened()
    world.work()
    assert [each.way.name for each in way_offers(world.office, ticket, world.now)] == ["North Gate", "Depot"]
    (told,) = world.notices(ticket)
    assert told.stage == "alert_ways"
    assert "North Gate" in told.body
    first = way_offers(world.office, ticket, world.now)[0]
    assert f"{first.back.day} March" in told.body


def test_where_somebody_comes_nothing_else_is_pressed_on_the_owner() -> None:
    world = World()
    world.desk.ways.register(POINT)
    ticket = world.opened()
    world.work()
    assert world.stages(ticket) == ["alert"]
    # It may be chosen all the same; the visit that was proposed is given up.
    take_way(world.office, ticket.id, POINT.id, world.now, OWNER)
    (visit,) = world.desk.visits.of_ticket(ticket.id)
    assert visit.state is VisitState.CANCELLED
    assert world.desk.parts.rows["demo", "RF-FAN-120"].reserved == 0
    assert "cancelled" not in world.stages(ticket)
    assert "way_service_point" in world.stages(ticket)


def test_a_repair_away_from_home_ends_in_the_telemetrys_proof() -> None:
    world = world_without_technicians()
    ticket = world.opened()
    world.work()
    case = take_way(world.office, ticket.id, MAIL.id, world.now, OWNER)
    assert world.ticket(ticket).state is TicketState.PLANNED
    with pytest.raises(ConflictError):
        take_way(world.office, ticket.id, POINT.id, world.now, OWNER)
    with pytest.raises(IllegalMoveError):
        move_way(world.office, case.id, WayState.RETURNED, world.now, "dispatch")
    for state in AWAY:
        move_way(world.office, case.id, state, world.now, "dispatch", cause="condenser_fan_wear")
    assert world.ticket(ticket).state is TicketState.IN_REPAIR
    done = move_way(world.office, case.id, WayState.RETURNED, world.now, "dispatch")
    assert done.returned == world.now
    assert world.ticket(ticket).state is TicketState.DONE
    assert [kind for _, kind, _, _ in world.desk.agenda.controls.values()] == ["repair_done"]
    assert live_case(world.office, ticket.id) is None


def test_what_could_not_be_mended_is_planned_anew() -> None:
    world = world_without_technicians()
    ticket = world.opened()
    world.work()
    case = take_way(world.office, ticket.id, MAIL.id, world.now, OWNER)
    for state in AWAY:
        move_way(world.office, case.id, state, world.now, "dispatch", mended=False, note="no part for it")
    move_way(world.office, case.id, WayState.RETURNED, world.now, "dispatch")
    assert world.ticket(ticket).state is TicketState.OPEN
    with pytest.raises(UnknownError):
        take_way(world.office, ticket.id, FAR.id, world.now, OWNER)
