"""The desk's repositories in memory: the same promises as PostgreSQL's, for tests and deterministic simulation."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from servicedesk.errors import AlreadyOpenError, ConflictError, UnknownError, WindowGoneError
from servicedesk.memory_care import MemoryCare
from servicedesk.memory_cohorts import MemoryCohorts
from servicedesk.memory_day import MemoryDay
from servicedesk.memory_fleet import MemoryFleet
from servicedesk.memory_home import MemoryHomes
from servicedesk.memory_hooks import MemoryHooks
from servicedesk.memory_levels import MemoryLevels
from servicedesk.memory_money import MemoryMoney, MemoryQuotes
from servicedesk.memory_planning import MemoryMoves, MemoryPlans, occupied
from servicedesk.memory_truth import MemoryTruth
from servicedesk.memory_ways import MemoryWays
from servicedesk.model import (
    Appliance,
    Booking,
    Contact,
    Due,
    Hold,
    Household,
    Notice,
    Outcome,
    PartStock,
    Technician,
    Ticket,
    TicketEvent,
    Visit,
    Window,
)
from servicedesk.states import TICKET_ENDED, VISIT_BOOKED, VISIT_LIVE, VisitState
from servicedesk.travel import Place
from telemetry.finding import Finding
from telemetry.identity import DeviceKey

_FIRST_REF = 1001
PlaceOf = Callable[[UUID], Place | None]


class MemoryTickets:
    """Tickets and timelines."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Ticket] = {}
        self.events: list[TicketEvent] = []
        self._refs = itertools.count(_FIRST_REF)

    def add(self, ticket: Ticket) -> Ticket | None:
        """See `servicedesk.ports.Tickets`, here and below."""
        ref = f"WK-{next(self._refs)}"
        taken = ticket.finding is not None and self.of_finding(ticket.finding) is not None
        if taken or self._open(ticket) is not None:
            return None
        self.rows[ticket.id] = replace(ticket, ref=ref)
        return self.rows[ticket.id]

    def get(self, ticket: UUID) -> Ticket:
        """The ticket."""
        if ticket not in self.rows:
            raise UnknownError(f"there is no ticket {ticket}")
        return self.rows[ticket]

    def of_finding(self, finding: UUID) -> Ticket | None:
        """The ticket of a finding."""
        return next((each for each in self.rows.values() if each.finding == finding), None)

    def latest(self, device: int, family: str) -> Ticket | None:
        """The newest ticket of a device and family."""
        of_family = (each for each in self.rows.values() if (each.device, each.family) == (device, family))
        return max(of_family, key=lambda each: (each.opened, each.id), default=None)

    def save(self, ticket: Ticket) -> Ticket:
        """Write a ticket."""
        if self.get(ticket.id).version != ticket.version:
            raise ConflictError(f"ticket {ticket.ref} was changed by someone else; read it again")
        if ticket.state not in TICKET_ENDED and self._open(ticket) is not None:
            raise AlreadyOpenError(f"another ticket is open for the device and family of {ticket.ref}")
        self.rows[ticket.id] = replace(ticket, version=ticket.version + 1)
        return self.rows[ticket.id]

    def log(self, event: TicketEvent) -> None:
        """Add a line."""
        self.events.append(replace(event, id=len(self.events) + 1))

    def timeline(self, ticket: UUID) -> list[TicketEvent]:
        """The lines."""
        return [each for each in self.events if each.ticket == ticket]

    def _open(self, ticket: Ticket) -> Ticket | None:
        key = (ticket.device, ticket.family)
        return next(
            (
                each
                for each in self.rows.values()
                if each.id != ticket.id and (each.device, each.family) == key and each.state not in TICKET_ENDED
            ),
            None,
        )


