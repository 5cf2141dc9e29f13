from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any, Self
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from servicedesk.errors import IllegalMoveError
from servicedesk.model import NoticeState, Outcome, OutcomeCode
from servicedesk.office import DISPATCH, OWNER, Office
from servicedesk.planning import confirm, plan
from servicedesk.states import TicketState, VisitState
from servicedesk.visiting import finish, move_ticket, move_visit
from stack.process import free_port
from storage.desk import PgDesk, open_due, register_household
from storage.desk_agenda import take_back
from storage.jobs import defer, install
from storage.pool import connect
from telemetry.finding import EpisodeState, Finding, Proof
from tests.servicedesk.world import START, finding
from tests.worker_desk.shop import Shop
from worker import jobs_main
from worker.desk import report
from worker.jobs_main import JobSettings

_PATIENCE = 20.0


class Running:
    """The job worker in a thread, on the shop's clock; `settled` waits until nothing is open."""

    def __init__(self, shop: Shop, smtp_url: str | None = None) -> None:
        self.shop = shop
        self.stop = threading.Event()
        settings = JobSettings(smtp_url=smtp_url, public_url="http://desk")
        self._thread = threading.Thread(target=jobs_main.run, args=(shop.url, self.stop, shop.micros, settings))
        self._conn = connect(shop.url, application="test-watch", autocommit=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(15)
        self._conn.close()
        assert not self._thread.is_alive()

    def settled(self) -> None:
        """Poll the very function that holds an accelerated clock."""
        self.until(lambda: open_due(self._conn, self.shop.now) == 0)

    def until(self, true: Any) -> None:  # noqa: ANN401  (a condition)
        deadline = time.monotonic() + _PATIENCE
        while not true():
            assert time.monotonic() < deadline, "not settled in time"
            self.stop.wait(0.01)


def states(shop: Shop, query: Any, *values: object) -> list[Any]:  # noqa: ANN401  (literal SQL and its rows)
    rows = shop.conn.execute(query, values).fetchall()
    shop.conn.commit()
    return [row[0] if len(row) == 1 else row for row in rows]


def test_from_finding_to_closed_through_the_real_queue(shop: Shop) -> None:
    found = finding()
    with Running(shop) as running:
        running.settled()
        ticket = shop.report(found)
        assert ticket is not None
        begun = time.monotonic()
        running.until(lambda: states(shop, "select state from notice") == ["delivered"])
        assert time.monotonic() - begun < 3
        running.settled()
        (visit,) = states(shop, "select id from visit")
        shop.now += timedelta(hours=1)
        confirmed = confirm(shop.office(), visit, shop.now, OWNER)
        shop.conn.commit()
        shop.now = confirmed.start
        for state in (VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE):
            move_visit(shop.office(), visit, state, shop.now, "technician:1")
        outcome = Outcome(
            visit=visit, code=OutcomeCode.REPAIRED, at=shop.now, actor="technician:1", parts=confirmed.parts
        )
        finish(shop.office(), outcome)
        shop.conn.commit()
        assert states(shop, "select kind, published from control_entry") == [("repair_done", None)]
        shop.now += timedelta(hours=80)
        shop.report(finding(revision=1, state=EpisodeState.ENDED, proof=Proof.PROVEN))
        running.settled()
        assert states(shop, "select state from ticket") == [TicketState.VERIFIED]
        for _ in range(5):
            # Quiet hours end on the way: as the clock is held while anything is open, steps are small.
            shop.now += timedelta(hours=5)
            running.settled()
        assert states(shop, "select state from ticket") == [TicketState.CLOSED]
    told = states(shop, "select stage from notice order by queued, stage")
    assert told == ["alert", "confirmed", "done", "proven", "survey"]
    assert states(shop, "select count(*) from procrastinate_jobs") == [0]


def test_two_racing_blocks_open_one_ticket(shop: Shop) -> None:
    """Two transactions that both saw no ticket: the database lets one pass, and the other block does not fail."""
    founds = [finding(epoch=epoch) for epoch in range(2)]
    barrier = threading.Barrier(2)

    def block(found: Finding) -> bool:
        with connect(shop.url, application="race") as conn:
            shop.enter(found, conn)
            barrier.wait(5)
            opened = report(conn, found, shop.device, shop.micros())
            conn.commit()
            return opened is not None

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(block, founds))
    assert sorted(results) == [False, True]
    assert states(shop, "select count(*) from ticket") == [1]
    assert states(shop, "select count(*) from procrastinate_jobs where task_name = 'plan_visit'") == [1]
    assert states(shop, "select count(*) from finding") == [2]


