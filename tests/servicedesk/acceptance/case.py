"""A household's case on either form of the desk, driven as jobs and poller drive it, with real channels."""

from __future__ import annotations

import random
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from servicedesk.ladder import failed
from servicedesk.level_rows import CallState, CallTask, LevelClock, OnCall
from servicedesk.memory import MemoryDesk
from servicedesk.model import Appliance, Contact, Household, Notice, Ticket, Visit
from servicedesk.notices import DELIVER
from servicedesk.office import OWNER, Office
from servicedesk.opening import report
from servicedesk.planning import confirm
from servicedesk.ports import Desk
from servicedesk.states import VISIT_LIVE, VisitState
from servicedesk.tiers import STANDARD
from servicedesk.visiting import move_visit
from storage.desk import PgDesk, register_household
from storage.registry import register_device
from telemetry.clock import to_micros
from telemetry.finding import Finding
from telemetry.identity import DeviceKey
from telemetry.ids import maker
from tests.servicedesk.acceptance.doors import HookDoor, MailDoor
from tests.servicedesk.world import CATALOGUE, START, World, finding
from tests.worker_desk.shop import Shop
from worker.chores import FALL_DUE, Work, carry_out
from worker.notify import Channel, Mail, Mailbox

_TAKE = "delete from procrastinate_jobs where status = 'todo' returning id, task_name, args"


