from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wear import DAY, HOUR, DeviceWear, Fault
from telemetry.catalogue import CourseSpec

FAULTS = ("condenser_fan_wear", "refrigerant_leak")
COURSES = {name: CourseSpec() for name in FAULTS}


def fault(onset: int, lead: int, number: int = 0) -> Fault:
    family = ("condenser_airflow", "refrigerant")[number]
    return Fault(device="demo/x", family=family, fault=FAULTS[number], onset=onset, failure=onset + lead)


@given(onset=st.integers(0, 100 * DAY), lead=st.integers(DAY, 40 * DAY), times=st.lists(st.integers(0, 200 * DAY)))
def test_wear_only_grows_until_the_repair(onset: int, lead: int, times: list[int]) -> None:
    one = fault(onset, lead)
    levels = [one.level(t) for t in sorted(times)]
    assert levels == sorted(levels)
    assert one.level(onset) == 0.0
    assert one.level(one.failure) == 1.0


def test_a_repair_mends_its_family_alone_and_from_its_time_on() -> None:
    wear = DeviceWear(COURSES, 7, [fault(0, 10 * DAY)])
    assert wear.mend("refrigerant", 5 * DAY) is None
    assert wear.levels(5 * DAY)[0][1] > 0.3
    assert wear.mend("condenser_airflow", 5 * DAY) is not None
    assert wear.levels(5 * DAY - 1)[0][1] > 0.3
    assert wear.levels(5 * DAY) == []


def test_one_fault_at_a_time() -> None:
    wear = DeviceWear(COURSES, 7, [fault(0, 10 * DAY), fault(3 * DAY, 10 * DAY, 1), fault(20 * DAY, 10 * DAY, 1)])
    assert [one.fault for one, _ in wear.levels(4 * DAY)] == [FAULTS[0]]
    wear.mend("condenser_airflow", 12 * DAY)
    assert [one.fault for one, _ in wear.levels(25 * DAY)] == [FAULTS[1]]
    assert [one.onset for one in wear.faults] == [0, 20 * DAY]


def test_a_fault_that_has_not_begun_cannot_be_mended() -> None:
    wear = DeviceWear(COURSES, 7, [fault(5 * DAY, 10 * DAY)])
    wear.begin(6 * DAY)
    assert wear.mend("condenser_airflow", 4 * DAY) is None
    assert wear.active("condenser_airflow", 6 * DAY) is not None


def test_faults_that_begin_together_are_carried_together() -> None:
    wear = DeviceWear(COURSES, 7, [fault(DAY, 10 * DAY), fault(DAY, 20 * DAY, 1), fault(2 * DAY, 9 * DAY)])
    assert [one.fault for one, _ in wear.levels(4 * DAY)] == list(FAULTS)


def test_an_intermittent_fault_comes_in_bursts_that_get_denser() -> None:
    course = CourseSpec(pattern="intermittent", burst_hours=2.0)
    one = fault(0, 100 * DAY)
    every = [one.level(hour * HOUR, course, 11) for hour in range(1, 2400)]
    assert set(every) == {0.0, 1.0}
    early, late = sum(every[:800]) / 800, sum(every[-800:]) / 800
    assert 0.05 < early < 0.3
    assert 0.6 < late < 0.95
    assert all(one.level(one.failure + hour * HOUR, course, 11) >= 1.0 for hour in range(50))
    assert every != [one.level(hour * HOUR, course, 12) for hour in range(1, 2400)]