def test_racing_proposals_never_double_book(shop: Shop) -> None:
    """Two planners choose the same first window; the exclusion constraint sends one to the next."""
    shop.conn.execute("update technician set active = false where name <> 'Jonas Weber'")
    shop.conn.commit()
    first = shop.report(finding())
    second = shop.report(finding(family="refrigerant", severity=3))
    assert first is not None
    assert second is not None
    barrier = threading.Barrier(2)

    def planner(ticket: UUID) -> None:
        with connect(shop.url, application="race") as conn:
            office = shop.office(conn)
            conn.execute("select 1")
            barrier.wait(5)
            plan(office, ticket, shop.now)
            conn.commit()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(planner, [first.id, second.id]))
    starts = states(shop, "select lower(span) from visit order by 1")
    assert len(set(starts)) == 2


def test_the_owners_yes_and_a_dispatchers_cancel_meet_without_waiting_for_each_other(shop: Shop) -> None:
    for round_ in range(6):
        ticket = shop.report(finding(epoch=round_))
        assert ticket is not None
        visit = plan(shop.office(), ticket.id, shop.now)
        assert visit is not None
        shop.conn.commit()
        barrier = threading.Barrier(2)

        def meet(act: Callable[[Office], object], barrier: threading.Barrier = barrier) -> None:
            with connect(shop.url, application="race") as conn:
                barrier.wait(5)
                try:
                    act(shop.office(conn))
                except IllegalMoveError:
                    conn.rollback()
                conn.commit()

        def say_yes(office: Office, visit: UUID = visit.id) -> object:
            return confirm(office, visit, shop.now, OWNER)

        def cancel(office: Office, ticket: UUID = ticket.id) -> object:
            return move_ticket(office, ticket, TicketState.CANCELLED, shop.now, DISPATCH, reason="sold")

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(meet, (say_yes, cancel)))
    assert set(states(shop, "select state from ticket")) == {"cancelled"}
    assert set(states(shop, "select state from visit")) == {"cancelled"}
    assert states(shop, "select sum(reserved) from part_stock") == [0]


def test_nothing_leaves_when_the_block_fails(shop: Shop) -> None:
    found = finding()
    shop.enter(found)
    report(shop.conn, found, shop.device, shop.micros())
    shop.conn.rollback()
    assert states(shop, "select count(*) from ticket") == [0]
    assert states(shop, "select count(*) from procrastinate_jobs") == [0]


def test_notices_are_one_an_episode_and_stage_however_often_jobs_run(shop: Shop) -> None:
    ticket = shop.report(finding())
    assert ticket is not None
    for _ in range(5):
        defer(shop.conn, "plan_visit", ticket=str(ticket.id))
    shop.conn.commit()
    with Running(shop) as running:
        running.settled()
        for revision in range(1, 8):
            shop.report(finding(revision=revision))
        running.settled()
    assert states(shop, "select stage, state from notice") == [("alert", "delivered")]
    assert states(shop, "select count(*) from visit") == [1]


def test_deferring_once_while_one_waits(shop: Shop) -> None:
    assert defer(shop.conn, "deliver", once="x", notice="n")
    assert not defer(shop.conn, "deliver", once="x", notice="n")
    # The refusal leaves the transaction usable.
    assert states(shop, "select count(*) from procrastinate_jobs") == [1]
    install(shop.conn)


