"""Follows the fleet clock as it is heard: waits for a fleet time, and notices when the clock changes."""

from __future__ import annotations

import threading

from telemetry.clock import MICROS, ClockTrack, FleetClock, WallClock

_SHORTEST_S = 0.001


class Pace:
    """The clocks heard. A change takes effect at its own wall time; until then the clock before it is in force.

    Args:
        wall: wall clock.
        clock: in force before any is heard; without it nothing is ever reached until one is heard.
    """

    def __init__(self, wall: WallClock, clock: FleetClock | None = None) -> None:
        self._wall = wall
        self._track = ClockTrack(clock)
        self._changed = threading.Condition()
        self._stopped = False

    def heard(self, clock: FleetClock) -> None:
        """Take a clock; an older revision than one heard before is passed over."""
        with self._changed:
            if self._track.hear(clock, self._wall()):
                self._changed.notify_all()

    def stop(self) -> None:
        """Let everybody who waits go."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def clock(self) -> FleetClock | None:
        """The clock in force, or None before the first."""
        with self._changed:
            return self._in_force()

    def await_clock(self) -> FleetClock | None:
        """The clock in force as soon as there is one; None when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._in_force() is not None)
            return None if self._stopped else self._in_force()

    def reach(self, fleet: int, clock: FleetClock) -> bool:
        """Wait until a fleet time by a clock. False when stopped, or when another clock came into force before."""
        with self._changed:
            while True:
                if self._stopped or self._in_force() is not clock:
                    return False
                now = self._wall()
                if clock.fleet_at(now) >= fleet and now >= clock.wall:
                    return True
                change = self._track.next
                moments = [clock.wall_at(fleet), None if change is None else change.wall]
                known = [moment for moment in moments if moment is not None]
                self._changed.wait(max(_SHORTEST_S, (min(known) - now) / MICROS) if known else None)

    def _in_force(self) -> FleetClock | None:
        return self._track.in_force(self._wall())
