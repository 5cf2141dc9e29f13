"""Findings of whole fleets: the memory's form and PostgreSQL's promise the same."""

from __future__ import annotations

import uuid
from datetime import timedelta
from uuid import UUID

import pytest

from servicedesk.fleet_rows import FleetFinding, Why
from storage.desk_fleet import list_fleet_findings
from storage.read_models import EVERYTHING, Scope
from tests.servicedesk.world import START, finding
from tests.worker_desk.shop import Shop
from tests.worker_desk.test_truth import Store, store

__all__ = ["store"]
FAMILY = "condenser_airflow"
HOUR = timedelta(hours=1)


def fleet_of(store: Store, number: int = 0) -> FleetFinding:
    opened = START + number * HOUR
    return FleetFinding(
        id=uuid.uuid4(),
        org="demo",
        kind=store.appliance.kind,
        family=FAMILY,
        opened=opened,
        devices=7,
        expected=0.03,
    )


def test_recent_findings_are_the_newest_of_each_device(store: Store) -> None:
    fleet, kind = store.desk.fleet, store.appliance.kind
    assert fleet.devices("demo", kind) >= 1
    assert fleet.devices("elsewhere", kind) == 0
    store.enter(finding(at=START, epoch=1))
    newest = finding(at=START + 2 * HOUR, epoch=2)
    store.enter(newest)
    store.enter(finding(at=START + 3 * HOUR, epoch=3, history=True))
    assert fleet.recent("demo", kind, FAMILY, START) == {store.appliance.no: UUID(newest.id)}
    assert fleet.recent("demo", kind, FAMILY, START + 3 * HOUR) == {}
    assert fleet.recent("demo", kind, "door_seal", START) == {}


def test_a_fleet_finding_stands_while_it_grows(store: Store) -> None:
    fleet, kind, no = store.desk.fleet, store.appliance.kind, store.appliance.no
    first, second = fleet_of(store), fleet_of(store, 5)
    for each in (first, second):
        fleet.enter(each)
    one, other = uuid.uuid4(), uuid.uuid4()
    assert fleet.standing("demo", kind, FAMILY, START) is None
    fleet.join(first.id, one, no, START)
    fleet.join(second.id, one, no, START + 6 * HOUR)
    assert fleet.member_of(one) == first.id
    assert fleet.member_of(other) is None
    assert fleet.standing("demo", kind, FAMILY, START) == first
    fleet.join(second.id, other, no, START + 6 * HOUR)
    assert fleet.standing("demo", kind, FAMILY, START) == second
    assert fleet.standing("demo", kind, FAMILY, START + 7 * HOUR) is None


def test_a_wait_ends_once(store: Store) -> None:
    fleet, no, found = store.desk.fleet, store.appliance.no, uuid.uuid4()
    assert (fleet.waiting(found), fleet.waited(found)) == (None, False)
    assert not fleet.end_wait(found, START)
    fleet.wait(found, no, Why.UNSURE, START, START + HOUR)
    assert fleet.waiting(found) is Why.UNSURE
    fleet.wait(found, no, Why.COMMON, START + HOUR, START + 9 * HOUR)
    assert fleet.waiting(found) is Why.COMMON
    assert fleet.end_wait(found, START + 9 * HOUR)
    assert not fleet.end_wait(found, START + 9 * HOUR)
    assert (fleet.waiting(found), fleet.waited(found)) == (None, True)


@pytest.mark.stack
def test_the_list_is_narrowed(shared_shop: Shop) -> None:
    shop = shared_shop
    assert list_fleet_findings(shop.conn, Scope(org="elsewhere")) == []
    assert isinstance(list_fleet_findings(shop.conn, EVERYTHING), list)
