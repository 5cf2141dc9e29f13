"""Self-help, surveys, consent and the audit log: both forms of the repositories keep the same promises."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from servicedesk.audit import content_of, examine
from servicedesk.care_rows import (
    CheckAnswer,
    ConsentChange,
    Erasure,
    Photo,
    Purpose,
    SelfTest,
    SelfTestStatus,
    Survey,
)
from servicedesk.errors import UnknownError
from servicedesk.model import TicketEvent
from tests.servicedesk.world import START
from tests.worker_desk.stored import Store, added

DAY = timedelta(days=1)


def test_the_last_word_on_a_step_counts(store: Store) -> None:
    row, care = added(store), store.desk.care.help
    first = CheckAnswer(
        ticket=row.id, episode=0, fault="dust", step=2, answer="done", leads="3", actor="owner", at=START
    )
    care.answer(first)
    care.answer(replace(first, step=1, leads="2"))
    care.answer(replace(first, answer="cannot", leads="visit", note="too heavy"))
    assert [(each.step, each.answer, each.note) for each in care.answers(row.id)] == [
        (1, "done", ""),
        (2, "cannot", "too heavy"),
    ]


def test_self_tests(store: Store) -> None:
    row, care = added(store), store.desk.care.help
    test = SelfTest(id=uuid.uuid4(), ticket=row.id, device=store.device, actor="dispatch", asked=START)
    care.add_test(test)
    assert care.get_test(test.id) == test
    done = replace(test, sent=START, answered=START + DAY, status=SelfTestStatus.OK, values={"fan_rpm": 1240.5})
    care.save_test(done)
    assert care.tests(row.id) == [done]
    with pytest.raises(UnknownError):
        care.get_test(uuid.uuid4())


def test_a_photo_is_kept_once_and_lists_are_without_content(store: Store) -> None:
    row, care = added(store), store.desk.care.help
    photo = Photo(
        id=uuid.uuid4(), ticket=row.id, at=START, actor="owner", media="image/png", sha256="ab", content=b"\x89PNG"
    )
    assert care.add_photo(photo)
    assert not care.add_photo(replace(photo, id=uuid.uuid4()))
    assert care.photos(row.id) == [replace(photo, content=b"")]
    assert care.photo(photo.id) == photo
    with pytest.raises(UnknownError):
        care.photo(uuid.uuid4())


def test_one_survey_a_ticket_and_only_who_agrees_counts(store: Store) -> None:
    row, desk = added(store), store.desk
    asked = Survey(ticket=row.id, asked=START)
    assert desk.care.surveys.ask(asked)
    assert not desk.care.surveys.ask(replace(asked, asked=START + DAY))
    assert desk.care.surveys.get(row.id) == asked
    assert desk.care.surveys.get(uuid.uuid4()) is None
    told = replace(asked, score=4, words="good", follow_up=True, answered=START + DAY)
    desk.care.surveys.save(told)
    desk.tickets.log(TicketEvent(ticket=row.id, at=START, kind="self_check", actor="owner", body={"step": 1}))
    span = (START, START + 2 * DAY)
    for org in ("demo", None):
        assert desk.care.surveys.answered(org, *span) == [told]
        assert [each.body for each in desk.care.surveys.lines(org, ["self_check"], *span)] == [{"step": 1}]
    assert desk.care.surveys.answered("elsewhere", *span) == []
    assert desk.care.surveys.answered("demo", START, START + DAY) == []
    change = ConsentChange(
        id=uuid.uuid4(),
        household=store.household,
        purpose=Purpose.ANALYTICS,
        granted=False,
        at=START,
        actor="owner",
    )
    desk.care.privacy.change(change)
    assert desk.care.surveys.answered("demo", *span) == []
    assert desk.care.surveys.lines("demo", ["self_check"], *span) == []


def test_each_consent_holds_by_itself(store: Store) -> None:
    privacy = store.desk.care.privacy
    for number, purpose in enumerate(Purpose):
        at = START + number * DAY
        change = ConsentChange(
            id=uuid.uuid4(), household=store.household, purpose=purpose, granted=False, at=at, actor="owner"
        )
        privacy.change(change)
        now = privacy.consents(store.household)
        assert [each for each, granted in now.items() if not granted] == list(Purpose)[: number + 1]
    assert [each.purpose for each in privacy.history(store.household)] == list(Purpose)
    household = store.desk.people.household(store.household)
    assert household is not None
    assert (household.consent_alerts, household.consent_service) == (False, False)


def test_a_report_counts_cases_of_households_that_agree_or_of_none(store: Store) -> None:
    privacy, own = store.desk.care.privacy, added(store)
    nobodys = added(store, family="refrigerant", household=None)
    both = {own.id, nobodys.id}
    assert privacy.counted(both) == both
    assert privacy.counted([]) == set()
    change = ConsentChange(
        id=uuid.uuid4(), household=store.household, purpose=Purpose.ANALYTICS, granted=False, at=START, actor="owner"
    )
    privacy.change(change)
    assert privacy.counted(both) == {nobodys.id}


def test_what_belongs_to_a_household(store: Store) -> None:
    row, privacy = added(store), store.desk.care.privacy
    assert privacy.tickets(store.household) == [row.id]
    assert privacy.devices(store.household) == [store.device]
    assert privacy.tickets(uuid.uuid4()) == []
    wish = Erasure(household=store.household, requested=START, actor="owner")
    assert privacy.erasure(store.household) is None
    assert privacy.ask_erasure(wish)
    assert not privacy.ask_erasure(replace(wish, actor="dispatch"))
    assert privacy.erasure(store.household) == wish
    cleared = privacy.erase(store.household, START)
    assert (cleared["household"], cleared["contacts"], cleared["appliances"]) == (1, 1, 1)
    household = store.desk.people.household(store.household)
    assert household is not None
    assert (household.name, household.address, household.area) == ("", "", "")
    done = replace(wish, done=START + DAY, report={"removed": dict(cleared)})
    privacy.erased(done)
    assert privacy.erasure(store.household) == done


def test_the_log_is_chained_and_read_newest_first(store: Store) -> None:
    audit, home = store.desk.care.audit, store.household
    before = sum(1 for _ in audit.rows())
    for number in range(3):
        of = home if number != 1 else None
        audit.append(content_of("read", START, "staff:ana", "contacts", household=of, body={"number": number}))
    rows = list(audit.rows())
    assert len(rows) == before + 3
    assert examine(rows).broken is None
    newest = audit.page(household=None, before=None, limit=2)
    assert [each.seq for each in newest] == [before + 3, before + 2]
    assert [each.seq for each in audit.page(household=home, before=before + 3, limit=9)] == [before + 1]
    audit.append(content_of("read", START, "staff:ana", "more", household=None, body={}))
    assert examine(audit.rows()).rows == before + 4
