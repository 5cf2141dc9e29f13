"""Service levels, contact and channels in memory: the same promises as PostgreSQL's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.level_rows import (
    Attempt,
    CallTask,
    Compensation,
    ContactChannel,
    LevelClock,
    MailIn,
    OnCall,
    Outage,
    Page,
    Pause,
    Silence,
    Suppressed,
)
from servicedesk.model import Notice, NoticeState
from servicedesk.states import TicketState

if TYPE_CHECKING:
    from servicedesk.memory import MemoryNotices, MemoryPeople, MemoryTickets

STANDARD = "standard"
T = TypeVar("T")


@dataclass
class MemoryClocks:
    """Promises."""

    tickets: MemoryTickets
    rows: dict[UUID, LevelClock] = field(default_factory=dict)
    pause_rows: dict[UUID, list[Pause]] = field(default_factory=lambda: defaultdict(list))
    paid: dict[UUID, Compensation] = field(default_factory=dict)
    tiers: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    _by_ticket: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))

    def add(self, clock: LevelClock) -> None:
        """See `servicedesk.ports_levels`, here and below."""
        self.rows[clock.id] = clock
        self._by_ticket[clock.ticket].append(clock.id)

    def get(self, clock: UUID) -> LevelClock:
        """A clock."""
        return _known(self.rows, clock, "clock")

    def ticket_of(self, clock: UUID) -> UUID:
        """Its ticket."""
        return self.get(clock).ticket

    def open_of(self, ticket: UUID) -> list[LevelClock]:
        """The open ones."""
        return [each for each in self.of_ticket(ticket) if each.open]

    def of_ticket(self, ticket: UUID) -> list[LevelClock]:
        """All."""
        found = [self.rows[each] for each in self._by_ticket.get(ticket, ())]
        return sorted(found, key=lambda each: (each.started, each.id))

    def save(self, clock: LevelClock) -> None:
        """Write it."""
        self.rows[clock.id] = clock

    def pause(self, pause: Pause) -> None:
        """Begin a pause."""
        spans = self.pause_rows[pause.clock]
        if all(each.until is not None or each.reason != pause.reason for each in spans):
            spans.append(pause)

    def resume(self, clock: UUID, reason: str, at: datetime) -> None:
        """End a pause."""
        self.pause_rows[clock] = [
            replace(each, until=at) if each.until is None and each.reason == reason else each
            for each in self.pause_rows[clock]
        ]

    def pauses(self, ticket: UUID) -> list[Pause]:
        """By begin."""
        found = [each for clock in self._by_ticket.get(ticket, ()) for each in self.pause_rows.get(clock, ())]
        return sorted(found, key=lambda each: (each.begun, each.clock, each.reason))

    def compensate(self, compensation: Compensation) -> bool:
        """Once a clock."""
        if compensation.clock in self.paid:
            return False
        self.paid[compensation.clock] = compensation
        return True

    def compensations(self, ticket: UUID) -> list[Compensation]:
        """Oldest first."""
        found = [each for each in self.paid.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.issued, each.id))

    def tier(self, household: UUID) -> str:
        """The tier."""
        return self.tiers.get(household, (STANDARD, ""))[0]

    def set_tier(self, household: UUID, tier: str, named_contact: str = "") -> None:
        """Set it."""
        self.tiers[household] = (tier, named_contact)

    def state_of(self, ticket: UUID) -> TicketState:
        """A ticket's state."""
        return self.tickets.get(ticket).state


