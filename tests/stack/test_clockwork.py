"""The fleet clock between runs: it stands still while the product is down, and goes on where it stood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.clockwork import NOTICE, Clockwork, is_production
from storage.pool import Connection, connect
from stream.memory import MemoryServer, MemoryStream
from telemetry.clock import MICROS, FleetClock

pytestmark = pytest.mark.stack
START = 1_772_409_600 * MICROS


class Mirror(MemoryStream):
    """The stream in memory, with all clocks that were put there."""

    def __init__(self) -> None:
        super().__init__(MemoryServer(Wall()))
        self.put: list[FleetClock] = []
        self.watch_clock(self.put.append)


class Wall:
    """A wall clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000 * MICROS

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += round(seconds * MICROS)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with connect(database_url, application="test", autocommit=True) as found:
        yield found


def test_production_time_is_wall_time_and_stays_so(conn: Connection, tmp_path: Path) -> None:
    wall, mirror = Wall(), Mirror()
    work = Clockwork(conn, mirror, wall, tmp_path)
    assert is_production(work.resume())
    wall.pass_seconds(100)
    assert work.now() == wall.now
    work.stand()
    again = Clockwork(conn, mirror, wall, tmp_path)
    assert is_production(again.resume())


def test_an_accelerated_clock_goes_on_where_the_product_stopped(conn: Connection, tmp_path: Path) -> None:
    wall, mirror = Wall(), Mirror()
    work = Clockwork(conn, mirror, wall, tmp_path)
    work.resume()
    work.begin(START)
    work.set_speed(3_600.0)
    assert work.speed_now() == 0.0
    wall.pass_seconds(NOTICE / MICROS + 10)
    assert work.speed_now() == 3_600.0
    stood = work.now()
    assert stood == START + 36_000 * MICROS
    work.stand()
    wall.pass_seconds(86_400)
    again = Clockwork(conn, mirror, wall, tmp_path)
    assert again.resume().speed == 0.0
    assert again.now() == stood
    assert mirror.put[-1] == again.clock


def test_after_a_kill_it_goes_on_from_the_last_sign_of_life(conn: Connection, tmp_path: Path) -> None:
    wall, mirror = Wall(), Mirror()
    work = Clockwork(conn, mirror, wall, tmp_path)
    work.resume()
    work.begin(START)
    work.set_speed(60.0)
    wall.pass_seconds(NOTICE / MICROS + 5)
    work.beat()
    wall.pass_seconds(10_000)  # killed: nobody told the clock to stand
    again = Clockwork(conn, mirror, wall, tmp_path)
    again.resume()
    assert again.now() == START + 300 * MICROS


def test_revisions_only_grow(conn: Connection, tmp_path: Path) -> None:
    wall, mirror = Wall(), Mirror()
    work = Clockwork(conn, mirror, wall, tmp_path)
    work.resume()
    work.begin(START)
    for speed in (60.0, 600.0, 0.0):
        work.set_speed(speed)
        wall.pass_seconds(2)
    work.stand()
    revisions = [clock.rev for clock in mirror.put]
    assert revisions == sorted(set(revisions))
