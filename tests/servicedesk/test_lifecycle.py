from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest

from servicedesk.errors import IllegalMoveError, WindowGoneError
from servicedesk.model import NoticeState, OutcomeCode, PartStock
from servicedesk.office import OWNER
from servicedesk.planner import Blocking
from servicedesk.planning import alternatives, confirm, take_window
from servicedesk.states import TicketState, VisitState
from servicedesk.visiting import move_ticket, move_visit
from telemetry.finding import EpisodeState, Proof
from tests.servicedesk.world import DAY, START, World, finding


def test_a_finding_becomes_one_ticket_one_proposal_and_one_alert() -> None:
    world = World()
    found = finding()
    ticket = world.opened(found)
    for revision in range(1, 5):
        assert world.report(finding(revision=revision)) is None
    world.work()
    ticket = world.ticket(ticket)
    assert (ticket.ref, ticket.state, ticket.next_action) == ("WK-1001", TicketState.OPEN, "await_owner")
    visit = world.visit(ticket)
    assert visit.state is VisitState.PROPOSED
    assert visit.end - visit.start == timedelta(hours=2)
    assert timedelta(hours=20) <= visit.start - START <= timedelta(hours=44)
    assert visit.parts == ("RF-FAN-120",)
    assert world.stages(ticket) == ["alert"]
    assert world.notices(ticket)[0].state is NoticeState.DELIVERED


def test_the_whole_life_to_closed() -> None:
    world = World()
    ticket, found = world.repaired()
    assert ticket.state is TicketState.DONE
    (control,) = world.desk.agenda.controls.values()
    assert control[1] == "repair_done"
    assert control[3] == {"family": "condenser_airflow", "fault": "condenser_fan_wear"}
    assert world.desk.parts.rows["demo", "RF-FAN-120"].on_hand == 39
    world.now += timedelta(hours=72)
    world.report(finding(at=START, revision=1, state=EpisodeState.ENDED, proof=Proof.PROVEN))
    assert found.id == finding(at=START).id
    world.work()
    assert world.ticket(ticket).state is TicketState.VERIFIED
    world.step(world.now + timedelta(hours=25))
    assert world.ticket(ticket).state is TicketState.CLOSED
    assert world.stages(ticket) == ["alert", "confirmed", "done", "proven", "survey"]
    assert world.desk.agenda.next_due() is None


def test_a_failed_repair_reopens_without_a_second_callout_fee() -> None:
    world = World()
    ticket, _ = world.repaired()
    world.report(finding(at=START, revision=1, proof=Proof.FAILED))
    world.work()
    ticket = world.ticket(ticket)
    assert (ticket.state, ticket.callout_free, ticket.episode) == (TicketState.REOPENED, True, 1)
    assert world.stages(ticket)[-1] == "reopened"
    world.confirm(ticket)
    assert world.ticket(ticket).state is TicketState.PLANNED
    world.repair(ticket)
    # The failed proof of the first repair is no verdict on the second.
    world.report(finding(at=START, revision=2, proof=Proof.FAILED))
    world.work()
    assert world.ticket(ticket).state is TicketState.DONE
    world.report(finding(at=START, revision=3, proof=Proof.PROVING))
    world.report(finding(at=START, revision=4, proof=Proof.FAILED))
    world.work()
    assert (world.ticket(ticket).state, world.ticket(ticket).episode) == (TicketState.REOPENED, 2)


def test_what_the_repaired_episode_says_before_its_detector_knows_is_no_verdict() -> None:
    world = World()
    ticket, _ = world.repaired()
    world.report(finding(at=START, revision=5))
    world.report(finding(at=START + timedelta(hours=1), epoch=9))
    world.work()
    assert world.ticket(ticket).state is TicketState.DONE
    world.now += timedelta(hours=30)
    world.report(finding(at=world.now, epoch=2))
    world.work()
    assert world.ticket(ticket).state is TicketState.REOPENED


def test_without_a_verdict_a_person_judges_and_nothing_closes() -> None:
    world = World()
    ticket, _ = world.repaired()
    world.step(world.now + timedelta(hours=3 * 72 + 1))
    ticket = world.ticket(ticket)
    assert (ticket.state, ticket.responsible, ticket.next_action) == (TicketState.DONE, "supervisor", "judge_repair")
    assert any(event.kind == "escalated" for event in world.desk.tickets.timeline(ticket.id))


