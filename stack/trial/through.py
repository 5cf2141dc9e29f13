"""A trial through the real broker, stream, database and API: the same fleet and people, a clock that is stepped.

The fleet clock stands. A step sets it forward; it stands there until every message has its receipt, no due thing, job
or control entry is open, and people have done all that is theirs by then. What is found is a function of the readings
and of what people did, so that the tickets are those of the trial in memory: the same device, family, onset, severity
and cause. Times of day differ by up to a step, since here everything within a step happens at its end.
"""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import structlog

from firmware_sim.fleet import Fleet
from firmware_sim.people import People
from firmware_sim.process import OnSite
from firmware_sim.runner import Runner
from firmware_sim.scenario import Scenario, World
from firmware_sim.service import HttpService
from firmware_sim.wear import DAY, HOUR, Fault
from servicedesk.level_policies import load_levels
from servicedesk.seed_demo import demo_parts
from stack.clockwork import Clockwork
from stack.errors import StackError
from stack.settings import Settings
from stack.supervisor import Supervisor
from stack.trial.engine import START
from stack.trial.gathered import gather
from stack.trial.hours import ServiceHours
from stack.trial.ledger import Ledger
from stack.trial.progress import Listener, Progress, nobody
from stack.trial.record import TrialRecord
from stack.trial.roster import enter_registry, innocent, rows_of, technicians
from stack.watch import Watch, embedded_stream
from storage import access
from storage.access import Role
from storage.desk import register_part, register_technician
from storage.overview import read_counts
from storage.pool import Connection, connect
from telemetry.catalogue import load_catalogue
from telemetry.clock import system_wall, to_datetime, to_micros

STEP = HOUR
_PATIENCE_S = 180.0
_LOOK_S = 0.05
_CALM = 2
"""Looks in a row that must find nothing open."""
_log = structlog.get_logger(__name__)


def run_brokered(  # noqa: PLR0917  (in the order of the command's options)
    scenario: Scenario, seed: int, devices: int | None, days: int, folder: Path, progress: Listener = nobody
) -> TrialRecord:
    """Run a scenario through the real stack; without a control fleet.

    Args:
        scenario: without models or faults of its own: the product's processes know the product's catalogue.
        seed: of fleet, wire and people.
        devices: how many; by default what the scenario says.
        days: how long.
        folder: fresh; keeps everything the product keeps.
        progress: hears of every step.

    Raises:
        StackError: a part cannot be started, something never settles, or the scenario has its own catalogue.
    """
    base = load_catalogue()
    if scenario.catalogue(base).hash != base.hash:
        raise StackError(f"{scenario.id} defines models or faults of its own, which only a trial in memory can run")
    trial = BrokeredTrial(scenario if devices is None else scenario.scaled(devices), seed, folder)
    try:
        trial.start()
        trial.run(days, progress)
        return trial.record()
    finally:
        trial.stop()


