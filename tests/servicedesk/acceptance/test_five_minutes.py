"""Five minutes: a person calls within five minutes of the complaint; an automatic reply is not a contact."""

from __future__ import annotations

from datetime import timedelta

from servicedesk.calling import Call, CallOutcome, log_call
from servicedesk.calls import first_contact
from servicedesk.care_rows import Purpose
from servicedesk.contact import take_mail
from servicedesk.level_rows import CallState
from servicedesk.mail_in import read_mail
from servicedesk.office import DISPATCH, OWNER, SUPERVISOR
from servicedesk.privacy import set_consent
from servicedesk.reporting import complain
from tests.servicedesk.acceptance.case import Case, dangerous
from tests.servicedesk.world import finding

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def test_severity_1_and_a_complaint_open_a_call_due_in_five_minutes(case: Case) -> None:
    ticket = case.opened(dangerous(case.now))
    task = case.call_for(ticket, "severity_1")
    assert (task.due, task.assignee) == (case.now + 5 * MINUTE, DISPATCH)
    mild = case.report(finding(at=case.now, family="refrigerant", epoch=2))
    assert case.calls(mild) == []
    complain(case.office, mild.id, "late again", case.now)
    complain(case.office, mild.id, "and again", case.now)
    assert case.call_for(mild, "complaint").due == case.now + 5 * MINUTE


def test_a_call_that_nobody_makes_goes_to_a_supervisor(case: Case) -> None:
    ticket = case.opened(dangerous(case.now))
    case.step(5 * MINUTE)
    task = case.call_for(ticket, "severity_1")
    assert (task.assignee, task.escalated, task.state) == (SUPERVISOR, case.now, CallState.OPEN)
    assert case.ticket(ticket).next_action in ("call_owner", "reach_owner")


def test_the_time_to_the_first_human_contact_is_measured(case: Case) -> None:
    """Twenty complaints: nineteen are called in one to four minutes, one after nine. p95 is below five minutes."""
    ticket = case.opened()
    minutes = [1, 2, 3, 4] * 4 + [1, 2, 3, 9]
    begin = case.now
    for minute in minutes:
        complain(case.office, ticket.id, "late", case.now)
        log_call(case.office, ticket.id, Call(CallOutcome.NO_ANSWER), case.now, DISPATCH)
        case.now += timedelta(minutes=minute)
        log_call(case.office, ticket.id, Call(CallOutcome.REACHED, "sorry"), case.now, DISPATCH)
    tasks = case.desk.levels.calls.opened("demo", begin, begin + DAY)
    report = first_contact(tasks, case.now)
    assert (report.tasks, report.contacted, report.within, report.waiting) == (20, 20, 19, 0)
    assert report.p95 == 4 * MINUTE
    assert report.p95 <= 5 * MINUTE
    assert report.p50 == 2 * MINUTE
    assert case.desk.levels.calls.opened("elsewhere", begin, begin + DAY) == []


def test_an_automatic_reply_and_a_call_without_answer_are_no_contact(case: Case) -> None:
    ticket = case.opened()
    complain(case.office, ticket.id, "late", case.now)
    case.now += 2 * MINUTE
    mail = f"From: li@example.org\nSubject: Automatic reply: {ticket.ref}\nMessage-ID: <9@home>\n\nAway.\n"
    take_mail(case.office, read_mail(mail.encode()), case.now)
    log_call(case.office, ticket.id, Call(CallOutcome.NO_ANSWER), case.now, DISPATCH)
    assert case.call_for(ticket, "complaint").contacted is None
    # Who still waits counts with the time already waited: a forgotten complaint cannot make the figure better.
    case.now += 58 * MINUTE
    tasks = case.desk.levels.calls.opened(None, case.now - DAY, case.now)
    report = first_contact([each for each in tasks if each.ticket == ticket.id], case.now)
    assert (report.p95, report.waiting) == (60 * MINUTE, 1)


def test_consent_per_purpose_who_does_not_agree_to_analytics_is_not_measured(case: Case) -> None:
    ticket = case.opened(dangerous())
    assert case.desk.care.privacy.counted({ticket.id}) == {ticket.id}
    set_consent(case.office, case.household, Purpose.ANALYTICS, case.now, OWNER, granted=False)
    assert case.desk.care.privacy.counted({ticket.id}) == set()
    # The call is made all the same.
    assert case.open_calls(ticket) == ["severity_1"]