@dataclass
class Case:
    """One form of the desk with a household, a fridge and technicians."""

    desk: Desk
    household: UUID
    appliance: Appliance
    mail: MailDoor
    hook: HookDoor
    channel: Channel
    world: World | None = None
    shop: Shop | None = None
    now: datetime = START
    rng: random.Random = field(default_factory=lambda: random.Random(11))
    retries: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def office(self) -> Office:
        by_mail = "mailbox" if self.channel.final else "mail"
        return Office(self.desk, CATALOGUE, maker(lambda: to_micros(self.now), self.rng), channel=by_mail)

    def report(self, found: Finding | None = None, appliance: Appliance | None = None) -> Ticket:
        found = found or finding(at=self.now)
        if self.shop is not None:
            self.shop.now = self.now
            own = self.shop.device
            self.shop.device = own if appliance is None else replace(own, no=appliance.no)
            self.shop.enter(found)
            self.shop.device = own
        else:
            assert isinstance(self.desk, MemoryDesk)
            self.desk.agenda.findings.setdefault(UUID(found.id), []).append(found)
        ticket = report(self.office, found, appliance or self.appliance, self.now)
        assert ticket is not None
        return ticket

    def neighbour(self, number: int, tier: str = STANDARD) -> Appliance:
        """A fridge in another household."""
        key = DeviceKey("demo", f"fridge-{number}")
        home = Household(
            id=UUID(int=100 + number), org="demo", name=f"No. {number}", lang="en", tz="Asia/Shanghai", registered=START
        )
        mail = f"n{number}@example.org"
        if self.shop is not None:
            register_household(self.shop.conn, home, contact_name=home.name, email=mail)
            row = register_device(self.shop.conn, key, "refrigerator", registered=START, household=home.id)
            appliance = self.desk.people.appliance(row.no)
        else:
            assert isinstance(self.desk, MemoryDesk)
            people = self.desk.people
            appliance = replace(self.appliance, no=number, device=key.device, household=home.id)
            people.households[home.id], people.appliances[number] = home, appliance
            people.contact_rows.append(Contact(id=self.office.new_id(), household=home.id, name=home.name, email=mail))
            self.desk.agenda.devices[key] = number
        self.desk.levels.clocks.set_tier(home.id, tier)
        return appliance

    def opened(self, found: Finding | None = None) -> Ticket:
        """A ticket after its jobs: planned and told."""
        ticket = self.report(found)
        self.work()
        return self.desk.tickets.get(ticket.id)

    def work(self) -> None:
        """Run what is deferred until nothing is left but what failed, which waits for the next time."""
        again, self.retries = self.retries, []
        while jobs := [*again, *self._taken()]:
            again = []
            for task, arguments in jobs:
                try:
                    with self._transaction():
                        carry_out(Work(self.office, self.now), self.channel, task, arguments)
                except OSError as error:
                    if task == DELIVER:
                        failed(self.office, UUID(arguments["notice"]), repr(error), self.now)
                    self.retries.append((task, arguments))

    def step(self, span: timedelta, *, retry: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass: due things happen when they are due, failed jobs are tried again every so often."""
        until = self.now + span
        self.work()
        while True:
            due = self.desk.agenda.next_due()
            times = [each for each in (due, self.now + retry if self.retries else None) if each is not None]
            if not times or min(times) > until:
                break
            self.now = max(self.now, min(times))
            for each in self.desk.agenda.hand_over(self.now, 100):
                with self._transaction():
                    arguments = {"due": each.id, "kind": each.kind, "ref": str(each.ref)}
                    carry_out(Work(self.office, self.now), self.channel, FALL_DUE, arguments)
            self.work()
        self.now = until

    def call_for(self, ticket: Ticket, reason: str) -> CallTask:
        (found,) = [each for each in self.calls(ticket) if each.reason == reason]
        return found

    def calls(self, ticket: Ticket) -> list[CallTask]:
        return self.desk.levels.calls.of_ticket(ticket.id)

    def open_calls(self, ticket: Ticket) -> list[str]:
        return [each.reason for each in self.calls(ticket) if each.state is CallState.OPEN]

    def clock(self, ticket: Ticket, policy: str) -> LevelClock:
        found = [each for each in self.desk.levels.clocks.of_ticket(ticket.id) if each.policy == policy]
        return found[-1]

    def notices(self, ticket: Ticket, stage: str | None = None) -> list[Notice]:
        return [each for each in self.desk.notices.of_ticket(ticket.id) if stage in (None, each.stage)]

    def kinds(self, ticket: Ticket) -> list[str]:
        return [each.kind for each in self.desk.tickets.timeline(ticket.id)]

    def lines(self, ticket: Ticket, kind: str) -> list[dict[str, Any]]:
        return [each.body for each in self.desk.tickets.timeline(ticket.id) if each.kind == kind]

    def ticket(self, ticket: Ticket) -> Ticket:
        return self.desk.tickets.get(ticket.id)

    def visit(self, ticket: Ticket) -> Visit:
        (live,) = [each for each in self.desk.visits.of_ticket(ticket.id) if each.state in VISIT_LIVE]
        return live

    def confirm(self, ticket: Ticket) -> Visit:
        return confirm(self.office, self.visit(ticket).id, self.now, OWNER)

    def arrive(self, ticket: Ticket) -> Visit:
        """The technician comes, at the begin of the window."""
        visit = self.visit(ticket)
        self.step(visit.start - self.now)
        for state in (VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE):
            visit = move_visit(self.office, visit.id, state, self.now, "technician:1")
        return visit

    def on_call(self, step: int, name: str, address: str) -> None:
        row = OnCall(
            id=self.office.new_id(),
            org="demo",
            step=step,
            name=name,
            address=address,
            start=self.now - timedelta(days=1),
            until=self.now + timedelta(days=7),
        )
        self.desk.levels.calls.add_oncall(row)

    def _taken(self) -> list[tuple[str, dict[str, Any]]]:
        if self.shop is not None:
            rows = sorted(self.shop.conn.execute(_TAKE).fetchall())
            return [(str(task), dict(args)) for _, task, args in rows]  # type: ignore[call-overload]
        assert isinstance(self.desk, MemoryDesk)
        return [(job.task, job.arguments) for job in self.desk.agenda.take_jobs()]

    def _transaction(self) -> Any:  # noqa: ANN401  (a context)
        return self.shop.conn.transaction() if self.shop is not None else nullcontext()


def memory_case(mail: MailDoor, hook: HookDoor, *, by_mail: bool) -> Case:
    world = World()
    channel: Channel = Mail(mail.url) if by_mail else Mailbox()
    return Case(world.desk, world.household.id, world.appliance, mail, hook, channel, world=world)


def postgres_case(shop: Shop, mail: MailDoor, hook: HookDoor, *, by_mail: bool) -> Case:
    desk = PgDesk(shop.conn, "http://desk")
    channel: Channel = Mail(mail.url) if by_mail else Mailbox()
    appliance = desk.people.appliance(shop.device.no)
    return Case(desk, shop.household, appliance, mail, hook, channel, shop=shop)


def dangerous(at: datetime = START) -> Finding:
    """A finding of severity 1."""
    return finding(at=at, severity=1)
