from __future__ import annotations

import pytest

from servicedesk.errors import IllegalMoveError
from servicedesk.merging import NotAlikeError, merge
from servicedesk.quoting import draft_quote, send_quote
from servicedesk.reporting import report_fault
from servicedesk.states import QuoteState, TicketState, VisitState
from tests.servicedesk.world import World


def test_the_ticket_that_stays_has_both_timelines_and_the_worse_severity() -> None:
    world = World()
    stays = world.opened()
    world.work()
    goes = report_fault(world.office, world.appliance, "refrigerant", "it is warm", world.now)
    world.work()
    told = len(world.desk.notices.rows)
    quote = draft_quote(world.office, goes.id, world.now, "dispatch")
    send_quote(world.office, quote.id, world.now, "dispatch")
    world.work()
    merged = merge(world.office, goes.id, stays.id, world.now, "dispatch")
    world.work()
    assert merged.severity == min(stays.severity, goes.severity)
    gone = world.ticket(goes)
    assert (gone.state, gone.reason) == (TicketState.CANCELLED, f"merged into {stays.ref}")
    lines = world.desk.tickets.timeline(stays.id)
    assert any(line.kind == "owner_reported" and line.body["from"] == goes.ref for line in lines)
    assert lines[-1].kind in {"merged", "severity"}
    assert [each.state for each in world.desk.visits.of_ticket(goes.id)] == [VisitState.CANCELLED]
    assert world.visit(stays).state is VisitState.PROPOSED
    assert [each.state for each in world.desk.quotes.of_ticket(goes.id)] == [QuoteState.DECLINED]
    # One notice of the quote that was sent; the merger itself says nothing to the owner.
    assert len(world.desk.notices.rows) == told + 1
    assert not any(clock.open for clock in world.desk.levels.clocks.of_ticket(goes.id))


def test_what_is_not_alike_stays_apart() -> None:
    world = World()
    stays = world.opened()
    world.work()
    with pytest.raises(NotAlikeError, match="itself"):
        merge(world.office, stays.id, stays.id, world.now, "dispatch")
    other = world.appliance
    world.desk.people.appliances[2] = type(other)(no=2, org="demo", device="x", kind="refrigerator", lang="en")
    foreign = report_fault(world.office, world.desk.people.appliances[2], "refrigerant", "warm", world.now)
    with pytest.raises(NotAlikeError, match="different appliances"):
        merge(world.office, foreign.id, stays.id, world.now, "dispatch")


def test_a_ticket_past_its_repair_is_not_merged() -> None:
    world = World()
    done, _ = world.repaired()
    into = report_fault(world.office, world.appliance, "refrigerant", "it is warm", world.now)
    with pytest.raises(IllegalMoveError):
        merge(world.office, done.id, into.id, world.now, "dispatch")
