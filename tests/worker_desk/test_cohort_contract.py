"""The comparison with peers: the memory's form and PostgreSQL's promise the same, and tell devices the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from servicedesk.cohorts import ALL, COMPARE, compare, day_of, take_summary
from servicedesk.memory import MemoryDesk
from servicedesk.office import Office
from servicedesk.ports import Desk
from storage.desk import PgDesk
from storage.registry import register_device
from telemetry.catalogue import Catalogue
from telemetry.clock import to_micros
from telemetry.cohort import CohortReference, CohortSummary, Common, Own
from telemetry.identity import DeviceKey
from telemetry.ids import Ids
from tests.servicedesk.world import CATALOGUE, START, World
from tests.worker_desk.shop import Shop

TODAY = day_of(START)
PEERS = 11
Told = dict[str, tuple[str, dict[str, Any]]]


class Book:
    """A desk of either form with a dozen refrigerators, by name."""

    def __init__(self, desk: Desk, devices: dict[str, int], conn: psycopg.Connection[Any] | None) -> None:
        self.desk, self.devices, self._conn = desk, devices, conn
        page = CATALOGUE["refrigerator"]
        page = msgspec.structs.replace(page, tuning={**page.tuning, "cohort_shift": 1, "cohort_start": 1})
        catalogue = Catalogue({**CATALOGUE.kinds, "refrigerator": page}, "on")
        ids = Ids(random.Random(2))
        self.office = Office(desk, catalogue, lambda: ids.at(to_micros(START)))

    def controls(self) -> Told:
        names = {no: name for name, no in self.devices.items()}
        if isinstance(self.desk, MemoryDesk):
            rows = [(device, kind, body) for device, kind, _, body in self.desk.agenda.controls.values()]
        else:
            assert self._conn is not None
            rows = self._conn.execute("select device, kind, body from control_entry").fetchall()
        return {names[device]: (kind, body) for device, kind, body in rows}


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.stack)])
def book(request: pytest.FixtureRequest) -> Iterator[Book]:
    names = [f"peer-{number}" for number in range(PEERS)]
    if request.param == "memory":
        world = World()
        for number, name in enumerate(names, 100):
            world.desk.people.appliances[number] = replace(world.appliance, no=number, device=name)
        yield Book(world.desk, {name: number for number, name in enumerate(names, 100)}, None)
        return
    shop: Shop = request.getfixturevalue("shared_shop")
    rows = [register_device(shop.conn, DeviceKey("demo", name), "refrigerator", registered=START) for name in names]
    yield Book(PgDesk(shop.conn, "http://desk"), {row.device: row.no for row in rows}, shop.conn)
    shop.conn.rollback()


def summary(number: int, day: int = TODAY) -> CohortSummary:
    return CohortSummary(
        day, {"duty": Own(9.5, 0.01 * number, 0.4 + 0.013 * number, 0.1), "x": Own(1.0, None, None, 0.2)}, "2.4.1"
    )


def test_the_newest_summary_of_a_device_counts_while_it_is_fresh(book: Book) -> None:
    cohorts, no = book.desk.cohorts, book.devices["peer-3"]
    assert cohorts.members(0) == []
    for day in (TODAY - 1, TODAY - 3):
        cohorts.enter(no, summary(3, day))
    cohorts.enter(no, summary(7, TODAY - 1))
    (member,) = cohorts.members(TODAY - 2)
    assert (member.device, member.org, member.kind, member.model) == (no, "demo", "refrigerator", None)
    assert member.summary == summary(3, TODAY - 1)
    assert member.told is None
    assert cohorts.members(TODAY) == []
    assert cohorts.forget(TODAY - 2) == 1
    assert cohorts.forget(TODAY - 2) == 0


def test_what_a_device_was_told_last_is_kept(book: Book) -> None:
    cohorts, no = book.desk.cohorts, book.devices["peer-0"]
    first = CohortReference(TODAY, {"duty": Common(peers=9, shift=0.25, shift_spread=0.1)})
    cohorts.tell(no, first, START)
    cohorts.tell(no, second := CohortReference(TODAY + 1, {}), START + timedelta(days=1))
    (member,) = cohorts.members(TODAY)
    assert (member.summary, member.told, member.told_at) == (None, second, START + timedelta(days=1))


def test_a_due_thing_that_waits_is_kept(book: Book) -> None:
    agenda = book.desk.agenda
    agenda.keep_due(COMPARE, ALL, START + timedelta(hours=1))
    agenda.keep_due(COMPARE, ALL, START + timedelta(hours=2))
    assert agenda.next_due() == START + timedelta(hours=1)
    (due,) = agenda.hand_over(START + timedelta(hours=1), 5)
    # Not while it is under way, but once it is done.
    agenda.keep_due(COMPARE, ALL, START + timedelta(hours=3))
    assert agenda.next_due() is None
    assert agenda.done(due.id, START)
    agenda.keep_due(COMPARE, ALL, START + timedelta(hours=3))
    assert agenda.next_due() == START + timedelta(hours=3)


def test_both_forms_tell_the_same_whatever_the_order(book: Book) -> None:
    names = list(book.devices)
    random.Random(8).shuffle(names)
    for name in names:
        take_summary(book.desk, book.devices[name], summary(int(name.rpartition("-")[2])), START)
    compare(book.office, ALL, START + timedelta(days=1))
    told = book.controls()
    assert told.keys() == book.devices.keys()
    assert told["peer-0"] == (
        "cohort_reference",
        {
            "day": TODAY,
            "features": {
                "duty": {
                    "peers": 10,
                    "shift": 0.4715,
                    "shift_spread": 0.0433655,
                    "level": 0.055,
                    "level_spread": 0.0333580,
                }
            },
        },
    )
    # Nothing has moved: nobody is told again.
    assert compare(book.office, ALL, START + timedelta(days=1, hours=1)) == 0
    assert len(book.controls()) == PEERS
