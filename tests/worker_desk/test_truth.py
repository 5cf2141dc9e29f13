"""The truth loop's repository: the memory's form and PostgreSQL's promise the same; and the scoreboard's rows."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from servicedesk.judging import key_of, learn
from servicedesk.model import Appliance, Ticket
from servicedesk.ports import Desk
from servicedesk.states import TicketState
from servicedesk.trust import Tally, Truth, Verdict
from servicedesk.visiting import move_ticket
from stack.cli import app
from storage.desk import PgDesk
from storage.read_models import EVERYTHING, Scope
from storage.read_truth import scores
from telemetry.finding import Finding
from tests.servicedesk.world import START, World, finding
from tests.worker_desk.shop import Shop


@dataclass
class Store:
    desk: Desk
    appliance: Appliance
    enter: Callable[[Finding], object]

    def ticket(self, number: int) -> Ticket:
        """A case that is over."""
        row = Ticket(
            id=uuid.uuid4(),
            org="demo",
            device=self.appliance.no,
            family="condenser_airflow",
            severity=3,
            priority=30,
            state=TicketState.FALSE_ALARM,
            responsible="dispatch",
            next_action="none",
            opened=START + timedelta(hours=number),
            respond_due=START,
        )
        added = self.desk.tickets.add(row)
        assert added is not None
        return added

    def note(self, number: int, **changes: Any) -> Verdict:  # noqa: ANN401  (columns)
        ticket = self.ticket(number)
        given = Verdict(
            id=uuid.uuid4(),
            key=key_of(self.appliance, "cycles", "condenser_airflow"),
            version="1",
            device=self.appliance.no,
            ticket=ticket.id,
            finding=None,
            told="condenser_dust",
            confirmed=None,
            truth=Truth.TRUE,
            hit=True,
            at=START + timedelta(hours=number),
        )
        verdict = replace(given, **changes)
        self.desk.truth.note(verdict)
        return verdict


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        world = World()

        def remember(found: Finding) -> None:
            world.desk.agenda.findings.setdefault(UUID(found.id), []).append(found)

        yield Store(world.desk, world.appliance, remember)
        return
    shop: Shop = request.getfixturevalue("shared_shop")
    desk = PgDesk(shop.conn, "http://desk")
    yield Store(desk, desk.people.appliance(shop.device.no), shop.enter)
    shop.conn.rollback()


def test_a_verdict_comes_back_and_the_last_of_a_ticket_counts(store: Store) -> None:
    found = finding()
    store.enter(found)
    first = store.note(1, finding=UUID(found.id), confirmed="condenser_dust")
    assert store.desk.truth.of_ticket(first.ticket) == first
    later = replace(first, truth=Truth.FALSE, hit=False, confirmed=None, at=START + timedelta(days=1))
    store.desk.truth.note(later)
    assert store.desk.truth.of_ticket(first.ticket) == later
    assert store.desk.truth.tally(first.key, 30) == Tally(0, 1, 0)
    assert store.desk.truth.of_ticket(uuid.uuid4()) is None


def test_the_last_verdicts_count_and_the_misses_since(store: Store) -> None:
    store.note(0, truth=Truth.MISSED)
    for number, hit in enumerate([False, False, True, False, True, True], 1):
        verdict = store.note(number, hit=hit, truth=Truth.TRUE if hit else Truth.FALSE)
    store.note(5, truth=Truth.MISSED, confirmed="condenser_dust")
    truth = store.desk.truth
    assert truth.tally(verdict.key, 30) == Tally(3, 3, 1)
    assert truth.tally(verdict.key, 4) == Tally(3, 1, 1)
    assert truth.tally(replace(verdict.key, model="other"), 30) == Tally()
    assert truth.causes(verdict.key) == {"condenser_dust": 1}


def test_a_suggestion_is_noted_once(store: Store) -> None:
    one, two = finding(epoch=1), finding(epoch=2)
    no, truth = store.appliance.no, store.desk.truth
    for found in (one, two):
        store.enter(found)
    truth.suggest(UUID(one.id), no, one.family, START)
    truth.suggest(UUID(one.id), no, one.family, START + timedelta(days=9))
    assert truth.suggested(no, one.family, START + timedelta(days=1)) is None
    truth.suggest(UUID(two.id), no, two.family, START + timedelta(hours=1))
    assert truth.suggested(no, one.family, START) == UUID(two.id)
    assert truth.suggested(no, "refrigerant", START) is None


def test_whoever_heard_a_lesson_last_is_not_taught_again(store: Store) -> None:
    key, no = key_of(store.appliance, "cycles", "condenser_airflow"), store.appliance.no
    truth, agenda = store.desk.truth, store.desk.agenda
    body = {"family": "condenser_airflow", "threshold": 1.5, "causes": {"unknown": 2.0}}
    assert truth.untaught(key, body, anew=False) == []
    assert truth.untaught(key, body, anew=True) == [no]
    agenda.control(uuid.uuid4(), no, "priors", START, body)
    agenda.control(uuid.uuid4(), no, "priors", START, body | {"family": "refrigerant"})
    assert truth.untaught(key, body, anew=True) == []
    assert truth.untaught(key, body | {"threshold": 1.0}, anew=False) == [no]
    assert truth.untaught(replace(key, model="other"), body, anew=True) == []


def test_outcomes_are_on_the_scoreboard(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        found = finding(at=shop.now, epoch=number + 1)
        ticket = shop.report(found)
        if number == 5:
            assert ticket is None
            break
        assert ticket is not None
        judged = ticket
        move_ticket(shop.office(), ticket.id, TicketState.FALSE_ALARM, shop.now, "dispatch")
        shop.conn.commit()
        shop.now += timedelta(days=40)
    assert learn(shop.office(), judged.id, shop.now) == 1
    assert learn(shop.office(), judged.id, shop.now) == 0
    told = shop.conn.execute("select kind, body ->> 'family' from control_entry where device = %s", (shop.device.no,))
    assert told.fetchall() == [("priors", "condenser_airflow")]
    (row,) = scores(shop.conn, EVERYTHING, window=30)
    assert (row.right, row.wrong, row.missed, row.suggestions) == (0, 5, 0, 1)
    assert scores(shop.conn, Scope(org="other"), window=30) == []
    assert scores(shop.conn, Scope(household=shop.household), window=30) == []
    shop.conn.commit()
    monkeypatch.setenv("WELLKEPT_DATABASE_URL", shop.url)
    told = json.loads(CliRunner().invoke(app, ["scoreboard", "--json"]).stdout)
    assert told["scores"][0]["suggest_only"] is True
    assert told["scores"][0]["low"] < told["scores"][0]["precision"] < told["bar"]
