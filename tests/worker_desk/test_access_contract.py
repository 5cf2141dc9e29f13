"""How to get into homes: both forms of the repository keep the same promises."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

from servicedesk.access_rows import Access, Presence
from tests.servicedesk.world import START
from tests.worker_desk.stored import Store, added, visit


def test_the_last_word_of_a_household_counts_and_goes_with_it(store: Store) -> None:
    care = store.desk.care
    assert care.access.of_household(store.household) is None
    first = Access(household=store.household, at=START, entry="4711", parking="court", pets="a cat")
    care.access.tell(first)
    second = replace(first, entry="", at=START + timedelta(hours=1))
    care.access.tell(second)
    assert care.access.of_household(store.household) == second
    assert care.access.of_household(uuid.uuid4()) is None
    assert care.privacy.erase(store.household, START)["access"] == 1
    assert care.access.of_household(store.household) is None
    assert care.privacy.erase(store.household, START)["access"] == 0


def test_who_is_at_home_is_said_for_one_visit(store: Store) -> None:
    row, access = added(store), store.desk.care.access
    ahead = visit(store, row)
    store.desk.visits.add(ahead)
    assert access.presence(ahead.id) is None
    access.at_home(Presence(visit=ahead.id, adult=True, at=START))
    later = Presence(visit=ahead.id, adult=False, at=START + timedelta(hours=1))
    access.at_home(later)
    assert access.presence(ahead.id) == later
    assert access.presence(uuid.uuid4()) is None