class MemoryVisits:
    """Visits and outcomes."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Visit] = {}
        self.outcomes: dict[UUID, Outcome] = {}
        self.absences: dict[UUID, list[Window]] = {}
        self.holds: dict[UUID, Hold] = {}
        self.place_of: PlaceOf = _nowhere

    def add(self, visit: Visit) -> None:
        """Enter a visit."""
        for each in self.rows.values():
            booked = each.technician == visit.technician and each.state in VISIT_BOOKED
            if (booked and each.window.overlaps(visit.window)) or (
                each.ticket == visit.ticket and each.state in VISIT_LIVE
            ):
                raise WindowGoneError(f"the window at {visit.start.isoformat()} is taken")
        for hold in self.holds.values():
            if hold.ticket != visit.ticket and hold.until > visit.proposed and occupied(hold, visit):
                raise WindowGoneError(f"the window at {visit.start.isoformat()} is held for somebody else")
        self.rows[visit.id] = visit

    def get(self, visit: UUID) -> Visit:
        """The visit."""
        if visit not in self.rows:
            raise UnknownError(f"there is no visit {visit}")
        return self.rows[visit]

    def ticket_of(self, visit: UUID) -> UUID:
        """Its ticket."""
        return self.get(visit).ticket

    def save(self, visit: Visit) -> Visit:
        """Write a visit."""
        if self.get(visit.id).version != visit.version:
            raise ConflictError(f"visit {visit.id} was changed by someone else; read it again")
        self.rows[visit.id] = replace(visit, version=visit.version + 1)
        return self.rows[visit.id]

    def of_ticket(self, ticket: UUID) -> list[Visit]:
        """Oldest first."""
        found = [each for each in self.rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.proposed, each.id))

    def bookings(self, technicians: Collection[UUID], span: Window) -> Mapping[UUID, Sequence[Booking]]:
        """Visits and absences."""
        found: dict[UUID, list[Booking]] = defaultdict(list)
        for technician, booking in self._occupied():
            if technician in technicians and booking.window.overlaps(span):
                found[technician].append(booking)
        return found

    def absent(self, technician: UUID, away: Window, reason: str) -> None:  # noqa: ARG002  (for people)
        """Enter an absence."""
        known = self.absences.setdefault(technician, [])
        if away not in known:
            known.append(away)

    def report(self, outcome: Outcome) -> None:
        """Enter an outcome once."""
        self.outcomes.setdefault(outcome.visit, outcome)

    def outcome(self, visit: UUID) -> Outcome | None:
        """The outcome."""
        return self.outcomes.get(visit)

    def _occupied(self) -> Iterator[tuple[UUID, Booking]]:
        for visit in self.rows.values():
            if visit.state in VISIT_BOOKED:
                place = self.place_of(visit.ticket)
                movable = visit.state is VisitState.PROPOSED and visit.locked is None
                yield (
                    visit.technician,
                    Booking(
                        window=visit.window, ticket=visit.ticket, place=place, minutes=visit.minutes, movable=movable
                    ),
                )
        for technician, away in self.absences.items():
            for window in away:
                yield technician, Booking(window=window)


@dataclass
class MemoryPeople:
    """Households, appliances, technicians."""

    households: dict[UUID, Household] = field(default_factory=dict)
    contact_rows: list[Contact] = field(default_factory=list)
    appliances: dict[int, Appliance] = field(default_factory=dict)
    technician_rows: list[Technician] = field(default_factory=list)
    areas: dict[tuple[str, str], Place] = field(default_factory=dict)

    def household(self, household: UUID) -> Household | None:
        """The household; without coordinates of its own those of its area."""
        found = self.households.get(household)
        centre = self.areas.get((found.org, found.area)) if found is not None else None
        if found is None or centre is None or found.place is not None:
            return found
        return replace(found, latitude=centre.latitude, longitude=centre.longitude)

    def contacts(self, household: UUID) -> list[Contact]:
        """By rank."""
        found = [each for each in self.contact_rows if each.household == household]
        return sorted(found, key=lambda each: (each.rank, each.id))

    def appliance(self, device: int) -> Appliance:
        """The appliance."""
        if device not in self.appliances:
            raise UnknownError(f"there is no device number {device}")
        return self.appliances[device]

    def technicians(self, org: str) -> list[Technician]:
        """Active ones, by name."""
        found = [each for each in self.technician_rows if each.org == org and each.active]
        return sorted(found, key=lambda each: each.name)

    def bounced(self, household: UUID, address: str, at: datetime) -> None:
        """An address does not take mail."""
        self.contact_rows = [
            replace(each, bounced=at)
            if each.household == household and each.email == address and each.bounced is None
            else each
            for each in self.contact_rows
        ]


@dataclass
class MemoryParts:
    """Stock."""

    rows: dict[tuple[str, str], PartStock] = field(default_factory=dict)
    reserved: dict[tuple[UUID, str], str] = field(default_factory=dict)
    in_vans: dict[tuple[UUID, str], PartStock] = field(default_factory=dict)
    from_vans: dict[tuple[UUID, str], UUID] = field(default_factory=dict)

    def stock(self, org: str, skus: Collection[str]) -> Mapping[str, PartStock]:
        """By SKU."""
        return {sku: self.rows[org, sku] for sku in skus if (org, sku) in self.rows}

    def vans(self, technicians: Collection[UUID], skus: Collection[str]) -> Mapping[UUID, Mapping[str, int]]:
        """By technician and SKU."""
        found: dict[UUID, dict[str, int]] = defaultdict(dict)
        for (technician, sku), part in self.in_vans.items():
            if technician in technicians and sku in skus and part.free > 0:
                found[technician][sku] = part.free
        return found

    def reserve(self, org: str, visit: UUID, sku: str, technician: UUID | None = None) -> bool:
        """Put a piece aside."""
        if technician is not None and (own := self.in_vans.get((technician, sku))) is not None and own.free > 0:
            self.in_vans[technician, sku] = replace(own, reserved=own.reserved + 1)
            self.from_vans[visit, sku] = technician
            return True
        part = self.rows.get((org, sku))
        if part is None or part.free <= 0:
            return False
        self.rows[org, sku] = replace(part, reserved=part.reserved + 1)
        self.reserved[visit, sku] = org
        return True

    def put_aside(self, visit: UUID) -> frozenset[str]:
        """Of a visit."""
        return frozenset(sku for owner, sku in (*self.reserved, *self.from_vans) if owner == visit)

    def release(self, visit: UUID) -> None:
        """Give back."""
        for sku in [sku for owner, sku in (*self.reserved, *self.from_vans) if owner == visit]:
            self._settle(visit, sku, used=0)

    def use(self, visit: UUID, skus: Collection[str]) -> None:
        """Use some, give back the rest."""
        for sku in skus:
            self._settle(visit, sku, used=1)
        self.release(visit)

    def _settle(self, visit: UUID, sku: str, *, used: int) -> None:
        org, van = self.reserved.pop((visit, sku), None), self.from_vans.pop((visit, sku), None)
        if org is not None:
            part = self.rows[org, sku]
            self.rows[org, sku] = replace(part, reserved=part.reserved - 1, on_hand=part.on_hand - used)
        if van is not None:
            part = self.in_vans[van, sku]
            self.in_vans[van, sku] = replace(part, reserved=part.reserved - 1, on_hand=part.on_hand - used)


class MemoryNotices:
    """Messages."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Notice] = {}

    def add(self, notice: Notice) -> bool:
        """Enter a notice once."""
        key = _stage(notice)
        if any(_stage(each) == key for each in self.rows.values()):
            return False
        self.rows[notice.id] = notice
        return True

    def get(self, notice: UUID) -> Notice:
        """The notice."""
        if notice not in self.rows:
            raise UnknownError(f"there is no notice {notice}")
        return self.rows[notice]

    def save(self, notice: Notice) -> None:
        """Write it."""
        self.rows[notice.id] = notice

    def of_ticket(self, ticket: UUID) -> list[Notice]:
        """Oldest first."""
        found = [each for each in self.rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.queued, each.id))


