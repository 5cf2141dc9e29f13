"""Rows of the desk as values: frozen, times aware, ids UUIDs. Column names of the database are the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicedesk.states import TicketState, VisitState
from servicedesk.travel import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance:
    """A registered device as the desk sees it; `no` is its number in the registry.

    Attributes:
        removed: when its household took it out; it has none since.
        lot: in which it was made, where that is known.
    """

    no: int
    org: str
    device: str
    kind: str
    lang: str
    household: UUID | None = None
    room: str | None = None
    model: str | None = None
    warranty_until: date | None = None
    serial: str | None = None
    sold: date | None = None
    removed: datetime | None = None
    lot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Who lives with the appliances. Quiet hours are local times; `quiet_from` may lie after `quiet_to`.

    Without coordinates of its own a household counts as living in the centre of its area.
    """

    id: UUID
    org: str
    name: str
    lang: str
    tz: str
    registered: datetime
    address: str = ""
    area: str = ""
    quiet_from: time = time(21)
    quiet_to: time = time(8)
    consent_alerts: bool = True
    consent_service: bool = True
    simulated: bool = False
    latitude: float | None = None
    longitude: float | None = None

    @property
    def place(self) -> Place | None:
        """Where it is, if that is known."""
        return None if self.latitude is None or self.longitude is None else Place(self.latitude, self.longitude)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A role in a household; the lowest rank whose address did not bounce is written to."""

    id: UUID
    household: UUID
    role: str = "owner"
    rank: int = 0
    name: str = ""
    email: str | None = None
    phone: str | None = None
    bounced: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The training record of a technician's skill; a skill without one does not expire.

    Attributes:
        skill: as in the catalogue.
        valid_until: the last day on which it counts, or None.
        trained: when it was learned or renewed last.
        course: what was attended, for people.
    """

    skill: str
    valid_until: date | None = None
    trained: date | None = None
    course: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Technician:
    """Who repairs.

    Attributes:
        hours: for Monday to Sunday `(from, to)` in minutes after local midnight, or None on days off. A day begins and
            ends at home.
        breaks: for Monday to Sunday `(earliest, latest, minutes)`: a break begins between two minutes after local
            midnight and lasts some; None without one. Empty is a week without.
        certificates: of some of the skills.
        home_latitude, home_longitude: where a day begins and ends, if that is known.
        van: its registration, for people.
    """

    id: UUID
    org: str
    name: str
    skills: tuple[str, ...]
    tz: str
    hours: tuple[tuple[int, int] | None, ...]
    area: str = ""
    phone: str = ""
    active: bool = True
    breaks: tuple[tuple[int, int, int] | None, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    home_latitude: float | None = None
    home_longitude: float | None = None
    van: str = ""

    @property
    def home(self) -> Place | None:
        """Where a day begins and ends, if that is known."""
        known = self.home_latitude is not None and self.home_longitude is not None
        return Place(self.home_latitude, self.home_longitude) if known else None  # type: ignore[arg-type]

    def skills_on(self, day: date) -> frozenset[str]:
        """The skills that are valid on a day."""
        over = {each.skill for each in self.certificates if each.valid_until is not None and each.valid_until < day}
        return frozenset(self.skills) - over


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStock:
    """Stock of a part: pieces on hand, of these reserved, and the next delivery if one is ordered."""

    org: str
    sku: str
    on_hand: int
    reserved: int = 0
    arrives: datetime | None = None

    @property
    def free(self) -> int:
        """Pieces that can be reserved."""
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A span of time, start included, end not."""

    start: datetime
    end: datetime

    def overlaps(self, other: Window) -> bool:
        """Whether the two share a moment."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What occupies a technician: a visit, or an absence when `ticket` is None.

    Attributes:
        place: where the visit is, if that is known.
        minutes: of work.
        movable: it is only proposed, and nobody said that it stays.
    """

    window: Window
    ticket: UUID | None = None
    place: Place | None = None
    minutes: int = 60
    movable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A window that somebody is about to take: kept for its ticket until a moment. One for each ticket."""

    id: UUID
    ticket: UUID
    technician: UUID
    start: datetime
    end: datetime
    made: datetime
    until: datetime
    actor: str

    @property
    def window(self) -> Window:
        """What is kept."""
        return Window(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDraft:
    """What the policy decided of a finding; expected cost in the currency of the fault's price band."""

    family: str
    fault: str | None
    severity: int
    safety: bool
    priority: int
    expected_cost: float
    visit_cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A case: one device, one fault family, one responsible person and one next action with a due time."""

    id: UUID
    org: str
    device: int
    family: str
    severity: int
    priority: int
    state: TicketState
    responsible: str
    next_action: str
    opened: datetime
    respond_due: datetime
    ref: str = ""
    household: UUID | None = None
    fault: str | None = None
    finding: UUID | None = None
    safety: bool = False
    reason: str | None = None
    next_due: datetime | None = None
    blocking: str | None = None
    episode: int = 0
    callout_free: bool = False
    expected_cost: float | None = None
    planned: datetime | None = None
    done: datetime | None = None
    verified: datetime | None = None
    closed: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent:
    """A line of a ticket's timeline."""

    ticket: UUID
    at: datetime
    kind: str
    actor: str
    body: dict[str, Any] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A technician's appointment at a household.

    Attributes:
        locked: who said that it stays with its technician and window; None when planning may move it.
    """

    id: UUID
    ticket: UUID
    technician: UUID
    skill: str
    start: datetime
    end: datetime
    state: VisitState
    hold_until: datetime
    calendar: UUID
    proposed: datetime
    parts: tuple[str, ...] = ()
    minutes: int = 60
    reason: str | None = None
    sequence: int = 0
    confirmed: datetime | None = None
    arrived: datetime | None = None
    finished: datetime | None = None
    locked: str | None = None
    version: int = 0

    @property
    def window(self) -> Window:
        """The two hours in which the technician comes."""
        return Window(self.start, self.end)


class OutcomeCode(StrEnum):
    """What the technician says of a finished visit."""

    REPAIRED = "repaired"
    NO_FAULT_FOUND = "no_fault_found"
    PART_MISSING = "part_missing"
    NOT_REPAIRED = "not_repaired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The technician's report of a visit.

    Attributes:
        cause: a fault id of the catalogue.
        charged: the sum that is asked, where it is another than the reckoned one; kept with the bill.
        fitted: `(SKU, serial number, serial number of the replaced part)`; kept with the fitted parts.
    """

    visit: UUID
    code: OutcomeCode
    at: datetime
    actor: str
    cause: str | None = None
    parts: tuple[str, ...] = ()
    note: str = ""
    charged: Decimal | None = None
    fitted: tuple[tuple[str, str, str], ...] = ()


class NoticeState(StrEnum):
    """How far a notice got."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    OPENED = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one household about one stage of a ticket."""

    id: UUID
    ticket: UUID
    household: UUID
    stage: str
    lang: str
    channel: str
    subject: str
    body: str
    message_id: str
    queued: datetime
    not_before: datetime
    state: NoticeState = NoticeState.QUEUED
    occasion: int = 0
    address: str = ""
    link: str = ""
    safety: bool = False
    sent: datetime | None = None
    delivered: datetime | None = None
    bounced: datetime | None = None
    opened: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that must happen at a fleet time; `ref` is the ticket, visit or notice it concerns."""

    kind: str
    ref: UUID
    due: datetime
    id: int = 0
    handed_at: datetime | None = None
    done_at: datetime | None = None
