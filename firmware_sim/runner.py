"""Runs a fleet on the fleet clock that it hears: advance, spool, publish; survives `kill -9` and goes on."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import structlog

from firmware_sim.chance import generator
from firmware_sim.firmware import Body
from firmware_sim.fleet import STEP, Fleet, SnapshotError, snapshot_start
from firmware_sim.mqtt import Gateway
from firmware_sim.pace import Pace
from firmware_sim.scenario import Scenario
from firmware_sim.spool import DEFAULT_LIMIT, OversizeError, Spool
from firmware_sim.wear import Fault, as_lines
from telemetry.clock import MICROS, FleetClock, WallClock

_CHUNK_WALL = 0.12
"""Wall seconds that one step of the fleet should span."""
_CHUNK = (STEP, 40 * STEP)
_SAVE_EVERY = 20 * MICROS
_log = structlog.get_logger(__name__)


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What the stack watches; `lag` is the age of the oldest message without receipt, wall seconds.

    Attributes:
        fleet: fleet time that the devices have reached, microseconds.
        messages: spooled since the start of this process.
        readings: in them.
        published: sent, resends included.
        resent: of these, sent again.
        unreceipted: in the spool without a receipt.
        lag: see above; 0 when all are receipted.
        connected: whether every connection is up.
        refused: messages too large for the wire.
        dropped: messages lost to a full spool.
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
        connections: over how many MQTT connections the devices are spread.
        limit: bytes that one device's spool may hold.
    """

    def __init__(
        self,
        fleet: Fleet,
        folder: Path,
        url: str,
        wall: WallClock,
        *,
        connections: int = 1,
        limit: int = DEFAULT_LIMIT,
    ) -> None:
        self.fleet, self._folder, self._wall = fleet, folder, wall
        self.spool = Spool(folder / "spool.sqlite", wall, limit)
        keys = [device.key for device in fleet.devices]
        self._keys = keys
        pace = Pace(wall)
        self._gateways = [
            Gateway(
                url,
                keys[number::connections],
                self.spool,
                wall,
                rng=generator(fleet.seed, -1, "gateway", number),
                client_id=f"wellkept-sim-{fleet.scenario.id}-{number}-{wall() // MICROS:x}",
                on_clock=pace.heard if number == 0 else None,
            )
            for number in range(connections)
        ]
        self._of = {key: self._gateways[i % connections] for i, key in enumerate(keys)}
        self._pace = pace
        self._fleet_lock = threading.RLock()
        self._messages = self._readings = self._refused = 0
        self._saved_at = wall()
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    def start(self) -> None:
        """Connect, wait for the clock, begin."""
        for gateway in self._gateways:
            gateway.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop the fleet where it stands, keep its state, disconnect."""
        self._pace.stop()
        self._thread.join()
        self._save()
        for gateway in self._gateways:
            gateway.stop()
        self.spool.close()

    def clock(self) -> FleetClock | None:
        """The fleet clock in force, or None before the first was heard."""
        return self._pace.clock()

    def now(self) -> int | None:
        """Fleet time by the clock heard, or None before the first."""
        clock = self.clock()
        return None if clock is None else clock.fleet_at(self._wall())

    def repair(self, device: str, family: str, at: int) -> Fault | None:
        """Mend a fault on site; the fault found, or None. Kept on disk before it returns."""
        with self._fleet_lock:
            found = self.fleet.repair(device, family, at)
            self._save()
        return found

    def truth(self) -> list[Fault]:
        """Every fault that has begun."""
        with self._fleet_lock:
            return self.fleet.truth()

    def stats(self) -> Stats:
        """Numbers as they are now."""
        counts = [gateway.counts() for gateway in self._gateways]
        return Stats(
            fleet=self.fleet.now,
            messages=self._messages,
            readings=self._readings,
            published=sum(one.published for one in counts),
            resent=sum(one.resent for one in counts),
            unreceipted=sum(one.unreceipted for one in counts),
            lag=max((one.lag for one in counts), default=0.0),
            connected=all(one.connected for one in counts),
            refused=self._refused,
            dropped=sum(self.spool.slot(key).dropped for key in self._keys),
        )

    def _run(self) -> None:
        while (clock := self._pace.await_clock()) is not None:
            goal = self.fleet.now + chunk(clock.speed)
            if not self._pace.reach(goal, clock):
                continue
            with self._fleet_lock:
                self._send(self.fleet.advance(goal))
            if self._wall() - self._saved_at > _SAVE_EVERY:
                self._save()

    def _send(self, bodies: list[Body]) -> None:
        named = [(self._keys[body.device], body) for body in bodies]
        try:
            spooled = self.spool.append(named)
        except OversizeError as cause:
            self._refused += 1
            _log.error("refused", why=str(cause))
            spooled = []
        self._messages += len(spooled)
        self._readings += sum(readings(body) for body in bodies)
        for gateway in self._gateways:
            gateway.offer([one for one in spooled if self._of[one.device] is gateway])

    def _save(self) -> None:
        with self._fleet_lock:
            _write(self._folder / "fleet.snapshot", self.fleet.snapshot())
            _write(self._folder / "truth.jsonl", as_lines(self.fleet.truth()).encode())
            self._saved_at = self._wall()


def chunk(speed: float) -> int:
    """Fleet microseconds of one step at a speed: smooth load, on the physics' grid."""
    wanted = round(speed * _CHUNK_WALL * MICROS) // STEP * STEP
    return min(max(wanted, _CHUNK[0]), _CHUNK[1])


def readings(body: Body) -> int:
    """How many readings a message holds."""
    return max((len(value) if isinstance(value, list) else 1 for value in body.q.values()), default=0)


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(path)
