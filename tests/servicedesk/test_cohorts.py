"""Devices compared with their peers: who hears what, and how seldom."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from servicedesk.cohort_rows import Member
from servicedesk.cohorts import COMPARE, FEWEST, day_of, references, take_summary
from servicedesk.office import Office
from telemetry.catalogue import Catalogue
from telemetry.cohort import CohortReference, CohortSummary, Common, Own, reference_of
from telemetry.control import ControlKind
from telemetry.identity import DeviceKey
from tests.servicedesk.world import CATALOGUE, START, World

TODAY = day_of(START)


def summary(shift: float | None, level: float | None = None, day: int = TODAY, scatter: float = 0.1) -> CohortSummary:
    return CohortSummary(day, {"duty": Own(10.0, level, shift, scatter)})


def member(no: int, shift: float | None, level: float | None = None) -> Member:
    return Member(no, "demo", "refrigerator", None, summary(shift, level))


class Fleet(World):
    """Refrigerators that tell of themselves every day."""

    on = True

    def settle(self, homes: int, model: str | None = None, first: int = 2) -> None:
        for number in range(first, first + homes):
            self.desk.people.appliances[number] = replace(
                self.appliance, no=number, device=f"fridge-{number}", model=model
            )
            self.desk.agenda.devices[DeviceKey("demo", f"fridge-{number}")] = number

    @property
    def office(self) -> Office:
        page = CATALOGUE["refrigerator"]
        on = msgspec.structs.replace(page, tuning={**page.tuning, "cohort_shift": float(self.on), "cohort_start": 0})
        return replace(super().office, catalogue=Catalogue({**CATALOGUE.kinds, "refrigerator": on}, "on"))

    def day(self, shifts: dict[int, float], firmware: str | None = None) -> dict[int, CohortReference]:
        """They tell of a day at noon, and are compared in the night. What they hear."""
        before = set(self.desk.agenda.controls)
        for number, shift in shifts.items():
            own = msgspec.structs.replace(summary(shift, day=day_of(self.now)), firmware=firmware)
            take_summary(self.desk, number, own, self.now)
        self.step(self.now + timedelta(days=1))
        heard: dict[int, CohortReference] = {}
        for ident, (device, kind, _, body) in self.desk.agenda.controls.items():
            if ident not in before:
                assert kind == ControlKind.COHORT_REFERENCE
                assert device not in heard
                told = reference_of(body)
                assert told is not None
                heard[device] = told
        return heard


@pytest.fixture
def fleet() -> Fleet:
    made = Fleet()
    made.settle(12)
    return made


def test_nobody_is_compared_with_itself_and_one_cannot_move_the_others() -> None:
    shifts = [0.30, 0.31, 0.32, 0.33, 0.34, 0.35, 0.36, 0.37, 0.38, 90.0]
    found = references([member(no, shift) for no, shift in enumerate(shifts)], shifts=True, starts=False)
    assert {no: told.features["duty"].shift for no, told in found.items()} == {
        **dict.fromkeys(range(5), 0.35),
        **dict.fromkeys(range(5, 10), 0.34),
    }
    assert all(told.features["duty"].peers == 9 for told in found.values())
    assert all(0.01 < told.features["duty"].shift_spread < 0.06 for told in found.values())


def test_the_order_of_devices_is_irrelevant() -> None:
    rng = random.Random(3)
    members = [member(no, rng.gauss(0.4, 0.1), rng.gauss(0, 1)) for no in range(20)]
    expected = references(members, shifts=True, starts=True)
    rng.shuffle(members)
    assert references(members, shifts=True, starts=True) == expected
    assert all(told.features["duty"].level is not None for told in expected.values())


def test_too_few_peers_say_nothing() -> None:
    members = [member(no, 0.5) for no in range(FEWEST)]
    assert references(members, shifts=True, starts=True) == {}
    assert len(references([*members, member(99, None)], shifts=True, starts=True)[99].features) == 1
    assert all(
        not told.features
        for no, told in references([*members, member(99, None)], shifts=True, starts=True).items()
        if no != 99
    )


def test_what_did_not_move_is_not_told(fleet: Fleet) -> None:
    for _ in range(6):
        assert fleet.day({no: 0.01 * (no - 7) for no in range(2, 14)}) == {}


def test_a_movement_is_told_once_repeated_seldom_and_taken_back(fleet: Fleet) -> None:
    together = {no: 0.2 + 0.001 * no for no in range(2, 14)}
    assert fleet.day(together).keys() == together.keys()
    heard = [len(fleet.day(together)) for _ in range(8)]
    assert heard == [0, 0, 0, 12, 0, 0, 0, 12]
    back = fleet.day(dict.fromkeys(together, 0.0))
    assert back.keys() == together.keys()
    assert not any(told.features for told in back.values())
    assert fleet.day(dict.fromkeys(together, 0.0)) == {}


def test_a_fleet_that_falls_silent_is_told_so_and_no_longer_compared(fleet: Fleet) -> None:
    fleet.day(dict.fromkeys(range(2, 14), 0.2))
    told: dict[int, CohortReference] = {}
    for _ in range(5):
        told |= fleet.day({})
    assert len(told) == 12
    assert not any(each.features for each in told.values())
    waiting = [each for each in fleet.desk.agenda.dues.values() if each.kind == COMPARE and each.done_at is None]
    assert waiting == []


def test_a_model_has_peers_of_its_own_when_it_has_enough(fleet: Fleet) -> None:
    fleet.settle(10, "new", first=50)
    fleet.settle(3, "rare", first=70)
    heard = fleet.day(
        dict.fromkeys(range(2, 14), 0.0) | dict.fromkeys(range(50, 60), 0.3) | dict.fromkeys(range(70, 73), 0.0)
    )
    assert heard.keys() == set(range(50, 60))


def test_what_an_update_does_is_not_held_against_those_without_it(fleet: Fleet) -> None:
    fleet.settle(12, first=30)
    updated = dict.fromkeys(range(30, 42), 0.4)
    for number, shift in updated.items():
        told = msgspec.structs.replace(summary(shift), firmware="2")
        take_summary(fleet.desk, number, told, fleet.now)
    assert fleet.day(dict.fromkeys(range(2, 14), 0.0), "1").keys() == updated.keys()


def test_a_kind_that_does_not_ask_hears_nothing(fleet: Fleet) -> None:
    fleet.on = False
    assert fleet.day(dict.fromkeys(range(2, 14), 0.3)) == {}
    fleet.on = True
    assert len(fleet.day(dict.fromkeys(range(2, 14), 0.3))) == 12
    fleet.on = False
    switched_off = fleet.day(dict.fromkeys(range(2, 14), 0.3))
    assert len(switched_off) == 12
    assert not any(told.features for told in switched_off.values())


def test_it_is_compared_at_two_in_the_night(fleet: Fleet) -> None:
    for now, due in ((1, 2), (2, 26), (23, 26)):
        fleet.desk.agenda.dues.clear()
        at = datetime(2026, 3, 2, now, tzinfo=UTC)
        take_summary(fleet.desk, 2, summary(0.0), at)
        take_summary(fleet.desk, 3, summary(0.0), at + timedelta(minutes=5))
        assert fleet.desk.agenda.next_due() == datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=due)


def test_a_reference_survives_its_way() -> None:
    told = CohortReference(5, {"duty": Common(peers=9, shift=0.1, shift_spread=0.2)})
    assert reference_of(told.body()) == told
