"""A technician's day: both forms of the repository keep the same promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from servicedesk.day_rows import Delay, Position, Tick
from servicedesk.states import VisitState
from servicedesk.travel import Place
from tests.servicedesk.world import START
from tests.worker_desk.stored import Store, added, visit

HERE, THERE = Place(31.2, 121.5), Place(31.3, 121.4)


def test_the_last_word_on_a_step_counts(store: Store) -> None:
    day, row = store.desk.day, visit(store, added(store))
    store.desk.visits.add(row)
    first = Tick(visit=row.id, step="test-1", done=True, at=START, actor="technician:x")
    van = replace(first, step="van:RF-FAN-120")
    for each in (van, first, replace(first, done=False, at=START + timedelta(minutes=1))):
        day.tick(each)
    assert day.ticks(row.id) == [replace(first, done=False, at=START + timedelta(minutes=1)), van]
    assert day.ticks(row.ticket) == []


def test_a_delay_is_replaced_and_counted(store: Store) -> None:
    day, row = store.desk.day, visit(store, added(store))
    store.desk.visits.add(row)
    assert day.delay_of(row.id) is None
    told = Delay(visit=row.id, expected=START + timedelta(hours=1), at=START, actor="technician:x")
    assert day.delay(told) == told
    later = replace(told, expected=START + timedelta(hours=2))
    assert day.delay(later) == replace(later, times=2) == day.delay_of(row.id)


def test_a_position_is_kept_only_while_travelling_and_only_the_last(store: Store) -> None:
    day, visits, row = store.desk.day, store.desk.visits, visit(store, added(store))
    visits.add(row)
    here = Position(visit=row.id, at=START, place=HERE)
    for state in (VisitState.PROPOSED, VisitState.CONFIRMED, VisitState.DISPATCHED):
        row = visits.save(replace(visits.get(row.id), state=state))
        assert not day.place(here)
        assert day.position(row.id) is None
    visits.save(replace(visits.get(row.id), state=VisitState.TRAVELLING))
    assert day.place(here)
    newer = Position(visit=row.id, at=START + timedelta(seconds=30), place=THERE)
    assert day.place(newer)
    assert day.place(here), "an older one is taken, and changes nothing"
    assert day.position(row.id) == newer
    visits.save(replace(visits.get(row.id), state=VisitState.ON_SITE))
    assert not day.place(replace(newer, at=START + timedelta(minutes=1)))
    day.forget(row.id)
    assert day.position(row.id) is None
