"""What service levels, contact and channels need of the outside; one property of the desk, in three parts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

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
from servicedesk.model import Notice
from servicedesk.states import TicketState


class Clocks(Protocol):
    """Promises with their clocks, and what was given for broken ones."""

    def add(self, clock: LevelClock) -> None:
        """Enter a clock."""
        ...

    def get(self, clock: UUID) -> LevelClock:
        """A clock, held for change. Raises UnknownError."""
        ...

    def ticket_of(self, clock: UUID) -> UUID:
        """Its ticket; nothing is held. Raises UnknownError."""
        ...

    def open_of(self, ticket: UUID) -> list[LevelClock]:
        """A ticket's clocks that are neither kept nor over, held for change, oldest first."""
        ...

    def of_ticket(self, ticket: UUID) -> list[LevelClock]:
        """All clocks of a ticket, oldest first; nothing is held."""
        ...

    def save(self, clock: LevelClock) -> None:
        """Write a changed clock."""
        ...

    def pause(self, pause: Pause) -> None:
        """Enter the begin of a pause; one that is open for its clock and reason stays."""
        ...

    def resume(self, clock: UUID, reason: str, at: datetime) -> None:
        """End the open pause of a clock and reason."""
        ...

    def pauses(self, ticket: UUID) -> list[Pause]:
        """The pauses of all clocks of a ticket, by their begin."""
        ...

    def compensate(self, compensation: Compensation) -> bool:
        """Enter a compensation; False when its clock has one."""
        ...

    def compensations(self, ticket: UUID) -> list[Compensation]:
        """What was given, oldest first."""
        ...

    def tier(self, household: UUID) -> str:
        """The household's tier, `standard` unless set."""
        ...

    def set_tier(self, household: UUID, tier: str, named_contact: str = "") -> None:
        """Put a household into a tier, with the person of ours who is its contact."""
        ...

    def state_of(self, ticket: UUID) -> TicketState:
        """A ticket's state; nothing is held. Raises UnknownError."""
        ...


class Calls(Protocol):
    """Call tasks, the on-call roster and its pages, and mails that came in."""

    def add(self, task: CallTask) -> None:
        """Enter a call task."""
        ...

    def get(self, task: UUID) -> CallTask:
        """A call task, held for change. Raises UnknownError."""
        ...

    def of_ticket(self, ticket: UUID) -> list[CallTask]:
        """A ticket's call tasks, held for change, oldest first."""
        ...

    def save(self, task: CallTask) -> None:
        """Write a changed call task."""
        ...

    def opened(self, org: str | None, start: datetime, end: datetime) -> list[CallTask]:
        """The call tasks that opened in a span, of one organisation or all, oldest first."""
        ...

    def add_oncall(self, row: OnCall) -> None:
        """Enter a person on the roster.

        Raises:
            ConflictError: the person is on that step at that time already.
        """
        ...

    def drop_oncall(self, row: UUID, at: datetime) -> None:
        """Take a person off the roster from a moment on; what lies before it stays."""
        ...

    def oncall(self, org: str, at: datetime) -> list[OnCall]:
        """Who is on call at a moment, by step and name."""
        ...

    def add_page(self, page: Page) -> bool:
        """Enter a page; False when the ticket's episode and step had one."""
        ...

    def page(self, page: UUID) -> Page:
        """A page, held for change. Raises UnknownError."""
        ...

    def pages(self, ticket: UUID) -> list[Page]:
        """A ticket's pages, by their time."""
        ...

    def save_page(self, page: Page) -> None:
        """Write how far a page got."""
        ...

    def take_mail(self, mail: MailIn) -> bool:
        """Enter a mail that came in; False when its Message-ID was here before."""
        ...

    def unmatched(self, limit: int) -> list[MailIn]:
        """Mails that belong to no ticket we know, newest first."""
        ...


class Reach(Protocol):
    """Ways to households: channels, what was tried, what failed, and what is kept back."""

    def add_channel(self, channel: ContactChannel) -> None:
        """Enter a channel."""
        ...

    def channel(self, channel: UUID) -> ContactChannel:
        """A channel. Raises UnknownError."""
        ...

    def channels(self, org: str, household: UUID) -> list[ContactChannel]:
        """The household's own and the organisation's that are not stale: own first, then by rank."""
        ...

    def stale_channel(self, channel: UUID, at: datetime) -> None:
        """A channel does not take messages any more."""
        ...

    def stale_phone(self, household: UUID, phone: str, at: datetime) -> None:
        """A number belongs to somebody else: no contact of the household has it from now on."""
        ...

    def attempted(self, attempt: Attempt) -> None:
        """Note that a notice was put on a channel; the same rung again changes nothing."""
        ...

    def attempts(self, notice: UUID) -> list[Attempt]:
        """What was tried for a notice, by rung."""
        ...

    def notices_of(self, message_ids: Collection[str]) -> list[Notice]:
        """The notices with these Message-IDs, held for change."""
        ...

    def ticket_of_ref(self, ref: str) -> UUID | None:
        """The ticket of a reference, or None."""
        ...

    def waiting(self, channel: str) -> list[Notice]:
        """Notices that wait for a channel to take them; nothing is held."""
        ...

    def failed(self, outage: Outage) -> Outage:
        """Note a failure: opens an outage of the channel, or counts up the open one. Returns it."""
        ...

    def worked(self, channel: str, at: datetime) -> None:
        """The channel works: its open outage ends."""
        ...

    def outage(self, outage: UUID) -> Outage:
        """An outage, held for change. Raises UnknownError."""
        ...

    def outages(self) -> list[Outage]:
        """Outages that have not ended, oldest first."""
        ...

    def save_outage(self, outage: Outage) -> None:
        """Write a changed outage."""
        ...

    def silence(self, silence: Silence) -> None:
        """Enter a silence."""
        ...

    def end_silence(self, silence: UUID, at: datetime) -> None:
        """End a silence now. Raises UnknownError."""
        ...

    def silences(self, org: str | None, at: datetime) -> list[Silence]:
        """Silences in force at a moment, of one organisation or all, oldest first."""
        ...

    def suppressed(self, row: Suppressed) -> None:
        """Log what a silence kept back."""
        ...

    def suppressions(self, silence: UUID) -> list[Suppressed]:
        """What a silence kept back, oldest first."""
        ...


class LevelBook(Protocol):
    """Service levels, contact and channels on one transaction."""

    @property
    def clocks(self) -> Clocks:
        """Promises."""
        ...

    @property
    def calls(self) -> Calls:
        """Calls, roster, mails."""
        ...

    @property
    def reach(self) -> Reach:
        """Channels."""
        ...
