"""Communication modules: what restarts, clocks, versions and set intervals do to what a device says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.comms import Comms, Restart, SetInterval, SetLink
from firmware_sim.firmware import FIRMWARE, Body, Intervals, Sampler
from firmware_sim.fleet import Fleet
from firmware_sim.names import UnknownNameError
from firmware_sim.network_spec import Link, NetworkSpec
from firmware_sim.scenario import FleetEntry, HabitEntry, Scenario
from firmware_sim.wear import DAY, HOUR
from telemetry.catalogue import PhaseSpec, Text, load_catalogue
from telemetry.clock import MICROS

CATALOGUE = load_catalogue()
START = 1_772_323_200 * MICROS
MINUTE = 60 * MICROS
TITLE = Text(zh="", en="")
PHASES = {
    "cooling": PhaseSpec(every=60, batch=30, title=TITLE),
    "idle": PhaseSpec(every=120, batch=30, title=TITLE),
}
FLAKY = NetworkSpec(clock_offset_s=10.0, clock_drift_ppm=80.0, ntp_days=0.4, reboots=4.0, reboot_s=45.0)
FLEET = (FleetEntry(kind="refrigerator", count=2), FleetEntry(kind="washing_machine", count=2))


def comms(link: Link | None = None, versions: Sequence[tuple[int, str]] = ()) -> Comms:
    return Comms(
        7,
        START,
        {"demo/a": 0, "demo/b": 1},
        {0: link or Link(), 1: Link()},
        {0: versions} if versions else None,
    )


def hour(device: int, begin: int) -> Body:
    values: list[float | None] = [float(i) for i in range(60)]
    return Body(device=device, done=begin + 59 * MINUTE, t=begin, dt=MINUTE, q={"power": values}, phase="idle")


def test_nothing_happens_to_a_device_without_faults_of_its_module() -> None:
    bodies = [hour(0, START), hour(1, START)]
    assert comms().finish(bodies, START, START + HOUR) is bodies


def test_a_restart_costs_what_was_not_spooled_and_says_so() -> None:
    module = comms(Link(reboot_s=90.0))
    module.intervene(Restart(device="demo/a", at=START + 20 * MINUTE))
    told = module.finish([hour(0, START), hour(1, START)], START, START + HOUR)
    said, other = [one for one in told if one.device == 0], [one for one in told if one.device == 1]
    assert other == [hour(1, START)]
    boot, rest = said
    assert (boot.events, boot.q, boot.t) == (("reboot",), {}, START + 20 * MINUTE + 90 * MICROS)
    assert rest.t == START + 22 * MINUTE
    assert rest.q == {"power": [float(i) for i in range(22, 60)]}
    assert boot.done < rest.done


def test_an_event_outlives_a_restart() -> None:
    module = comms(Link(reboot_s=90.0))
    module.intervene(Restart(device="demo/a", at=START + HOUR))
    at = START + HOUR + MINUTE
    alarm = Body(device=0, done=at, t=at, q={"power": 3.0}, events=("error:drain_timeout",))
    quiet = Body(device=0, done=at, t=at, q={"power": 3.0})
    assert module.finish([alarm], START + HOUR + MICROS, at) == [
        Body(device=0, done=at, t=at, q={}, events=("error:drain_timeout",))
    ]
    assert module.finish([quiet], START + HOUR + MICROS, at) == []


def test_an_update_over_the_air_restarts_and_changes_the_version() -> None:
    at = START + 10 * HOUR
    module = comms(Link(reboot_s=60.0), versions=((START, "2.4.1"), (at, "2.5.0")))
    before = module.finish([hour(0, at - 2 * HOUR)], at - 2 * HOUR, at - HOUR)
    after = module.finish([hour(0, at + HOUR)], at - HOUR, at + 2 * HOUR)
    assert [one.fw for one in before] == [FIRMWARE]
    assert [(one.fw, one.events) for one in after] == [("2.5.0", ("reboot", "firmware:2.5.0")), ("2.5.0", ())]


def test_a_wrong_clock_moves_event_times_and_no_completion() -> None:
    link = Link(clock_offset_s=60.0, ntp_days=0.0)
    module = comms(link)
    (said,) = module.finish([hour(0, START)], START, START + HOUR)
    assert said.t == module.network.skewed(0, START) != START
    assert said.done == START + 59 * MINUTE
    assert said.q == hour(0, START).q


def test_an_intervention_needs_a_device_that_exists() -> None:
    with pytest.raises(UnknownNameError, match="demo/a"):
        comms().intervene(Restart(device="demo/aa", at=START))
    with pytest.raises(ValueError, match="needs a device"):
        comms().intervene(Restart(device="", at=START))


def test_interventions_survive_dump_and_load() -> None:
    one = comms()
    one.intervene(SetLink(at=START + HOUR, values={"reboots": 20.0}))
    one.intervene(Restart(device="demo/b", at=START + 2 * HOUR, fw="9.9.9"))
    one.intervene(SetInterval(device="demo/a", at=START + 3 * HOUR, phase="idle", seconds=600))
    two = comms()
    two.intervene(Restart(device="demo/a", at=START + HOUR))
    two.load(one.dump())
    bodies = [hour(device, START + i * HOUR) for i in range(24) for device in (0, 1)]
    assert two.finish(bodies, START, START + DAY) == one.finish(bodies, START, START + DAY)
    assert two.intervals(0).every("idle", PHASES["idle"], START + 4 * HOUR) == 600


def rows(first: int, count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.arange(first, first + count, dtype=np.float64).reshape(-1, 1)


def test_an_interval_that_somebody_sets_holds_from_its_date_on() -> None:
    step = 30 * MICROS
    intervals = Intervals()
    intervals.set(100 * step + 1, "", 300.0)
    sampler = Sampler(0, ("power",), PHASES, step, intervals=intervals)
    found = sampler.take("cooling", 1, rows(1, 400)) + sampler.flush(401)
    taken = [
        (body.t // step + i * (body.dt or 0) // step, value)
        for body in found
        for i, value in enumerate(body.q["power"] if isinstance(body.q["power"], list) else [body.q["power"]])
    ]
    assert all(step_of == value for step_of, value in taken)
    assert [at for at, _ in taken] == [*range(1, 101, 2), *range(101, 401, 10)]


def test_an_absent_reading_is_said_as_absent() -> None:
    sampler = Sampler(0, ("power", "temp"), PHASES, 30 * MICROS)
    values = np.array([[1.0, np.nan], [2.0, 2.0], [3.0, 3.0]])
    sampler.take("cooling", 0, values)
    (body,) = sampler.flush(3)
    assert body.q == {"power": [1.0, 3.0], "temp": [None, 3.0]}


@settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(2, 499), max_size=8),
    changes=st.lists(st.tuples(st.integers(0, 500), st.sampled_from(["", "idle", "cooling"]), st.integers(0, 900))),
)
def test_sampling_does_not_depend_on_the_pieces(cuts: list[int], changes: list[tuple[int, str, int]]) -> None:
    step = 30 * MICROS

    def run(edges: list[int]) -> list[Body]:
        intervals = Intervals()
        for at, phase, seconds in changes:
            intervals.set(at * step - 7, phase, float(seconds))
        sampler = Sampler(0, ("power",), PHASES, step, intervals=intervals)
        found: list[Body] = []
        for begin, end in zip([1, *edges], [*edges, 500], strict=True):
            for phase, first, last in (("cooling", 1, 170), ("idle", 170, 333), ("cooling", 333, 500)):
                low, high = max(begin, first), min(end, last)
                if low < high:
                    found += sampler.take(phase, low, rows(low, high - low))
        return found

    assert run(sorted(set(cuts))) == run([])


def flaky() -> Fleet:
    scenario = Scenario(
        id="flaky",
        title="flaky",
        fleet=FLEET,
        habits={"washing_machine": HabitEntry(starts=3.0)},
        network=FLAKY,
    )
    return Fleet(scenario, 1001, START, CATALOGUE)


def by_device(bodies: list[Body]) -> dict[int, list[Body]]:
    return {device: [one for one in bodies if one.device == device] for device in range(4)}


def test_a_flaky_fleet_says_the_same_in_steps_of_any_size_and_after_a_restart() -> None:
    whole, parts = flaky(), flaky()
    told = by_device(whole.advance(START + DAY))
    assert any("reboot" in body.events for one in told.values() for body in one)
    assert all([body.done for body in one] == sorted(body.done for body in one) for one in told.values())
    found: list[Body] = []
    for cut in (3 * HOUR, 3 * HOUR + 30 * MICROS, 9 * HOUR, 9 * HOUR + 10 * MINUTE, 17 * HOUR, DAY):
        found += parts.advance(START + cut)
        data = parts.snapshot()
        parts = flaky()
        parts.restore(data)
    assert by_device(found) == told


def test_a_set_interval_is_a_dated_intervention_of_the_fleet() -> None:
    plain = by_device(flaky().advance(START + DAY))
    busy = next(i for i in (2, 3) if any(b.t > START + 7 * HOUR and b.phase not in {None, "idle"} for b in plain[i]))

    def live(*stops: int) -> dict[int, list[Body]]:
        fleet = flaky()
        found = fleet.advance(START + 6 * HOUR)
        for index, seconds in ((0, 600.0), (busy, 30.0)):
            fleet.intervene(SetInterval(device=fleet.devices[index].key, at=fleet.now + 1, seconds=seconds))
        for stop in stops:
            found += fleet.advance(START + stop)
            data = fleet.snapshot()
            fleet = flaky()
            fleet.restore(data)
        return by_device(found + fleet.advance(START + DAY))

    told = live()
    assert live(6 * HOUR + 30 * MICROS, 7 * HOUR, 13 * HOUR, 20 * HOUR) == told
    assert told[1] == plain[1]
    late = [body for body in told[0] if body.t > START + 7 * HOUR and body.dt is not None]
    assert {body.dt for body in late} == {600 * MICROS}
    running = [body for body in told[busy] if body.t > START + 7 * HOUR and body.phase not in {None, "idle"}]
    assert {body.dt for body in running} <= {30 * MICROS, None}
    assert running
