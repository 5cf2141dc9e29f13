"""Hidden and excessive fees: the price is told before, itemised, approved, and never exceeded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from servicedesk.billing import ChargeError
from servicedesk.errors import IllegalMoveError, NeedsReasonError
from servicedesk.model import Outcome, OutcomeCode, Ticket
from servicedesk.money import LineKind, total
from servicedesk.money_rows import Quote
from servicedesk.notices import seen
from servicedesk.office import OWNER
from servicedesk.quoting import approve_quote, band, decline_quote, draft_quote, send_quote
from servicedesk.states import QuoteState, TicketState, VisitState
from servicedesk.visiting import finish, move_visit
from telemetry.finding import Cause
from tests.servicedesk.world import World, finding

LEAK = finding(family="refrigerant", causes=(Cause("refrigerant_leak", 0.9), Cause("unknown", 0.1)))


def quoted(world: World) -> tuple[Ticket, Quote]:
    """A ticket outside warranty whose visit the owner confirmed, and its quote."""
    ticket = world.opened(LEAK)
    world.work()
    world.confirm(ticket)
    world.work()
    (quote,) = world.desk.quotes.of_ticket(ticket.id)
    return world.ticket(ticket), quote


def on_site(world: World, ticket: Ticket) -> Outcome:
    """The technician stands there; what is reported then."""
    visit = world.visit(ticket)
    world.step(visit.start)
    for state in (VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE):
        move_visit(world.office, visit.id, state, world.now, "technician:1")
    return Outcome(
        visit=visit.id,
        code=OutcomeCode.REPAIRED,
        at=world.now,
        actor="technician:1",
        cause="refrigerant_leak",
        parts=visit.parts,
    )


def under_way(world: World, ticket: Ticket, *states: VisitState) -> None:
    """The technician has set out while the owner still thinks."""
    for state in states:
        move_visit(world.office, world.visit(ticket).id, state, world.now, "technician:1")


def test_hidden_and_excessive_fees_a_yes_finds_the_technician_on_the_way() -> None:
    world = World()
    ticket, quote = quoted(world)
    under_way(world, ticket, VisitState.DISPATCHED, VisitState.TRAVELLING)
    approve_quote(world.office, quote.id, world.now, OWNER)
    ticket = world.ticket(ticket)
    assert (ticket.state, ticket.responsible) == (TicketState.PLANNED, f"technician:{world.visit(ticket).technician}")
    under_way(world, ticket, VisitState.ON_SITE)
    assert world.ticket(ticket).state is TicketState.IN_REPAIR


def test_hidden_and_excessive_fees_a_no_turns_the_technician_round() -> None:
    world = World()
    ticket, quote = quoted(world)
    visit = world.visit(ticket)
    under_way(world, ticket, VisitState.DISPATCHED, VisitState.TRAVELLING)
    decline_quote(world.office, quote.id, world.now, OWNER, "too dear")
    assert world.desk.visits.get(visit.id).state is VisitState.CANCELLED
    assert (world.ticket(ticket).state, world.ticket(ticket).next_action) == (TicketState.OPEN, "call_owner")


def test_hidden_and_excessive_fees_a_no_at_the_door_ends_with_what_the_technician_says() -> None:
    world = World()
    ticket, quote = quoted(world)
    approve_quote(world.office, quote.id, world.now, OWNER)
    outcome = on_site(world, ticket)
    dearer = draft_quote(world.office, ticket.id, world.now, "technician:1", reason="the compressor as well")
    send_quote(world.office, dearer.id, world.now, "technician:1")
    decline_quote(world.office, dearer.id, world.now, OWNER, "too dear")
    ticket = world.ticket(ticket)
    assert (ticket.state, ticket.next_action) == (TicketState.IN_REPAIR, "repair")
    finish(world.office, replace(outcome, code=OutcomeCode.NOT_REPAIRED, cause=None, parts=()))
    assert world.ticket(ticket).state is TicketState.OPEN


def test_hidden_and_excessive_fees_the_band_is_told_before_booking() -> None:
    world = World()
    ticket = world.opened(LEAK)
    told = band(world.office, ticket, world.now)
    assert told is not None
    assert (told.currency, told.low, told.high) == ("CNY", Decimal("420.00"), Decimal("780.00"))
    assert told.minutes > 0


def test_hidden_and_excessive_fees_the_quote_shows_every_line_and_waits_for_the_owner() -> None:
    world = World()
    ticket, quote = quoted(world)
    assert ticket.state is TicketState.AWAITING_QUOTE
    assert [line.kind for line in quote.lines] == [LineKind.CALL_OUT, LineKind.LABOUR, LineKind.PART]
    assert total(quote.lines) == quote.total
    assert 0 < quote.tax < quote.total
    assert "quote" in world.stages(ticket)
    told = next(each for each in world.notices(ticket) if each.stage == "quote")
    assert f"{quote.total}" in told.subject
    assert approve_quote(world.office, quote.id, world.now, OWNER).state is QuoteState.APPROVED
    assert approve_quote(world.office, quote.id, world.now, OWNER).state is QuoteState.APPROVED
    assert world.ticket(ticket).state is TicketState.PLANNED
    assert world.visit(ticket).state is VisitState.CONFIRMED


def test_hidden_and_excessive_fees_a_quote_is_seen_when_the_link_is_opened() -> None:
    world = World()
    ticket, quote = quoted(world)
    assert world.desk.quotes.get(quote.id).state is QuoteState.DELIVERED
    seen(world.office, ticket, world.now)
    world.work()
    assert world.desk.quotes.get(quote.id).state is QuoteState.SEEN


def test_hidden_and_excessive_fees_nothing_above_the_approved_sum_is_charged() -> None:
    world = World()
    ticket, quote = quoted(world)
    approve_quote(world.office, quote.id, world.now, OWNER)
    outcome = on_site(world, ticket)
    with pytest.raises(ChargeError, match="agreed") as refused:
        finish(world.office, replace(outcome, charged=quote.total + 1))
    assert refused.value.most == quote.total
    finish(world.office, outcome)
    (bill,) = world.desk.money.bills.of_ticket(ticket.id)
    assert (bill.total, bill.quote) == (quote.total, quote.id)


def test_hidden_and_excessive_fees_work_above_the_agreed_sum_is_taken_off_again() -> None:
    world = World()
    world.desk.money.bills.own["demo", "RF-GAS-600A"] = Decimal(100)
    ticket, quote = quoted(world)
    approve_quote(world.office, quote.id, world.now, OWNER)
    world.desk.money.bills.own["demo", "RF-GAS-600A"] = Decimal(900)
    finish(world.office, on_site(world, ticket))
    (bill,) = world.desk.money.bills.of_ticket(ticket.id)
    assert bill.total == quote.total
    assert bill.lines[-1].kind is LineKind.PROMISE
    assert bill.lines[-1].amount == Decimal(-800)


def test_hidden_and_excessive_fees_a_part_outside_the_diagnosis_needs_a_reason() -> None:
    world = World()
    ticket, quote = quoted(world)
    approve_quote(world.office, quote.id, world.now, OWNER)
    outcome = replace(on_site(world, ticket), parts=("RF-FAN-120",))
    with pytest.raises(NeedsReasonError, match="RF-FAN-120"):
        finish(world.office, outcome)
    finish(world.office, replace(outcome, note="the fan was worn as well, agreed on the spot"))
    assert world.ticket(ticket).state is TicketState.DONE


def test_hidden_and_excessive_fees_a_quote_above_the_band_needs_a_reason() -> None:
    world = World()
    ticket = world.opened(LEAK)
    world.desk.money.bills.own["demo", "RF-GAS-600A"] = Decimal(900)
    with pytest.raises(NeedsReasonError, match="780"):
        draft_quote(world.office, ticket.id, world.now, "dispatch")
    assert draft_quote(world.office, ticket.id, world.now, "dispatch", reason="the price of the gas rose").total > 900


def test_hidden_and_excessive_fees_what_finds_nothing_costs_nothing() -> None:
    world = World()
    ticket, _ = quoted(world)
    finish(world.office, replace(on_site(world, ticket), code=OutcomeCode.NO_FAULT_FOUND, cause=None, parts=()))
    assert world.desk.money.bills.of_ticket(ticket.id) == []


def test_a_declined_quote_ends_nothing_by_itself_a_person_calls() -> None:
    world = World()
    ticket, quote = quoted(world)
    with pytest.raises(NeedsReasonError):
        decline_quote(world.office, quote.id, world.now, OWNER, " ")
    decline_quote(world.office, quote.id, world.now, OWNER, "too dear")
    now = world.ticket(ticket)
    assert (now.state, now.next_action) == (TicketState.OPEN, "call_owner")
    assert world.desk.parts.rows["demo", "RF-GAS-600A"].reserved == 0
    with pytest.raises(IllegalMoveError):
        approve_quote(world.office, quote.id, world.now, OWNER)
    send_quote(world.office, draft_quote(world.office, ticket.id, world.now, "dispatch").id, world.now, "dispatch")
    assert world.ticket(ticket).state is TicketState.AWAITING_QUOTE


def test_a_quote_expires_with_its_notice_and_only_when_it_was_delivered() -> None:
    world = World()
    ticket, quote = quoted(world)
    world.step(quote.valid_until + timedelta(hours=1))
    assert world.desk.quotes.get(quote.id).state is QuoteState.EXPIRED
    assert "quote_expired" in world.stages(ticket)
    assert world.ticket(ticket).next_action == "call_owner"

    silent = World()
    ticket = silent.opened(LEAK)
    silent.work(deliver=False)
    silent.confirm(ticket)
    silent.work(deliver=False)
    (quote,) = silent.desk.quotes.of_ticket(ticket.id)
    silent.step(quote.valid_until + timedelta(hours=1), deliver=False)
    assert silent.desk.quotes.get(quote.id).state is QuoteState.SENT
    assert silent.ticket(ticket).responsible == "supervisor"


def test_within_warranty_nothing_is_quoted_and_nothing_charged() -> None:
    world = World()
    world.appliance = replace(world.appliance, warranty_until=(world.now + timedelta(days=100)).date())
    world.desk.people.appliances[1] = world.appliance
    ticket = world.opened(LEAK)
    world.work()
    world.confirm(ticket)
    world.work()
    assert world.desk.quotes.of_ticket(ticket.id) == []
    finish(world.office, on_site(world, ticket))
    (bill,) = world.desk.money.bills.of_ticket(ticket.id)
    assert bill.total == 0
    assert bill.lines[-1].kind is LineKind.WARRANTY