def test_a_dead_workers_job_is_taken_over(shop: Shop) -> None:
    ticket = shop.report(finding())
    assert ticket is not None
    shop.conn.execute("update procrastinate_jobs set status = 'doing', worker_id = null where task_name = 'plan_visit'")
    shop.conn.commit()
    with Running(shop) as running:
        running.until(lambda: states(shop, "select state from visit") == ["proposed"])


def test_a_lost_due_job_is_handed_over_again(shop: Shop) -> None:
    agenda = PgDesk(shop.conn).agenda
    agenda.set_due("remind", UUID(int=1), START)
    agenda.hand_over(START, 10)
    assert take_back(shop.conn) == 1
    assert len(agenda.hand_over(START, 10)) == 1


def test_open_due_counts_what_holds_the_clock(shop: Shop) -> None:
    agenda = PgDesk(shop.conn).agenda
    agenda.set_due("remind", UUID(int=1), START + timedelta(hours=1))
    assert open_due(shop.conn, START) == 0
    assert open_due(shop.conn, START + timedelta(hours=1)) == 1
    defer(shop.conn, "deliver", notice="n")
    assert open_due(shop.conn, START) == 1


def test_the_jobs_survive_a_database_that_drops_them(shop: Shop) -> None:
    with Running(shop) as running:
        running.settled()
        shop.conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and application_name in "
            "('wellkept-jobs', 'wellkept-poller', 'wellkept-desk')"
        )
        shop.conn.commit()
        shop.report(finding())
        running.until(lambda: states(shop, "select state from notice") == ["delivered"])


class Inbox:
    """A mail server that keeps what it gets and refuses the addresses it is told to."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refused: set[str] = set()
        self.failures = 0

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self,
        _server: object,
        _session: object,
        envelope: Envelope,
        address: str,
        _options: object,
    ) -> str:
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802  (likewise)
        if self.failures:
            self.failures -= 1
            return "451 try again"
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, str]]:
    handler = Inbox()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, server_hostname="localhost")
    controller.start()
    yield handler, f"smtp://127.0.0.1:{port}?from=desk@example.org"
    controller.stop()


def test_a_notice_goes_by_mail_and_counts_as_delivered_after_a_day(shop: Shop, inbox: tuple[Inbox, str]) -> None:
    handler, url = inbox
    handler.failures = 1
    with Running(shop, url) as running:
        shop.report(finding())
        running.until(lambda: states(shop, "select state from notice") == ["sent"])
        (mail,) = handler.mails
        assert mail["To"] == "li@example.org"
        assert mail["From"] == "desk@example.org"
        assert mail["Message-ID"] == states(shop, "select message_id from notice")[0]
        assert "http://desk/o/" in mail.get_content()
        shop.now += timedelta(hours=24)
        running.until(lambda: states(shop, "select state from notice where stage = 'alert'") == ["delivered"])


def test_a_bounced_address_hands_over_to_the_next_contact_or_a_person(shop: Shop, inbox: tuple[Inbox, str]) -> None:
    handler, url = inbox
    handler.refused.add("li@example.org")
    shop.conn.execute(
        "insert into contact (id, household, role, rank, email) values (%s, %s, 'owner', 1, 'w@example.org')",
        (UUID(int=8), shop.household),
    )
    shop.conn.commit()
    with Running(shop, url) as running:
        shop.report(finding())
        running.until(lambda: states(shop, "select state, address from notice") == [("sent", "w@example.org")])
        handler.refused.add("w@example.org")
        (visit,) = states(shop, "select id from visit")
        confirm(replace(shop.office(), channel="mail"), visit, shop.now, OWNER)
        shop.conn.commit()
        bounced = "select state from notice where stage = 'confirmed'"
        running.until(lambda: states(shop, bounced) == [NoticeState.BOUNCED])
    assert states(shop, "select next_action from ticket") == ["reach_owner"]
    assert len(handler.mails) == 1


def test_registration_may_be_repeated(shop: Shop) -> None:
    household = PgDesk(shop.conn).people.household(shop.household)
    assert household is not None
    register_household(shop.conn, household, email="other@example.org")
    (contact,) = PgDesk(shop.conn).people.contacts(shop.household)
    assert contact.email == "li@example.org"
