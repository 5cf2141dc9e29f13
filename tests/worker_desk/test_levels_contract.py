"""What every form of the level, call and channel repositories promises: the memory's and PostgreSQL's."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.level_rows import (
    Attempt,
    CallState,
    CallTask,
    Compensation,
    ContactChannel,
    LevelClock,
    MailIn,
    OnCall,
    Outage,
    Page,
    Pause,
    Silence,
    SilenceKind,
    Suppressed,
)
from servicedesk.model import NoticeState
from servicedesk.states import TicketState
from tests.servicedesk.world import START
from tests.worker_desk.stored import Store, added, notice

HOUR = timedelta(hours=1)


def clock(of: UUID, **changes: Any) -> LevelClock:  # noqa: ANN401  (columns)
    given: dict[str, Any] = {
        "id": uuid.uuid4(),
        "ticket": of,
        "policy": "plan",
        "occasion": 0,
        "calendar": "always",
        "zone": "Asia/Shanghai",
        "started": START,
        "allowed": timedelta(days=2, microseconds=7),
        "since": START,
        "due": START + timedelta(days=2),
    }
    return LevelClock(**(given | changes))


def test_a_clock_comes_back_as_it_was_and_is_open_until_it_is_met(store: Store) -> None:
    ticket, clocks = added(store), store.desk.levels.clocks
    row = clock(ticket.id, reasons=("owner", "parts"), expected=START + HOUR, warned=START)
    clocks.add(row)
    assert clocks.get(row.id) == row
    assert clocks.ticket_of(row.id) == ticket.id
    assert clocks.open_of(ticket.id) == [row]
    met = replace(row, met=START + HOUR, since=None, due=None, consumed=HOUR, reasons=())
    clocks.save(met)
    assert clocks.open_of(ticket.id) == []
    assert clocks.of_ticket(ticket.id) == [met]
    assert clocks.state_of(ticket.id) is TicketState.OPEN
    for missing in (clocks.get, clocks.ticket_of, clocks.state_of):
        with pytest.raises(UnknownError):
            missing(uuid.uuid4())


def test_a_reason_pauses_once_until_it_ends(store: Store) -> None:
    ticket, clocks = added(store), store.desk.levels.clocks
    row = clock(ticket.id)
    clocks.add(row)
    clocks.pause(Pause(clock=row.id, reason="parts", begun=START))
    clocks.pause(Pause(clock=row.id, reason="parts", begun=START + HOUR))
    clocks.pause(Pause(clock=row.id, reason="hold", begun=START + HOUR))
    clocks.resume(row.id, "parts", START + 2 * HOUR)
    clocks.pause(Pause(clock=row.id, reason="parts", begun=START + 3 * HOUR))
    assert [(each.reason, each.begun, each.until) for each in clocks.pauses(ticket.id)] == [
        ("parts", START, START + 2 * HOUR),
        ("hold", START + HOUR, None),
        ("parts", START + 3 * HOUR, None),
    ]


def test_a_clock_is_made_good_once(store: Store) -> None:
    ticket, clocks = added(store), store.desk.levels.clocks
    row = clock(ticket.id)
    clocks.add(row)
    paid = Compensation(
        id=uuid.uuid4(),
        ticket=ticket.id,
        clock=row.id,
        policy="plan",
        amount=Decimal("12.50"),
        currency="CNY",
        reason="late",
        issued=START,
    )
    assert clocks.compensate(paid)
    assert not clocks.compensate(replace(paid, id=uuid.uuid4()))
    assert clocks.compensations(ticket.id) == [paid]


def test_a_household_is_standard_until_it_is_said_otherwise(store: Store) -> None:
    clocks = store.desk.levels.clocks
    assert clocks.tier(store.household) == "standard"
    clocks.set_tier(store.household, "vip", "Ana")
    clocks.set_tier(store.household, "vip")
    assert clocks.tier(store.household) == "vip"


def test_calls_of_a_span_and_an_organisation(store: Store) -> None:
    ticket, calls = added(store), store.desk.levels.calls
    task = CallTask(
        id=uuid.uuid4(),
        ticket=ticket.id,
        reason="complaint",
        severity=3,
        opened=START,
        due=START + HOUR,
        assignee="dispatch",
    )
    calls.add(task)
    assert calls.get(task.id) == task
    done = replace(task, state=CallState.DONE, contacted=START + HOUR, closed=START + HOUR, note="well")
    calls.save(done)
    assert calls.of_ticket(ticket.id) == [done]
    assert calls.opened("demo", START, START + HOUR) == calls.opened(None, START, START + HOUR) == [done]
    assert calls.opened("demo", START + HOUR, START + 2 * HOUR) == calls.opened("else", START, START + HOUR) == []
    with pytest.raises(UnknownError):
        calls.get(uuid.uuid4())


def test_the_roster_at_a_moment_and_one_page_a_step(store: Store) -> None:
    ticket, calls = added(store), store.desk.levels.calls

    def person(step: int, name: str, start: int) -> OnCall:
        begin = START + start * HOUR
        return OnCall(
            id=uuid.uuid4(), org="demo", step=step, name=name, address="a@b", start=begin, until=begin + 8 * HOUR
        )

    second, first, later = person(2, "Bo", 0), person(1, "Ana", 0), person(1, "Cy", 8)
    for each in (second, first, later):
        calls.add_oncall(each)
    # One person stands on one step once at a time.
    with pytest.raises(ConflictError, match="Ana is on step 1"):
        calls.add_oncall(replace(first, id=uuid.uuid4(), start=START + HOUR))
    assert calls.oncall("demo", START) == [first, second]
    assert calls.oncall("demo", START + 8 * HOUR) == [later]
    assert calls.oncall("else", START) == []
    calls.drop_oncall(second.id, START + HOUR)
    calls.drop_oncall(later.id, START + 2 * HOUR)
    assert calls.oncall("demo", START) == [first, replace(second, until=START + HOUR)]
    assert calls.oncall("demo", START + HOUR) == [first]
    assert calls.oncall("demo", START + 8 * HOUR) == []
    page = Page(id=uuid.uuid4(), ticket=ticket.id, episode=0, step=1, name="Ana", address="a@b", text="x", at=START)
    assert calls.add_page(page)
    assert not calls.add_page(replace(page, id=uuid.uuid4()))
    calls.save_page(replace(page, sent=START, acknowledged=START + HOUR))
    assert calls.pages(ticket.id) == [calls.page(page.id)] == [replace(page, sent=START, acknowledged=START + HOUR)]


def test_a_mail_is_taken_once(store: Store) -> None:
    ticket, calls = added(store), store.desk.levels.calls
    mail = MailIn(message_id="<1@x>", at=START, kind="reply", sender="a@b", subject="s", words="w", ticket=ticket.id)
    lost = replace(mail, message_id="<2@x>", ticket=None)
    assert calls.take_mail(mail)
    assert not calls.take_mail(mail)
    assert calls.take_mail(lost)
    assert calls.unmatched(5) == [lost]


def test_channels_own_first_and_stale_ones_never(store: Store) -> None:
    reach = store.desk.levels.reach
    shared = ContactChannel(id=uuid.uuid4(), org="demo", url="ntfy://a", rank=-5)
    own = ContactChannel(id=uuid.uuid4(), org="demo", household=store.household, url="ntfy://b")
    other = ContactChannel(id=uuid.uuid4(), org="else", url="ntfy://c")
    for each in (shared, own, other):
        reach.add_channel(each)
    assert reach.channels("demo", store.household) == [own, shared]
    reach.stale_channel(own.id, START)
    assert reach.channels("demo", store.household) == [shared]
    assert reach.channel(own.id).stale == START


def test_notices_by_message_id_by_channel_and_what_was_tried(store: Store) -> None:
    ticket, desk = added(store), store.desk
    row = notice(store, ticket)
    desk.notices.add(row)
    reach = desk.levels.reach
    assert reach.notices_of([row.message_id, "<none>"]) == [row]
    assert reach.waiting("mail") == [row]
    assert reach.waiting("chat") == []
    desk.notices.save(replace(row, channel="chat", address="x", state=NoticeState.SENT, sent=START))
    assert reach.waiting("chat") == []
    assert desk.notices.get(row.id).channel == "chat"
    attempt = Attempt(notice=row.id, rung=0, channel="mail", address="a@b", at=START, why="first")
    reach.attempted(attempt)
    reach.attempted(replace(attempt, why="again"))
    assert reach.attempts(row.id) == [attempt]
    assert reach.ticket_of_ref(ticket.ref) == ticket.id
    assert reach.ticket_of_ref("WK-9") is None


def test_one_outage_a_channel_until_it_works(store: Store) -> None:
    reach = store.desk.levels.reach
    outage = Outage(id=uuid.uuid4(), channel="mail", since=START, failures=1, why="refused")
    assert reach.failed(outage) == outage
    again = reach.failed(replace(outage, id=uuid.uuid4(), since=START + HOUR, why="away"))
    assert again == replace(outage, failures=2, why="away")
    reach.save_outage(replace(again, warned=START + HOUR))
    assert reach.outages() == [replace(again, warned=START + HOUR)]
    reach.worked("chat:x", START)
    assert len(reach.outages()) == 1
    reach.worked("mail", START + HOUR)
    assert reach.outages() == []
    assert reach.outage(outage.id).ended == START + HOUR
    assert reach.failed(replace(outage, id=uuid.uuid4())).failures == 1


def test_silences_in_force_and_what_they_kept_back(store: Store) -> None:
    ticket, reach = added(store), store.desk.levels.reach
    row = Silence(
        id=uuid.uuid4(),
        org="demo",
        kind=SilenceKind.SNOOZE,
        start=START,
        until=START + HOUR,
        made_by="dispatch",
        reason="away",
        household=store.household,
    )
    reach.silence(row)
    assert reach.silences("demo", START) == reach.silences(None, START) == [row]
    assert reach.silences("demo", START + HOUR) == reach.silences("else", START) == []
    kept = Suppressed(silence=row.id, ticket=ticket.id, stage="alert", at=START, until=row.until)
    reach.suppressed(kept)
    assert reach.suppressions(row.id) == [kept]
    reach.end_silence(row.id, START)
    assert reach.silences("demo", START) == []
    with pytest.raises(UnknownError):
        reach.end_silence(uuid.uuid4(), START)
