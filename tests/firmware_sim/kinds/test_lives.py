"""Lives of every kind with every fault: a function of the seed alone, and readings that follow the truth."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

import msgspec
import numpy as np
import pytest

from firmware_sim.firmware import Body
from firmware_sim.fleet import Fleet
from firmware_sim.physics import physics_of
from firmware_sim.physics.base import ProgrammePhysics
from firmware_sim.scenario import FaultEntry, FleetEntry, HabitEntry, Scenario
from firmware_sim.wear import DAY
from tests.firmware_sim.kinds.rig import catalogue, every_fault, faults, kinds

pytestmark = pytest.mark.long
START = 20_513 * DAY
ONSET, END = START + DAY // 2, START + 4 * DAY // 3
SEED = 7
_LEAD_DAYS = 0.5


@cache
def hosts() -> dict[str, str]:
    """What stands behind the plug of each of its faults."""
    return {
        name: one.seen_from[0].partition(".")[0] if one.seen_from else "water_heater"
        for name, one in faults("smart_plug").items()
    }


def programmed(kind: str) -> bool:
    return kind != "smart_plug" and isinstance(physics_of(kind), ProgrammePhysics)


@cache
def scenario(*, worn: bool) -> Scenario:
    """One device for every fault; with `worn` it has that fault."""
    fleet = [FleetEntry(kind=kind, count=len(faults(kind))) for kind in kinds() if kind != "smart_plug"]
    fleet += [
        FleetEntry(kind="smart_plug", count=1, host=host, prefix=f"p{i}") for i, host in enumerate(hosts().values())
    ]
    healthy = Scenario(
        id="lives",
        title="One device for every fault",
        fleet=tuple(fleet),
        habits={kind: HabitEntry(starts=3.0) for kind in kinds() if programmed(kind)},
    )
    if not worn:
        return healthy
    entries = tuple(
        FaultEntry(
            fault=(catalogue()[kind].faults[fault].seen_from or (f"{kind}.{fault}",))[0],
            device=device,
            day=0.5,
            lead_days=_LEAD_DAYS,
        )
        for device, (kind, fault) in zip(devices(), every_fault(), strict=True)
    )
    return msgspec.structs.replace(healthy, fault=entries)


@cache
def devices() -> tuple[str, ...]:
    """Ids, in the order of `every_fault`."""
    return tuple(one.device for one in Fleet(scenario(worn=False), SEED, START, catalogue()).devices)


def fleet(*, worn: bool, only: Collection[int] | None = None) -> Fleet:
    return Fleet(scenario(worn=worn), SEED, START, catalogue(), only)


def by_device(bodies: list[Body]) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for body in bodies:
        found.setdefault(body.device, []).append(msgspec.msgpack.encode(body))
    return found


@cache
def healthy_life() -> tuple[Fleet, list[Body]]:
    one = fleet(worn=False)
    return one, one.advance(END)


@cache
def worn_life() -> tuple[Fleet, list[Body]]:
    one = fleet(worn=True)
    return one, one.advance(END)


def test_every_device_has_its_fault() -> None:
    one, _ = worn_life()
    told = sorted((fault.device.partition("/")[2], fault.fault) for fault in one.truth())
    assert told == sorted((device, fault) for device, (_, fault) in zip(devices(), every_fault(), strict=True))
    assert {fault.onset for fault in one.truth()} == {ONSET}
    assert not healthy_life()[0].truth()


def test_the_same_seed_gives_the_same_bytes_in_any_steps_and_across_a_restart() -> None:
    rng = np.random.default_rng(3)
    one, found = fleet(worn=True), []
    for number, at in enumerate(sorted(rng.integers(START, END, 3).tolist())):
        found += one.advance(at)
        if number == 1:
            state = one.snapshot()
            one = fleet(worn=True)
            one.restore(state)
            assert one.snapshot() == state
    found += one.advance(END)
    assert by_device(found) == by_device(worn_life()[1])


@cache
def part_of_life() -> tuple[Fleet, list[Body]]:
    one = fleet(worn=True, only=range(0, len(devices()), 3))
    return one, one.advance(END)


def test_other_devices_change_nothing() -> None:
    one, bodies = part_of_life()
    together = by_device(worn_life()[1])
    assert by_device(bodies) == {device.index: together[device.index] for device in one.devices}


def test_another_seed_gives_other_lives() -> None:
    other = by_device(
        Fleet(scenario(worn=True), SEED + 1, START, catalogue(), range(0, len(devices()), 7)).advance(ONSET)
    )
    assert other
    same = by_device([body for body in worn_life()[1] if body.done <= ONSET])
    assert all(bodies != same[index] for index, bodies in other.items())


@pytest.mark.parametrize("number", range(len(every_fault())), ids=[".".join(one) for one in every_fault()])
def test_readings_follow_the_truth(number: int) -> None:
    healthy, worn = ([body for body in life()[1] if body.device == number] for life in (healthy_life, worn_life))
    before = [[body for body in bodies if body.done <= ONSET] for bodies in (healthy, worn)]
    assert before[0] == before[1]
    after = [[body for body in bodies if body.done > ONSET] for bodies in (healthy, worn)]
    # A machine that does not run has no chance to show it.
    idle = after[0] == after[1]
    assert idle == (runs_programmes(number) and not ran(after[0]))


def runs_programmes(number: int) -> bool:
    return isinstance(physics_of(healthy_life()[0].devices[number].physics), ProgrammePhysics)


def ran(bodies: list[Body]) -> bool:
    """Whether a run began after the onset, or a plug saw one."""
    if any(body.events for body in bodies if body.t >= ONSET):
        return True
    return any(
        max(x or 0.0 for x in q) > 60.0 for body in bodies if isinstance(q := body.q["power"], list) and not body.phase
    )


def test_most_machines_ran() -> None:
    numbers = [number for number in range(len(every_fault())) if runs_programmes(number)]
    some = [number for number in numbers if ran([b for b in worn_life()[1] if b.device == number and b.done > ONSET])]
    assert len(some) > 0.7 * len(numbers)


def test_a_repair_takes_the_fault_away() -> None:
    one = part_of_life()[0]
    new = {device.key: healthy_life()[0].self_test(device.key) for device in one.devices}
    for fault in worn_life()[0].truth():
        if fault.device in new:
            assert one.repair(fault.device, fault.family, END) is not None
    for fault in one.truth():
        assert fault.repaired is not None
        assert fault.level(END) == 0.0
        assert one.active(fault.device, fault.family) is None
    assert {device.key: one.self_test(device.key) for device in one.devices} == new
