"""What the use cases need of the outside. PostgreSQL's form and the memory's pass the same contract suite."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from servicedesk.model import (
    Appliance,
    Booking,
    Contact,
    Due,
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
from servicedesk.ports_care import CareBook
from servicedesk.ports_cohorts import CohortBook
from servicedesk.ports_day import DayBook
from servicedesk.ports_fleet import FleetBook
from servicedesk.ports_home import Homes
from servicedesk.ports_hooks import Hooks
from servicedesk.ports_levels import LevelBook
from servicedesk.ports_money import MoneyBook, Quotes
from servicedesk.ports_planning import Moves, Plans
from servicedesk.ports_truth import TruthBook
from servicedesk.ports_ways import Ways
from telemetry.finding import Finding
from telemetry.identity import DeviceKey


class Tickets(Protocol):
    """Tickets and their timelines."""

    def add(self, ticket: Ticket) -> Ticket | None:
        """Enter a ticket and give it its reference.

        None when one is open for its device and family, or its finding had one before.
        """
        ...

    def get(self, ticket: UUID) -> Ticket:
        """The ticket, held for change until the transaction ends.

        Raises:
            UnknownError: there is none.
        """
        ...

    def of_finding(self, finding: UUID) -> Ticket | None:
        """The ticket that a finding opened, or None."""
        ...

    def latest(self, device: int, family: str) -> Ticket | None:
        """The newest ticket of a device and family, open or not."""
        ...

    def save(self, ticket: Ticket) -> Ticket:
        """Write a changed ticket; its version must still be the stored one. Returns it with the next version.

        Raises:
            ConflictError: someone else changed it.
            AlreadyOpenError: it would be the second open one of its device and family.
        """
        ...

    def log(self, event: TicketEvent) -> None:
        """Add a line to the timeline."""
        ...

    def timeline(self, ticket: UUID) -> list[TicketEvent]:
        """The lines, oldest first."""
        ...


class Visits(Protocol):
    """Visits and outcomes."""

    def add(self, visit: Visit) -> None:
        """Enter a visit.

        Raises:
            WindowGoneError: the technician, or the ticket, has another one then; nothing was written.
        """
        ...

    def get(self, visit: UUID) -> Visit:
        """The visit, held for change. Raises UnknownError."""
        ...

    def ticket_of(self, visit: UUID) -> UUID:
        """The ticket of a visit; nothing is held. Raises UnknownError."""
        ...

    def save(self, visit: Visit) -> Visit:
        """Write a changed visit. Raises ConflictError."""
        ...

    def of_ticket(self, ticket: UUID) -> list[Visit]:
        """A ticket's visits, oldest first."""
        ...

    def bookings(self, technicians: Collection[UUID], span: Window) -> Mapping[UUID, Sequence[Booking]]:
        """What occupies technicians in a span: visits with their places, and absences."""
        ...

    def absent(self, technician: UUID, away: Window, reason: str) -> None:
        """Enter an absence of a technician; the same one a second time changes nothing."""
        ...

    def report(self, outcome: Outcome) -> None:
        """Enter the outcome of a visit; a second one of the same visit changes nothing."""
        ...

    def outcome(self, visit: UUID) -> Outcome | None:
        """The outcome, or None."""
        ...


class People(Protocol):
    """Households, appliances and technicians."""

    def household(self, household: UUID) -> Household | None:
        """The household, or None."""
        ...

    def contacts(self, household: UUID) -> list[Contact]:
        """By rank."""
        ...

    def appliance(self, device: int) -> Appliance:
        """The appliance of a device number. Raises UnknownError."""
        ...

    def technicians(self, org: str) -> list[Technician]:
        """The active technicians of an organisation, by name."""
        ...

    def bounced(self, household: UUID, address: str, at: datetime) -> None:
        """An address does not take mail: the next contact is written to from now on."""
        ...


class Parts(Protocol):
    """Stock."""

    def stock(self, org: str, skus: Collection[str]) -> Mapping[str, PartStock]:
        """What is known of parts, by SKU."""
        ...

    def vans(self, technicians: Collection[UUID], skus: Collection[str]) -> Mapping[UUID, Mapping[str, int]]:
        """Free pieces in vans, by technician and SKU."""
        ...

    def reserve(self, org: str, visit: UUID, sku: str, technician: UUID | None = None) -> bool:
        """Put a piece aside for a visit, from the technician's van or else the depot; False when none is free."""
        ...

    def put_aside(self, visit: UUID) -> frozenset[str]:
        """The SKUs of which a piece is reserved for a visit; what is on order is not among them."""
        ...

    def release(self, visit: UUID) -> None:
        """Give back what a visit had reserved."""
        ...

    def use(self, visit: UUID, skus: Collection[str]) -> None:
        """Take the used pieces off stock and give the rest back."""
        ...


