"""One cause of many findings is one finding of the fleet; what is real is still there when it has passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from servicedesk.common_cause import COMMON_WAIT, GRAVE_WAIT, UNSURE_WAIT, expected_of, too_many
from servicedesk.fleet_rows import Why
from servicedesk.model import Ticket
from servicedesk.opening import report
from telemetry.finding import Cause, EpisodeState, Finding
from telemetry.identity import DeviceKey
from tests.servicedesk.world import DAY, World, finding

SECOND = timedelta(seconds=1)
UNSURE = (Cause("unknown", 0.7), Cause("condenser_fan_wear", 0.3))


class Street(World):
    """The same fridge in many homes."""

    def settle(self, homes: int) -> None:
        for number in range(2, homes + 1):
            self.desk.people.appliances[number] = replace(self.appliance, no=number, device=f"fridge-{number}")
            self.desk.agenda.devices[DeviceKey("demo", f"fridge-{number}")] = number

    def shows(self, number: int, **changes: object) -> tuple[Finding, Ticket | None]:
        """An appliance's finding, now."""
        key = DeviceKey("demo", f"fridge-{number}")
        told = finding(key=key, at=self.now, **changes)  # type: ignore[arg-type]
        self.desk.agenda.findings.setdefault(UUID(told.id), []).append(told)
        return told, report(self.office, told, self.desk.people.appliance(number), self.now)

    def open_tickets(self) -> int:
        return len(self.desk.tickets.rows)


@pytest.fixture
def street() -> Street:
    made = Street()
    made.settle(20)
    return made


def test_too_many_is_a_matter_of_how_many_there_are() -> None:
    assert expected_of(730) == pytest.approx(3.0)
    assert not too_many(2, 20)
    assert too_many(3, 20)
    assert not too_many(3, 1_000)
    assert too_many(20, 1_000)


def test_many_at_once_are_one_finding_of_the_fleet(street: Street) -> None:
    opened = []
    for number in range(1, 9):
        _, ticket = street.shows(number)
        opened.append(ticket is not None)
        street.step(street.now + timedelta(hours=6))
    assert opened == [True, True, *[False] * 6]
    fleet = street.desk.fleet
    assert len(fleet.fleets) == 1
    assert len(fleet.members) == 8
    assert all(each.why is Why.COMMON for each in fleet.waits.values())
    # A day when it is long over: the next one is a fault like any other.
    street.step(street.now + timedelta(days=9))
    assert street.shows(12)[1] is not None
    assert len(fleet.fleets) == 1


def test_what_is_still_there_opens_its_ticket_and_what_has_passed_does_not(street: Street) -> None:
    told = [street.shows(number)[0] for number in range(1, 6)]
    before = street.open_tickets()
    passed = told[-1]
    street.desk.agenda.findings[UUID(passed.id)].append(
        finding(key=passed.device, at=street.now, state=EpisodeState.ENDED, revision=1)
    )
    street.step(street.now + COMMON_WAIT + timedelta(hours=1))
    devices = {ticket.device for ticket in street.desk.tickets.rows.values()}
    assert street.open_tickets() == before + 2
    assert 5 not in devices


def test_safety_never_waits(street: Street) -> None:
    for number in range(1, 6):
        assert street.shows(number, severity=1, causes=(Cause("compressor_fire", 1.0),))[1] is not None
    # They are one finding of the fleet all the same: somebody may find what they share.
    assert len(street.desk.fleet.members) == 5
    assert street.desk.fleet.waits == {}


@pytest.mark.parametrize(
    ("changes", "longest"),
    [
        ({"severity": 2}, GRAVE_WAIT),
        ({"life": (3 * DAY, 9 * DAY)}, timedelta(days=1.5)),
        ({"severity": 2, "life": (DAY, 2 * DAY)}, timedelta(hours=12)),
    ],
)
def test_what_is_grave_or_fails_soon_waits_a_little_in_company(
    street: Street, changes: dict[str, object], longest: timedelta
) -> None:
    opened = [street.shows(number, **changes)[1] is not None for number in range(1, 6)]
    assert opened == [True, True, False, False, False]
    street.step(street.now + longest - timedelta(minutes=1))
    assert street.open_tickets() == 2
    street.step(street.now + timedelta(minutes=2))
    assert street.open_tickets() == 5


def test_what_fails_within_hours_does_not_wait_in_company_either(street: Street) -> None:
    for number in range(1, 6):
        assert street.shows(number, life=(timedelta(hours=11) / SECOND, DAY))[1] is not None


def test_a_life_that_shrinks_shortens_the_wait_and_never_lengthens_it(street: Street) -> None:
    for number in range(1, 4):
        told, ticket = street.shows(number)
    assert ticket is None
    found = UUID(told.id)
    for days, until in ((4, 2), (6, 2), (2, 1)):
        again = finding(key=told.device, at=street.now, life=(days * DAY, 20 * DAY), revision=days)
        street.desk.agenda.findings[found].append(again)
        assert report(street.office, again, street.desk.people.appliance(3), street.now) is None
        assert street.desk.fleet.waits_until(found) == street.now + timedelta(days=until)


def test_without_a_cause_a_finding_waits_for_company(street: Street) -> None:
    told, ticket = street.shows(1, causes=UNSURE, life=None)
    assert ticket is None
    # Another word of the same finding changes nothing; a sure one does.
    again = finding(at=street.now, causes=UNSURE, life=None, revision=1)
    street.desk.agenda.findings[UUID(told.id)].append(again)
    assert report(street.office, again, street.appliance, street.now) is None
    street.step(street.now + UNSURE_WAIT - timedelta(minutes=1))
    assert street.open_tickets() == 0
    street.step(street.now + timedelta(minutes=2))
    assert street.open_tickets() == 1


def test_a_cause_that_shows_itself_ends_the_wait(street: Street) -> None:
    told, ticket = street.shows(1, causes=UNSURE, life=None)
    assert ticket is None
    sure = finding(at=street.now, revision=1)
    street.desk.agenda.findings[UUID(told.id)].append(sure)
    assert report(street.office, sure, street.appliance, street.now) is not None
    street.step(street.now + timedelta(days=11))
    assert street.open_tickets() == 1


def test_company_turns_waiting_into_one_cause(street: Street) -> None:
    for number in range(1, 5):
        assert street.shows(number, causes=UNSURE, life=None)[1] is None
    assert len(street.desk.fleet.fleets) == 1
    assert len(street.desk.fleet.members) == 4
    street.step(street.now + UNSURE_WAIT + timedelta(hours=1))
    # The first two had begun to wait alone.
    assert street.open_tickets() == 0
    street.step(street.now + COMMON_WAIT)
    assert street.open_tickets() == 4
