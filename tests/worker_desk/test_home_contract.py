"""A household's wishes, addresses, links and appliances: both forms of the repositories keep the same promises."""

from __future__ import annotations

import uuid
from datetime import time, timedelta

from servicedesk.home_rows import RemovalReason
from servicedesk.level_rows import ContactChannel
from servicedesk.model import Contact
from tests.servicedesk.world import START
from tests.worker_desk.stored import Store


def test_wishes_come_back(store: Store) -> None:
    store.desk.home.set_wishes(store.household, lang="zh", quiet_from=time(22, 30), quiet_to=time(7))
    row = store.desk.people.household(store.household)
    assert row is not None
    assert (row.lang, row.quiet_from, row.quiet_to) == ("zh", time(22, 30), time(7))


def test_contacts_have_an_order_and_lose_their_mail(store: Store) -> None:
    home, people = store.desk.home, store.desk.people
    first = people.contacts(store.household)[0]
    one = Contact(id=uuid.uuid4(), household=store.household, rank=8, email="one@example.org")
    two = Contact(id=uuid.uuid4(), household=store.household, rank=9, email="two@example.org", phone="+86 1")
    for each in (one, two):
        home.add_contact(each)
    home.rank_contact(two.id, first.rank - 1)
    assert [each.id for each in people.contacts(store.household)] == [two.id, first.id, one.id]
    home.drop_mail(two.id)
    home.drop_mail(one.id)
    left = people.contacts(store.household)
    assert [(each.id, each.email) for each in left] == [(two.id, None), (first.id, first.email)]


def test_channels_have_an_order_and_are_forgotten(store: Store) -> None:
    home, reach = store.desk.home, store.desk.levels.reach
    rows = [
        ContactChannel(id=uuid.uuid4(), org="demo", household=store.household, url=f"ntfy://{n}", rank=n)
        for n in (1, 2)
    ]
    for each in rows:
        reach.add_channel(each)
    home.rank_channel(rows[1].id, -3)
    assert [each.id for each in reach.channels("demo", store.household)] == [rows[1].id, rows[0].id]
    home.forget_channel(rows[1].id, START)
    assert [each.id for each in reach.channels("demo", store.household)] == [rows[0].id]
    assert (reach.channel(rows[1].id).url, reach.channel(rows[1].id).stale) == ("", START)


def test_a_removed_appliance_belongs_to_nobody(store: Store) -> None:
    store.desk.home.remove_appliance(store.device, START, RemovalReason.UNWANTED)
    row = store.desk.people.appliance(store.device)
    assert (row.household, row.room, row.removed) == (None, None, START)
    assert store.device not in store.desk.care.privacy.devices(store.household)


def test_links_end_together(store: Store) -> None:
    home = store.desk.home
    first, second = home.link(store.household, START), home.link(store.household, START + timedelta(days=1))
    assert first != second
    assert "/o/" in first
    rows = home.links(store.household)
    assert [each.created for each in rows] == [START, START + timedelta(days=1)]
    assert all(each.revoked is None for each in rows)
    assert home.revoke_links(store.household, START + timedelta(days=2)) == 2
    assert home.revoke_links(store.household, START + timedelta(days=3)) == 0
    assert {each.revoked for each in home.links(store.household)} == {START + timedelta(days=2)}
