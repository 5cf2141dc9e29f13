"""Simulated devices and people as one process under a supervisor.

It follows the fleet clock that it hears over MQTT. Ten times a second it writes `stats.json` into its folder (see
Report) for whoever governs the clock, and reads `control.json` there: `{"yours": household id or null}`. Faults,
networks and recordings are changed while it runs over a socket in that folder, see `firmware_sim.control`.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import httpx
import msgspec
import structlog

from firmware_sim.control import ControlServer
from firmware_sim.fleet import Fleet
from firmware_sim.people import People
from firmware_sim.people_spec import NEIGHBOURS
from firmware_sim.runner import Runner, Stats, open_fleet
from firmware_sim.scenario import load_scenario
from firmware_sim.self_help import HttpSelfHelp
from firmware_sim.service import HttpService
from firmware_sim.steering import Steering
from firmware_sim.uplink import Connections
from firmware_sim.wear import Fault
from telemetry.clock import MICROS, FleetClock, WallClock, system_wall

_BEAT_S = 0.1
_POLL_S = 0.25
_PATIENCE = 60 * MICROS
"""At its end a fleet waits for receipts so long after the last one."""
_log = structlog.get_logger(__name__)


class Report(Stats, frozen=True, kw_only=True):
    """What `stats.json` holds: the runner's figures, and those of people.

    Attributes:
        wall: when it was written, microseconds.
        now: fleet time by the clock heard, 0 before the first; microseconds.
        people_open: actions of people whose time has come.
        people_next: fleet time of their next action, or None.
        confirmed: visits that owners confirmed.
        repaired: appliances that technicians mended.
        no_fault_found: visits without a fault.
        self_fixed: visits that owners withdrew after the guide.
        people_errors: requests that failed.
    """

    wall: int
    now: int
    people_open: int = 0
    people_next: int | None = None
    confirmed: int = 0
    repaired: int = 0
    no_fault_found: int = 0
    self_fixed: int = 0
    people_errors: int = 0


class Control(msgspec.Struct):
    """What `control.json` says."""

    yours: str | None = None


class OnSite:
    """The running appliances, as technicians stand before them. Implements `firmware_sim.people.Bench`."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def find(self, device: str) -> list[Fault]:
        """The faults that an appliance has now."""
        return [one for one in self._runner.truth() if one.device == device and one.repaired is None]

    def mend(self, device: str, family: str, at: int, by: str) -> Fault | None:
        """Mend a family's fault."""
        return self._runner.repair(device, family, at, by)


class Simulation:
    """Runner and people together.

    Args:
        fleet: from `open_fleet`.
        folder: of spool, snapshot, truth, stats and control.
        mqtt_url: of the broker.
        wall: wall clock.
        api_url: of the product; without it there are no people.
        token: a bearer token with the people's role.
        yours: household whose owner is not simulated.
        connections: MQTT connections, see `firmware_sim.uplink.Connections`.
        clock: the fleet's own; without it the one that is heard over MQTT holds.
        until: fleet time at which it ends, when every message has its receipt or no receipt comes any more.

    Attributes:
        ended: set when `run` is over.
    """

    def __init__(
        self,
        fleet: Fleet,
        folder: Path,
        mqtt_url: str,
        wall: WallClock,
        *,
        api_url: str | None = None,
        token: str = "",
        yours: str | None = None,
        connections: Connections = 1,
        clock: FleetClock | None = None,
        until: int | None = None,
    ) -> None:
        self.runner = Runner(fleet, folder, mqtt_url, wall, connections=connections, clock=clock, end=until)
        self.control = ControlServer(folder, Steering(self.runner))
        self._folder, self._wall = folder, wall
        self._stop, self.ended = threading.Event(), threading.Event()
        self._open, self._moved = 0, wall()
        self.people: People | None = None
        if api_url:
            client = httpx.Client(base_url=api_url, headers={"authorization": f"Bearer {token}"}, trust_env=False)
            kinds = {unit.key: fleet.catalogue[unit.kind] for unit in fleet.devices}
            self.people = People(
                HttpService(client),
                fleet.seed,
                OnSite(self.runner),
                yours,
                spec=msgspec.structs.replace(NEIGHBOURS, scene=fleet.scenario.people.scene),
                guided=lambda fault: bool(kinds[fault.device].faults[fault.fault].self_fix),
                helps=HttpSelfHelp(client),
            )

    def run(self) -> None:
        """Until `stop`."""
        self.runner.start()
        self.control.start()
        acting = threading.Thread(target=self._act, name="people", daemon=True)
        acting.start()
        try:
            while not self._stop.wait(_BEAT_S) and not self._settled():
                self._beat()
        finally:
            self._stop.set()
            acting.join()
            self.control.stop()
            self.runner.stop()
            self.ended.set()

    def stop(self) -> None:
        """End `run`; safe in a signal handler."""
        self._stop.set()

    def report(self) -> Report:
        """Numbers as they are now."""
        now = self.runner.now() or 0
        report = Report(wall=self._wall(), now=now, **msgspec.structs.asdict(self.runner.stats()))
        if self.people is None:
            return report
        tally = self.people.tally
        return msgspec.structs.replace(
            report,
            people_open=self.people.overdue(now),
            people_next=self.people.next_due(),
            confirmed=tally.confirmed,
            repaired=tally.repaired,
            no_fault_found=tally.no_fault_found,
            self_fixed=tally.self_fixed,
            people_errors=tally.errors,
        )

    def _settled(self) -> bool:
        """Whether the fleet is at its end and nothing more is to be awaited."""
        if not self.runner.at_end:
            return False
        still, now = self.runner.stats().unreceipted, self._wall()
        if still != self._open:
            self._open, self._moved = still, now
        return still == 0 or now - self._moved > _PATIENCE

    def _beat(self) -> None:
        path = self._folder / "stats.json"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self.report()))
        fresh.replace(path)

    def _act(self) -> None:
        while self.people is not None and not self._stop.wait(_POLL_S):
            self._read_control(self.people)
            now = self.runner.now()
            if now is not None:
                self.people.step(now)

    def _read_control(self, people: People) -> None:
        try:
            people.yours = msgspec.json.decode((self._folder / "control.json").read_bytes(), type=Control).yours
        except FileNotFoundError:
            return
        except (msgspec.DecodeError, msgspec.ValidationError) as cause:
            _log.warning("control.json is not understood", why=str(cause))


def main(scenario: str, seed: int, start: int, folder: Path, connections: Connections = 1) -> None:
    """Run until SIGTERM or SIGINT.

    Reads WELLKEPT_MQTT_URL, and for the people WELLKEPT_SIM_API_URL, WELLKEPT_SIM_TOKEN and WELLKEPT_SIM_YOURS.

    Raises:
        KeyError: WELLKEPT_MQTT_URL is not set.
    """
    fleet = open_fleet(folder, load_scenario(scenario), seed, start * MICROS)
    simulation = Simulation(
        fleet,
        folder,
        os.environ["WELLKEPT_MQTT_URL"],
        system_wall,
        api_url=os.environ.get("WELLKEPT_SIM_API_URL"),
        token=os.environ.get("WELLKEPT_SIM_TOKEN", ""),
        yours=os.environ.get("WELLKEPT_SIM_YOURS") or None,
        connections=connections,
    )

    def end(_signal: int, _frame: FrameType | None) -> None:
        simulation.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    simulation.run()
