"""What a household does with itself: addresses, quiet hours, mute, removal, its link; a repair that did not help."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID

import pytest

from servicedesk.addresses import AddressError, fit_chat, fit_mail, masked
from servicedesk.errors import IllegalMoveError, UnknownError
from servicedesk.home_rows import RemovalReason
from servicedesk.household import (
    HOME_LINK,
    LastWayError,
    MuteError,
    add_chat,
    add_mail,
    drop_way,
    mute,
    mutes_of,
    reached,
    remove_appliance,
    send_home_link,
    set_wishes,
    try_first,
    unmute,
)
from servicedesk.level_rows import ContactChannel
from servicedesk.notices import notify
from servicedesk.quoting import draft_quote, send_quote
from servicedesk.reach import ways
from servicedesk.renewing import renew_quote
from servicedesk.reporting import guaranteed_until, not_fixed
from servicedesk.states import QuoteState, TicketState, VisitState
from tests.servicedesk.world import START, World, finding

DAY = timedelta(days=1)
OWNER = "owner"


def shown(world: World) -> list[str]:
    return [each.shown for each in reached(world.office, world.household.id)]


def test_addresses_are_tried_in_the_order_that_is_shown() -> None:
    world = World()
    home = world.household.id
    mail = add_mail(world.office, home, " grandma@example.org ", START, OWNER)
    chat = add_chat(world.office, home, "ntfy://ntfy.sh/li", START, OWNER)
    assert shown(world) == ["l***@example.org", "g***@example.org", "ntfy"]
    try_first(world.office, home, chat.id, START, OWNER)
    assert shown(world) == ["ntfy", "l***@example.org", "g***@example.org"]
    try_first(world.office, home, mail.id, START, OWNER)
    assert shown(world) == ["g***@example.org", "l***@example.org", "ntfy"]
    household = world.desk.people.households[home]
    tried = [each.channel for each in ways(world.office, household)]
    assert tried == ["mailbox", "chat"]  # the mailbox stands for mail
    assert next(iter(ways(world.office, household))).address == "grandma@example.org"
    changes = [each.content for each in world.desk.care.audit.rows() if '"contacts"' in each.content]
    assert len(changes) == 4
    assert not any("grandma" in each or "ntfy.sh" in each for each in changes)


def test_the_organisations_channel_is_shown_and_not_the_households_to_change() -> None:
    world = World()
    row = ContactChannel(id=UUID(int=3), org="demo", url="wecombot://secret")
    world.desk.levels.reach.add_channel(row)
    assert [(each.shown, each.own) for each in reached(world.office, world.household.id)][-1] == ("wecombot", False)
    for change in (drop_way, try_first):
        with pytest.raises(UnknownError):
            change(world.office, world.household.id, row.id, START, OWNER)


def test_the_last_address_stays_and_a_dropped_channel_is_forgotten() -> None:
    world = World()
    home = world.household.id
    (own,) = reached(world.office, home)
    with pytest.raises(LastWayError):
        drop_way(world.office, home, own.id, START, OWNER)
    chat = add_chat(world.office, home, "tgram://1:a/2", START, OWNER)
    drop_way(world.office, home, own.id, START, OWNER)
    assert shown(world) == ["tgram"]
    second = add_chat(world.office, home, "bark://key", START, OWNER)
    drop_way(world.office, home, chat.id, START, OWNER)
    assert shown(world) == ["bark"]
    assert world.desk.levels.reach.channel(chat.id).url == ""
    assert world.desk.levels.reach.channel(second.id).url == "bark://key"


def test_an_address_is_given_once_and_there_are_six_at_most() -> None:
    world = World()
    home = world.household.id
    with pytest.raises(AddressError):
        add_mail(world.office, home, "LI@example.org", START, OWNER)
    for n in range(5):
        add_chat(world.office, home, f"ntfy://ntfy.sh/{n}", START, OWNER)
    for add, address in ((add_mail, "more@example.org"), (add_chat, "ntfy://ntfy.sh/more")):
        with pytest.raises(AddressError, match="at most 6"):
            add(world.office, home, address, START, OWNER)


@pytest.mark.parametrize(
    "url",
    [
        "json://example.org/hook",
        "http://example.org",
        "mailto://u:p@example.org",
        "ntfy://127.0.0.1/topic",
        "ntfy://10.0.0.7:8080/topic",
        "ntfys://router.local/topic",
        "bark://printer/key",
        "ntfy://[::1]/topic",
        "ntfy://[bad/topic",
        "no url",
        "",
    ],
)
def test_owners_name_services_not_servers_of_ours(url: str) -> None:
    with pytest.raises(AddressError):
        fit_chat(url)


@pytest.mark.parametrize("url", ["ntfy://topic", "ntfys://ntfy.example.org/li", "feishu://key", "dingtalk://key"])
def test_known_services_fit(url: str) -> None:
    assert fit_chat(f" {url} ") == url


@pytest.mark.parametrize("address", ["li", "li@", "li@home", "a b@example.org", "a@b.c,d@e.f", "x" * 250 + "@e.org"])
def test_what_is_no_mail_address(address: str) -> None:
    with pytest.raises(AddressError):
        fit_mail(address)
    assert masked("li@example.org") == "l***@example.org"


def test_language_and_quiet_hours() -> None:
    world = World()
    row = set_wishes(world.office, world.household.id, START, OWNER, lang="zh", quiet=(time(22), time(6, 30)))
    assert (row.lang, row.quiet_from, row.quiet_to) == ("zh", time(22), time(6, 30))
    assert set_wishes(world.office, row.id, START, OWNER).lang == "zh"
    with pytest.raises(UnknownError):
        set_wishes(world.office, row.id, START, OWNER, lang="fr")


def test_a_muted_appliance_waits_and_is_heard_again() -> None:
    world = World()
    row = mute(world.office, world.appliance, START + 7 * DAY, START, OWNER)
    again = mute(world.office, world.appliance, START + 2 * DAY, START, OWNER)
    assert [each.id for each in mutes_of(world.office, world.appliance, START)] == [again.id]
    ticket = world.opened()
    world.work()
    waits = world.notices(ticket)
    assert all(each.not_before >= START + 2 * DAY for each in waits)
    assert [each.stage for each in world.desk.levels.reach.suppressions(again.id)] == [each.stage for each in waits]
    assert not world.desk.levels.reach.suppressions(row.id)
    assert unmute(world.office, world.appliance, START + DAY)
    assert not unmute(world.office, world.appliance, START + DAY)
    for until in (START, START + 93 * DAY):
        with pytest.raises(MuteError):
            mute(world.office, world.appliance, until, START, OWNER)


def test_safety_is_said_through_a_mute() -> None:
    world = World()
    mute(world.office, world.appliance, START + 7 * DAY, START, OWNER)
    ticket = world.opened(finding(severity=1))
    assert ticket.safety
    notice = notify(world.office, ticket, "safety", START)
    assert notice is not None
    assert notice.not_before == START


def test_a_removed_appliance_ends_its_cases_and_opens_none() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    mute(world.office, world.appliance, START + DAY, START, OWNER)
    assert remove_appliance(world.office, world.appliance, RemovalReason.SOLD, START, OWNER) == (ticket.id,)
    assert world.ticket(ticket).state is TicketState.CANCELLED
    assert [each.state for each in world.desk.visits.of_ticket(ticket.id)] == [VisitState.CANCELLED]
    left = world.desk.people.appliance(1)
    assert (left.household, left.room, left.removed) == (None, None, START)
    world.appliance = left
    assert world.report(finding(family="refrigerant", at=START + DAY)) is None
    assert world.report(finding(family="door_seal", at=START + DAY, severity=1)) is None
    with pytest.raises(UnknownError):
        remove_appliance(world.office, left, RemovalReason.SOLD, START, OWNER)


def test_a_repair_in_proof_outlives_the_removal() -> None:
    world = World()
    ticket, _ = world.repaired()
    assert remove_appliance(world.office, world.appliance, RemovalReason.MOVED, world.now, OWNER) == ()
    assert world.ticket(ticket).state is TicketState.DONE


def test_the_households_link_goes_to_its_addresses_once_an_hour() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    earlier = world.notices(ticket)[0].link
    notice = send_home_link(world.office, ticket, world.now)
    assert notice is not None
    assert (notice.stage, notice.household) == (HOME_LINK, world.household.id)
    assert notice.link not in ("", earlier)
    assert send_home_link(world.office, ticket, world.now + timedelta(minutes=59)) is None
    second = send_home_link(world.office, ticket, world.now + timedelta(minutes=61))
    assert second is not None
    assert second.link != notice.link
    after = notify(world.office, ticket, "remind", world.now, visit=world.visit(ticket))
    assert after is not None
    assert after.link == earlier  # messages about the case carry its own link, as before
    assert len(world.desk.home.links(world.household.id)) == 2
    assert world.desk.home.revoke_links(world.household.id, world.now) == 2
    assert world.desk.home.revoke_links(world.household.id, world.now) == 0


def test_what_is_not_fixed_is_taken_up_again_within_its_guarantee() -> None:
    world = World()
    ticket = world.opened()
    with pytest.raises(IllegalMoveError):
        not_fixed(world.office, ticket.id, "it hums", world.now)
    world.work()
    world.confirm(ticket)
    world.repair(ticket)
    done = world.ticket(ticket)
    until = guaranteed_until(world.office, done)
    assert until is not None
    assert done.done is not None
    assert until - done.done == 365 * DAY
    with pytest.raises(IllegalMoveError):
        not_fixed(world.office, ticket.id, "it hums", until + DAY)
    again = not_fixed(world.office, ticket.id, "it hums", until)
    assert (again.state, again.callout_free, again.episode) == (TicketState.REOPENED, True, 1)
    said = [each for each in world.desk.tickets.timeline(ticket.id) if each.kind == "not_fixed"]
    assert [(each.actor, each.body["words"]) for each in said] == [("owner", "it hums")]
    world.now = until
    world.work()
    assert world.visit(ticket).state is VisitState.PROPOSED


def test_only_the_newest_expired_quote_is_made_anew() -> None:
    world = World()
    ticket = world.opened()
    world.work()
    made = draft_quote(world.office, ticket.id, START, "dispatch", parts=("RF-FAN-120",))
    with pytest.raises(IllegalMoveError):
        renew_quote(world.office, made.id, START, OWNER)
    sent = send_quote(world.office, made.id, START, "dispatch")
    world.work()
    world.step(sent.valid_until + DAY)
    assert world.desk.quotes.get(sent.id).state is QuoteState.EXPIRED
    draft_quote(world.office, ticket.id, world.now, "dispatch", parts=("RF-FAN-120",))  # not told to anybody
    fresh = renew_quote(world.office, sent.id, world.now, OWNER)
    assert (fresh.state, fresh.parts) == (QuoteState.SENT, sent.parts)
    assert fresh.valid_until > sent.valid_until
    assert world.ticket(ticket).state is TicketState.AWAITING_QUOTE
    with pytest.raises(IllegalMoveError):
        renew_quote(world.office, sent.id, world.now, OWNER)