def test_a_silent_owner_is_reminded_once_then_called() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    visit = world.visit(ticket)
    world.step(visit.hold_until - timedelta(minutes=1))
    assert world.stages(ticket) == ["alert", "remind"]
    assert world.visit(ticket).state is VisitState.PROPOSED
    world.step(visit.hold_until)
    assert world.ticket(ticket).next_action == "call_owner"
    assert world.stages(ticket) == ["alert", "remind"]
    # The call comes late: the window may still be taken until it begins.
    assert confirm(world.office, visit.id, world.now, "dispatch").state is VisitState.CONFIRMED


def test_a_window_lapses_only_when_the_owner_was_told() -> None:
    told, untold = World(), World()
    for world, deliver in ((told, True), (untold, False)):
        ticket = world.opened()
        world.work(deliver=deliver)
        world.step(world.visit(ticket).start + timedelta(hours=1), deliver=deliver)
        ticket = world.ticket(ticket)
        (visit,) = world.desk.visits.of_ticket(ticket.id)
        assert ticket.state is TicketState.OPEN
        if deliver:
            assert (visit.state, visit.reason) == (VisitState.CANCELLED, "no_answer")
            assert ticket.next_action == "call_owner"
        else:
            assert visit.state is VisitState.PROPOSED
            assert (ticket.responsible, ticket.next_action) == ("supervisor", "reach_owner")


def test_confirming_twice_is_once_and_too_late_is_refused() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    visit = world.visit(ticket)
    first = world.confirm(ticket)
    assert confirm(world.office, visit.id, world.now, OWNER) == first
    other = World()
    ticket = other.opened()
    other.work()
    gone = other.visit(ticket)
    with pytest.raises(WindowGoneError):
        confirm(other.office, gone.id, gone.start, OWNER)


def test_the_owner_takes_another_time() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    old = world.visit(ticket)
    offered = alternatives(world.office, old.id, world.now)
    assert len(offered.best) == 3
    assert all(offer.window != old.window for offer in offered.all)
    new = take_window(world.office, old.id, offered.best[1].window.start, world.now, OWNER)
    assert new.state is VisitState.CONFIRMED
    assert (new.calendar, new.sequence) == (old.calendar, 1)
    assert world.desk.visits.get(old.id).state is VisitState.MOVED
    assert world.desk.parts.rows["demo", "RF-FAN-120"].reserved == 1
    assert world.ticket(ticket).state is TicketState.PLANNED
    with pytest.raises(IllegalMoveError):
        take_window(world.office, old.id, old.start, world.now, OWNER)
    with pytest.raises(WindowGoneError):
        take_window(world.office, new.id, world.now + timedelta(minutes=7), world.now, OWNER)


def test_a_declined_day_is_not_proposed_again_and_the_second_no_calls() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    first = world.visit(ticket)
    move_visit(world.office, first.id, VisitState.DECLINED, world.now, OWNER)
    world.work()
    second = world.visit(ticket)
    assert second.start.date() != first.start.date()
    assert world.stages(ticket) == ["alert", "proposed_again"]
    move_visit(world.office, second.id, VisitState.DECLINED, world.now, OWNER)
    world.work()
    assert world.ticket(ticket).next_action == "call_owner"
    assert world.desk.parts.rows["demo", "RF-FAN-120"].reserved == 0


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (OutcomeCode.NO_FAULT_FOUND, TicketState.FALSE_ALARM),
        (OutcomeCode.PART_MISSING, TicketState.OPEN),
        (OutcomeCode.NOT_REPAIRED, TicketState.OPEN),
    ],
)
def test_other_outcomes(code: OutcomeCode, state: TicketState) -> None:
    world = World()
    ticket = world.opened()
    world.work()
    world.confirm(ticket)
    world.repair(ticket, code)
    ticket = world.ticket(ticket)
    assert ticket.state is state
    assert not world.desk.agenda.controls
    if code is OutcomeCode.NO_FAULT_FOUND:
        # The same episode goes on for a while; it does not come back as a new ticket.
        assert world.report(finding(at=START, revision=7)) is None
        assert world.stages(ticket)[-1] == "no_fault"
    else:
        assert ticket.callout_free
        assert world.visit(ticket).state is VisitState.PROPOSED


def test_a_recurrence_within_thirty_days_reopens_and_later_opens_anew() -> None:
    world = World()
    ticket, _ = world.repaired()
    world.report(finding(at=START, revision=1, state=EpisodeState.ENDED, proof=Proof.PROVEN))
    world.step(world.now + timedelta(days=2))
    assert world.ticket(ticket).state is TicketState.CLOSED
    world.now += timedelta(days=20)
    again = finding(at=world.now, epoch=2)
    assert world.report(again) is None
    world.work()
    ticket = world.ticket(ticket)
    assert (ticket.state, ticket.finding) == (TicketState.REOPENED, UUID(again.id))
    move_ticket(world.office, ticket.id, TicketState.CANCELLED, world.now, "dispatch", reason="sold")
    world.now += timedelta(days=40)
    assert world.opened(finding(at=world.now, epoch=3)).ref == "WK-1002"


