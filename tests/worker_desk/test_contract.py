"""What every form of the repositories promises: the memory's and PostgreSQL's."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from servicedesk.errors import AlreadyOpenError, ConflictError, UnknownError, WindowGoneError
from servicedesk.model import (
    NoticeState,
    Outcome,
    OutcomeCode,
    TicketEvent,
    Window,
)
from servicedesk.states import TicketState, VisitState
from tests.servicedesk.world import KEY, START, finding
from tests.worker_desk.stored import Store, added, notice, ticket, visit


def test_a_ticket_comes_back_as_it_was(store: Store) -> None:
    found = finding()
    store.enter(found)
    row = added(store, finding=UUID(found.id), fault="condenser_fan_wear", expected_cost=12.5)
    assert re.fullmatch(r"WK-1\d{3}", row.ref)
    assert store.desk.tickets.get(row.id) == row
    assert store.desk.tickets.of_finding(UUID(found.id)) == row
    assert store.desk.tickets.latest(store.device, "condenser_airflow") == row
    assert store.desk.tickets.latest(store.device, "refrigerant") is None
    with pytest.raises(UnknownError):
        store.desk.tickets.get(uuid.uuid4())


def test_one_open_ticket_a_device_and_family(store: Store) -> None:
    first = added(store)
    assert store.desk.tickets.add(ticket(store)) is None
    added(store, family="refrigerant")
    ended = store.desk.tickets.save(replace(first, state=TicketState.CANCELLED))
    second = added(store, opened=START + timedelta(days=1))
    assert store.desk.tickets.latest(store.device, "condenser_airflow") == second
    with pytest.raises(AlreadyOpenError):
        store.desk.tickets.save(replace(ended, state=TicketState.REOPENED))
    assert store.desk.tickets.get(first.id).state is TicketState.CANCELLED


def test_one_ticket_a_finding_even_after_it_ended(store: Store) -> None:
    found = finding()
    store.enter(found)
    first = added(store, finding=UUID(found.id))
    store.desk.tickets.save(replace(first, state=TicketState.FALSE_ALARM))
    assert store.desk.tickets.add(ticket(store, finding=UUID(found.id))) is None


def test_a_stale_ticket_is_not_written(store: Store) -> None:
    first = added(store)
    newer = store.desk.tickets.save(replace(first, severity=2))
    assert newer.version == first.version + 1
    with pytest.raises(ConflictError):
        store.desk.tickets.save(replace(first, severity=4))
    assert store.desk.tickets.get(first.id).severity == 2


def test_the_timeline_is_in_order(store: Store) -> None:
    row = added(store)
    for kind in ("one", "two"):
        store.desk.tickets.log(TicketEvent(ticket=row.id, at=START, kind=kind, actor="system", body={"n": [1, "x"]}))
    events = store.desk.tickets.timeline(row.id)
    assert [each.kind for each in events] == ["one", "two"]
    assert events[0].body == {"n": [1, "x"]}
    assert events[0].id < events[1].id


def test_visits_never_clash(store: Store) -> None:
    first, second = added(store), added(store, family="refrigerant")
    row = visit(store, first)
    store.desk.visits.add(row)
    assert store.desk.visits.get(row.id) == row
    with pytest.raises(WindowGoneError):
        store.desk.visits.add(visit(store, second, hours=25))
    with pytest.raises(WindowGoneError):
        store.desk.visits.add(visit(store, first, hours=48, who=1))
    store.desk.visits.add(visit(store, second, hours=26))
    assert len(store.desk.visits.of_ticket(second.id)) == 1
    span = Window(START, START + timedelta(days=3))
    busy = store.desk.visits.bookings([row.technician], span)[row.technician]
    assert sorted(each.window for each in busy) == [row.window, Window(row.end, row.end + timedelta(hours=2))]
    assert {each.ticket for each in busy} == {first.id, second.id}
    assert all(each.movable for each in busy)
    gone = store.desk.visits.save(replace(row, state=VisitState.DECLINED))
    with pytest.raises(ConflictError):
        store.desk.visits.save(replace(row, state=VisitState.CONFIRMED))
    assert gone.version == 1
    store.desk.visits.add(visit(store, first))


def test_an_outcome_is_said_once(store: Store) -> None:
    row = visit(store, added(store))
    store.desk.visits.add(row)
    first = Outcome(visit=row.id, code=OutcomeCode.REPAIRED, at=START, actor="t", parts=("A", "B"), note="ok")
    store.desk.visits.report(first)
    store.desk.visits.report(replace(first, code=OutcomeCode.NOT_REPAIRED))
    assert store.desk.visits.outcome(row.id) == first
    assert store.desk.visits.outcome(uuid.uuid4()) is None


def test_stock_is_reserved_used_and_given_back(store: Store) -> None:
    parts, sku = store.desk.parts, "RF-FAN-120"
    one, two = visit(store, added(store)), visit(store, added(store, family="refrigerant"), hours=48)
    store.desk.visits.add(one)
    store.desk.visits.add(two)
    before = parts.stock("demo", [sku, "NONE"])[sku]
    assert parts.reserve("demo", one.id, sku)
    assert parts.reserve("demo", two.id, sku)
    assert not parts.reserve("demo", one.id, "NONE")
    assert parts.stock("demo", [sku])[sku].free == before.free - 2
    parts.use(one.id, [sku])
    parts.release(two.id)
    parts.release(two.id)
    after = parts.stock("demo", [sku])[sku]
    assert (after.on_hand, after.reserved) == (before.on_hand - 1, 0)


def test_one_notice_a_stage(store: Store) -> None:
    row = added(store)
    first = notice(store, row)
    assert store.desk.notices.add(first)
    assert not store.desk.notices.add(notice(store, row))
    assert store.desk.notices.add(notice(store, row, occasion=1, queued=START + timedelta(hours=1)))
    store.desk.notices.save(replace(first, state=NoticeState.SENT, sent=START))
    assert store.desk.notices.get(first.id).state is NoticeState.SENT
    assert [each.occasion for each in store.desk.notices.of_ticket(row.id)] == [0, 1]
    with pytest.raises(UnknownError):
        store.desk.notices.get(uuid.uuid4())


def test_a_bounced_contact_is_marked(store: Store) -> None:
    store.desk.people.bounced(store.household, "li@example.org", START)
    (contact,) = store.desk.people.contacts(store.household)
    assert contact.bounced == START


def test_people_and_appliances(store: Store) -> None:
    household = store.desk.people.household(store.household)
    assert household is not None
    assert household.tz == "Asia/Shanghai"
    assert store.desk.people.household(uuid.uuid4()) is None
    appliance = store.desk.people.appliance(store.device)
    assert (appliance.device, appliance.household) == (KEY.device, store.household)
    assert len(store.desk.people.technicians("demo")) == 6
    assert store.desk.people.technicians("demo")[0].hours[0] in {None, (480, 1200), (480, 960), (720, 1200)}
    with pytest.raises(UnknownError):
        store.desk.people.appliance(999_999)
    assert store.desk.agenda.device_of(KEY) == store.device


def test_due_things_are_handed_over_once_and_done_once(store: Store) -> None:
    agenda, one, two = store.desk.agenda, uuid.uuid4(), uuid.uuid4()
    agenda.set_due("remind", one, START + timedelta(hours=2))
    agenda.set_due("remind", one, START + timedelta(hours=1))
    agenda.set_due("answer", one, START + timedelta(hours=3))
    agenda.set_due("remind", two, START)
    assert agenda.next_due() == START
    assert [each.ref for each in agenda.hand_over(START + timedelta(hours=1), 10)] == [two, one]
    assert agenda.hand_over(START + timedelta(hours=1), 10) == []
    agenda.drop_due(["answer"], one)
    assert agenda.next_due() is None
    agenda.set_due("answer", one, START)
    (due,) = agenda.hand_over(START, 10)
    assert agenda.done(due.id, START)
    assert not agenda.done(due.id, START)
    agenda.set_due("answer", one, START)
    assert len(agenda.hand_over(START, 10)) == 1


def test_a_due_thing_taken_back_is_not_done(store: Store) -> None:
    agenda, ref = store.desk.agenda, uuid.uuid4()
    agenda.set_due("remind", ref, START)
    (due,) = agenda.hand_over(START, 10)
    agenda.drop_due(["remind"], ref)
    assert not agenda.done(due.id, START)


def test_findings_by_revision(store: Store) -> None:
    found = finding()
    store.enter(found)
    store.enter(finding(revision=1, severity=2))
    newest = store.desk.agenda.finding(UUID(found.id))
    assert newest is not None
    assert newest.severity == 2
    assert store.desk.agenda.finding(UUID(found.id), 0) == found
    assert store.desk.agenda.finding(uuid.uuid4()) is None


def test_a_link_is_there(store: Store) -> None:
    row = added(store)
    assert "/o/" in store.desk.agenda.owner_link(row.id, START)
