"""What a household does with itself: how it is reached, when it rests, what is muted, which appliances it has."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from servicedesk.addresses import AddressError, fit_chat, fit_mail, masked
from servicedesk.audit import CONTACTS, REMOVE, record
from servicedesk.errors import DeskError, UnknownError
from servicedesk.home_rows import Reached, RemovalReason
from servicedesk.level_rows import ContactChannel, Silence, SilenceKind
from servicedesk.model import Appliance, Contact, Household, Notice, Ticket
from servicedesk.notices import notify
from servicedesk.office import Office
from servicedesk.states import TICKET, TICKET_ENDED, TicketState
from servicedesk.visiting import move_ticket

HOME_LINK = "home_link"
"""Stage of the notice that carries a household's own link."""
LANGUAGES = ("zh", "en")
LONGEST_MUTE = timedelta(days=92)
_MOST_WAYS = 6
_AGAIN = timedelta(hours=1)


class LastWayError(DeskError):
    """The only way to a household is not taken away: alerts can be switched off instead."""


class MuteError(DeskError):
    """A mute ends, in three months at the latest."""


def reached(office: Office, household_id: UUID) -> list[Reached]:
    """The ways to a household in the order in which they are tried, masked.

    Raises:
        UnknownError: there is no such household.
    """
    home = _household(office, household_id)
    mails = [
        Reached(id=each.id, kind="mail", shown=masked(each.email), bounced=each.bounced)
        for each in office.desk.people.contacts(home.id)
        if each.email
    ]
    chats = office.desk.levels.reach.channels(home.org, home.id)
    before = [each for each in chats if each.household is not None and each.rank < 0]
    after = [each for each in chats if each.household is None or each.rank >= 0]
    return [*map(_chat, before), *mails, *map(_chat, after)]


def add_mail(office: Office, household_id: UUID, address: str, now: datetime, actor: str) -> Contact:
    """Give a household another e-mail address; it is tried after those it has.

    Raises:
        AddressError: it is none, it is there already, or there are too many.
        UnknownError: there is no such household.
    """
    home, given = _household(office, household_id), fit_mail(address)
    known = office.desk.people.contacts(home.id)
    if any((each.email or "").lower() == given.lower() for each in known):
        raise AddressError("this address is there already")
    _room_for_one(office, home)
    rank = max((each.rank for each in known), default=-1) + 1
    contact = Contact(id=office.new_id(), household=home.id, rank=rank, email=given)
    office.desk.home.add_contact(contact)
    record(office.desk, CONTACTS, now, actor, "mail added", household=home.id)
    return contact


def add_chat(office: Office, household_id: UUID, url: str, now: datetime, actor: str) -> ContactChannel:
    """Give a household a chat channel by its Apprise URL; it is tried after e-mail.

    Raises:
        AddressError: we do not send there for owners, it is there already, or there are too many.
        UnknownError: there is no such household.
    """
    home, given = _household(office, household_id), fit_chat(url)
    known = _own_chats(office, home)
    if any(each.url == given for each in known):
        raise AddressError("this address is there already")
    _room_for_one(office, home)
    rank = max((each.rank for each in known if each.rank >= 0), default=-1) + 1
    channel = ContactChannel(id=office.new_id(), org=home.org, household=home.id, url=given, rank=rank)
    office.desk.levels.reach.add_channel(channel)
    record(office.desk, CONTACTS, now, actor, "chat added", household=home.id)
    return channel


def try_first(office: Office, household_id: UUID, way: UUID, now: datetime, actor: str) -> None:
    """Let a way be tried before all others.

    Raises:
        UnknownError: the household has no such way.
    """
    home, desk = _household(office, household_id), office.desk
    contacts, chats = desk.people.contacts(home.id), _own_chats(office, home)
    if any(each.id == way and each.email for each in contacts):
        desk.home.rank_contact(way, min(each.rank for each in contacts) - 1)
        # Those that stood before all e-mail stand behind it from now on.
        ahead = [each for each in chats if each.rank < 0]
        behind = [each for each in chats if each.rank >= 0]
        for rank, each in enumerate([*ahead, *behind]):
            desk.home.rank_channel(each.id, rank)
    elif any(each.id == way for each in chats):
        desk.home.rank_channel(way, min(-1, min(each.rank for each in chats) - 1))
    else:
        raise UnknownError(f"the household has no way {way}")
    record(desk, CONTACTS, now, actor, "order changed", household=home.id)


def drop_way(office: Office, household_id: UUID, way: UUID, now: datetime, actor: str) -> None:
    """Take a way away.

    Raises:
        LastWayError: no other is left that takes messages.
        UnknownError: the household has no such way.
    """
    home, desk = _household(office, household_id), office.desk
    ways = [each for each in reached(office, home.id) if each.own]
    found = next((each for each in ways if each.id == way), None)
    if found is None:
        raise UnknownError(f"the household has no way {way}")
    if found.bounced is None and not [each for each in ways if each.bounced is None and each.id != way]:
        raise LastWayError("this is the only way to you; add another one first, or switch alerts off")
    if found.kind == "mail":
        desk.home.drop_mail(way)
    else:
        desk.home.forget_channel(way, now)
    record(desk, CONTACTS, now, actor, f"{found.kind} removed", household=home.id)