def test_no_ticket_for_history_or_without_consent() -> None:
    world = World()
    assert world.report(finding(history=True)) is None
    world.change_household(consent_service=False)
    assert world.report(finding()) is None
    assert not world.desk.tickets.rows


def test_a_missing_part_is_ordered_and_the_visit_comes_after_it() -> None:
    world = World()
    world.desk.parts.rows["demo", "RF-FAN-120"] = PartStock(org="demo", sku="RF-FAN-120", on_hand=0)
    ticket = world.opened()
    world.work()
    (order,) = world.desk.money.orders.rows.values()
    assert (order.sku, order.quantity) == ("RF-FAN-120", 1)
    assert world.visit(ticket).start >= order.arrives
    assert world.stages(ticket) == ["alert"]
    world.step(order.arrives)
    assert world.desk.parts.rows["demo", "RF-FAN-120"].on_hand == 1
    assert world.desk.parts.rows["demo", "RF-FAN-120"].arrives is None


def test_a_life_too_short_is_named_and_the_earliest_window_held() -> None:
    world = World()
    ticket = world.opened(finding(life=(3600.0, 4 * DAY)))
    world.work()
    assert world.ticket(ticket).blocking == Blocking.REMAINING_LIFE
    assert world.visit(ticket).start - world.now < timedelta(hours=24)


def test_a_device_without_household_is_for_dispatch() -> None:
    world = World()
    world.appliance = type(world.appliance)(no=1, org="demo", device="fridge-1", kind="refrigerator", lang="en")
    world.desk.people.appliances[1] = world.appliance
    ticket = world.opened()
    world.work()
    ticket = world.ticket(ticket)
    assert (ticket.blocking, ticket.next_action) == (Blocking.HOUSEHOLD, "plan_visit")
    assert not world.notices(ticket)


def test_severity_two_goes_up_when_nobody_answers() -> None:
    world = World()
    ticket = world.opened(finding(severity=2))
    world.step(world.now + timedelta(hours=4))
    ticket = world.ticket(ticket)
    assert (ticket.responsible, ticket.next_action) == ("supervisor", "call_owner")


def test_a_worse_finding_makes_a_worse_ticket() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    world.report(finding(revision=1, severity=2))
    world.work()
    assert world.ticket(ticket).severity == 2
    assert world.stages(ticket) == ["alert"]
    world.report(finding(revision=2, severity=1))
    world.work()
    assert world.ticket(ticket).safety
    assert world.stages(ticket) == ["alert", "safety"]


def test_a_visit_without_outcome_is_looked_at() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    visit = world.confirm(ticket)
    world.step(visit.end + timedelta(hours=4))
    assert world.ticket(ticket).next_action == "check_visit"
    assert world.visit(ticket).state is VisitState.CONFIRMED


def test_quiet_hours_hold_an_alert_but_not_a_safety_notice() -> None:
    night = datetime(2026, 3, 2, 16, tzinfo=UTC)  # midnight in Shanghai
    for severity, stage in ((3, "alert"), (1, "safety")):
        world = World(now=night)
        ticket = world.opened(finding(at=night, severity=severity))
        world.work()
        (notice,) = world.notices(ticket)
        assert notice.stage == stage
        if severity == 1:
            assert notice.state is NoticeState.DELIVERED
        else:
            assert notice.state is NoticeState.QUEUED
            assert notice.not_before == datetime(2026, 3, 3, 0, tzinfo=UTC)
            world.step(notice.not_before)
            assert world.notices(ticket)[0].state is NoticeState.DELIVERED


def test_closing_waits_until_the_owner_has_been_told() -> None:
    world = World()
    ticket, _ = world.repaired()
    world.report(finding(at=START, revision=1, state=EpisodeState.ENDED, proof=Proof.PROVEN))
    world.step(world.now + timedelta(days=2), deliver=False)
    ticket = world.ticket(ticket)
    assert (ticket.state, ticket.next_action) == (TicketState.VERIFIED, "reach_owner")


def test_no_quiet_hours_when_both_ends_meet() -> None:
    world = World(now=datetime(2026, 3, 2, 16, tzinfo=UTC))
    world.change_household(quiet_from=time(0), quiet_to=time(0))
    ticket = world.opened(finding(at=world.now))
    world.work()
    assert world.notices(ticket)[0].state is NoticeState.DELIVERED