@dataclass
class MemoryCalls:
    """Calls, roster, mails."""

    tickets: MemoryTickets
    rows: dict[UUID, CallTask] = field(default_factory=dict)
    roster: list[OnCall] = field(default_factory=list)
    page_rows: dict[UUID, Page] = field(default_factory=dict)
    mails: dict[str, MailIn] = field(default_factory=dict)
    _by_ticket: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))

    def add(self, task: CallTask) -> None:
        """Enter a task."""
        self.rows[task.id] = task
        self._by_ticket[task.ticket].append(task.id)

    def get(self, task: UUID) -> CallTask:
        """A task."""
        return _known(self.rows, task, "call task")

    def of_ticket(self, ticket: UUID) -> list[CallTask]:
        """Oldest first."""
        found = [self.rows[each] for each in self._by_ticket.get(ticket, ())]
        return sorted(found, key=lambda each: (each.opened, each.id))

    def save(self, task: CallTask) -> None:
        """Write it."""
        self.rows[task.id] = task

    def opened(self, org: str | None, start: datetime, end: datetime) -> list[CallTask]:
        """In a span."""
        found = [
            each
            for each in self.rows.values()
            if start <= each.opened < end and org in (None, self.tickets.get(each.ticket).org)
        ]
        return sorted(found, key=lambda each: (each.opened, each.id))

    def add_oncall(self, row: OnCall) -> None:
        """Enter a person."""
        for each in self.roster:
            same = (each.org, each.step, each.name) == (row.org, row.step, row.name)
            if same and each.start < row.until and row.start < each.until:
                raise taken_twice(row)
        self.roster.append(row)

    def drop_oncall(self, row: UUID, at: datetime) -> None:
        """Take a person off."""
        left = (replace(each, until=min(each.until, at)) if each.id == row else each for each in self.roster)
        self.roster = [each for each in left if each.until > each.start]

    def oncall(self, org: str, at: datetime) -> list[OnCall]:
        """Who is on call."""
        found = [each for each in self.roster if each.org == org and each.start <= at < each.until]
        return sorted(found, key=lambda each: (each.step, each.name))

    def add_page(self, page: Page) -> bool:
        """Once a step."""
        key = (page.ticket, page.episode, page.step)
        if any((each.ticket, each.episode, each.step) == key for each in self.page_rows.values()):
            return False
        self.page_rows[page.id] = page
        return True

    def page(self, page: UUID) -> Page:
        """A page."""
        return _known(self.page_rows, page, "page")

    def pages(self, ticket: UUID) -> list[Page]:
        """By time."""
        found = [each for each in self.page_rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.at, each.step))

    def save_page(self, page: Page) -> None:
        """Write it."""
        self.page_rows[page.id] = page

    def take_mail(self, mail: MailIn) -> bool:
        """Once a Message-ID."""
        if mail.message_id in self.mails:
            return False
        self.mails[mail.message_id] = mail
        return True

    def unmatched(self, limit: int) -> list[MailIn]:
        """Newest first."""
        found = [each for each in self.mails.values() if each.ticket is None]
        return sorted(found, key=lambda each: (each.at, each.message_id), reverse=True)[:limit]


