"""Where no technician reaches: the alternatives with their dates, and a repair away from home to its proof."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date

import pytest

from servicedesk.billing import ChargeError
from servicedesk.errors import ConflictError, IllegalMoveError, NeedsReasonError, UnknownError
from servicedesk.model import Ticket
from servicedesk.money import LineKind, total
from servicedesk.office import OWNER
from servicedesk.quoting import agreed, approve_quote, draft_quote, send_quote
from servicedesk.states import TicketState, VisitState
from servicedesk.way_offers import live_case, way_offers
from servicedesk.way_rows import Way, WayCase, WayKind, WayState
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
PARTNER = replace(POINT, id=uuid.UUID(int=5), name="Neighbour", kind=WayKind.PARTNER)
AWAY = (WayState.PICKED_UP, WayState.RECEIVED, WayState.ON_BENCH, WayState.MENDED)


def world_without_technicians(*more: Way) -> World:
    world = World()
    world.desk.people.technician_rows.clear()
    for way in (POINT, MAIL, FAR, OTHER, *more):
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


def on_the_bench(world: World, way: Way) -> tuple[Ticket, WayCase]:
    """An appliance out of warranty that is being mended elsewhere."""
    own = replace(world.appliance, warranty_until=date(2025, 1, 1))
    world.desk.people.appliances[1] = own
    ticket = world.opened()
    world.work()
    case = take_way(world.office, ticket.id, way.id, world.now, OWNER)
    for state in (WayState.RECEIVED, WayState.ON_BENCH):
        case = move_way(world.office, case.id, state, world.now, "dispatch")
    return ticket, case


@pytest.mark.parametrize("way", [POINT, MAIL, PARTNER], ids=lambda each: str(each.kind))
def test_hidden_and_excessive_fees_by_another_way_too_nothing_above_what_was_agreed_is_charged(way: Way) -> None:
    world = world_without_technicians(PARTNER)
    ticket, case = on_the_bench(world, way)
    most, _ = agreed(world.office, ticket, world.now)
    assert most > 0
    with pytest.raises(ChargeError) as caught:
        move_way(world.office, case.id, WayState.MENDED, world.now, "dispatch", charged=most + 1)
    assert caught.value.most == most
    assert world.desk.money.bills.of_ticket(ticket.id) == []
    move_way(world.office, case.id, WayState.MENDED, world.now, "dispatch", cause="condenser_fan_wear")
    (bill,) = world.desk.money.bills.of_ticket(ticket.id)
    assert (bill.visit, bill.way, bill.most) == (None, case.id, most)
    assert 0 < bill.total == total(bill.lines) <= most
    assert any(line.kind is LineKind.CALL_OUT for line in bill.lines) == (way.kind is not WayKind.SERVICE_POINT)


def test_hidden_and_excessive_fees_by_another_way_the_quote_is_the_most() -> None:
    world = world_without_technicians()
    ticket, case = on_the_bench(world, MAIL)
    quote = draft_quote(world.office, ticket.id, world.now, "dispatch")
    send_quote(world.office, quote.id, world.now, "dispatch")
    approve_quote(world.office, quote.id, world.now, OWNER)
    strange = {"parts": ("RF-FAN-120", "RF-GAS-600A"), "cause": "condenser_fan_wear"}
    with pytest.raises(NeedsReasonError, match="RF-GAS-600A"):
        move_way(world.office, case.id, WayState.MENDED, world.now, "dispatch", **strange)  # type: ignore[arg-type]
    move_way(world.office, case.id, WayState.MENDED, world.now, "dispatch", note="the circuit was empty", **strange)  # type: ignore[arg-type]
    (bill,) = world.desk.money.bills.of_ticket(ticket.id)
    assert (bill.quote, bill.total, bill.most) == (quote.id, quote.total, quote.total)
    assert any(line.kind is LineKind.PROMISE for line in bill.lines)


def test_hidden_and_excessive_fees_by_another_way_what_is_not_mended_costs_nothing() -> None:
    world = world_without_technicians()
    ticket, case = on_the_bench(world, MAIL)
    move_way(world.office, case.id, WayState.MENDED, world.now, "dispatch", mended=False, note="beyond repair")
    assert world.desk.money.bills.of_ticket(ticket.id) == []


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