@dataclass(frozen=True, slots=True)
class MemoryJob:
    """A job that waits."""

    task: str
    arguments: dict[str, Any]
    lock: str | None
    once: str | None
    later: datetime | None = None


class MemoryAgenda:
    """Due things, jobs, control entries and findings; `take_jobs` is what a queue would run."""

    def __init__(self) -> None:
        self.dues: dict[int, Due] = {}
        self.jobs: list[MemoryJob] = []
        self.controls: dict[UUID, tuple[int, str, datetime, dict[str, Any]]] = {}
        self.findings: dict[UUID, list[Finding]] = {}
        self.devices: dict[DeviceKey, int] = {}
        self._numbers = itertools.count(1)

    def set_due(self, kind: str, ref: UUID, due: datetime) -> None:
        """Note a due thing, or move it."""
        for each in self.dues.values():
            if (each.kind, each.ref) == (kind, ref) and each.done_at is None:
                self.dues[each.id] = replace(each, due=due, handed_at=None)
                return
        number = next(self._numbers)
        self.dues[number] = Due(kind=kind, ref=ref, due=due, id=number)

    def keep_due(self, kind: str, ref: UUID, due: datetime) -> None:
        """Note a due thing, unless one waits."""
        if all((each.kind, each.ref) != (kind, ref) or each.done_at is not None for each in self.dues.values()):
            self.set_due(kind, ref, due)

    def drop_due(self, kinds: Collection[str], ref: UUID) -> None:
        """Take back what was not done."""
        self.dues = {
            number: each
            for number, each in self.dues.items()
            if each.ref != ref or each.kind not in kinds or each.done_at is not None
        }

    def hand_over(self, now: datetime, limit: int) -> list[Due]:
        """What is due, oldest first."""
        waiting = [each for each in self.dues.values() if each.handed_at is None and each.done_at is None]
        found = sorted((each for each in waiting if each.due <= now), key=lambda each: (each.due, each.id))[:limit]
        for each in found:
            self.dues[each.id] = replace(each, handed_at=now)
        return [self.dues[each.id] for each in found]

    def next_due(self) -> datetime | None:
        """When the next waiting thing is due."""
        return min(
            (each.due for each in self.dues.values() if each.handed_at is None and each.done_at is None), default=None
        )

    def done(self, due: int, at: datetime) -> bool:
        """Mark as done, once."""
        if due not in self.dues or self.dues[due].done_at is not None:
            return False
        self.dues[due] = replace(self.dues[due], done_at=at)
        return True

    def defer(
        self,
        task: str,
        /,
        *,
        lock: str | None = None,
        once: str | None = None,
        later: datetime | None = None,
        **arguments: Any,  # noqa: ANN401  (JSON values)
    ) -> None:
        """Leave a job."""
        if once is None or all(each.once != once for each in self.jobs):
            self.jobs.append(MemoryJob(task, arguments, lock, once, later))

    def take_jobs(self) -> list[MemoryJob]:
        """The waiting jobs, which then wait no more."""
        taken, self.jobs = self.jobs, []
        return taken

    def control(self, entry: UUID, device: int, kind: str, at: datetime, body: Mapping[str, Any]) -> None:
        """Enter a control entry."""
        self.controls[entry] = (device, kind, at, dict(body))

    def owner_link(self, ticket: UUID, now: datetime) -> str:  # noqa: ARG002  (links do not age here)
        """An address."""
        return f"/o/{ticket}"

    def finding(self, finding: UUID, revision: int | None = None) -> Finding | None:
        """A revision."""
        found = self.findings.get(finding, [])
        return next((each for each in reversed(found) if revision is None or each.revision == revision), None)

    def device_of(self, key: DeviceKey) -> int:
        """The number of a device."""
        if key not in self.devices:
            raise UnknownError(f"there is no device {key}")
        return self.devices[key]


