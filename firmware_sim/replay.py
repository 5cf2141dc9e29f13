"""Replays what was recorded as devices over MQTT: the same spool, receipts and device core as any simulated device."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from firmware_sim.chance import generator
from firmware_sim.firmware import Body, readings
from firmware_sim.mqtt import Counts, Gateway
from firmware_sim.pace import Pace
from firmware_sim.recordings import Change, Recording, first_time, recording_messages
from firmware_sim.spool import Spool
from telemetry.clock import MICROS, FleetClock, WallClock
from telemetry.identity import DeviceKey

_TICK_WALL = 0.1
_LEAST = 10 * MICROS


class Source(Protocol):
    """What can be replayed: recordings of real appliances, or a recorded fleet."""

    @property
    def devices(self) -> dict[str, str]:
        """`org/device` to kind."""
        ...

    def first_time(self) -> int:
        """Event time at which it begins, microseconds: where the fleet clock is anchored."""
        ...

    def messages(self) -> Iterator[tuple[str, Body]]:
        """`org/device` and message, by the time they are complete."""
        ...


class Recorded:
    """Recordings of real appliances, one device each.

    Args:
        recordings: of the devices.
        org: their organisation.
        change: a dated change, for all of them.
        shifts: microseconds by device id.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        org: str,
        *,
        change: Change | None = None,
        shifts: Mapping[str, int] | None = None,
    ) -> None:
        self._recordings, self._org, self._change, self._shifts = list(recordings), org, change, dict(shifts or {})

    @property
    def devices(self) -> dict[str, str]:
        """`org/device` to kind."""
        return {str(DeviceKey(self._org, one.device)): one.kind for one in self._recordings}

    def first_time(self) -> int:
        """Event time of the earliest first row."""
        return min(first_time(one) + self._shifts.get(one.device, 0) for one in self._recordings)

    def messages(self) -> Iterator[tuple[str, Body]]:
        """All messages by the time they are complete."""
        return merged(self._org, self._recordings, self._change, self._shifts)


class Replay:
    """A source on its way.

    Args:
        source: what is replayed.
        folder: keeps the spool.
        url: of the broker.
        wall: wall clock.
        speed: replay at this speed by an own clock; None follows the fleet clock heard over MQTT.
    """

    def __init__(self, source: Source, folder: Path, url: str, wall: WallClock, *, speed: float | None = None) -> None:
        self._source, self._wall = source, wall
        folder.mkdir(parents=True, exist_ok=True)
        self.spool = Spool(folder / "spool.sqlite", wall)
        own = None if speed is None else FleetClock(0, wall(), self.first_time(), speed)
        self._pace = Pace(wall, own)
        self._gateway = Gateway(
            url,
            list(source.devices),
            self.spool,
            wall,
            rng=generator(0, -1, "replay"),
            client_id=f"wellkept-replay-{wall():x}",
            on_clock=self._pace.heard if own is None else None,
        )
        self.messages = self.readings = 0
        self.fleet = self.first_time()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)

    def first_time(self) -> int:
        """Event time at which the source begins: where the fleet clock is anchored."""
        return self._source.first_time()

    def start(self) -> None:
        """Connect and begin."""
        self._gateway.start()
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything was produced and receipted; whether it came to that.

        Args:
            timeout: wall seconds; None waits for ever.
        """
        if not self._done.wait(timeout):
            return False
        return self._gateway.settled(timeout)

    def counts(self) -> Counts:
        """Of the connection; `lag` is the age of the oldest message without receipt, wall seconds."""
        return self._gateway.counts()

    @property
    def produced(self) -> bool:
        """Whether the source is at its end."""
        return self._done.is_set()

    def stop(self) -> None:
        """Stop; what has no receipt stays in the spool."""
        self._pace.stop()
        if self._thread.is_alive():
            self._thread.join()
        self._gateway.stop()
        self.spool.close()

    def _run(self) -> None:
        source = self._source.messages()
        head = next(source, None)
        while head is not None:
            clock = self._pace.await_clock()
            if clock is None:
                return
            tick = max(_LEAST, round(clock.speed * _TICK_WALL * MICROS))
            goal = max(head[1].done, self.fleet + tick)
            if not self._pace.reach(goal, clock):
                continue
            group: list[tuple[str, Body]] = []
            while head is not None and head[1].done <= goal:
                group.append(head)
                head = next(source, None)
            self.fleet = goal
            self._send(group)
        self._done.set()

    def _send(self, group: list[tuple[str, Body]]) -> None:
        spooled = self.spool.append(group)
        self.messages += len(spooled)
        self.readings += sum(readings(body) for _, body in group)
        self._gateway.offer(spooled)


def merged(
    org: str, recordings: Iterable[Recording], change: Change | None, shifts: Mapping[str, int]
) -> Iterator[tuple[str, Body]]:
    """Messages of all recordings by the time they are complete."""

    def named(one: Recording) -> Iterator[tuple[str, Body]]:
        key = str(DeviceKey(org, one.device))
        return ((key, body) for body in recording_messages(one, change, shifts.get(one.device, 0)))

    when: Callable[[tuple[str, Body]], int] = lambda item: item[1].done  # noqa: E731  (typed for heapq.merge)
    return heapq.merge(*(named(one) for one in recordings), key=when)
