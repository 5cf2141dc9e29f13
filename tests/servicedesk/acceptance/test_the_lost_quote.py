"""The lost quote: the mail was never sent, the repair was cancelled after 70 days, and the owner was never told."""

from __future__ import annotations

from datetime import timedelta

from servicedesk.calling import Call, CallOutcome, log_call
from servicedesk.model import NoticeState, Ticket
from servicedesk.notices import bounced, seen
from servicedesk.office import DISPATCH, SUPERVISOR
from servicedesk.quoting import draft_quote, send_quote
from servicedesk.states import QuoteState, TicketState
from tests.servicedesk.acceptance.case import Case, dangerous

HOUR = timedelta(hours=1)


def quoted(case: Case) -> Ticket:
    """A ticket whose repair waits for the owner's yes to a price."""
    ticket = case.opened()
    case.step(2 * HOUR)
    quote = draft_quote(case.office, ticket.id, case.now, DISPATCH)
    send_quote(case.office, quote.id, case.now, DISPATCH)
    return case.ticket(ticket)


def test_every_mail_dropped_a_second_channel_reaches_the_owner_then_a_person_then_a_supervisor(with_chat: Case) -> None:
    case = with_chat
    case.mail.drops = True
    ticket = quoted(case)
    case.work()
    assert [each["Subject"] for each in case.mail.dropped][-1].startswith("Quote for Refrigerator")
    assert case.hook.posts == []
    case.step(25 * HOUR)
    # The mail was not opened for a day: the second channel has it, with the same words and link.
    (quote,) = case.notices(ticket, "quote")
    (post,) = case.hook.posts
    assert (quote.channel, quote.state) == ("chat", NoticeState.SENT)
    assert post["title"] == quote.subject
    assert quote.link in post["message"]
    assert case.hook.url not in str(case.desk.tickets.timeline(ticket.id))
    # Still no word: a call for a person, and when nobody makes it, a supervisor's.
    case.step(24 * HOUR)
    assert case.open_calls(ticket) == ["unreached"]
    assert case.ticket(ticket).next_action in ("reach_owner", "call_owner")
    case.step(2 * HOUR)
    assert case.call_for(ticket, "unreached").assignee == SUPERVISOR
    assert case.ticket(ticket).responsible == SUPERVISOR
    # Seventy days later nothing has been cancelled; the quote ended by its date, which the owner was told.
    case.step(timedelta(days=70))
    assert case.ticket(ticket).state is TicketState.OPEN
    assert case.notices(ticket, "quote_expired")
    assert "cancelled" not in [line["new"] for line in case.lines(ticket, "moved")]
    log_call(case.office, ticket.id, Call(CallOutcome.REACHED, "told them the price"), case.now, DISPATCH)
    assert case.open_calls(ticket) == []


def test_a_channel_that_refuses_goes_to_the_second_at_once(with_chat: Case) -> None:
    case = with_chat
    case.mail.refused.add("li@example.org")
    ticket = quoted(case)
    case.work()
    (quote,) = case.notices(ticket, "quote")
    assert (quote.channel, quote.state) == ("chat", NoticeState.SENT)
    assert quote.message_id == f"<{quote.id}@wellkept>"


def test_an_opened_quote_climbs_no_further(with_chat: Case) -> None:
    case = with_chat
    ticket = quoted(case)
    case.work()
    seen(case.office, ticket, case.now)
    case.step(timedelta(days=10))
    assert case.hook.posts == []
    assert "unreached" not in case.open_calls(ticket)


def test_without_any_channel_a_person_has_a_task_at_once(case: Case) -> None:
    case.mail.refused.add("li@example.org")
    ticket = quoted(case)
    case.work()
    assert case.open_calls(ticket) == ["unreached"]
    (quote,) = case.notices(ticket, "quote")
    assert quote.state is NoticeState.BOUNCED
    assert case.ticket(ticket).state is TicketState.AWAITING_QUOTE


def test_the_wait_for_the_owner_pauses_the_clock_and_a_failed_send_does_not(case: Case) -> None:
    case.mail.close()
    ticket = case.report(dangerous(case.now))
    case.step(HOUR)
    # The alert could not be sent: the promise of a visit goes on running, though the owner has not answered.
    clock = case.clock(ticket, "visit_24h")
    assert [(each.stage, each.state) for each in case.notices(ticket)] == [("safety", NoticeState.QUEUED)]
    assert "unreached" in case.open_calls(ticket)
    assert (clock.state, clock.reasons) == ("running", ())
    case.mail.open()
    quote = draft_quote(case.office, ticket.id, case.now, DISPATCH)
    send_quote(case.office, quote.id, case.now, DISPATCH)
    case.work()
    (notice,) = case.notices(ticket, "quote")
    assert notice.state is NoticeState.SENT
    paused = case.clock(ticket, "visit_24h")
    assert (paused.state, paused.reasons, paused.due) == ("paused", ("owner",), None)
    assert paused.consumed == HOUR
    case.step(HOUR / 2)
    # The mail comes back after all: it never reached the owner, and the clock is ours again.
    bounced(case.office, case.notices(ticket, "quote")[0], case.now, "550 unknown")
    clock = case.clock(ticket, "visit_24h")
    assert (clock.state, clock.due) == ("running", case.now + 23 * HOUR)
    assert case.desk.quotes.get(quote.id).state is QuoteState.SENT
