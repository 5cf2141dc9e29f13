"""Runs a fleet on the fleet clock that it hears: advance, spool, publish; survives `kill -9` and goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from firmware_sim.answers import FILE, AnswerBook
from firmware_sim.commands import Commands
from firmware_sim.courier import Courier
from firmware_sim.firmware import readings
from firmware_sim.fleet import STEP, Fleet, SnapshotError, snapshot_start
from firmware_sim.pace import Pace
from firmware_sim.recorder import Recorder
from firmware_sim.scenario import Scenario
from firmware_sim.spool import DEFAULT_LIMIT
from firmware_sim.truth import Chronicle
from firmware_sim.uplink import Connections, Uplink
from firmware_sim.wear import Fault
from telemetry.clock import MICROS, FleetClock, WallClock

_CHUNK_WALL = 0.12
"""Wall seconds that one step of the fleet should span."""
_CHUNK = (STEP, 40 * STEP)
_SAVE_EVERY = 20 * MICROS


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What the stack watches; `lag` is the age of the oldest message without receipt, wall seconds.

    Attributes:
        fleet: fleet time that the devices have reached, microseconds.
        messages: spooled since the start of this process.
        readings: in them.
        published: sent, resends included.
        resent: of these, sent again.
        unreceipted: on their way without a receipt.
        lag: see above; 0 when all are receipted.
        connected: whether every connection is up that ought to be.
        refused: messages too large for the wire.
        dropped: messages lost to a full spool.
        held: messages that the network model keeps back.
        offline: devices that it keeps offline.
        connections: how many are up.
        recording: file that messages are recorded into, or nothing.
    """

    fleet: int
    messages: int
    readings: int
    published: int
    resent: int
    unreceipted: int
    lag: float
    connected: bool
    refused: int
    dropped: int
    held: int
    offline: int
    connections: int
    recording: str


