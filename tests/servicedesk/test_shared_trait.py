"""What appliances with one finding share: the exact test against a table, its threshold, and what the desk says."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

import pytest

from servicedesk.fleet_rows import Peer, Trait
from servicedesk.opening import report
from servicedesk.shared_trait import LEVEL, SHARES, fisher, shared_by
from telemetry.finding import Finding
from telemetry.identity import DeviceKey
from tests.servicedesk.test_common_cause import Street
from tests.servicedesk.world import finding

NEW, OLD = "2.5.0", "2.4.1"


def peers(*groups: tuple[int, bool, str, str]) -> list[Peer]:
    """So many of each: with the finding or not, firmware, lot."""
    numbers = itertools.count(1)
    return [Peer(next(numbers), member, fw, lot) for n, member, fw, lot in groups for _ in range(n)]


def test_the_test_is_exact() -> None:
    # Fisher's tea: four of four cups told right by chance, once in seventy.
    assert fisher(4, 4, 4, 0) == pytest.approx(1 / 70)
    assert fisher(4, 3, 4, 1) == pytest.approx(17 / 70)
    assert fisher(5, 0, 9, 4) == pytest.approx(1.0)
    by_hand = Fraction(
        sum(math.comb(9, n) * math.comb(27, 6 - n) for n in (5, 6)),
        math.comb(36, 6),
    )
    assert fisher(6, 5, 30, 4) == pytest.approx(float(by_hand))
    assert 0 < fisher(400, 300, 60_000, 20_000) < 1e-30


def test_what_the_members_share_and_the_rest_has_not_is_named() -> None:
    found = shared_by(peers((6, True, NEW, "A"), (4, False, NEW, "A"), (26, False, OLD, "A")))
    assert found is not None
    assert (found.what, found.name) == (Trait.FIRMWARE, NEW)
    assert (found.members, found.members_having, found.others, found.others_having) == (6, 6, 30, 4)
    assert found.chance == pytest.approx(fisher(6, 6, 30, 4))
    lot = shared_by(peers((5, True, OLD, "B"), (1, True, OLD, "A"), (3, False, OLD, "B"), (27, False, OLD, "A")))
    assert lot is not None
    assert (lot.what, lot.name) == (Trait.LOT, "B")


@pytest.mark.parametrize(
    "groups",
    [
        [(6, True, NEW, "A"), (30, False, NEW, "A")],  # everybody has it
        [(2, True, NEW, "A"), (98, False, OLD, "A")],  # too few
        [(4, True, NEW, "A"), (2, True, OLD, "A"), (94, False, OLD, "A")],  # not most of them
        [(3, True, NEW, "A"), (9, False, NEW, "A"), (20, False, OLD, "A")],  # chance does it
        [(6, True, "", ""), (30, False, OLD, "A")],  # not known
        [(6, True, NEW, "A")],  # nobody else
        [],
    ],
)
def test_nothing_is_named_that_is_not_theirs(groups: list[tuple[int, bool, str, str]]) -> None:
    assert shared_by(peers(*groups)) is None


def test_the_more_is_tried_the_less_is_believed() -> None:
    few = peers((4, True, NEW, ""), (7, False, NEW, ""), (22, False, OLD, ""))
    found = shared_by(few)
    assert found is not None
    assert LEVEL / 2 < found.chance < LEVEL
    # The same four share a lot as well, with more of the others: two traits are tried, and neither is sure enough.
    assert shared_by([replace(each, lot="B" if each.device <= 13 else "A") for each in few]) is None


@pytest.fixture
def street() -> Street:
    """Forty fridges, ten of them of lot B; from the second day on twelve of them run another firmware."""
    made = Street()
    made.settle(40)
    people, fleet = made.desk.people, made.desk.fleet
    for number, each in list(people.appliances.items()):
        people.appliances[number] = replace(each, lot="B" if number > 30 else "A")
        fleet.firmware[number] = [(made.now - timedelta(days=9), OLD)]
        if number <= 12:
            fleet.firmware[number].append((made.now + timedelta(days=1), NEW))
    return made


def said(street: Street, device: int) -> list[dict[str, object]]:
    tickets = [each.id for each in street.desk.tickets.rows.values() if each.device == device]
    return [dict(e.body) for e in street.desk.tickets.events if e.kind == SHARES and e.ticket in tickets]


def test_a_fleet_finding_names_the_firmware_and_its_tickets_say_so(street: Street) -> None:
    street.step(street.now + timedelta(days=2))
    for number in range(3, 9):
        street.shows(number)
        street.step(street.now + timedelta(hours=6))
    (ident,) = street.desk.fleet.fleets
    shared = street.desk.fleet.shared(ident)
    assert shared is not None
    assert (shared.what, shared.name, shared.members_having, shared.others_having) == (Trait.FIRMWARE, NEW, 6, 6)
    # One of them was put back to the old version since: it was a member with the new one.
    street.desk.fleet.firmware[5].append((street.now, OLD))
    street.step(street.now + timedelta(days=11))
    (told,) = said(street, 8)
    assert (told["what"], told["name"], told["members_having"]) == ("firmware", NEW, 6)


def test_a_bad_lot_is_said_on_the_ticket_though_nothing_began_together(street: Street) -> None:
    for number in (31, 33, 35, 37, 39):
        street.shows(number, severity=2)
        street.step(street.now + timedelta(days=12))
    assert street.desk.fleet.fleets == {}  # twelve days lie between them
    assert said(street, 31) == said(street, 33) == []
    (told,) = said(street, 39)
    assert (told["what"], told["name"], told["members"], told["members_having"]) == ("lot", "B", 5, 5)
    assert (told["others"], told["others_having"]) == (35, 5)
    # Another one with the same trouble is not of that lot: nothing is said of it.
    street.shows(2, severity=2)
    street.step(street.now + timedelta(days=1))
    assert said(street, 2) == []


def test_false_alarms_make_no_lot(street: Street) -> None:
    told: list[Finding] = []
    for number in (31, 33, 35):
        told.append(finding(key=DeviceKey("demo", f"fridge-{number}"), at=street.now, severity=1))
        street.desk.agenda.findings[UUID(told[-1].id)] = [told[-1]]
        ticket = report(street.office, told[-1], street.desk.people.appliance(number), street.now)
        assert ticket is not None
        street.desk.tickets.rows[ticket.id] = replace(ticket, state=type(ticket.state)("false_alarm"))
    known = street.desk.fleet.peers("demo", "refrigerator", told[0].family, street.now - timedelta(days=1), street.now)
    assert not any(each.member for each in known)
