"""Service levels: first response 15 min, response 2 h, plan 48 h; business hours, pauses, priorities, holidays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from servicedesk.contact import answer, say, take_mail
from servicedesk.level_policies import load_levels
from servicedesk.mail_in import read_mail
from servicedesk.office import DISPATCH
from servicedesk.opening import revise
from servicedesk.states import TicketState
from servicedesk.visiting import move_ticket
from tests.servicedesk.acceptance.case import Case, dangerous
from tests.servicedesk.world import finding

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=_SHANGHAI).astimezone(UTC)  # type: ignore[arg-type, misc]


def test_the_three_targets_are_in_the_table() -> None:
    policies = load_levels().policies
    assert policies["first_response"].target(3, "standard") == 15 * MINUTE
    assert policies["response"].target(3, "standard") == 2 * HOUR
    assert policies["plan"].target(3, "standard") == 48 * HOUR
    assert policies["visit_24h"].target(1, "standard") == DAY
    assert policies["visit_24h"].target(3, "standard") is None


def test_a_mail_starts_the_quarter_of_an_hour_and_only_a_person_ends_it(case: Case) -> None:
    ticket = case.opened()
    (sent,) = case.mail.mails
    reply = (
        f"From: Li <li@example.org>\nTo: desk@example.org\nSubject: Re: {sent['Subject']}\n"
        f"Message-ID: <1@home>\nIn-Reply-To: {sent['Message-ID']}\n\nMorning is fine.\n\n> Please confirm\n"
    )
    taken = take_mail(case.office, read_mail(reply.encode()), case.now)
    assert taken.ticket == ticket.id
    clock = case.clock(ticket, "first_response")
    assert (clock.due, clock.state) == (case.now + 15 * MINUTE, "running")
    assert case.lines(ticket, "message") == [{"words": "Morning is fine.", "channel": "mail"}]
    # An automatic reply, theirs or ours, is no response.
    auto = reply.replace("<1@home>", "<2@home>").replace("\nMessage-ID", "\nAuto-Submitted: auto-replied\nMessage-ID")
    take_mail(case.office, read_mail(auto.encode()), case.now)
    case.step(5 * MINUTE)
    assert case.clock(ticket, "first_response").met is None
    assert "auto_reply" in case.kinds(ticket)
    answer(case.office, ticket.id, "Then we come in the morning.", case.now, DISPATCH)
    case.work()
    clock = case.clock(ticket, "first_response")
    assert (clock.met, clock.state, clock.consumed) == (case.now, "met", 5 * MINUTE)
    assert case.clock(ticket, "response").state == "met"
    assert "Then we come in the morning." in case.mail.mails[-1].get_content()
    # The same mail again changes nothing.
    assert take_mail(case.office, read_mail(reply.encode()), case.now).repeated
    assert case.clock(ticket, "first_response").occasion == 0


def test_nobody_answers_it_is_said_before_and_after(case: Case) -> None:
    ticket = case.opened()
    say(case.office, ticket.id, "Is anybody there?", case.now, channel="page")
    case.step(12 * MINUTE)
    assert case.lines(ticket, "breach_predicted")[0]["policy"] == "first_response"
    assert case.clock(ticket, "first_response").breached is None
    case.step(4 * MINUTE)
    clock = case.clock(ticket, "first_response")
    assert clock.breached == clock.started + 15 * MINUTE
    assert case.ticket(ticket).responsible == "supervisor"
    answer(case.office, ticket.id, "Yes.", case.now, DISPATCH)
    assert case.clock(ticket, "first_response").state == "met_late"


def test_the_night_does_not_count(case: Case) -> None:
    """Service hours end at 20:00: ten minutes of a quarter of an hour are left for 08:00."""
    case.now = local(2026, 3, 3, 19, 55)
    ticket = case.opened()
    say(case.office, ticket.id, "hello", case.now, channel="page")
    assert case.clock(ticket, "first_response").due == local(2026, 3, 4, 8, 10)


def test_across_holidays_and_the_workday_that_is_made_up_for_them(case: Case) -> None:
    """Spring Festival 2026: 15 to 23 February are free, Saturday 14 and 28 February are worked."""
    case.now = local(2026, 2, 14, 19, 0)
    ticket = case.opened()
    say(case.office, ticket.id, "it hums", case.now, channel="page")
    assert case.clock(ticket, "first_response").due == local(2026, 2, 14, 19, 15)
    assert case.clock(ticket, "response").due == local(2026, 2, 24, 9, 0)


def test_past_the_last_published_year_the_weekdays_count_and_it_is_said(case: Case) -> None:
    case.now = local(2027, 3, 1, 9, 0)
    ticket = case.opened()
    say(case.office, ticket.id, "it hums", case.now, channel="page")
    assert case.clock(ticket, "first_response").due == local(2027, 3, 1, 9, 15)
    (told, *_) = case.lines(ticket, "calendar_unpublished")
    assert "published up to 2026, not for 2027" in told["why"]


def test_right_after_a_priority_change(case: Case) -> None:
    """What is consumed stays consumed; a worse severity never gives more time than was left."""
    mild = finding(at=case.now)
    ticket = case.report(mild)
    case.step(40 * HOUR)
    assert case.clock(ticket, "plan").state == "met"
    assert [each.policy for each in case.desk.levels.clocks.of_ticket(ticket.id)] == ["plan"]
    say(case.office, ticket.id, "it smells", case.now, channel="page")
    before = case.clock(ticket, "response")
    worse = finding(at=ticket.opened, severity=1, revision=1)
    revise(case.office, worse, case.now)
    clocks = {each.policy: each for each in case.desk.levels.clocks.of_ticket(ticket.id)}
    # The promises of severity 1 run from the moment it is known, not from the beginning.
    assert clocks["visit_24h"].due == case.now + DAY
    assert clocks["urgent_contact"].due == case.now + 5 * MINUTE
    assert clocks["response"].due == before.due


def test_waiting_for_parts_is_not_overdue_and_a_hold_has_its_reason(case: Case) -> None:
    ticket = case.opened(dangerous(case.now))
    case.step(2 * HOUR)
    move_ticket(case.office, ticket.id, TicketState.AWAITING_PARTS, case.now, DISPATCH)
    paused = case.clock(ticket, "visit_24h")
    assert "parts" in paused.reasons
    left = paused.allowed - paused.consumed
    case.step(10 * DAY)
    assert case.clock(ticket, "visit_24h").breached is None
    move_ticket(case.office, ticket.id, TicketState.HOLD, case.now, DISPATCH, reason="the landlord must open")
    case.step(DAY)
    move_ticket(case.office, ticket.id, TicketState.OPEN, case.now, DISPATCH)
    clock = case.clock(ticket, "visit_24h")
    assert clock.reasons == ()
    assert clock.due == case.now + left
    spans = [each for each in case.desk.levels.clocks.pauses(ticket.id) if each.clock == clock.id]
    assert [each.reason for each in spans if each.reason != "owner"] == ["parts", "hold"]
    assert all(each.until is not None for each in spans)