def open_fleet(folder: Path, scenario: Scenario, seed: int, start_micros: int) -> Fleet:
    """Make the fleet, or go on with the one that the folder keeps.

    Raises:
        SnapshotError: the folder keeps another fleet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fleet.snapshot"
    if path.exists():
        data = path.read_bytes()
        start = snapshot_start(data)
        if start is None:
            raise SnapshotError(f"{path} is not a snapshot of this version; remove the folder to begin anew")
        fleet = Fleet(scenario, seed, start)
        fleet.restore(data)
        return fleet
    # What another fleet was asked here is nothing to this one.
    (folder / FILE).unlink(missing_ok=True)
    fleet = Fleet(scenario, seed, start_micros)
    _write(path, fleet.snapshot())
    return fleet


class Runner:
    """A fleet with its spool and its connections.

    Args:
        fleet: from `open_fleet`.
        folder: keeps spool, snapshot and truth.
        url: of the broker.
        wall: wall clock.
        connections: `each`: one for every device, with its own last will; `gateway`: one for all; or how many gateways
            share them.
        limit: bytes that one device's spool may hold.
        url_of: a device's own address, when each has a connection; `url` by default.
        clock: its own; without it the one that is heard over MQTT holds.
        end: fleet time at which it stands still for good.
    """

    def __init__(
        self,
        fleet: Fleet,
        folder: Path,
        url: str,
        wall: WallClock,
        *,
        connections: Connections = 1,
        limit: int = DEFAULT_LIMIT,
        url_of: Callable[[str], str] | None = None,
        clock: FleetClock | None = None,
        end: int | None = None,
    ) -> None:
        self.fleet, self.folder, self._wall = fleet, folder, wall
        self._pace, self._end = Pace(wall, clock), end
        self._chronicle = Chronicle(fleet)
        # Held while the fleet advances or is changed.
        self.lock = threading.RLock()
        self._courier = Courier(
            Commands(fleet),
            AnswerBook(folder / FILE),
            self.lock,
            now=lambda: max(fleet.now, self.now() or 0),
            until=self._until,
            respond=self._respond,
            keep=self.save,
        )
        self.uplink = Uplink(
            fleet,
            folder,
            url,
            wall,
            connections=connections,
            limit=limit,
            on_clock=self._pace.heard if clock is None else _pass_over,
            on_command=self._courier.hand_in,
            url_of=url_of,
        )
        self._readings = 0
        self._recorder: Recorder | None = None
        self._saved_at = wall()
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    def start(self) -> None:
        """Connect, wait for the clock, begin."""
        self.uplink.start()
        self._courier.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop the fleet where it stands, keep its state, disconnect."""
        self._pace.stop()
        self._thread.join()
        self._courier.stop()
        self.save()
        self.record(None)
        self.uplink.stop()

    def clock(self) -> FleetClock | None:
        """The fleet clock in force, or None before the first was heard."""
        return self._pace.clock()

    def now(self) -> int | None:
        """Fleet time by the clock heard, or None before the first."""
        clock = self.clock()
        return None if clock is None else clock.fleet_at(self._wall())

    @property
    def at_end(self) -> bool:
        """Whether the fleet has come to its end."""
        return self._end is not None and self.fleet.now >= self._end

    def record(self, path: Path | None) -> None:
        """Write what devices say from now on into a file; None stops.

        Raises:
            OSError: it cannot be written.
        """
        with self.lock:
            before, self._recorder = self._recorder, None
            if before is not None:
                before.close()
            if path is not None:
                self._recorder = Recorder(path, self.fleet)

    def repair(self, device: str, family: str, at: int, by: str = "visit") -> Fault | None:
        """Mend a fault on site; the fault found, or None. Kept on disk before it returns."""
        with self.lock:
            found = self.fleet.repair(device, family, at, by)
            self.save()
        return found

    def truth(self) -> list[Fault]:
        """Every fault that has begun."""
        with self.lock:
            return self.fleet.truth()

    def stats(self) -> Stats:
        """Numbers as they are now."""
        counts, recorder = self.uplink.counts(), self._recorder
        return Stats(
            fleet=self.fleet.now,
            messages=self.uplink.messages,
            readings=self._readings,
            published=sum(one.published for one in counts),
            resent=sum(one.resent for one in counts),
            unreceipted=sum(one.unreceipted for one in counts),
            lag=max((one.lag for one in counts), default=0.0),
            connected=all(one.connected for one in counts),
            refused=self.uplink.refused,
            dropped=self.uplink.dropped(),
            held=sum(one.held for one in counts),
            offline=self.uplink.offline(),
            connections=sum(one.connections for one in counts),
            recording="" if recorder is None else str(recorder.path),
        )

    def save(self) -> None:
        """Keep the fleet's state and truth on disk."""
        with self.lock:
            _write(self.folder / "fleet.snapshot", self.fleet.snapshot())
            _write(self.folder / "truth.jsonl", self._chronicle.text().encode())
            self._saved_at = self._wall()

    def _run(self) -> None:
        while not self.at_end and (clock := self._pace.await_clock()) is not None:
            goal = self.fleet.now + chunk(clock.speed)
            if self._end is not None:
                goal = min(goal, -(-self._end // STEP) * STEP)
            if not self._pace.reach(goal, clock):
                continue
            with self.lock:
                bodies = self.fleet.advance(goal)
                self._readings += sum(readings(body) for body in bodies)
                if self._recorder is not None:
                    self._recorder.write(bodies)
                self.uplink.send(bodies)
            if self._wall() - self._saved_at > _SAVE_EVERY:
                self.save()

    def _respond(self, key: str, payload: bytes) -> None:
        self.uplink.respond(key, payload)

    def _until(self, fleet: int) -> float | None:
        """Wall seconds until a fleet time, None when it never comes as things stand."""
        clock = self.clock()
        at = None if clock is None else clock.wall_at(fleet)
        return None if at is None else (at - self._wall()) / MICROS


def _pass_over(_clock: FleetClock) -> None:
    """An own clock hears no other."""


def chunk(speed: float) -> int:
    """Fleet microseconds of one step at a speed: smooth load, on the physics' grid."""
    wanted = round(speed * _CHUNK_WALL * MICROS) // STEP * STEP
    return min(max(wanted, _CHUNK[0]), _CHUNK[1])


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(path)
