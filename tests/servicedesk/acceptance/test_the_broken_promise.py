"""The broken promise: 48 h promised, contact after a week, ten days without the machine."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from servicedesk.model import Outcome, OutcomeCode, Ticket
from servicedesk.office import DISPATCH, SUPERVISOR
from servicedesk.planning import alternatives, take_window
from servicedesk.promises import downtime
from servicedesk.states import VisitState
from servicedesk.visiting import finish, move_visit
from tests.servicedesk.acceptance.case import Case, dangerous

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_breach_is_predicted_from_the_plan_the_owner_told_and_the_case_handed_up(case: Case) -> None:
    ticket = case.opened(dangerous(case.now))
    case.confirm(ticket)
    clock = case.clock(ticket, "visit_24h")
    assert clock.warned is None
    due = clock.due or clock.started + DAY
    # Dispatch moves the visit past the promise: that is known now, not when the day is over.
    later = next(each for each in _windows(case, ticket) if each > due + HOUR)
    take_window(case.office, case.visit(ticket).id, later, case.now, DISPATCH)
    case.step(timedelta(minutes=1))
    (line,) = [each for each in case.lines(ticket, "breach_predicted") if each["policy"] == "visit_24h"]
    assert line["why"] == "planned_too_late"
    assert case.clock(ticket, "visit_24h").breached is None
    (late,) = case.notices(ticket, "late")
    assert "Visit within 24 hours" in late.body
    assert case.mail.mails[-1]["Message-ID"] in {each.message_id for each in case.notices(ticket)}
    assert any(each["why"].startswith("visit_24h") for each in case.lines(ticket, "escalated"))
    assert case.ticket(ticket).responsible == SUPERVISOR


def test_a_breach_is_made_good_and_the_owner_sees_it(case: Case) -> None:
    ticket = case.opened(dangerous(case.now))
    for visit in case.desk.visits.of_ticket(ticket.id):
        move_visit(case.office, visit.id, VisitState.CANCELLED, case.now, DISPATCH, reason="strike")
    # Every technician is away: nothing can be planned.
    case.step(DAY + HOUR)
    clock = case.clock(ticket, "visit_24h")
    assert clock.breached == clock.started + DAY
    (paid,) = case.desk.levels.clocks.compensations(ticket.id)
    assert (paid.amount, paid.currency, paid.policy) == (Decimal("50.00"), "CNY", "visit_24h")
    assert case.lines(ticket, "compensated")[0]["amount"] == "50.00"
    (notice,) = case.notices(ticket, "compensated")
    assert "50.00 CNY" in notice.subject
    predicted = case.kinds(ticket).index("breach_predicted")
    assert predicted < case.kinds(ticket).index("breached")
    # It is paid once, however long it lasts.
    case.step(10 * DAY)
    assert len(case.desk.levels.clocks.compensations(ticket.id)) == 1


def test_the_time_without_the_appliance_is_counted(case: Case) -> None:
    ticket = case.opened(dangerous(case.now))
    began = case.now
    case.confirm(ticket)
    visit = case.arrive(ticket)
    case.now += HOUR
    outcome = Outcome(
        visit=visit.id, code=OutcomeCode.REPAIRED, at=case.now, actor="technician:1", cause=None, parts=visit.parts
    )
    finish(case.office, outcome)
    repaired = case.now - began
    events = case.desk.tickets.timeline(ticket.id)
    assert downtime(events, case.now + 10 * DAY) == repaired
    assert case.clock(ticket, "visit_24h").state == "met"
    case.office.log(ticket.id, case.now + DAY, "moved", "owner", old="done", new="reopened")
    events = case.desk.tickets.timeline(ticket.id)
    assert downtime(events, case.now + 3 * DAY) == repaired + 2 * DAY


def _windows(case: Case, ticket: Ticket) -> list[datetime]:
    found = alternatives(case.office, case.visit(ticket).id, case.now)
    return [each.window.start for each in found.all]
