from __future__ import annotations

import threading

from firmware_sim.pace import Pace
from telemetry.clock import MICROS, FleetClock, system_wall


def test_a_fleet_time_is_reached_when_the_clock_says_so() -> None:
    wall = system_wall()
    pace = Pace(system_wall, FleetClock(1, wall, 0, 7200.0))
    clock = pace.await_clock()
    assert clock is not None
    assert pace.reach(300 * MICROS, clock)
    assert clock.fleet_at(system_wall()) >= 300 * MICROS


def test_a_change_holds_from_its_own_time_on() -> None:
    now = [0]
    pace = Pace(lambda: now[0])
    assert pace.clock() is None
    first, second = FleetClock(1, 0, 0, 1.0), FleetClock(2, 10, 5, 2.0)
    pace.heard(first)
    pace.heard(second)
    pace.heard(first)
    assert pace.clock() == first
    now[0] = 10
    assert pace.clock() == second
    assert not pace.reach(1, first)


def test_a_paused_clock_lets_wait_until_it_is_stopped() -> None:
    clock = FleetClock(1, 0, 0, 0.0)
    pace = Pace(system_wall, clock)
    threading.Timer(0.05, pace.stop).start()
    assert not pace.reach(1, clock)
    assert pace.await_clock() is None
