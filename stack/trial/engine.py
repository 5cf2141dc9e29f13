"""The trial's engine: sites step by step, and between two steps the desk and the people, each thing at its own time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import structlog

from firmware_sim.people import People
from firmware_sim.scenario import Scenario, World, appliances, load_scenario
from firmware_sim.wear import DAY, HOUR, Fault
from servicedesk.cohorts import take_summary
from servicedesk.errors import DeskError
from servicedesk.level_policies import load_levels
from servicedesk.memory import MemoryDesk
from servicedesk.office import Office
from stack.desk_hands import do, hand_over, tell
from stack.trial.errands import Errands
from stack.trial.handed import Reported, Told
from stack.trial.hosts import HereHost, Host, ProcessHost, plan_sites, share_out
from stack.trial.hours import ServiceHours
from stack.trial.ledger import Ledger
from stack.trial.progress import Listener, Progress, nobody
from stack.trial.record import DeviceRecord, TrialRecord
from stack.trial.roster import furnish, histories, innocent, restock, rows_of
from stack.trial.service import DeskService, promises_of
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_datetime, to_micros
from telemetry.identity import parse_key
from telemetry.ids import Ids
from worker.desk import appliance_of

START = to_micros(datetime.fromisoformat("2026-03-02T08:00:00+08:00"))
"""Fleet time at which a trial begins whose scenario does not say: a Monday morning in Shanghai."""
DAYS = 365
STEP = HOUR
_HANDS = 64
_ROUNDS = 32
_log = structlog.get_logger(__name__)


def run_trial(  # noqa: PLR0917  (in the order of the command's options)
    scenario: Scenario | str,
    seed: int,
    devices: int | None = None,
    days: int | None = None,
    processes: int = 1,
    progress: Listener = nobody,
    *,
    control: bool = True,
) -> TrialRecord:
    """Run a scenario to its end. The same scenario, seed, devices and days give the same record.

    Args:
        scenario: itself, its id or the path of its file.
        seed: of fleet, wire and people.
        devices: how many; by default what the scenario says.
        days: how long; by default a year.
        processes: over how many the work is spread.
        progress: hears of every step.
        control: whether the same fleet also lives without the product, for the baselines.
    """
    given = load_scenario(scenario) if isinstance(scenario, str) else scenario
    trial = Trial(given if devices is None else given.scaled(devices), seed, processes, control=control)
    try:
        trial.run(DAYS if days is None else days, progress)
        return trial.record()
    finally:
        trial.abandon()


class Trial:
    """A trial that has not run yet.

    Args:
        scenario: of the fleet.
        seed: of fleet, wire and people.
        processes: over how many the work is spread.
        control: whether there is a control fleet.
    """

    def __init__(self, scenario: Scenario, seed: int, processes: int, *, control: bool) -> None:
        self.scenario, self.seed = scenario, seed
        self.start = START if scenario.start is None else to_micros(scenario.start)
        self._base = load_catalogue()
        self.catalogue = scenario.catalogue(self._base)
        self._units = units = appliances(scenario, seed, self.catalogue)
        self._rows = rows_of(units, to_datetime(self.start))
        self.desk = MemoryDesk()
        furnish(self.desk, units, self._rows, self.catalogue)
        self._ids = Ids(random.Random(seed))  # noqa: S311  (a trial can be repeated)
        self.ledger = Ledger(self.desk, {row.no: row for row in self._rows}, self.catalogue)
        self._service = DeskService(self.desk, self._office)
        self._service.reported = partial(self.ledger.opened, finding=None)
        self.people = People(
            self._service,
            seed,
            self,
            spec=scenario.people,
            guided=self._guided,
            working=ServiceHours(load_levels(), {unit.key: unit.zone for unit in units}),
            told=self.ledger.done,
        )
        self._start_sites(processes, control=control)
        self._now = self._reached = self.start
        self._restocked = self.start
        self._closed = False

    def _start_sites(self, processes: int, *, control: bool) -> None:
        plans = plan_sites(self.scenario, self.seed, self.start, self._rows, control=control)
        self._site_of = {str(row.key): plan.number for plan in plans for row in plan.rows}
        self._errands = Errands(self.desk, self._rows, self._site_of)
        shares = share_out(plans, processes)
        self._hosts: list[Host] = (
            [HereHost(shares[0], self._base)] if len(shares) == 1 else [ProcessHost(share) for share in shares]
        )
        self._host_of = {plan.number: host for share, host in zip(shares, self._hosts, strict=True) for plan in share}

    def run(self, days: int, progress: Listener = nobody) -> None:
        """Let time pass."""
        self.end = self.start + days * DAY
        while self._reached < self.end:
            to = min(self._reached + STEP, self.end)
            controls, asked = self._errands.controls(), self._errands.tests()
            for host in self._hosts:
                host.begin(to, controls, asked)
            self._between(to, [told for host in self._hosts for told in host.told()])
            self._reached = to
            progress(self._progress(days))

    # Bench

    def find(self, device: str) -> list[Fault]:
        """See `firmware_sim.people.Bench`: as it stands when the step has ended."""
        site = self._site_of[device]
        return self._host_of[site].find(site, device)

    def mend(self, device: str, family: str, at: int, by: str) -> Fault | None:
        """See `firmware_sim.people.Bench`: takes effect when the step has ended."""
        site = self._site_of[device]
        return self._host_of[site].mend(site, device, family, at, by)

    def record(self) -> TrialRecord:
        """Close the sites and put everything together."""
        ended = [one for host in self._hosts for one in host.close()]
        self._closed = True
        dead = Counter[str]()
        for one in ended:
            dead.update(one.counts.dead)
        days = (self.end - self.start) // DAY
        ledger = self.ledger
        return TrialRecord(
            scenario=self.scenario.id,
            seed=self.seed,
            start=self.start,
            end=self.end,
            days=days,
            devices=tuple(
                DeviceRecord(device=str(row.key), kind=row.kind, model=row.model or "") for row in self._rows
            ),
            device_days=float(len(self._rows) * days),
            faults=ledger.faults([fault for one in ended for fault in one.truth]),
            tickets=ledger.tickets(),
            visits=ledger.visit_records(),
            episodes=ledger.episode_records(),
            confounders=innocent(World(self.scenario, self.seed, self.start), self._units, self.end),
            control=ledger.faults([fault for one in ended for fault in one.control], product=False),
            peaks=tuple(
                sorted((each for one in ended for each in one.peaks), key=lambda each: (each.kind, each.devices))
            ),
            messages=sum(one.counts.messages for one in ended),
            readings=sum(one.counts.readings for one in ended),
            duplicates=sum(one.counts.duplicates for one in ended),
            lost=sum(one.counts.lost for one in ended),
            dead_letters=dict(sorted(dead.items())),
            detector_errors=sum(one.counts.errors for one in ended),
            notices=len(self.desk.notices.rows),
            promises=promises_of(self.desk.levels.clocks.rows.values()),
        )

    def abandon(self) -> None:
        """End what still runs."""
        if not self._closed:
            for host in self._hosts:
                if isinstance(host, ProcessHost):
                    host.abandon()

    # inside

    def _progress(self, days: int) -> Progress:
        return Progress(
            now=self._reached,
            day=(self._reached - self.start) / DAY,
            days=days,
            devices=len(self._rows),
            tickets=len(self.desk.tickets.rows),
            visits=len(self.ledger.visits),
        )

    def _office(self, now: int) -> Office:
        return Office(self.desk, self.catalogue, lambda: self._ids.at(now))

    def _guided(self, fault: Fault) -> bool:
        row = self._rows[self.desk.agenda.device_of(parse_key(fault.device)) - 1]
        return bool(self.catalogue[row.kind].faults[fault.fault].self_fix)

    def _between(self, to: int, told: Sequence[Told]) -> None:
        """Everything that happens at the desk until a fleet time, in the order of time."""
        findings = sorted(
            (one for each in told for one in each.findings),
            key=lambda one: (one.arrival, one.no, one.finding.family, one.finding.revision),
        )
        self._errands.take([one for each in told for one in each.answers])
        self.desk.fleet.firmware |= histories(spell for each in told for spell in each.firmware)
        self.people.hear(
            sorted((one for each in told for one in each.failed), key=lambda one: (one.failure, one.device)), self._now
        )
        summaries = {no: one for each in told for no, one in each.summaries.items()}
        for no, (summary, arrival) in sorted(summaries.items()):
            take_summary(self.desk, no, summary, to_datetime(arrival))
        if to - self._restocked >= DAY:
            self._restocked = to
            restock(self.desk.parts)
        at, tired = 0, False
        while True:
            wanted = self._next(findings[at].arrival if at < len(findings) else None, tired=tired)
            if wanted is None or wanted > to:
                break
            self._now = max(self._now, wanted)
            while at < len(findings) and findings[at].arrival <= self._now:
                self._hear(findings[at])
                at += 1
            tired = not self._settle()
        self._now = max(self._now, to)

    def _next(self, arrival: int | None, *, tired: bool) -> int | None:
        """When something happens next; people who cannot act now try again after the next step."""
        due = self.desk.agenda.next_due()
        people = None if tired else self.people.next_due()
        times = [arrival, None if due is None else to_micros(due), people]
        return min((one for one in times if one is not None), default=None)

    def _settle(self) -> bool:
        """Jobs, due things and people until nothing is open now. Returns whether people got that far."""
        self._service.now = self._now
        self._work()
        for _ in range(_ROUNDS):
            acted = self.people.step(self._now)
            self._work()
            if not acted:
                break
        return not self.people.overdue(self._now)

    def _hear(self, reported: Reported) -> None:
        """A revision reaches the desk."""
        finding, now = reported.finding, max(reported.arrival, self._now)
        self.ledger.revised(finding, now)
        row = self._rows[reported.no - 1]
        tell(self._office(now), self.desk.agenda, finding, appliance_of(row), now)
        self.ledger.catch_up()

    def _work(self) -> None:
        """The desk's due things and jobs, until there are none."""
        agenda, moment = self.desk.agenda, to_datetime(self._now)
        while True:
            hand_over(agenda, moment, _HANDS)
            if not agenda.jobs:
                self.ledger.catch_up()
                return
            job = agenda.jobs.pop(0)
            try:
                do(self._office(self._now), job, moment)
            except DeskError as error:
                _log.warning("a job of the desk failed", task=job.task, why=str(error))