def set_wishes(
    office: Office,
    household_id: UUID,
    now: datetime,
    actor: str,
    *,
    lang: str | None = None,
    quiet: tuple[time, time] | None = None,
) -> Household:
    """A household's language, and the hours in which only safety may reach it; from the next message on.

    Raises:
        UnknownError: there is no such household, or we do not speak the language.
    """
    home = _household(office, household_id)
    if lang is not None and lang not in LANGUAGES:
        raise UnknownError(f"there is no language {lang!r}; there are {', '.join(LANGUAGES)}")
    begin, end = quiet or (home.quiet_from, home.quiet_to)
    office.desk.home.set_wishes(home.id, lang=lang or home.lang, quiet_from=begin, quiet_to=end)
    record(office.desk, CONTACTS, now, actor, "language or quiet hours", household=home.id)
    return _household(office, home.id)


def mute(office: Office, appliance: Appliance, until: datetime, now: datetime, actor: str) -> Silence:
    """Keep an appliance's messages back until a moment; they come then. What is about safety comes at once.

    An earlier mute of the appliance ends.

    Raises:
        MuteError: its end is past, or too far away.
        UnknownError: the appliance belongs to no household.
    """
    if appliance.household is None:
        raise UnknownError(f"device number {appliance.no} belongs to no household")
    if not now < until <= now + LONGEST_MUTE:
        raise MuteError("a mute ends, in three months at the latest")
    unmute(office, appliance, now)
    row = Silence(
        id=office.new_id(),
        org=appliance.org,
        kind=SilenceKind.SNOOZE,
        start=now,
        until=until,
        made_by=actor,
        reason="muted by its owner",
        household=appliance.household,
        device=appliance.no,
    )
    office.desk.levels.reach.silence(row)
    return row


def unmute(office: Office, appliance: Appliance, now: datetime) -> bool:
    """End an appliance's own mutes. Returns whether there was one."""
    found = mutes_of(office, appliance, now)
    for each in found:
        office.desk.levels.reach.end_silence(each.id, now)
    return bool(found)


def mutes_of(office: Office, appliance: Appliance, now: datetime) -> list[Silence]:
    """The silences of this appliance alone that are in force."""
    return [each for each in office.desk.levels.reach.silences(appliance.org, now) if each.device == appliance.no]


def remove_appliance(
    office: Office, appliance: Appliance, why: RemovalReason, now: datetime, actor: str
) -> tuple[UUID, ...]:
    """Take an appliance out of its household: open cases end, and nothing more is opened for it.

    What was repaired, billed and measured stays; the room is forgotten. Returns the cases that ended.

    Raises:
        UnknownError: the appliance belongs to no household.
    """
    desk = office.desk
    if appliance.household is None:
        raise UnknownError(f"device number {appliance.no} belongs to no household")
    unmute(office, appliance, now)
    ended = []
    for each in desk.care.privacy.tickets(appliance.household):
        ticket = desk.tickets.get(each)
        open_ = ticket.state not in TICKET_ENDED and TicketState.CANCELLED in TICKET[ticket.state]
        if ticket.device == appliance.no and open_:
            move_ticket(office, ticket.id, TicketState.CANCELLED, now, actor, reason=f"appliance removed: {why}")
            ended.append(ticket.id)
    desk.home.remove_appliance(appliance.no, now, why)
    record(desk, REMOVE, now, actor, f"{appliance.org}/{appliance.device}", household=appliance.household, why=str(why))
    return tuple(ended)


def send_home_link(office: Office, ticket: Ticket, now: datetime) -> Notice | None:
    """Send a household its own link, to the addresses that we know: who holds the link of a case cannot ask for more.

    At most one an hour; None when it cannot or need not be sent.
    """
    if ticket.household is None:
        return None
    sent = [each for each in office.desk.notices.of_ticket(ticket.id) if each.stage == HOME_LINK]
    if sent and now - sent[-1].queued < _AGAIN:
        return None
    link = office.desk.home.link(ticket.household, now)
    return notify(office, ticket, HOME_LINK, now, occasion=len(sent), link=link)


def _chat(row: ContactChannel) -> Reached:
    return Reached(id=row.id, kind="chat", shown=row.url.partition(":")[0], own=row.household is not None)


def _own_chats(office: Office, home: Household) -> list[ContactChannel]:
    return [each for each in office.desk.levels.reach.channels(home.org, home.id) if each.household is not None]


def _room_for_one(office: Office, home: Household) -> None:
    if len([each for each in reached(office, home.id) if each.own]) >= _MOST_WAYS:
        raise AddressError(f"a household has at most {_MOST_WAYS} addresses; take one away first")


def _household(office: Office, household_id: UUID) -> Household:
    found = office.desk.people.household(household_id)
    if found is None:
        raise UnknownError(f"there is no household {household_id}")
    return found
