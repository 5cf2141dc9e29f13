"""Reports on a small world that is reckoned by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from servicedesk.service_report import CaseRow, Share, VisitRow, by, causes, summarise, technicians

DAY = timedelta(days=1)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def visit(outcome: str = "repaired", who: str = "Chen Mei", late: float = 0.0, cause: str | None = "fan") -> VisitRow:
    arrived = START + DAY + timedelta(minutes=late)
    found = cause if outcome == "repaired" else None
    return VisitRow(technician=who, end=START + DAY, arrived=arrived, outcome=outcome, cause=found)


CASE = CaseRow(
    device="demo/fridge-1",
    kind="refrigerator",
    model="lx260",
    family="condenser_airflow",
    region="North",
    tier="",
    origin="telemetry",
    opened=START,
)
WORLD = (
    # Repaired at once, in time.
    replace(CASE, visits=(visit(),), done=START + DAY, ended="closed", kept=2, billed=250.0, rating=5),
    # The same trouble nine days later: the first was a repeat. The second visit mended it, the first came late.
    replace(
        CASE,
        opened=START + 10 * DAY,
        visits=(visit("part_missing", late=30.0), visit(who="Li Qiang")),
        done=START + 12 * DAY,
        ended="closed",
        kept=1,
        broken=1,
    ),
    # Another appliance, nothing found.
    replace(
        CASE, device="demo/fridge-2", region="South", visits=(visit("no_fault_found"),), ended="false_alarm", rating=2
    ),
    # Mended by the owner with a guide.
    replace(CASE, device="demo/washer-1", kind="washing_machine", region="South", origin="owner", ended="self_fixed"),
    # Open.
    replace(CASE, device="demo/fridge-3", tier="vip"),
)


def test_the_shares_are_those_of_the_definitions() -> None:
    found = summarise(WORLD)
    assert found.cases == 5
    assert (found.first_time_fix.hits, found.first_time_fix.of) == (1, 2)
    assert (found.repeat.hits, found.repeat.of) == (1, 2)
    assert (found.no_fault_found.hits, found.no_fault_found.of) == (1, 4)
    assert (found.on_time.hits, found.on_time.of) == (3, 4)
    assert (found.breaches.hits, found.breaches.of) == (1, 4)
    assert (found.avoided, found.billed, found.rating) == (1, 250.0, 3.5)


def test_a_repeat_is_within_thirty_days_of_the_repair() -> None:
    early = replace(WORLD[0], opened=START)
    for days, hits in ((30, 1), (31, 0)):
        later = replace(WORLD[1], opened=START + DAY + days * DAY)
        assert summarise((early, later)).repeat.hits == hits
    other = replace(WORLD[1], family="refrigerant")
    assert summarise((early, other)).repeat.hits == 0
    assert summarise((replace(early, reopened=1),)).repeat.hits == 1


def test_groups_to_see_whether_all_are_served_alike() -> None:
    assert {name: each.cases for name, each in by(WORLD, "region").items()} == {"North": 3, "South": 2}
    assert {name: each.cases for name, each in by(WORLD, "tier").items()} == {"": 4, "vip": 1}
    with pytest.raises(ValueError, match="region"):
        by(WORLD, "device")


def test_causes_most_frequent_first_with_their_cumulated_share() -> None:
    other = replace(CASE, visits=(visit(cause="leak"),))
    assert causes((*WORLD, other)) == [
        ("refrigerator", "lx260", "fan", 2, 0.6667),
        ("refrigerator", "lx260", "leak", 1, 1.0),
    ]
    assert causes(()) == []


def test_a_case_counts_for_whoever_came_first() -> None:
    assert {name: each.cases for name, each in technicians(WORLD).items()} == {"Chen Mei": 3}


def test_intervals_are_wilsons_and_few_cases_are_said_to_be_few() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    low, high = Share(263, 81).interval or (0.0, 0.0)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert Share(0, 0).interval is None
    assert Share(0, 0).value is None
    assert Share(19, 3).few
    assert not Share(20, 3).few
