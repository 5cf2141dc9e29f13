"""Looks at the running product: how far behind it is, how much has passed, what is open."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stack.status import stream_state
from storage.overview import (
    Counts,
    NoticeLine,
    Open,
    latest_notices,
    open_things,
    positions,
    read_counts,
    ticket_states,
)
from storage.pool import Connection
from telemetry.clock import MICROS, WallClock, to_datetime

_NOTICES = 6
_RATE_S = 5.0
StreamState = dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class View:
    """One look.

    Attributes:
        lag: age of the oldest message that is not committed, seconds of wall time.
        rate: messages a second over the last seconds.
        counts: how much of everything there is.
        states: tickets by state.
        notices: latest notices, newest first.
        open: what is due and not done.
        backlog: blocks that are not committed.
    """

    lag: float
    rate: float
    counts: Counts
    states: dict[str, int]
    notices: list[NoticeLine]
    open: Open
    backlog: int


class LagMeter:
    """Age of the oldest block that is not committed, from the stream's last sequence seen at known times."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def observe(self, now: float, last_seq: int, committed: int) -> float:
        """Seconds by which the committed position is behind.

        Args:
            now: monotonic seconds.
            last_seq: of the stream.
            committed: newest committed sequence of any partition.
        """
        if not self._seen or self._seen[-1][1] != last_seq:
            self._seen.append((now, last_seq))
        while self._seen and self._seen[0][1] <= committed:
            self._seen.popleft()
        return now - self._seen[0][0] if self._seen else 0.0


class Watch:
    """Looks at database and stream.

    Args:
        conn: autocommit connection of its own.
        stream: asks the embedded stream; None when another one serves, whose lag is then read from the database alone.
        wall: wall clock.
    """

    def __init__(self, conn: Connection, stream: Callable[[], StreamState], wall: WallClock) -> None:
        self._conn = conn
        self._stream = stream
        self._wall = wall
        self._meter = LagMeter()
        self._rates: deque[tuple[float, int]] = deque()
        self._backlog = 0

    def rebind(self, conn: Connection) -> None:
        """Go on with another connection: the database was away."""
        self._conn = conn

    def lag(self) -> float:
        """Seconds by which the oldest message is waiting, at the broker or in the stream."""
        state = self._stream()
        if state is None:
            return 0.0
        committed = max((seq for _, seq in positions(self._conn).values()), default=0)
        self._backlog = max(0, state["last_seq"] - committed)
        lag = self._meter.observe(time.monotonic(), state["last_seq"], committed)
        oldest = state["mqtt_oldest"]
        if oldest:
            lag = max(lag, self._wall() / MICROS - _moment(oldest).timestamp())
        return lag

    def open(self, fleet_now: int) -> Open:
        """What is due and not done."""
        return open_things(self._conn, to_datetime(fleet_now))

    def look(self, fleet_now: int, lag: float) -> View:
        """Everything the panel shows."""
        counts = read_counts(self._conn)
        now = time.monotonic()
        self._rates.append((now, counts.messages))
        while now - self._rates[0][0] > _RATE_S:
            self._rates.popleft()
        began, before = self._rates[0]
        rate = (counts.messages - before) / (now - began) if now > began else 0.0
        return View(
            lag=lag,
            rate=rate,
            counts=counts,
            states=ticket_states(self._conn),
            notices=latest_notices(self._conn, _NOTICES),
            open=self.open(fleet_now),
            backlog=self._backlog,
        )


def embedded_stream(monitor: str | None) -> Callable[[], StreamState]:
    """A way to ask the embedded stream."""
    return lambda: stream_state(monitor)


def _moment(text: str) -> datetime:
    # The server writes nanoseconds; datetime reads microseconds.
    head, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{head}.{fraction[:6].ljust(6, '0')}+00:00")
