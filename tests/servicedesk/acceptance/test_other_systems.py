"""What goes wrong in other systems, to be impossible here: each test is named for it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import numpy as np

from detectors.engine import Observation
from firmware_sim.device import RECONNECT
from firmware_sim.fleet import Fleet
from firmware_sim.scenario import FleetEntry, Scenario
from servicedesk.condition import Health, condition
from servicedesk.model import Outcome, OutcomeCode, Ticket
from servicedesk.opening import report
from servicedesk.quoting import approve_quote, draft_quote, send_quote
from servicedesk.reporting import REPORTED, report_fault
from servicedesk.states import QuoteState, TicketState
from servicedesk.visiting import finish
from telemetry.clock import MICROS, to_micros
from telemetry.finding import EpisodeState, Finding, Proof
from telemetry.message import Receipt
from tests.detectors.streams import faulty, fresh, plug, run
from tests.firmware_sim.test_device import ALL, online
from tests.servicedesk.acceptance.case import Case
from tests.servicedesk.world import CATALOGUE, START, finding

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def said_again(case: Case, found: Finding) -> Ticket | None:
    """Another revision, or another finding, as it comes in with its block."""
    if case.shop is not None:
        case.shop.now = case.now
        case.shop.enter(found)
    else:
        case.desk.agenda.findings.setdefault(UUID(found.id), []).append(found)  # type: ignore[attr-defined]
    return report(case.office, found, case.appliance, case.now)


def closed(case: Case) -> Ticket:
    """A repair that is proven and closed, and its owner told."""
    found = finding(at=case.now)
    ticket = case.opened(found)
    case.confirm(ticket)
    visit = case.arrive(ticket)
    finish(case.office, Outcome(visit=visit.id, code=OutcomeCode.REPAIRED, at=case.now, actor="t", parts=visit.parts))
    case.work()
    case.step(3 * DAY)
    said_again(case, finding(at=START, revision=1, state=EpisodeState.ENDED, proof=Proof.PROVEN))
    case.step(3 * DAY)
    assert case.ticket(ticket).state is TicketState.CLOSED
    return case.ticket(ticket)


def test_two_alarms_for_one_fault_when_two_messages_arrive_milliseconds_apart(case: Case) -> None:
    ticket = case.report(finding(at=case.now))
    case.now += timedelta(milliseconds=1)
    assert said_again(case, finding(at=case.now, epoch=2)) is None
    case.work()
    assert [each.stage for each in case.notices(ticket)] == ["alert"]
    assert case.desk.tickets.latest(case.appliance.no, ticket.family) == case.ticket(ticket)


def test_a_mail_every_four_seconds_while_a_condition_stays(case: Case) -> None:
    ticket = case.opened()
    sent = len(case.mail.mails)
    for revision in range(1, 40):
        case.now += timedelta(seconds=4)
        assert said_again(case, finding(at=START, revision=revision)) is None
        case.work()
    assert [each.stage for each in case.notices(ticket)] == ["alert"]
    assert len(case.mail.mails) == sent == 1


def test_a_cleared_alarm_reused_so_that_history_is_lost(case: Case) -> None:
    """A fault that comes again soon is the same case with all its lines; later it is another one."""
    old = closed(case)
    lines = case.kinds(old)
    case.now += 10 * DAY
    said_again(case, finding(at=case.now, epoch=2))
    case.work()
    again = case.ticket(old)
    assert (again.state, again.episode) == (TicketState.REOPENED, 1)
    assert case.kinds(old)[: len(lines)] == lines
    assert [each["new"] for each in case.lines(old, "moved") if each["new"] in {"closed", "reopened"}] == [
        "closed",
        "reopened",
    ]


def test_alarms_fired_by_a_data_gap() -> None:
    """Half a day is missing: nothing is noticed of an appliance that is well."""
    stream = list(plug(days=9, change_day=None))
    begin, end = stream[0].t[0] + 6 * 86_400 * MICROS, stream[0].t[0] + round(6.5 * 86_400) * MICROS
    left = [each for each in stream if not begin <= each.t[0] < end]
    assert len(left) < len(stream)
    assert run("smart_plug", tuple(left)) == []


def test_a_six_hour_offline_burst_stamped_now(case: Case) -> None:
    """What was spooled for six hours carries its own time; a day later it is history, and nobody is alarmed."""
    then = case.now
    case.now += 6 * HOUR
    ticket = case.report(finding(at=then))
    stored = case.desk.agenda.finding(ticket.finding) if ticket.finding is not None else None
    assert stored is not None
    assert stored.opened == to_micros(then)
    assert ticket.opened == case.now
    assert said_again(case, finding(at=then, epoch=2, family="refrigerant", history=True)) is None


def test_unavailable_alerted_as_a_leak() -> None:
    """No numbers are no fault, and no health either."""
    detector, found = fresh("washing_machine"), []
    channels = len(CATALOGUE["washing_machine"].channels)
    for seq in range(1, 60):
        t = np.array([to_micros(START) + seq * 600 * MICROS], np.int64)
        found += detector.observe(Observation(1, seq, t, "idle", np.full((1, channels), np.nan, np.float32)))
    assert found == []
    told = condition(
        observed="unknown",
        last=START - DAY,
        registered=START - 30 * DAY,
        now=START,
        kind=CATALOGUE["washing_machine"],
        cases=(),
        learning=7 * DAY,
    )
    assert told.health is Health.NO_DATA


def test_a_fault_present_at_start_up_never_alerted() -> None:
    """A worn appliance has never been well while we looked: it is found beside those of its kind."""
    found = run("refrigerator", faulty("refrigerator"))
    assert found[0].state is EpisodeState.OPEN
    first = faulty("refrigerator")[0].t[0]
    assert found[0].observed - first < 5 * 86_400 * MICROS


def test_thousands_of_reconnects() -> None:
    """A connection that comes and goes is no message of the appliance: nothing new is said, and what is known rests."""
    core = online(*range(1, 21))
    said: set[int] = set()
    for number in range(2_000):
        at = number * 60 * MICROS
        core.disconnected()
        core.connected(at, 1.0)
        said |= set(core.step(at + RECONNECT, ALL))
    assert said == set(range(1, 21))
    core.receipt(Receipt(epoch=1, upto=20, beyond=[]), 2_000 * 60 * MICROS)
    for number in range(2_000, 4_000):
        core.disconnected()
        core.connected(number * 60 * MICROS, 1.0)
        assert core.step(number * 60 * MICROS + RECONNECT, ALL) == []


def test_no_page_without_login_to_follow_or_approve(case: Case) -> None:
    """The owner's answer needs the link of the notice alone, and each quote is sent with one."""
    ticket = case.opened()
    quote = draft_quote(case.office, ticket.id, case.now, "dispatch")
    send_quote(case.office, quote.id, case.now, "dispatch")
    (notice,) = case.notices(ticket, "quote")
    assert "/o/" in notice.link
    case.work()
    assert any(notice.link in str(each.get_body(("plain",))) for each in case.mail.mails)
    assert approve_quote(case.office, quote.id, case.now, "owner").state is QuoteState.APPROVED


def test_request_context_lost_when_it_becomes_a_job(case: Case) -> None:
    """What the owner said when reporting is on the timeline of the case that a technician is sent for."""
    ticket = report_fault(case.office, case.appliance, None, "It hums and no longer cools.", case.now)
    case.work()
    assert case.visit(ticket)
    assert "It hums and no longer cools." in [each.get("words") for each in case.lines(ticket, REPORTED)]


def test_simulators_that_cannot_fake_a_freezer_with_a_problem() -> None:
    one = Scenario(id="freezer", title="one freezer", fleet=(FleetEntry(kind="freezer", count=1),))
    start = to_micros(START)
    sick, well = (Fleet(one, 5, start) for _ in range(2))
    (device,) = sick.devices
    sick.inject(device.key, "evaporator_fan_wear", start, 1.0)
    told = [[body.q for body in fleet.advance(start + 2 * 86_400 * MICROS)] for fleet in (sick, well)]
    assert told[0] != told[1]
    assert [fault.device for fault in sick.truth()] == [device.key]
