"""Service rules: the roster, every channel down for an hour, silences, quiet hours, and no storm of notices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from servicedesk.calling import acknowledge
from servicedesk.level_rows import Silence, SilenceKind
from servicedesk.model import NoticeState
from servicedesk.notices import notify
from servicedesk.office import DISPATCH, SUPERVISOR
from tests.servicedesk.acceptance.case import Case, dangerous
from tests.servicedesk.world import finding

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_an_unacknowledged_case_goes_up_the_roster(case: Case) -> None:
    case.on_call(1, "Ana", "ana@example.org")
    case.on_call(2, "Bo", case.hook.url)
    ticket = case.opened(dangerous(case.now))
    case.step(MINUTE)
    to_ana = [mail for mail in case.mail.mails if mail["To"] == "ana@example.org"]
    assert len(to_ana) == 1
    assert ticket.ref in to_ana[0].get_content()
    assert case.hook.posts == []
    case.step(10 * MINUTE)
    (post,) = case.hook.posts
    assert ticket.ref in post["message"]
    case.step(10 * MINUTE)
    assert case.ticket(ticket).responsible == SUPERVISOR
    assert [each.step for each in case.desk.levels.calls.pages(ticket.id)] == [1, 2]
    assert any("nobody on call" in each["why"] for each in case.lines(ticket, "escalated"))


def test_who_acknowledges_stops_it(case: Case) -> None:
    case.on_call(1, "Ana", "ana@example.org")
    case.on_call(2, "Bo", case.hook.url)
    ticket = case.opened(dangerous(case.now))
    case.step(5 * MINUTE)
    acknowledge(case.office, ticket.id, case.now, DISPATCH)
    acknowledge(case.office, ticket.id, case.now, DISPATCH)
    case.step(3 * HOUR)
    assert case.hook.posts == []
    (page,) = case.desk.levels.calls.pages(ticket.id)
    assert page.acknowledged is not None
    assert case.kinds(ticket).count("acknowledged") == 1


def test_a_mild_case_wakes_nobody(case: Case) -> None:
    case.on_call(1, "Ana", "ana@example.org")
    ticket = case.opened()
    case.step(2 * HOUR)
    assert case.desk.levels.calls.pages(ticket.id) == []


def test_every_channel_down_for_an_hour(with_chat: Case) -> None:
    """The ladder runs, dispatch is warned after 15 minutes, and a notice keeps its one Message-ID."""
    case = with_chat
    case.mail.close()
    case.hook.status = 500
    tickets = [case.report(), case.report(finding(at=case.now, family="refrigerant", epoch=2))]
    start = case.now
    case.step(14 * MINUTE)
    assert all(each.warned is None for each in case.desk.levels.reach.outages())
    assert len(case.desk.levels.reach.outages()) == 1
    case.step(2 * MINUTE)
    (outage,) = case.desk.levels.reach.outages()
    assert (outage.channel, outage.since, outage.warned) == ("mail", start, start + 15 * MINUTE)
    assert outage.failures > 2
    for ticket in tickets:
        assert "channel_down" in case.kinds(ticket)
    case.step(60 * MINUTE)
    # After an hour on mail the second channel was tried, and does not work either: it is warned of in its turn.
    notices = [notice for ticket in tickets for notice in case.notices(ticket)]
    assert {each.channel for each in notices} == {"chat"}
    assert {each.state for each in notices} == {NoticeState.QUEUED}
    assert len(case.desk.levels.reach.outages()) == 2
    case.mail.open()
    case.hook.status = 200
    case.step(5 * MINUTE)
    notices = [notice for ticket in tickets for notice in case.notices(ticket)]
    assert {each.state for each in notices} == {NoticeState.SENT}
    assert len({each.message_id for each in notices}) == len(notices) == len(case.hook.posts)
    # Both doors work again: chat has shown it; mail shows it with its next message.
    assert [each.channel for each in case.desk.levels.reach.outages()] == ["mail"]
    for ticket in tickets:
        assert case.open_calls(ticket) == []


def test_a_long_outage_goes_on_from_channel_to_channel_beside_the_call(with_chat: Case) -> None:
    case = with_chat
    case.mail.close()
    case.hook.status = 500
    ticket = case.report()
    case.step(150 * MINUTE, retry=10 * MINUTE)
    assert case.open_calls(ticket) == ["unreached"]
    # Chat stays away for good; the mail server comes back, and the notice finds its way to it.
    case.mail.open()
    case.step(20 * MINUTE, retry=10 * MINUTE)
    (alert,) = case.notices(ticket, "alert")
    assert (alert.channel, alert.state) == ("mail", NoticeState.SENT)
    assert [mail["Message-ID"] for mail in case.mail.mails].count(alert.message_id) == 1
    assert case.kinds(ticket).count("unreached") == 1


@pytest.mark.parametrize("kind", [SilenceKind.SNOOZE, SilenceKind.MAINTENANCE])
def test_a_silence_with_an_end_keeps_messages_until_then(case: Case, kind: SilenceKind) -> None:
    silenced(case, kind, case.now + 3 * HOUR)
    ticket = case.opened()
    (alert,) = case.notices(ticket)
    assert alert.not_before >= case.now + 3 * HOUR
    assert case.mail.mails == []
    case.step(24 * HOUR)
    assert len([mail for mail in case.mail.mails if mail["Message-ID"] == alert.message_id]) == 1


def test_a_mute_logs_what_it_kept_back_and_never_keeps_back_safety(case: Case) -> None:
    silence = silenced(case, SilenceKind.MUTE, None)
    ticket = case.opened()
    assert case.notices(ticket) == []
    (kept,) = case.desk.levels.reach.suppressions(silence.id)
    assert (kept.ticket, kept.stage, kept.until) == (ticket.id, "alert", None)
    assert case.lines(ticket, "suppressed")[0]["by"] == "mute"
    danger = case.opened(finding(at=case.now, family="refrigerant", severity=1, epoch=3))
    assert [each.stage for each in case.notices(danger)] == ["safety"]
    case.desk.levels.reach.end_silence(silence.id, case.now)
    assert case.desk.levels.reach.silences("demo", case.now) == []


def test_a_silence_of_one_household_is_not_anothers(case: Case) -> None:
    silenced(case, SilenceKind.MUTE, None, org="elsewhere")
    assert case.notices(case.opened())


def test_one_notice_an_episode_and_stage_however_often_it_is_asked_for(case: Case) -> None:
    ticket = case.opened()
    sent = len(case.mail.mails)
    for _ in range(50):
        notify(case.office, case.ticket(ticket), "alert", case.now, visit=case.visit(ticket))
        case.work()
    assert len(case.mail.mails) == sent == 1


def test_quiet_hours_hold_the_next_rung_too_but_not_for_safety(with_chat: Case) -> None:
    case = with_chat
    case.mail.close()
    case.now = datetime(2026, 3, 3, 20, 30, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    ticket = case.opened()
    case.step(3 * HOUR, retry=20 * MINUTE)
    assert case.hook.posts == []
    danger = case.opened(finding(at=case.now, family="refrigerant", severity=1, epoch=3))
    case.step(6 * MINUTE)
    assert len(case.hook.posts) == 1
    case.step(12 * HOUR, retry=20 * MINUTE)
    assert {each.channel for each in (*case.notices(ticket, "alert"), *case.notices(danger, "safety"))} == {"chat"}
    assert len(case.hook.posts) >= 2


def silenced(case: Case, kind: SilenceKind, until: datetime | None, org: str = "demo") -> Silence:
    row = Silence(
        id=case.office.new_id(),
        org=org,
        kind=kind,
        start=case.now,
        until=until,
        made_by=DISPATCH,
        reason="works in the street",
    )
    case.desk.levels.reach.silence(row)
    return row