class BrokeredTrial:
    """The stack, the fleet and the people.

    Args:
        scenario: of the fleet.
        seed: of fleet, wire and people.
        folder: of everything.
    """

    def __init__(self, scenario: Scenario, seed: int, folder: Path) -> None:
        self._scenario, self._seed, self._folder = scenario, seed, folder
        self.start_time = START if scenario.start is None else to_micros(scenario.start)
        self._catalogue = load_catalogue()
        self._fleet = Fleet(scenario, seed, self.start_time, self._catalogue)
        self._rows = rows_of(self._fleet.devices, to_datetime(self.start_time))
        self._supervisor = Supervisor(Settings(data_dir=folder, org=scenario.org), _log.info)
        self._conn: Connection | None = None
        self._watch: Watch | None = None
        self._runner: Runner | None = None
        self._client: httpx.Client | None = None
        self._people: People | None = None
        self._ledger: Ledger | None = None
        self._failed: set[tuple[str, int]] = set()
        self._reached = self.start_time

    def start(self) -> None:
        """Start everything; the clock stands at the fleet's start."""
        supervisor = self._supervisor
        supervisor.start_servers()
        conn = self._conn = connect(supervisor.database_url, application="wellkept-trial", autocommit=True)
        if read_counts(conn).devices:
            raise StackError(f"{self._folder} holds another trial; give an empty folder")
        token = self._enter(conn)
        self._clock.begin(self.start_time)
        supervisor.start_processes()
        supervisor.wait_ready()
        monitor = supervisor.nats.monitor_url if supervisor.nats is not None else None
        self._watch = Watch(conn, embedded_stream(monitor), system_wall)
        self._folder.joinpath("fleet").mkdir(exist_ok=True)
        runner = self._runner = Runner(
            self._fleet, self._folder / "fleet", supervisor.mqtt_url("gateway"), system_wall, connections="gateway"
        )
        runner.start()
        client = self._client = httpx.Client(
            base_url=supervisor.http_url, headers={"authorization": f"Bearer {token}"}, trust_env=False
        )
        self._ledger = Ledger.fresh(self._rows, self._catalogue)
        self._people = People(
            HttpService(client),
            self._seed,
            OnSite(runner),
            spec=self._scenario.people,
            guided=self._guided,
            working=ServiceHours(load_levels(), {unit.key: unit.zone for unit in self._fleet.devices}),
            told=self._ledger.done,
        )

    def run(self, days: int, progress: Listener) -> None:
        """Step the clock until the end."""
        self._end = self.start_time + days * DAY
        while self._reached < self._end:
            self._reached = min(self._reached + STEP, self._end)
            self._clock.begin(self._reached)
            self._settle()
            counts = read_counts(self._given_conn)
            done = (self._reached - self.start_time) / DAY
            progress(Progress(self._reached, done, days, len(self._rows), counts.tickets, counts.visits))

    def record(self) -> TrialRecord:
        """What the database and the fleet say at the end."""
        if self._ledger is None or self._runner is None:
            raise StackError("the trial has not run")
        return gather(
            self._given_conn,
            self._ledger,
            self._scenario,
            self._seed,
            span=(self.start_time, self._end),
            truth=self._runner.truth(),
            confounders=innocent(World(self._scenario, self._seed, self.start_time), self._fleet.devices, self._end),
        )

    def stop(self) -> None:
        """End everything, the fleet first."""
        if self._runner is not None:
            self._runner.stop()
        if self._client is not None:
            self._client.close()
        if self._conn is not None:
            self._conn.close()
        self._supervisor.stop()

    # inside

    @property
    def _clock(self) -> Clockwork:
        if self._supervisor.clockwork is None:
            raise StackError("the servers have not been started")
        return self._supervisor.clockwork

    @property
    def _given_conn(self) -> Connection:
        if self._conn is None:
            raise StackError("the trial has not been started")
        return self._conn

    def _enter(self, conn: Connection) -> str:
        """Register everybody and everything; the token by which people act."""
        org = self._scenario.org
        enter_registry(conn, self._fleet.devices, self._rows)
        tz = self._fleet.devices[0].household.tz
        for technician in technicians(org, tz, self._catalogue, len(self._rows)):
            register_technician(conn, technician)
        for part in demo_parts(org, self._catalogue):
            register_part(conn, part)
        now = to_datetime(system_wall())
        return access.create_token(conn, Role.ADMIN, now=now, label="people of a trial", org=org)

    def _guided(self, fault: Fault) -> bool:
        row = next(one for one in self._rows if str(one.key) == fault.device)
        return bool(self._catalogue[row.kind].faults[fault.fault].self_fix)

    def _settle(self) -> None:
        """Until nothing is under way at this fleet time.

        Raises:
            StackError: it never is; what is open is named.
        """
        patience, calm, why = time.monotonic() + _PATIENCE_S, 0, ""
        while calm < _CALM:
            self._supervisor.tend()
            why = self._open()
            if not why and self._people is not None and self._runner is not None:
                self._people.hear(self._newly_failed(self._runner), self._reached)
                acted = self._people.step(self._reached)
                overdue = self._people.overdue(self._reached)
                why = f"{acted} things people did, {overdue} still to do" if acted or overdue else ""
            calm = 0 if why else calm + 1
            if time.monotonic() > patience:
                raise StackError(f"at {to_datetime(self._reached)} this does not settle: {why}")
            time.sleep(_LOOK_S)

    def _open(self) -> str:
        """What is under way in the product, in words; empty when nothing is."""
        if self._runner is None or self._watch is None:
            raise StackError("the trial has not been started")
        stats, open_now = self._runner.stats(), self._watch.open(self._reached)
        if stats.fleet < self._reached:
            return f"devices are at {to_datetime(stats.fleet)}"
        if stats.unreceipted:
            return f"{stats.unreceipted} messages without a receipt"
        if open_now.due or open_now.jobs or open_now.entries:
            return f"{open_now.due} due things, {open_now.jobs} jobs, {open_now.entries} control entries"
        return ""

    def _newly_failed(self, runner: Runner) -> list[Fault]:
        found = []
        for fault in runner.truth():
            key = fault.device, fault.onset
            if fault.repaired is None and fault.failure <= self._reached and key not in self._failed:
                self._failed.add(key)
                found.append(fault)
        return sorted(found, key=lambda one: (one.failure, one.device))
