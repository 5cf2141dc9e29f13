"""Learning: content is asked after the verified repair, once a case, with consent; a bad answer opens it again."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from servicedesk.care_rows import Purpose
from servicedesk.errors import UnknownError
from servicedesk.model import Outcome, OutcomeCode, Ticket
from servicedesk.office import OWNER
from servicedesk.privacy import set_consent
from servicedesk.states import TicketState
from servicedesk.survey import CALL_WITHIN, SurveyAnsweredError, content, rate
from servicedesk.visiting import finish
from telemetry.finding import EpisodeState, Finding, Proof
from tests.servicedesk.acceptance.case import Case
from tests.servicedesk.acceptance.test_self_fix import known, opened


def proven(case: Case) -> tuple[Ticket, Finding]:
    """A ticket whose repair the telemetry has proven."""
    ticket, found = opened(case)
    case.confirm(ticket)
    visit = case.arrive(ticket)
    finish(
        case.office,
        Outcome(
            visit=visit.id,
            code=OutcomeCode.REPAIRED,
            at=case.now,
            actor="technician:1",
            cause="condenser_fan_wear",
            parts=visit.parts,
        ),
    )
    case.work()
    case.now += timedelta(days=2)
    proof = msgspec.structs.replace(found, revision=1, state=EpisodeState.ENDED, proof=Proof.PROVEN)
    known(case, ticket, proof)
    return case.ticket(ticket), proof


def test_learning_content_is_asked_once_after_the_verified_repair(case: Case) -> None:
    ticket, proof = proven(case)
    assert ticket.state is TicketState.VERIFIED
    (asked,) = case.notices(ticket, "survey")
    assert asked.link
    known(case, ticket, msgspec.structs.replace(proof, revision=2))
    assert len(case.notices(ticket, "survey")) == 1
    assert rate(case.office, ticket.id, 5, case.now, words="quick").state is TicketState.VERIFIED
    rate(case.office, ticket.id, 5, case.now, words="quick")
    with pytest.raises(SurveyAnsweredError):
        rate(case.office, ticket.id, 1, case.now)
    told = content(case.office, "demo", ticket.opened, case.now + timedelta(days=1))
    assert (told.answers, told.mean, told.by_score[5]) == (1, 5.0, 1)
    assert len(case.lines(ticket, "survey")) == 1


@pytest.mark.parametrize("score", [1, 2])
def test_learning_a_bad_answer_reopens_the_case_and_a_person_calls_within_two_hours(case: Case, score: int) -> None:
    ticket, _ = proven(case)
    again = rate(case.office, ticket.id, score, case.now, words="it still hums")
    assert (again.state, again.callout_free) == (TicketState.REOPENED, True)
    task = case.call_for(ticket, "low_csat")
    assert task.due - task.opened == CALL_WITHIN == timedelta(hours=2)
    case.work()
    assert case.visit(ticket)
    case.step(timedelta(hours=2, minutes=1))
    assert case.call_for(ticket, "low_csat").escalated is not None  # a call that was not made goes up


def test_learning_the_repair_after_a_bad_answer_is_not_asked_about_again(case: Case) -> None:
    ticket, proof = proven(case)
    rate(case.office, ticket.id, 2, case.now)
    case.work()
    case.confirm(ticket)
    visit = case.arrive(ticket)
    code = OutcomeCode.REPAIRED
    finish(case.office, Outcome(visit=visit.id, code=code, at=case.now, actor="technician:1", parts=visit.parts))
    case.work()
    known(case, ticket, msgspec.structs.replace(proof, revision=3))
    assert case.ticket(ticket).state is TicketState.VERIFIED
    assert len(case.notices(ticket, "survey")) == 1


def test_learning_nobody_is_asked_or_called_without_consent(case: Case) -> None:
    set_consent(case.office, case.household, Purpose.FOLLOW_UP, case.now, OWNER, granted=False)
    ticket, _ = proven(case)
    assert case.notices(ticket, "survey") == []
    with pytest.raises(UnknownError):
        rate(case.office, ticket.id, 5, case.now)


def test_learning_who_does_not_want_a_call_gets_none_and_the_case_opens_all_the_same(case: Case) -> None:
    ticket, _ = proven(case)
    again = rate(case.office, ticket.id, 1, case.now, follow_up=False)
    assert again.state is TicketState.REOPENED
    assert "low_csat" not in case.open_calls(ticket)
    assert not case.desk.care.privacy.consents(case.household)[Purpose.FOLLOW_UP]
