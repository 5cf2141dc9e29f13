"""The benchmark of false findings: what is healthy time, what its intervals say of the budget, one small fleet."""

from __future__ import annotations

import pytest

from benchmarks.calibration import BUDGET, line, measure, row, together
from benchmarks.simulated import healthy_days
from firmware_sim.wear import DAY, Fault


def fault(device: str, onset: float) -> Fault:
    return Fault(
        device=device,
        fault="washing_machine.brush_wear",
        family="brush_wear",
        onset=round(onset * DAY),
        failure=round((onset + 20) * DAY),
    )


def test_days_behind_an_onset_are_no_healthy_ones() -> None:
    faults = [fault("b/1", 12.0), fault("b/2", 5.0)]
    assert healthy_days(3, faults, (10 * DAY, 40 * DAY)) == pytest.approx(30 + 2 + 0)


def test_the_interval_decides_about_the_budget() -> None:
    none = row("a", (10_000.0, 0), (10, 9), (9, 9))
    some = row("b", (1_000.0, 1), (10, 5), (6, 3))
    many = row("c", (1_000.0, 9), (0, 0), (0, 0))
    assert none.a_day[2] < BUDGET
    assert some.a_day[1] < BUDGET < some.a_day[2]
    assert [one.refuted for one in (none, some, many)] == [False, False, True]
    assert [word in line(one) for word, one in (("kept", none), ("not refuted", some), ("| refuted", many))] == [
        True
    ] * 3
    assert many.power is None
    whole = together([none, some, many])
    assert (whole.device_days, whole.false, whole.faults, whole.in_time, whole.found, whole.cause) == (
        12_000,
        10,
        20,
        14,
        15,
        12,
    )
    assert whole.power is not None
    assert whole.power[1] < 0.7 < whole.power[2]


@pytest.mark.long
def test_washing_machines_keep_the_budget_and_their_faults_are_found() -> None:
    told = measure("washing_machine", 12, 30.0, 3001)
    assert told.false == 0
    assert told.in_time >= told.faults // 2 > 0
