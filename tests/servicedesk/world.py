"""A small world on the desk in memory: one household, one fridge, the demo's technicians, and a clock that steps."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicedesk.memory import MemoryDesk
from servicedesk.model import Appliance, Contact, Household, Notice, Outcome, OutcomeCode, Ticket, Visit
from servicedesk.notices import DELIVER, delivered
from servicedesk.office import OWNER, Office
from servicedesk.opening import report
from servicedesk.planning import confirm
from servicedesk.proving import fall_due
from servicedesk.seed_demo import demo_parts, demo_technicians
from servicedesk.states import VISIT_LIVE, VisitState
from servicedesk.visiting import finish, move_visit
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_micros
from telemetry.finding import Cause, EpisodeState, Finding, Proof, finding_id
from telemetry.identity import DeviceKey
from telemetry.ids import maker
from worker.chores import Work, carry_out
from worker.notify import Mailbox

CATALOGUE = load_catalogue()
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = DeviceKey("demo", "fridge-1")
DAY = 86_400.0


def finding(
    *,
    key: DeviceKey = KEY,
    at: datetime = START,
    epoch: int = 1,
    revision: int = 0,
    state: EpisodeState = EpisodeState.OPEN,
    proof: Proof = Proof.NONE,
    severity: int = 3,
    score: float = 0.9999,
    causes: tuple[Cause, ...] = (Cause("condenser_fan_wear", 0.8), Cause("unknown", 0.2)),
    family: str = "condenser_airflow",
    life: tuple[float, float] | None = (20 * DAY, 40 * DAY),
    history: bool = False,
) -> Finding:
    opened = to_micros(at)
    onset = to_micros(at - timedelta(days=5))
    return Finding(
        id=finding_id(key, family, opened, epoch),
        device=key,
        family=family,
        revision=revision,
        state=state,
        severity=severity,
        opened=opened,
        onset=onset,
        onset_low=onset,
        onset_high=onset,
        observed=opened,
        score=score,
        causes=causes,
        life_low=None if life is None else life[0],
        life_high=None if life is None else life[1],
        detector="test",
        version="1",
        history=history,
        proof=proof,
    )


@dataclass
class World:
    """Drives the use cases as jobs and poller would."""

    desk: MemoryDesk = field(default_factory=MemoryDesk)
    now: datetime = START
    household: Household = field(init=False)
    appliance: Appliance = field(init=False)

    def __post_init__(self) -> None:
        rng = random.Random(5)
        self.new_id = maker(lambda: to_micros(self.now), rng)
        self.household = Household(
            id=self.new_id(), org="demo", name="Li", lang="en", tz="Asia/Shanghai", registered=START
        )
        self.appliance = Appliance(
            no=1,
            org="demo",
            device=KEY.device,
            kind="refrigerator",
            lang="en",
            household=self.household.id,
            room="Kitchen",
        )
        people = self.desk.people
        people.households[self.household.id] = self.household
        people.contact_rows.append(
            Contact(id=self.new_id(), household=self.household.id, name="Li", email="li@example.org")
        )
        people.appliances[1] = self.appliance
        people.technician_rows.extend(demo_technicians("demo", "Asia/Shanghai"))
        self.desk.parts.rows = {(part.org, part.sku): part for part in demo_parts("demo", CATALOGUE)}
        self.desk.agenda.devices[KEY] = 1

    @property
    def office(self) -> Office:
        return Office(self.desk, CATALOGUE, self.new_id)

    def report(self, found: Finding) -> Ticket | None:
        self.desk.agenda.findings.setdefault(UUID(found.id), []).append(found)
        return report(self.office, found, self.appliance, self.now)

    def opened(self, found: Finding | None = None) -> Ticket:
        ticket = self.report(found or finding(at=self.now))
        assert ticket is not None
        return ticket

    def work(self, *, deliver: bool = True) -> None:
        """Run jobs until none is left."""
        office = self.office
        while jobs := self.desk.agenda.take_jobs():
            for job in jobs:
                arguments = job.arguments
                if job.task == DELIVER:
                    if deliver:
                        delivered(office, self.desk.notices.get(UUID(arguments["notice"])), self.now, final=True)
                else:
                    carry_out(Work(office, self.now), Mailbox(), job.task, arguments)

    def step(self, until: datetime, *, deliver: bool = True) -> None:
        """Let time pass: due things happen when they are due."""
        self.work(deliver=deliver)
        agenda = self.desk.agenda
        while (due := agenda.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            for each in agenda.hand_over(self.now, 100):
                if agenda.done(each.id, self.now):
                    fall_due(self.office, each.kind, each.ref, self.now)
            self.work(deliver=deliver)
        self.now = max(self.now, until)

    def ticket(self, ticket: Ticket) -> Ticket:
        return self.desk.tickets.get(ticket.id)

    def visit(self, ticket: Ticket) -> Visit:
        live = [each for each in self.desk.visits.of_ticket(ticket.id) if each.state in VISIT_LIVE]
        assert len(live) == 1
        return live[0]

    def notices(self, ticket: Ticket) -> list[Notice]:
        return self.desk.notices.of_ticket(ticket.id)

    def stages(self, ticket: Ticket) -> list[str]:
        return [each.stage for each in self.notices(ticket)]

    def confirm(self, ticket: Ticket) -> Visit:
        return confirm(self.office, self.visit(ticket).id, self.now, OWNER)

    def repair(self, ticket: Ticket, code: OutcomeCode = OutcomeCode.REPAIRED) -> Visit:
        """The technician's way, from a confirmed visit to its outcome."""
        visit = self.visit(ticket)
        self.step(visit.start)
        for state in (VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE):
            move_visit(self.office, visit.id, state, self.now, "technician:1")
        self.now += timedelta(hours=1)
        done = finish(
            self.office,
            Outcome(
                visit=visit.id,
                code=code,
                at=self.now,
                actor="technician:1",
                cause="condenser_fan_wear" if code is OutcomeCode.REPAIRED else None,
                parts=visit.parts,
            ),
        )
        self.work()
        return done

    def repaired(self) -> tuple[Ticket, Finding]:
        """A ticket whose visit is done, and its finding."""
        found = finding(at=self.now)
        ticket = self.opened(found)
        self.work()
        self.confirm(ticket)
        self.repair(ticket)
        return self.ticket(ticket), found

    def change_household(self, **changes: object) -> None:
        self.household = replace(self.household, **changes)  # type: ignore[arg-type]
        self.desk.people.households[self.household.id] = self.household
