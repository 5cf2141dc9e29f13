"""Carries the fleet clock: the row first, then its mirror in the stream; resumes where it stood."""

from __future__ import annotations

import json
from pathlib import Path

from storage.clock_store import read_clock, write_clock
from storage.pool import Connection
from stream.port import ClockMirror
from telemetry.clock import MICROS, FleetClock, WallClock, production_clock

NOTICE = 1_200_000
"""Microseconds between telling a change and its effect: everybody hears it before."""

_BEAT = "clock.json"


class Clockwork:
    """Reads and changes the fleet clock.

    Args:
        conn: autocommit connection of its own.
        mirror: the stream.
        wall: wall clock.
        data_dir: keeps the last sign of life, so that the clock stands still while the product is down.
    """

    def __init__(self, conn: Connection, mirror: ClockMirror, wall: WallClock, data_dir: Path) -> None:
        self._conn = conn
        self._mirror = mirror
        self._wall = wall
        self._beat = data_dir / _BEAT
        self.clock = production_clock()

    @classmethod
    def present(cls, conn: Connection, mirror: ClockMirror, wall: WallClock, data_dir: Path) -> Clockwork:
        """The clock as it is, of a product that runs."""
        work = cls(conn, mirror, wall, data_dir)
        work.clock = read_clock(conn) or work.clock
        return work

    def rebind(self, conn: Connection) -> None:
        """Go on with another connection: the database was away."""
        self._conn = conn

    def resume(self) -> FleetClock:
        """Take up the persisted clock; one of its own pace goes on where the product was last alive, standing still."""
        stored = read_clock(self._conn)
        wall = self._wall()
        if stored is None:
            self._put(production_clock())
        elif is_production(stored):
            self._put(stored, store=False)
        else:
            fleet = stored.fleet_at(min(wall, self._last_alive() or stored.wall))
            self._put(FleetClock(stored.rev + 1, wall, fleet, 0.0))
        return self.clock

    def begin(self, fleet: int) -> FleetClock:
        """Set a clock of its own pace to a fleet time, standing still."""
        self._put(FleetClock(self.clock.rev + 1, self._wall(), fleet, 0.0))
        return self.clock

    def settled(self) -> bool:
        """Whether the last change has taken effect."""
        return self._wall() >= self.clock.wall

    def now(self) -> int:
        """Fleet time, microseconds."""
        return self.clock.fleet_at(self._wall())

    def speed_now(self) -> float:
        """The speed that the clock really has at this moment."""
        return self.clock.speed if self.settled() else 0.0

    def set_speed(self, speed: float) -> FleetClock:
        """Change the speed, a moment ahead."""
        self._refresh()
        self._put(self.clock.change(max(self._wall(), self.clock.wall) + NOTICE, speed))
        return self.clock

    def stand(self) -> FleetClock:
        """Stand still from now on: the product stops."""
        self._refresh()
        if not is_production(self.clock):
            self._put(self.clock.change(self._wall(), 0.0))
        return self.clock

    def beat(self) -> None:
        """A sign of life."""
        fresh = self._beat.with_suffix(".new")
        fresh.write_text(json.dumps({"wall": self._wall()}), encoding="utf-8")
        fresh.replace(self._beat)

    def _refresh(self) -> None:
        """Take up what another process of ours may have set."""
        stored = read_clock(self._conn)
        if stored is not None and stored.rev > self.clock.rev:
            self.clock = stored

    def _last_alive(self) -> int | None:
        try:
            return int(json.loads(self._beat.read_text(encoding="utf-8"))["wall"])
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def _put(self, clock: FleetClock, *, store: bool = True) -> None:
        if store:
            write_clock(self._conn, clock)
        self._mirror.put_clock(clock)
        self.clock = clock


def is_production(clock: FleetClock) -> bool:
    """Whether fleet time is wall time."""
    return clock.fleet == clock.wall and clock.speed == 1.0


def describe(clock: FleetClock, wall: int) -> dict[str, object]:
    """The clock as JSON; `fleet_s` in Unix seconds."""
    return {
        "rev": clock.rev,
        "speed": clock.speed,
        "fleet_s": clock.fleet_at(wall) / MICROS,
        "wall_s": wall / MICROS,
        "production": is_production(clock),
    }
