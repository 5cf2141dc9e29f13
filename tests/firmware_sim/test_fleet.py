from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_sim.firmware import Body, readings
from firmware_sim.fleet import Fleet, SnapshotError
from firmware_sim.scenario import FaultRates, FleetEntry, HabitEntry, Scenario, load_scenario, scenario_ids
from firmware_sim.wear import DAY
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS
from telemetry.message import check_envelope, telemetry_message

CATALOGUE = load_catalogue()
START = 1_772_323_200 * MICROS
SMALL = Scenario(
    id="small",
    title="small",
    fleet=(FleetEntry(kind="refrigerator", count=3), FleetEntry(kind="washing_machine", count=3)),
    habits={"washing_machine": HabitEntry(starts=2.0)},
    faults=FaultRates(part_worn=0.5, first_day=0.2, mean_days=3.0),
)


def make(scenario: Scenario = SMALL, seed: int = 1001) -> Fleet:
    return Fleet(scenario, seed, START, CATALOGUE)


def by_device(bodies: list[Body]) -> dict[int, list[Body]]:
    found: dict[int, list[Body]] = defaultdict(list)
    for body in bodies:
        found[body.device].append(body)
    return found


def test_same_seed_gives_the_same_life_and_another_seed_another() -> None:
    one, two, other = make(), make(), make(seed=1002)
    bodies = one.advance(START + DAY)
    assert bodies == two.advance(START + DAY)
    assert bodies != other.advance(START + DAY)
    assert one.truth() == two.truth()


SPAN = DAY * 6 // 5


@pytest.fixture(scope="module")
def whole() -> tuple[Fleet, dict[int, list[Body]]]:
    fleet = make()
    return fleet, by_device(fleet.advance(START + SPAN))


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(1, SPAN), max_size=6))
def test_the_size_of_steps_changes_nothing(cuts: list[int], whole: tuple[Fleet, dict[int, list[Body]]]) -> None:
    parts = make()
    found: list[Body] = []
    for cut in sorted(cuts):
        found += parts.advance(START + cut)
    found += parts.advance(START + SPAN)
    assert by_device(found) == whole[1]
    assert list(parts.truth()) == list(whole[0].truth())


def test_other_devices_change_nothing() -> None:
    alone = make(Scenario(id="small", title="one", fleet=(FleetEntry(kind="refrigerator", count=1),)))
    many = make(Scenario(id="small", title="many", fleet=(FleetEntry(kind="refrigerator", count=4),)))
    assert alone.advance(START + DAY // 2) == by_device(many.advance(START + DAY // 2))[0]


@pytest.mark.parametrize("hours", [5.0, 26.3])
def test_going_on_from_a_snapshot_equals_never_having_stopped(hours: float) -> None:
    cut = START + round(hours * 3600) * MICROS
    whole = make()
    before = whole.advance(cut)
    copy = make()
    copy.restore(whole.snapshot())
    assert by_device(copy.advance(cut + DAY // 3)) == by_device(whole.advance(cut + DAY // 3))
    assert before


def test_a_repair_after_a_restart_is_kept() -> None:
    whole = make()
    whole.advance(START + DAY // 6)
    fault = whole.truth()[0]
    assert whole.repair(fault.device, fault.family, whole.now + 3600 * MICROS) == fault
    whole.advance(START + DAY // 3)
    copy = make()
    copy.restore(whole.snapshot())
    assert copy.truth() == whole.truth()
    assert by_device(copy.advance(START + DAY // 2)) == by_device(whole.advance(START + DAY // 2))


def test_repairs_dated_ahead_do_not_depend_on_steps() -> None:
    whole, parts = make(), make()
    for fleet in (whole, parts):
        for fault in fleet.truth():
            fleet.repair(fault.device, fault.family, START + DAY // 3)
    expected = by_device(whole.advance(START + DAY))
    found: list[Body] = []
    for step in range(1, 25):
        found += parts.advance(START + step * DAY // 24)
    assert by_device(found) == expected
    assert all(fault.repaired is not None for fault in whole.truth() if fault.onset < START)


def test_a_repair_without_a_fault_finds_none_and_a_repeat_finds_the_same() -> None:
    fleet = make()
    fault = fleet.truth()[0]
    other = "refrigerant" if fault.family != "refrigerant" else "condenser_airflow"
    assert fleet.repair(fault.device, other, START) is None
    first = fleet.repair(fault.device, fault.family, START)
    again = fleet.repair(fault.device, fault.family, START)
    assert first is not None
    assert again is not None
    assert (first.fault, first.onset) == (again.fault, again.onset)


def test_a_snapshot_of_another_fleet_is_refused() -> None:
    with pytest.raises(SnapshotError, match="seed 1001"):
        make(seed=5).restore(make().snapshot())
    with pytest.raises(SnapshotError):
        make().restore(b"nonsense")


def test_messages_follow_wire_and_catalogue() -> None:
    fleet = make()
    for seq, body in enumerate(fleet.advance(START + DAY), 1):
        kind = CATALOGUE[fleet.devices[body.device].kind]
        envelope = telemetry_message(
            epoch=1, seq=seq, base=1, t_micros=body.t, q=body.q, dt_micros=body.dt, phase=body.phase, fw=body.fw
        )
        check_envelope(envelope)
        assert set(body.q) == set(kind.channels)
        assert body.phase in kind.phases
        for name, value in body.q.items():
            values = np.atleast_1d(np.array(value, dtype=float))
            assert kind.channels[name].low <= values.min()
            assert values.max() <= kind.channels[name].high


def test_readings_of_a_device_go_forward() -> None:
    fleet = make()
    for bodies in by_device(fleet.advance(START + DAY)).values():
        last = 0
        for body in bodies:
            assert body.t > last
            last = body.t + (body.dt or 0) * (readings(body) - 1)
            assert last <= body.done <= fleet.now


def test_the_demo_stays_below_its_load() -> None:
    fleet = Fleet(load_scenario("demo"), 1003, START, CATALOGUE)
    bodies = fleet.advance(START + DAY // 6)
    wall = 86_400 / 6 / 7_200
    total = sum(readings(body) for body in bodies)
    assert len(fleet.devices) == 120
    assert len(bodies) / wall < 1_000
    assert total / wall < 10_000


def test_the_demo_begins_with_part_worn_appliances_and_always_has_work() -> None:
    fleet = Fleet(load_scenario("demo"), 1004, START, CATALOGUE)
    people = fleet.scenario.people
    assert len(fleet.truth()) == 8 + len(people.scene)
    assert len([fault for fault in fleet.truth() if people.shows(fault.device) is None]) == 8
    onsets = [fault.onset for fault in fleet.expected(START + 60 * DAY)]
    for day in range(2, 50):
        assert any(START + day * DAY < onset <= START + (day + 10) * DAY for onset in onsets)
    assert {device.household.lang for device in fleet.devices} == {"zh", "en"}


def test_every_scenario_loads() -> None:
    assert "demo" in scenario_ids()
    for name in scenario_ids():
        assert load_scenario(name).id == name
    with pytest.raises(FileNotFoundError, match="demo"):
        load_scenario("absent")
