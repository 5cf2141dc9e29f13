"""Self-help, surveys, consent and the audit log in memory: the same promises as the database's, kept by one thread."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from servicedesk.audit import GENESIS, chained
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
from servicedesk.errors import UnknownError
from servicedesk.memory_access import MemoryAccess
from servicedesk.model import Household, TicketEvent

if TYPE_CHECKING:
    from servicedesk.memory import MemoryDesk

_WORDS = ("words", "note", "reason", "address", "sender", "unknown_sender")


class MemorySelfHelp:
    """Answers, self-tests, photos."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID, int, str, int], CheckAnswer] = {}
        self.test_rows: dict[UUID, SelfTest] = {}
        self.test_answers: dict[UUID, Mapping[str, Any]] = {}
        self.photo_rows: dict[UUID, Photo] = {}

    def answer(self, answer: CheckAnswer) -> None:
        """The last word on a step."""
        self.rows[answer.ticket, answer.episode, answer.fault, answer.step] = answer

    def answers(self, ticket: UUID) -> list[CheckAnswer]:
        """By episode and step."""
        found = [each for each in self.rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.episode, each.fault, each.step))

    def add_test(self, test: SelfTest) -> None:
        """Enter."""
        self.test_rows[test.id] = test

    def get_test(self, test: UUID) -> SelfTest:
        """The self-test."""
        if test not in self.test_rows:
            raise UnknownError(f"there is no self-test {test}")
        return self.test_rows[test]

    def save_test(self, test: SelfTest) -> None:
        """Write."""
        self.test_rows[test.id] = test

    def test_answer(self, test: UUID) -> Mapping[str, Any] | None:
        """What the device said."""
        return self.test_answers.get(test)

    def tests(self, ticket: UUID) -> list[SelfTest]:
        """Oldest first."""
        found = [each for each in self.test_rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.asked, each.id))

    def add_photo(self, photo: Photo) -> bool:
        """Enter once."""
        if any((each.ticket, each.sha256) == (photo.ticket, photo.sha256) for each in self.photo_rows.values()):
            return False
        self.photo_rows[photo.id] = photo
        return True

    def photos(self, ticket: UUID) -> list[Photo]:
        """Oldest first, without content."""
        found = [replace(each, content=b"") for each in self.photo_rows.values() if each.ticket == ticket]
        return sorted(found, key=lambda each: (each.at, each.id))

    def photo(self, photo: UUID) -> Photo:
        """With content."""
        if photo not in self.photo_rows:
            raise UnknownError(f"there is no photo {photo}")
        return self.photo_rows[photo]


class MemorySurveys:
    """How content owners were.

    Args:
        desk: whose tickets and consents they follow.
    """

    def __init__(self, desk: MemoryDesk) -> None:
        self._desk = desk
        self.rows: dict[UUID, Survey] = {}

    def ask(self, survey: Survey) -> bool:
        """Once."""
        return self.rows.setdefault(survey.ticket, survey) is survey

    def get(self, ticket: UUID) -> Survey | None:
        """The survey."""
        return self.rows.get(ticket)

    def save(self, survey: Survey) -> None:
        """Write."""
        self.rows[survey.ticket] = survey

    def answered(self, org: str | None, since: datetime, until: datetime) -> list[Survey]:
        """Oldest first."""
        found = [
            (each.answered, each)
            for each in self.rows.values()
            if each.answered is not None and since <= each.answered < until and self._counts(org, each.ticket)
        ]
        return [each for _, each in sorted(found, key=lambda pair: (pair[0], pair[1].ticket))]

    def lines(self, org: str | None, kinds: Collection[str], since: datetime, until: datetime) -> list[TicketEvent]:
        """Oldest first."""
        return [
            each
            for each in self._desk.tickets.events
            if each.kind in kinds and since <= each.at < until and self._counts(org, each.ticket)
        ]

    def _counts(self, org: str | None, ticket: UUID) -> bool:
        row = self._desk.tickets.rows[ticket]
        if org not in (None, row.org):
            return False
        return bool(self._desk.care.privacy.counted({ticket}))


