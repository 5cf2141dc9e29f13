"""Told again and again: one timeline for everybody, fed from every channel, and nobody asks twice."""

from __future__ import annotations

from datetime import timedelta

from servicedesk.calling import Call, CallOutcome, log_call
from servicedesk.contact import say, take_mail
from servicedesk.mail_in import read_mail
from servicedesk.office import OWNER
from servicedesk.photos import add_photo
from servicedesk.selfcheck import answer_step, progress
from tests.api.case import picture
from tests.servicedesk.acceptance.case import Case
from tests.servicedesk.acceptance.test_self_fix import opened, recover


def test_told_again_and_again_every_channel_and_the_telemetry_stand_on_one_timeline(case: Case) -> None:
    ticket, found = opened(case)
    answer_step(case.office, ticket.id, 1, "done", case.now, actor=OWNER, note="there was dust")
    say(case.office, ticket.id, "it hums at night", case.now, channel="page")
    raw = f"From: li@example.org\nSubject: Re: {ticket.ref}\nMessage-ID: <7@home>\n\nStill humming.\n".encode()
    take_mail(case.office, read_mail(raw), case.now)
    log_call(case.office, ticket.id, Call(CallOutcome.REACHED, "agreed on Tuesday"), case.now, "dispatch")
    add_photo(case.office, ticket.id, picture(), case.now, OWNER)
    case.now += timedelta(hours=5)
    recover(case, ticket, found)
    lines = case.desk.tickets.timeline(ticket.id)
    told = [each.kind for each in lines]
    for kind in ("detected", "proposed", "notice", "self_check", "message", "reached", "photo", "recovered"):
        assert kind in told, kind
    assert told.count("message") == 2  # by page and by mail
    assert {each.ticket for each in lines} == {ticket.id}
    assert [each.id for each in lines] == sorted(each.id for each in lines)


def test_told_again_and_again_what_the_owner_said_is_there_for_whoever_comes_next(case: Case) -> None:
    ticket, _ = opened(case)
    answer_step(case.office, ticket.id, 1, "done", case.now, actor=OWNER, note="5 cm to the wall")
    case.confirm(ticket)
    case.arrive(ticket)
    (line,) = case.lines(ticket, "self_check")
    assert (line["step"], line["answer"], line["note"]) == (1, "done", "5 cm to the wall")
    seen = progress(case.office, case.ticket(ticket))
    assert [(each.step, each.answer) for each in seen.answers] == [(1, "done")]
    assert seen.step is None  # the technician is there: nothing is asked any more