class Notices(Protocol):
    """Messages to households."""

    def add(self, notice: Notice) -> bool:
        """Enter a notice; False when its ticket, stage, occasion and household have one already."""
        ...

    def get(self, notice: UUID) -> Notice:
        """The notice, held for change. Raises UnknownError."""
        ...

    def save(self, notice: Notice) -> None:
        """Write a changed notice."""
        ...

    def of_ticket(self, ticket: UUID) -> list[Notice]:
        """A ticket's notices, oldest first."""
        ...


class Agenda(Protocol):
    """What follows: due things at fleet time, jobs at once, control entries to the detectors; and what they found."""

    def set_due(self, kind: str, ref: UUID, due: datetime) -> None:
        """Note a due thing; one that waits for the same kind and ref takes the new time."""
        ...

    def keep_due(self, kind: str, ref: UUID, due: datetime) -> None:
        """Note a due thing, unless one waits for the same kind and ref."""
        ...

    def drop_due(self, kinds: Collection[str], ref: UUID) -> None:
        """Take back due things that have not been done."""
        ...

    def hand_over(self, now: datetime, limit: int) -> list[Due]:
        """Due things at or before `now` that nobody was handed, marked as handed."""
        ...

    def next_due(self) -> datetime | None:
        """When the next waiting thing is due."""
        ...

    def done(self, due: int, at: datetime) -> bool:
        """Mark a due thing as done; False when it was done or taken back before."""
        ...

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
        """Leave a job with this transaction.

        Args:
            task: its name.
            lock: jobs of one lock run one after the other.
            once: while a job of this name waits, another is not entered.
            later: wall time before which it does not run: for what people may take back.
            arguments: JSON values.
        """
        ...

    def control(self, entry: UUID, device: int, kind: str, at: datetime, body: Mapping[str, Any]) -> None:
        """Enter a control entry for a device's detectors; the stream carries it there."""
        ...

    def owner_link(self, ticket: UUID, now: datetime) -> str:
        """A new unguessable address of the owner's page of a ticket."""
        ...

    def finding(self, finding: UUID, revision: int | None = None) -> Finding | None:
        """A revision of a finding, by default the newest."""
        ...

    def device_of(self, key: DeviceKey) -> int:
        """The number of a device in the registry. Raises UnknownError."""
        ...


class Desk(Protocol):
    """All of them on one transaction."""

    @property
    def tickets(self) -> Tickets:
        """Tickets and timelines."""
        ...

    @property
    def visits(self) -> Visits:
        """Visits and outcomes."""
        ...

    @property
    def people(self) -> People:
        """Households, appliances, technicians."""
        ...

    @property
    def parts(self) -> Parts:
        """Stock."""
        ...

    @property
    def notices(self) -> Notices:
        """Messages."""
        ...

    @property
    def quotes(self) -> Quotes:
        """Prices."""
        ...

    @property
    def agenda(self) -> Agenda:
        """What follows."""
        ...

    @property
    def ways(self) -> Ways:
        """Other ways of repair than a visit."""
        ...

    @property
    def money(self) -> MoneyBook:
        """Bills, warranty, parts on order."""
        ...

    @property
    def care(self) -> CareBook:
        """Self-help, surveys, consent, the audit log."""
        ...

    @property
    def day(self) -> DayBook:
        """Technicians' days."""
        ...

    @property
    def levels(self) -> LevelBook:
        """Service levels, calls, channels."""
        ...

    @property
    def plans(self) -> Plans:
        """Held windows, and plans that are accepted line by line."""
        ...

    @property
    def moves(self) -> Moves:
        """Visits placed by hand."""
        ...

    @property
    def hooks(self) -> Hooks:
        """Endpoints of other systems, and what they are sent."""
        ...

    @property
    def home(self) -> Homes:
        """What households do with themselves."""
        ...

    @property
    def fleet(self) -> FleetBook:
        """Findings of whole fleets, and findings whose tickets wait."""
        ...

    @property
    def cohorts(self) -> CohortBook:
        """What devices tell of themselves, and what they were told of their peers."""
        ...

    @property
    def truth(self) -> TruthBook:
        """What outcomes said of findings."""
        ...
