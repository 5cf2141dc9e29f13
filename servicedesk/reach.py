"""The ways to a household in the order in which they are tried, and what keeps messages back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicedesk.level_rows import Silence, SilenceKind
from servicedesk.model import Household, Notice, Ticket
from servicedesk.office import Office

MAIL = "mail"
CHAT = "chat"
MAILBOX = "mailbox"
PHONE = "{phone}"


@dataclass(frozen=True, slots=True)
class Way:
    """A channel with its address: an e-mail address, or the id of a chat channel, whose URL is a secret."""

    channel: str
    address: str


def ways(office: Office, household: Household) -> list[Way]:
    """What the household prefers first, then its contacts' e-mail by rank, its other channels, the organisation's own.

    Empty when nothing is left that takes messages. In embedded use the mailbox stands for mail.
    """
    desk = office.desk
    contacts = desk.people.contacts(household.id)
    mails = [each.email for each in contacts if each.email and each.bounced is None]
    if office.channel == MAILBOX:
        written = [Way(MAILBOX, mails[0] if mails else "")]
    else:
        written = [Way(MAIL, each) for each in mails]
    chats = desk.levels.reach.channels(household.org, household.id)
    callable_ = any(each.phone for each in contacts)
    usable = [each for each in chats if PHONE not in each.url or callable_]
    before = [Way(CHAT, str(each.id)) for each in usable if each.household is not None and each.rank < 0]
    after = [Way(CHAT, str(each.id)) for each in usable if each.household is None or each.rank >= 0]
    return [*before, *written, *after]


def chat_url(office: Office, notice: Notice) -> str:
    """The Apprise URL of a notice on a chat channel, with the first contact's number where it asks for one.

    Raises:
        UnknownError: the channel is gone.
    """
    url = office.desk.levels.reach.channel(UUID(notice.address)).url
    if PHONE not in url:
        return url
    contacts = office.desk.people.contacts(notice.household)
    phone = next((each.phone for each in contacts if each.phone), "")
    return url.replace(PHONE, "".join(c for c in phone or "" if c.isdigit() or c == "+"))


def outage_key(notice: Notice) -> str:
    """What fails when a notice cannot be handed over: the mail server, or one chat channel."""
    return MAIL if notice.channel == MAIL else f"{notice.channel}:{notice.address}"


def silence_of(office: Office, ticket: Ticket, now: datetime) -> Silence | None:
    """What keeps a ticket's messages back: a mute before all, else what lasts longest. Safety is never kept back."""
    if ticket.safety:
        return None
    found = [
        each
        for each in office.desk.levels.reach.silences(ticket.org, now)
        if each.ticket in (None, ticket.id)
        and each.device in (None, ticket.device)
        and each.household in (None, ticket.household)
    ]
    muted = next((each for each in found if each.kind is SilenceKind.MUTE), None)
    return muted or max(found, key=lambda each: each.until or now, default=None)
