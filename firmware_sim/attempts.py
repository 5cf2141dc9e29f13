"""When which of many connections is tried: jittered, doubling, and never all at once. No socket, no clock."""

from __future__ import annotations

import heapq

import numpy as np

from telemetry.clock import MICROS

RETRY = (200_000, 2 * MICROS)
"""Shortest and longest wait of one connection, wall microseconds."""
OPENING = 64
"""Attempts at once: a broker that starts answers the first before it sees the last."""


class Attempts:
    """The attempts of connections, by number; all of them are due at the beginning.

    Args:
        count: of connections.
        rng: jitter.
        now: wall time, microseconds.
        spread: whether those that lost one broker come back spread over the longest wait, as a crowd of devices does.
    """

    def __init__(self, count: int, rng: np.random.Generator, now: int, *, spread: bool) -> None:
        self._rng, self._spread = rng, spread
        self._waiting = [(now, number) for number in range(count)]
        self._wait = [RETRY[0]] * count
        self._opening: set[int] = set()
        self._closed_until, self._closed_for = 0, RETRY[0]

    def plan(self, number: int, at: int) -> None:
        """Try a connection at a time."""
        heapq.heappush(self._waiting, (at, number))

    def next_due(self) -> int | None:
        """When `take` gives the next, or None."""
        if not self._waiting or len(self._opening) >= OPENING:
            return None
        return max(self._waiting[0][0], self._closed_until)

    def take(self, now: int) -> int | None:
        """A connection to try now, or None."""
        due = self.next_due()
        return None if due is None or due > now else heapq.heappop(self._waiting)[1]

    def opening(self, number: int) -> None:
        """An attempt has reached the broker and waits for its word."""
        self._closed_for = RETRY[0]
        self._opening.add(number)

    def given_up(self, number: int) -> None:
        """An attempt, or a connection, was ended on purpose."""
        self._opening.discard(number)

    def came_up(self, number: int) -> None:
        """A connection is up."""
        self._opening.discard(number)
        self._wait[number] = RETRY[0]

    def lost(self, number: int, now: int) -> None:
        """A connection is gone or never came up: try it again."""
        self._opening.discard(number)
        wait = self._wait[number]
        self._wait[number] = min(wait * 2, RETRY[1])
        self.plan(number, now + round(self._share() * RETRY[1] if self._spread else wait * (0.5 + 0.5 * self._share())))

    def unreachable(self, now: int) -> None:
        """Nobody listens there: until then nobody else tries."""
        self._closed_for = min(self._closed_for * 2, RETRY[1])
        self._closed_until = now + round(self._closed_for * (0.5 + 0.5 * self._share()))

    def _share(self) -> float:
        return float(self._rng.random())