class MemoryDesk:
    """All repositories of the desk in memory."""

    def __init__(self) -> None:
        self.tickets = MemoryTickets()
        self.visits = MemoryVisits()
        self.people = MemoryPeople()
        self.parts = MemoryParts()
        self.notices = MemoryNotices()
        self.quotes = MemoryQuotes()
        self.money = MemoryMoney(self.parts)
        self.ways = MemoryWays(self.tickets, self._rating, self._counted)
        self.agenda = MemoryAgenda()
        self.truth = MemoryTruth(self.people, self.agenda)
        self.fleet = MemoryFleet(self.people, self.agenda, self.tickets)
        self.cohorts = MemoryCohorts(self.people)
        self.levels = MemoryLevels(self.tickets, self.people, self.notices)
        self.plans = MemoryPlans(self.tickets, self.visits)
        self.moves = MemoryMoves()
        self.care = MemoryCare(self)
        self.home = MemoryHomes(self.people, self.levels.reach)
        self.hooks = MemoryHooks()
        self.day = MemoryDay(self._travels)
        self.visits.place_of = self._place_of

    def _rating(self, ticket: UUID) -> int | None:
        survey = self.care.surveys.get(ticket)
        return None if survey is None else survey.score

    def _counted(self, tickets: Collection[UUID]) -> set[UUID]:
        return self.care.privacy.counted(tickets)

    def _travels(self, visit: UUID) -> bool:
        return visit in self.visits.rows and self.visits.rows[visit].state is VisitState.TRAVELLING

    def _place_of(self, ticket: UUID) -> Place | None:
        household = self.tickets.rows[ticket].household if ticket in self.tickets.rows else None
        found = self.people.household(household) if household is not None else None
        return found.place if found is not None else None


def _stage(notice: Notice) -> tuple[UUID, str, int, UUID]:
    return notice.ticket, notice.stage, notice.occasion, notice.household


def _nowhere(_ticket: UUID) -> Place | None:
    return None
