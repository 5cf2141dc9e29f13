from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.wear import DAY, DeviceWear, Fault

COLUMNS = ("condenser_fan_wear", "refrigerant_leak")


def fault(onset: int, lead: int, number: int = 0) -> Fault:
    family = ("condenser_airflow", "refrigerant")[number]
    return Fault(device="demo/x", family=family, fault=COLUMNS[number], onset=onset, failure=onset + lead)


@given(onset=st.integers(0, 100 * DAY), lead=st.integers(DAY, 40 * DAY), times=st.lists(st.integers(0, 200 * DAY)))
def test_wear_only_grows_until_the_repair(onset: int, lead: int, times: list[int]) -> None:
    one = fault(onset, lead)
    levels = [one.level(t) for t in sorted(times)]
    assert levels == sorted(levels)
    assert one.level(onset) == 0.0
    assert one.level(one.failure) == 1.0


def test_a_repair_mends_its_family_alone_and_from_its_time_on() -> None:
    wear = DeviceWear(COLUMNS, [fault(0, 10 * DAY)])
    assert wear.mend("refrigerant", 5 * DAY) is None
    assert wear.levels(5 * DAY)[0] > 0.3
    assert wear.mend("condenser_airflow", 5 * DAY) is not None
    assert wear.levels(5 * DAY - 1)[0] > 0.3
    assert wear.levels(5 * DAY).tolist() == [0.0, 0.0]


def test_one_fault_at_a_time() -> None:
    wear = DeviceWear(COLUMNS, [fault(0, 10 * DAY), fault(3 * DAY, 10 * DAY, 1), fault(20 * DAY, 10 * DAY, 1)])
    assert wear.levels(4 * DAY)[1] == 0.0
    wear.mend("condenser_airflow", 12 * DAY)
    assert wear.levels(25 * DAY)[1] > 0.0
    assert [one.onset for one in wear.faults] == [0, 20 * DAY]


def test_a_fault_that_has_not_begun_cannot_be_mended() -> None:
    wear = DeviceWear(COLUMNS, [fault(5 * DAY, 10 * DAY)])
    wear.begin(6 * DAY)
    assert wear.mend("condenser_airflow", 4 * DAY) is None
    assert wear.active("condenser_airflow", 6 * DAY) is not None