class MemoryPrivacy:
    """Consent and erasure.

    Args:
        desk: whose households they are.
    """

    def __init__(self, desk: MemoryDesk) -> None:
        self._desk = desk
        self.more: dict[tuple[UUID, Purpose], bool] = {}
        self.changes: list[ConsentChange] = []
        self.wishes: dict[UUID, Erasure] = {}

    def counted(self, tickets: Collection[UUID]) -> set[UUID]:
        """Those of households that agree, or of none."""
        homes = {each: self._desk.tickets.rows[each].household for each in tickets}
        return {each for each, home in homes.items() if home is None or self.consents(home)[Purpose.ANALYTICS]}

    def consents(self, household: UUID) -> Mapping[Purpose, bool]:
        """Now."""
        row = self._household(household)
        return {
            Purpose.ALERTS: row.consent_alerts,
            Purpose.SERVICE: row.consent_service,
            Purpose.ANALYTICS: self.more.get((household, Purpose.ANALYTICS), True),
            Purpose.FOLLOW_UP: self.more.get((household, Purpose.FOLLOW_UP), True),
        }

    def change(self, change: ConsentChange) -> None:
        """From now on."""
        row = self._household(change.household)
        households = self._desk.people.households
        if change.purpose is Purpose.ALERTS:
            households[row.id] = replace(row, consent_alerts=change.granted)
        elif change.purpose is Purpose.SERVICE:
            households[row.id] = replace(row, consent_service=change.granted)
        else:
            self.more[row.id, change.purpose] = change.granted
        self.changes.append(change)

    def history(self, household: UUID) -> list[ConsentChange]:
        """Oldest first."""
        found = [each for each in self.changes if each.household == household]
        return sorted(found, key=lambda each: (each.at, each.id))

    def devices(self, household: UUID) -> list[int]:
        """By number."""
        return sorted(each.no for each in self._desk.people.appliances.values() if each.household == household)

    def tickets(self, household: UUID) -> list[UUID]:
        """Oldest first."""
        found = [each for each in self._desk.tickets.rows.values() if each.household == household]
        return [each.id for each in sorted(found, key=lambda each: (each.opened, each.id))]

    def ask_erasure(self, erasure: Erasure) -> bool:
        """Once."""
        return self.wishes.setdefault(erasure.household, erasure) is erasure

    def erasure(self, household: UUID) -> Erasure | None:
        """The wish."""
        return self.wishes.get(household)

    def erased(self, erasure: Erasure) -> None:
        """Write."""
        self.wishes[erasure.household] = erasure

    def erase(self, household: UUID, at: datetime) -> Mapping[str, int]:  # noqa: ARG002  (a row has no column for it)
        """Clear what names the household."""
        desk, people, cases = self._desk, self._desk.people, set(self.tickets(household))
        row = self._household(household)
        people.households[household] = replace(row, name="", address="", area="", latitude=None, longitude=None)
        contacts = [each for each in people.contact_rows if each.household == household]
        people.contact_rows = [each for each in people.contact_rows if each.household != household]
        numbers = self.devices(household)
        for number in numbers:
            people.appliances[number] = replace(people.appliances[number], room=None)
        reach = desk.levels.reach
        channels = [each.id for each in reach.channel_rows.values() if each.household == household]
        for channel in channels:
            del reach.channel_rows[channel]
        photos = [each.id for each in desk.care.help.photo_rows.values() if each.ticket in cases]
        for photo in photos:
            del desk.care.help.photo_rows[photo]
        return {
            "household": 1,
            "contacts": len(contacts),
            "channels": len(channels),
            "appliances": len(numbers),
            "notices": self._notices(cases),
            "lines": self._lines(cases),
            "photos": len(photos),
            "answers": self._words_of_owners(cases),
            "access": 0 if desk.care.access.homes.pop(household, None) is None else 1,
        }

    def _notices(self, cases: set[UUID]) -> int:
        rows = self._desk.notices.rows
        found = [each for each in rows.values() if each.ticket in cases]
        for each in found:
            rows[each.id] = replace(each, address="", subject="", body="", link="")
        return len(found)

    def _lines(self, cases: set[UUID]) -> int:
        events, count = self._desk.tickets.events, 0
        for index, each in enumerate(events):
            if each.ticket in cases and any(word in each.body for word in _WORDS):
                events[index] = replace(each, body={k: v for k, v in each.body.items() if k not in _WORDS})
                count += 1
        return count

    def _words_of_owners(self, cases: set[UUID]) -> int:
        care, count = self._desk.care, 0
        for key, row in care.help.rows.items():
            if row.ticket in cases and row.note:
                care.help.rows[key] = replace(row, note="")
                count += 1
        for ticket, survey in care.surveys.rows.items():
            if ticket in cases and survey.words:
                care.surveys.rows[ticket] = replace(survey, words="")
                count += 1
        return count

    def _household(self, household: UUID) -> Household:
        found = self._desk.people.households.get(household)
        if found is None:
            raise UnknownError(f"there is no household {household}")
        return found


class MemoryAudit:
    """The audit log."""

    def __init__(self) -> None:
        self.chain: list[AuditRow] = []

    def append(self, content: str) -> None:
        """Chained at once: there is but one transaction."""
        prev = self.chain[-1].hash if self.chain else GENESIS
        self.chain.append(AuditRow(len(self.chain) + 1, content, prev, chained(prev, content)))

    def rows(self) -> Iterator[AuditRow]:
        """By number."""
        return iter(tuple(self.chain))

    def page(self, *, household: UUID | None, before: int | None, limit: int) -> Sequence[AuditRow]:
        """Newest first."""
        wanted = "" if household is None else f'"household":"{household}"'
        found = [each for each in self.chain if wanted in each.content and (before is None or each.seq < before)]
        return sorted(found, key=operator.attrgetter("seq"), reverse=True)[:limit]


class MemoryCare:
    """All of them.

    Args:
        desk: that they belong to.
    """

    def __init__(self, desk: MemoryDesk) -> None:
        self.help = MemorySelfHelp()
        self.surveys = MemorySurveys(desk)
        self.privacy = MemoryPrivacy(desk)
        self.audit = MemoryAudit()
        self.access = MemoryAccess()
