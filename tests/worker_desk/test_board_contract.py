"""Moves by hand and locks: what both forms of the repositories promise; and the job that tells owners waits for it."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from servicedesk.assigning import Hand, assign_visit, undo_move
from servicedesk.errors import UnknownError
from servicedesk.model import Window
from servicedesk.moves import RELEASE, UNDO, BoardMove, Consent, MoveState
from servicedesk.states import VisitState
from servicedesk.suggesting import suggest
from servicedesk.weighing import Placing
from storage.desk import open_due
from tests.servicedesk.world import START, finding
from tests.worker_desk.shop import Shop
from tests.worker_desk.stored import Store, added, visit
from tests.worker_desk.test_jobs import Running, states

WALL = datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_moves_come_back_as_they_were(store: Store) -> None:
    moves, ticket = store.desk.moves, added(store)
    row = visit(store, ticket)
    store.desk.visits.add(row)
    move = BoardMove(
        id=uuid.uuid4(),
        org="demo",
        ticket=ticket.id,
        actor="dispatch:ana",
        at=START,
        until=WALL,
        visit=row.id,
        before={"visit": None, "state": "open"},
        version=3,
        owner=Consent.ASK,
        rules=("part",),
        reason="it comes by post",
    )
    moves.add(move)
    later = replace(move, id=uuid.uuid4(), until=WALL + timedelta(seconds=5), rules=(), reason="")
    moves.add(later)
    assert moves.get(move.id) == move
    assert moves.ticket_of(move.id) == ticket.id
    assert moves.of_visit(row.id) in (move, later)
    assert moves.of_visit(uuid.uuid4()) is None
    assert {each.id for each in moves.open_of(ticket.id)} == {move.id, later.id}
    assert moves.latest("dispatch:ana", WALL - timedelta(seconds=1)) == later
    assert moves.latest("dispatch:bo", WALL - timedelta(seconds=1)) is None
    moves.save(replace(later, state=MoveState.UNDONE, decided=WALL))
    assert moves.get(later.id).state is MoveState.UNDONE
    assert moves.latest("dispatch:ana", WALL - timedelta(seconds=1)) == move
    assert moves.latest("dispatch:ana", WALL) is None
    assert [each.id for each in moves.open_of(ticket.id)] == [move.id]
    with pytest.raises(UnknownError):
        moves.get(uuid.uuid4())
    with pytest.raises(UnknownError):
        moves.ticket_of(uuid.uuid4())


def test_a_locked_visit_does_not_wait_for_a_plan(store: Store) -> None:
    desk, ticket = store.desk, added(store)
    row = visit(store, ticket)
    desk.visits.add(row)
    span = Window(row.start, row.end)

    def movable() -> bool:
        (booking,) = (b for b in desk.visits.bookings([row.technician], span)[row.technician] if b.ticket == ticket.id)
        return booking.movable

    assert [(one.id, other) for one, other in desk.plans.waiting("demo")] == [(ticket.id, row)]
    assert movable()
    locked = desk.visits.save(replace(desk.visits.get(row.id), locked="Ana"))
    assert desk.visits.get(row.id).locked == "Ana"
    assert desk.plans.waiting("demo") == []
    assert not movable()
    desk.visits.save(replace(locked, locked=None))
    assert movable()
    assert row.state is VisitState.PROPOSED


def test_a_plan_is_known_when_it_is_there(store: Store) -> None:
    assert not store.desk.plans.known(uuid.uuid4())


def test_the_owner_is_told_by_a_job_that_waits_and_holds_no_clock(shop: Shop) -> None:
    at = datetime.now(UTC) + timedelta(seconds=10)
    agenda = shop.office().desk.agenda
    agenda.defer(RELEASE, once="release:1", later=at, move="1")
    agenda.defer(RELEASE, once="release:2", move="2")
    shop.conn.commit()
    rows = shop.conn.execute("select args ->> 'move', scheduled_at, status::text from procrastinate_jobs order by id")
    assert list(rows) == [("1", at, "todo"), ("2", None, "todo")]
    assert open_due(shop.conn, shop.now) == 1


def test_the_worker_tells_the_owner_once_and_not_what_was_taken_back(shop: Shop) -> None:
    ticket = shop.report(finding(at=shop.now))
    assert ticket is not None
    hand = Hand("dispatch:ana", "Ana", datetime.now(UTC) - 2 * UNDO)
    with Running(shop) as running:
        running.settled()
        office = shop.office()
        shop.conn.commit()
        told = Counter(each.stage for each in office.desk.notices.of_ticket(ticket.id))
        found = suggest(office, office.desk.tickets.get(ticket.id), shop.now).best
        first, second = (Placing(ticket.id, each.technician, each.window.start) for each in found[:2])
        taken_back = assign_visit(office, first, replace(hand, wall=datetime.now(UTC) + 2 * UNDO), shop.now)
        undo_move(office, taken_back.id, hand, shop.now)
        # Its ten seconds are over: the queue hands it out at once, as it would after a crash.
        move = assign_visit(office, second, hand, shop.now)
        shop.conn.commit()
        running.until(lambda: states(shop, "select state from board_move where id = %s", move.id) == ["released"])
        running.settled()
    assert states(shop, "select state from board_move where id = %s", taken_back.id) == ["undone"]
    # All of one fleet moment: their order says nothing.
    stages = Counter(each.stage for each in office.desk.notices.of_ticket(ticket.id))
    assert stages - told == Counter(["proposed_again"])