@dataclass
class MemoryReach:
    """Channels."""

    tickets: MemoryTickets
    people: MemoryPeople
    notices: MemoryNotices
    channel_rows: dict[UUID, ContactChannel] = field(default_factory=dict)
    attempt_rows: dict[tuple[UUID, int], Attempt] = field(default_factory=dict)
    outage_rows: dict[UUID, Outage] = field(default_factory=dict)
    silence_rows: dict[UUID, Silence] = field(default_factory=dict)
    kept_back: list[Suppressed] = field(default_factory=list)

    def add_channel(self, channel: ContactChannel) -> None:
        """Enter a channel."""
        self.channel_rows[channel.id] = channel

    def channel(self, channel: UUID) -> ContactChannel:
        """A channel."""
        return _known(self.channel_rows, channel, "channel")

    def channels(self, org: str, household: UUID) -> list[ContactChannel]:
        """Own first."""
        found = [
            each
            for each in self.channel_rows.values()
            if each.stale is None and (each.household == household or (each.household is None and each.org == org))
        ]
        return sorted(found, key=lambda each: (each.household is None, each.rank, each.id))

    def stale_channel(self, channel: UUID, at: datetime) -> None:
        """Mark it."""
        self.channel_rows[channel] = replace(self.channel(channel), stale=at)

    def stale_phone(self, household: UUID, phone: str, at: datetime) -> None:  # noqa: ARG002  (a row of history in the database)
        """Take a number away."""
        self.people.contact_rows = [
            replace(each, phone=None) if (each.household, each.phone) == (household, phone) else each
            for each in self.people.contact_rows
        ]

    def attempted(self, attempt: Attempt) -> None:
        """Note a rung."""
        self.attempt_rows.setdefault((attempt.notice, attempt.rung), attempt)

    def attempts(self, notice: UUID) -> list[Attempt]:
        """By rung."""
        found = [each for (of, _), each in self.attempt_rows.items() if of == notice]
        return sorted(found, key=lambda each: each.rung)

    def notices_of(self, message_ids: Collection[str]) -> list[Notice]:
        """By Message-ID."""
        return [each for each in self.notices.rows.values() if each.message_id in message_ids]

    def ticket_of_ref(self, ref: str) -> UUID | None:
        """By reference."""
        return next((each.id for each in self.tickets.rows.values() if each.ref == ref), None)

    def waiting(self, channel: str) -> list[Notice]:
        """What a channel has not taken."""
        return [
            each for each in self.notices.rows.values() if each.channel == channel and each.state is NoticeState.QUEUED
        ]

    def failed(self, outage: Outage) -> Outage:
        """Count a failure."""
        known = next((each for each in self.outages() if each.channel == outage.channel), None)
        found = outage if known is None else replace(known, failures=known.failures + 1, why=outage.why)
        self.outage_rows[found.id] = found
        return found

    def worked(self, channel: str, at: datetime) -> None:
        """End an outage."""
        for each in self.outages():
            if each.channel == channel:
                self.outage_rows[each.id] = replace(each, ended=at)

    def outage(self, outage: UUID) -> Outage:
        """An outage."""
        return _known(self.outage_rows, outage, "outage")

    def outages(self) -> list[Outage]:
        """The open ones."""
        return sorted((each for each in self.outage_rows.values() if each.ended is None), key=lambda each: each.since)

    def save_outage(self, outage: Outage) -> None:
        """Write it."""
        self.outage_rows[outage.id] = outage

    def silence(self, silence: Silence) -> None:
        """Enter a silence."""
        self.silence_rows[silence.id] = silence

    def end_silence(self, silence: UUID, at: datetime) -> None:
        """End it."""
        self.silence_rows[silence] = replace(_known(self.silence_rows, silence, "silence"), until=at)

    def silences(self, org: str | None, at: datetime) -> list[Silence]:
        """Those in force."""
        found = [
            each
            for each in self.silence_rows.values()
            if org in (None, each.org) and each.start <= at and (each.until is None or at < each.until)
        ]
        return sorted(found, key=lambda each: (each.start, each.id))

    def suppressed(self, row: Suppressed) -> None:
        """Log it."""
        self.kept_back.append(row)

    def suppressions(self, silence: UUID) -> list[Suppressed]:
        """Oldest first."""
        return [each for each in self.kept_back if each.silence == silence]


class MemoryLevels:
    """All three on the desk's tables."""

    def __init__(self, tickets: MemoryTickets, people: MemoryPeople, notices: MemoryNotices) -> None:
        self.clocks = MemoryClocks(tickets)
        self.calls = MemoryCalls(tickets)
        self.reach = MemoryReach(tickets, people, notices)


def _known(rows: dict[UUID, T], key: UUID, what: str) -> T:
    if key not in rows:
        raise UnknownError(f"there is no {what} {key}")
    return rows[key]


def taken_twice(row: OnCall) -> ConflictError:
    """One person stands on one step once at a time."""
    return ConflictError(f"{row.name} is on step {row.step} of the roster already at that time")
