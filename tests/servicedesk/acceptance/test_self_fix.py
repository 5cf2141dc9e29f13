"""Self-fix first: guides answered step by step and kept, nobody asked twice, a visit withdrawn with one tap."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from servicedesk.errors import IllegalMoveError, UnknownError
from servicedesk.model import Ticket
from servicedesk.office import OWNER
from servicedesk.proving import verify
from servicedesk.selfcheck import AnswerError, NotRecoveredError, answer_step, avoided, progress, withdraw
from servicedesk.states import TicketState, VisitState
from servicedesk.visiting import move_visit
from telemetry.finding import Cause, EpisodeState, Finding
from tests.servicedesk.acceptance.case import Case
from tests.servicedesk.world import finding


def known(case: Case, ticket: Ticket, found: Finding) -> None:
    """The newest revision of a finding, and what the desk makes of it."""
    if case.shop is not None:
        case.shop.now = case.now
        case.shop.enter(found)
    else:
        case.world.desk.agenda.findings[ticket.finding].append(found)  # type: ignore[union-attr, index]
    verify(case.office, found, case.appliance.no, case.now)
    case.work()


def recover(case: Case, ticket: Ticket, found: Finding) -> None:
    """The readings are back: the finding ends by itself."""
    known(case, ticket, msgspec.structs.replace(found, revision=found.revision + 1, state=EpisodeState.ENDED))


def opened(case: Case) -> tuple[Ticket, Finding]:
    found = finding(at=case.now)
    return case.opened(found), found


def answer_all(case: Case, ticket: Ticket) -> None:
    while (step := progress(case.office, case.ticket(ticket)).step) is not None:
        answer_step(case.office, ticket.id, step, "done", case.now, actor=OWNER)


def test_self_fix_first_the_guide_is_answered_step_by_step_and_stays_on_the_ticket(case: Case) -> None:
    ticket, _ = opened(case)
    at_first = progress(case.office, ticket)
    assert (at_first.fault, at_first.step, at_first.leads) == ("condenser_fan_wear", 1, "")
    for step in range(1, len(at_first.guide) + 1):
        told = answer_step(case.office, ticket.id, step, "done", case.now, actor=OWNER, note=f"step {step}")
    assert (told.step, told.leads) == (None, "wait")
    kept = case.desk.care.help.answers(ticket.id)
    assert [(each.step, each.answer, each.note) for each in kept] == [
        (1, "done", "step 1"),
        (2, "done", "step 2"),
        (3, "done", "step 3"),
    ]
    assert [line["step"] for line in case.lines(ticket, "self_check")] == [1, 2, 3]
    assert case.visit(ticket).state is VisitState.PROPOSED  # nothing is given up before the readings say so


def test_self_fix_first_nobody_asks_twice(case: Case) -> None:
    ticket, _ = opened(case)
    answer_step(case.office, ticket.id, 1, "done", case.now, actor=OWNER)
    answer_step(case.office, ticket.id, 1, "done", case.now, actor="dispatch")
    assert progress(case.office, case.ticket(ticket)).step == 2
    assert len(case.lines(ticket, "self_check")) == 1
    with pytest.raises(AnswerError) as refused:
        answer_step(case.office, ticket.id, 3, "done", case.now, actor=OWNER)
    assert refused.value.legal == ("1", "2")
    with pytest.raises(AnswerError) as unknown:
        answer_step(case.office, ticket.id, 2, "perhaps", case.now, actor=OWNER)
    assert unknown.value.legal == ("done", "cannot")


def test_self_fix_first_what_does_not_help_goes_on_to_the_visit_without_asking_again(case: Case) -> None:
    ticket, _ = opened(case)
    answer_step(case.office, ticket.id, 1, "done", case.now, actor=OWNER)
    told = answer_step(case.office, ticket.id, 2, "cannot", case.now, actor=OWNER)
    assert (told.step, told.leads) == (None, "visit")
    case.work()
    assert case.visit(ticket).state is VisitState.PROPOSED
    case.confirm(ticket)
    assert case.ticket(ticket).state is TicketState.PLANNED
    assert case.notices(ticket, "recovered") == []


def test_self_fix_first_a_recovered_signal_withdraws_the_visit_with_one_tap(case: Case) -> None:
    ticket, found = opened(case)
    case.confirm(ticket)
    answer_all(case, ticket)
    with pytest.raises(NotRecoveredError):
        withdraw(case.office, ticket.id, case.now, OWNER)
    case.now += timedelta(hours=6)
    recover(case, ticket, found)
    (told,) = case.notices(ticket, "recovered")
    assert "one tap" in told.body
    ended = withdraw(case.office, ticket.id, case.now, OWNER)
    assert ended.state is TicketState.SELF_FIXED
    assert withdraw(case.office, ticket.id, case.now, OWNER).version == ended.version
    assert [each.state for each in case.desk.visits.of_ticket(ticket.id)] == [VisitState.CANCELLED]
    assert case.desk.parts.stock("demo", ["RF-FAN-120"])["RF-FAN-120"].reserved == 0
    count = avoided(case.office, "demo", ticket.opened, case.now + timedelta(days=1))
    assert (count.withdrawn, count.visits, count.guided, count.tried) == (1, 1, 1, 1)
    assert len(case.notices(ticket, "self_fixed")) == 1


def test_self_fix_first_the_withdrawal_is_offered_once_and_the_visit_stays_without_the_tap(case: Case) -> None:
    ticket, found = opened(case)
    recover(case, ticket, found)
    recover(case, ticket, msgspec.structs.replace(found, revision=1))
    assert len(case.notices(ticket, "recovered")) == 1
    assert case.visit(ticket).state is VisitState.PROPOSED


def test_self_fix_first_nobody_turns_a_technician_away_at_the_door(case: Case) -> None:
    ticket, found = opened(case)
    visit = case.confirm(ticket)
    case.step(visit.start - case.now)
    for state in (VisitState.DISPATCHED, VisitState.TRAVELLING):
        move_visit(case.office, visit.id, state, case.now, "technician:1")
    recover(case, ticket, found)
    assert case.notices(ticket, "recovered") == []
    with pytest.raises(IllegalMoveError):
        withdraw(case.office, ticket.id, case.now, OWNER)


def test_self_fix_first_where_the_catalogue_has_no_guide_nothing_is_asked(case: Case) -> None:
    leak = (Cause("refrigerant_leak", 0.9), Cause("unknown", 0.1))
    ticket = case.opened(finding(at=case.now, family="refrigerant", causes=leak))
    assert progress(case.office, ticket).guide == ()
    with pytest.raises(UnknownError):
        answer_step(case.office, ticket.id, 1, "done", case.now, actor=OWNER)
