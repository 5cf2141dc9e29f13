"""What self-help, surveys, consent and the audit log need of the outside. Both forms pass the same contract suite."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from servicedesk.care_rows import (
    AuditRow,
    CheckAnswer,
    ConsentChange,
    Erasure,
    Photo,
    Purpose,
    SelfTest,
    Survey,
)
from servicedesk.model import TicketEvent
from servicedesk.ports_access import AccessBook


class SelfHelp(Protocol):
    """Answers to guides, self-tests, photos."""

    def answer(self, answer: CheckAnswer) -> None:
        """Enter an answer; a later one to the same step takes its place."""
        ...

    def answers(self, ticket: UUID) -> list[CheckAnswer]:
        """A ticket's answers, by episode and step."""
        ...

    def add_test(self, test: SelfTest) -> None:
        """Enter a self-test."""
        ...

    def get_test(self, test: UUID) -> SelfTest:
        """The self-test, held for change. Raises UnknownError."""
        ...

    def save_test(self, test: SelfTest) -> None:
        """Write a changed self-test."""
        ...

    def test_answer(self, test: UUID) -> Mapping[str, Any] | None:
        """What the device said, as its control entry holds it; None while it has said nothing."""
        ...

    def tests(self, ticket: UUID) -> list[SelfTest]:
        """A ticket's self-tests, oldest first."""
        ...

    def add_photo(self, photo: Photo) -> bool:
        """Enter a photo; False when the ticket has the same one."""
        ...

    def photos(self, ticket: UUID) -> list[Photo]:
        """A ticket's photos without their content, oldest first."""
        ...

    def photo(self, photo: UUID) -> Photo:
        """A photo with its content. Raises UnknownError."""
        ...


class Surveys(Protocol):
    """How content owners were."""

    def ask(self, survey: Survey) -> bool:
        """Enter a survey; False when the ticket has one."""
        ...

    def get(self, ticket: UUID) -> Survey | None:
        """The ticket's survey, held for change, or None."""
        ...

    def save(self, survey: Survey) -> None:
        """Write the answer."""
        ...

    def answered(self, org: str | None, since: datetime, until: datetime) -> list[Survey]:
        """Answered in a span by households whose cases count in reports, oldest first."""
        ...

    def lines(self, org: str | None, kinds: Collection[str], since: datetime, until: datetime) -> list[TicketEvent]:
        """Lines of timelines in a span, of households whose cases count in reports or of none, oldest first."""
        ...


class Privacy(Protocol):
    """Consent, and what is stored of a household."""

    def counted(self, tickets: Collection[UUID]) -> set[UUID]:
        """Of some tickets those that a report may count: their household agrees to analytics, or there is none."""
        ...

    def consents(self, household: UUID) -> Mapping[Purpose, bool]:
        """What a household agrees to now. Raises UnknownError."""
        ...

    def change(self, change: ConsentChange) -> None:
        """Enter a yes or no; it holds from now on."""
        ...

    def history(self, household: UUID) -> list[ConsentChange]:
        """All changes, oldest first."""
        ...

    def devices(self, household: UUID) -> list[int]:
        """Numbers of a household's appliances."""
        ...

    def tickets(self, household: UUID) -> list[UUID]:
        """A household's tickets, oldest first."""
        ...

    def ask_erasure(self, erasure: Erasure) -> bool:
        """Enter a wish to be forgotten; False when there is one."""
        ...

    def erasure(self, household: UUID) -> Erasure | None:
        """The wish, or None."""
        ...

    def erase(self, household: UUID, at: datetime) -> Mapping[str, int]:
        """Take out everything that names the household; returns how many rows of what were cleared."""
        ...

    def erased(self, erasure: Erasure) -> None:
        """Write what became of the wish."""
        ...


class Audit(Protocol):
    """The audit log: only ever added to."""

    def append(self, content: str) -> None:
        """Add a row; it is chained when the transaction ends."""
        ...

    def rows(self) -> Iterator[AuditRow]:
        """All rows, by number."""
        ...

    def page(self, *, household: UUID | None, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Newest first, of one household or of all."""
        ...


class CareBook(Protocol):
    """All of them."""

    @property
    def help(self) -> SelfHelp:
        """Answers to guides, self-tests, photos."""
        ...

    @property
    def surveys(self) -> Surveys:
        """How content owners were."""
        ...

    @property
    def privacy(self) -> Privacy:
        """Consent and erasure."""
        ...

    @property
    def audit(self) -> Audit:
        """The audit log."""
        ...

    @property
    def access(self) -> AccessBook:
        """How to get into homes."""
        ...
