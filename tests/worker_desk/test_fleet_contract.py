"""Findings of whole fleets: the memory's form and PostgreSQL's promise the same."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from servicedesk.fleet_rows import FleetFinding, Peer, Shared, Trait, Why
from servicedesk.memory_fleet import MemoryFleet
from storage.desk import PgDesk
from storage.desk_fleet import list_fleet_findings
from storage.read_models import EVERYTHING, Scope
from storage.telemetry_rows import Batch, FirmwareSpell
from storage.telemetry_store import TelemetryStore
from telemetry.clock import to_micros
from tests.servicedesk.world import CATALOGUE, START, finding
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
    assert (fleet.waiting(found), fleet.waits_until(found)) == (Why.UNSURE, START + HOUR)
    fleet.wait(found, no, Why.COMMON, START + HOUR, START + 9 * HOUR)
    assert (fleet.waiting(found), fleet.waits_until(found)) == (Why.COMMON, START + 9 * HOUR)
    assert fleet.end_wait(found, START + 9 * HOUR)
    assert not fleet.end_wait(found, START + 9 * HOUR)
    assert (fleet.waiting(found), fleet.waits_until(found), fleet.waited(found)) == (None, None, True)


def runs(store: Store, *versions: tuple[int, str]) -> None:
    """The appliance's firmware, by hours after the start."""
    fleet, no = store.desk.fleet, store.appliance.no
    told = [(START + hours * HOUR, version) for hours, version in versions]
    if isinstance(fleet, MemoryFleet):
        fleet.firmware[no] = told
        return
    assert isinstance(store.desk, PgDesk)
    spells = [FirmwareSpell(no, 1, seq, to_micros(at), version) for seq, (at, version) in enumerate(told, 1)]
    TelemetryStore(store.desk.people.conn, CATALOGUE).write(Batch(firmware={no: tuple(spells)}))


def own(store: Store, peers: Sequence[Peer]) -> Peer:
    (found,) = [each for each in peers if each.device == store.appliance.no]
    return found


def test_peers_have_the_firmware_of_when_it_showed(store: Store) -> None:
    fleet, kind, no = store.desk.fleet, store.appliance.kind, store.appliance.no
    runs(store, (1, "2.4.1"), (5, "2.5.0"))
    opened = fleet_of(store)
    fleet.enter(opened)
    now = START + 9 * HOUR
    assert own(store, fleet.peers_of_fleet(opened.id, now)) == Peer(no, member=False, firmware="2.5.0", lot="")
    # Before its first word the first version counts.
    assert own(store, fleet.peers("demo", kind, FAMILY, START, START)).firmware == "2.4.1"
    fleet.join(opened.id, uuid.uuid4(), no, START + 4 * HOUR)
    assert own(store, fleet.peers_of_fleet(opened.id, now)) == Peer(no, member=True, firmware="2.4.1", lot="")
    assert fleet.peers("elsewhere", kind, FAMILY, START, now) == []


def test_peers_have_a_finding_that_is_no_false_alarm(store: Store) -> None:
    fleet, kind = store.desk.fleet, store.appliance.kind
    told = finding(at=START + HOUR, epoch=1)
    now = START + 9 * HOUR
    assert not own(store, fleet.peers("demo", kind, FAMILY, START, now)).member
    store.enter(finding(at=START + HOUR, epoch=7, history=True))
    assert not own(store, fleet.peers("demo", kind, FAMILY, START, now)).member
    store.enter(told)
    assert own(store, fleet.peers("demo", kind, FAMILY, START, now)).member
    assert not own(store, fleet.peers("demo", kind, FAMILY, START + 2 * HOUR, now)).member
    assert not own(store, fleet.peers("demo", kind, "door_seal", START, now)).member
    ticket = store.ticket(1)
    store.desk.tickets.save(replace(ticket, finding=UUID(told.id)))
    assert not own(store, fleet.peers("demo", kind, FAMILY, START, now)).member


def test_what_is_shared_takes_the_place_of_what_was(store: Store) -> None:
    fleet, opened = store.desk.fleet, fleet_of(store)
    fleet.enter(opened)
    fleet.join(opened.id, uuid.uuid4(), store.appliance.no, START)
    assert fleet.shared(opened.id) is None
    first = Shared(
        what=Trait.FIRMWARE, name="2.5.0", members=3, members_having=3, others=33, others_having=4, chance=0.0049
    )
    fleet.share(opened.id, first, START)
    assert fleet.shared(opened.id) == first
    if isinstance(store.desk, PgDesk):
        (view,) = [each for each in list_fleet_findings(store.desk.people.conn, EVERYTHING) if each.id == opened.id]
        assert view.shared == first
    second = replace(first, what=Trait.LOT, name="B")
    fleet.share(opened.id, second, START + HOUR)
    assert fleet.shared(opened.id) == second
    fleet.share(opened.id, None, START + 2 * HOUR)
    assert fleet.shared(opened.id) is None


@pytest.mark.stack
def test_the_list_is_narrowed(shared_shop: Shop) -> None:
    shop = shared_shop
    assert list_fleet_findings(shop.conn, Scope(org="elsewhere")) == []
    assert isinstance(list_fleet_findings(shop.conn, EVERYTHING), list)
