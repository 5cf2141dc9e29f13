"""Whatever the owner says reaches the same ticket: a mail, a message on the page, a call; and our answers go out.

An owner's word starts the clock of the first human response; only a person's answer stops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from servicedesk.calls import open_call
from servicedesk.level_rows import MailIn
from servicedesk.mail_in import Inbound, MailKind
from servicedesk.model import Notice, NoticeState, Ticket
from servicedesk.notices import bounced, notify
from servicedesk.office import OWNER, Office
from servicedesk.states import TICKET_ENDED

MESSAGE = "message"
"""Timeline: the owner wrote."""
ANSWER = "answer"
"""Timeline, and the stage of its notice: a person of ours wrote."""
AUTO_REPLY = "auto_reply"
"""Timeline: an automatic answer came; nobody has said anything."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a mail: its kind, its ticket if one was found, and whether it was here before."""

    kind: MailKind
    ticket: UUID | None
    repeated: bool = False


def say(office: Office, ticket_id: UUID, words: str, now: datetime, *, channel: str, **more: str) -> Ticket:
    """The owner says something about a ticket. Also when it is over: then a person is to look at it.

    Raises:
        UnknownError: there is no such ticket.
    """
    ticket = office.desk.tickets.get(ticket_id)
    office.log(ticket.id, now, MESSAGE, OWNER, words=words, channel=channel, **more)
    if ticket.state in TICKET_ENDED:
        open_call(office, ticket.id, MESSAGE, ticket.severity, now)
    return ticket


def answer(office: Office, ticket_id: UUID, words: str, now: datetime, actor: str) -> Ticket:
    """A person of ours answers: it goes out by the household's channels and stops the clock.

    Raises:
        UnknownError: there is no such ticket.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    count = sum(1 for each in desk.notices.of_ticket(ticket.id) if each.stage == ANSWER)
    office.log(ticket.id, now, ANSWER, actor, words=words)
    notify(office, ticket, ANSWER, now, occasion=count, say={"words": words})
    return ticket


def take_mail(office: Office, mail: Inbound, now: datetime) -> Taken:
    """A mail came in: an answer, an automatic one, a bounce, a receipt. Each Message-ID is taken once.

    What belongs to no ticket is kept for a person (`unmatched`).
    """
    desk = office.desk
    notice = _notice(office, mail)
    ticket = notice.ticket if notice is not None else _by_ref(office, mail)
    row = MailIn(
        message_id=mail.message_id,
        at=now,
        kind=str(mail.kind),
        sender=mail.sender,
        subject=mail.subject,
        words=mail.words,
        ticket=ticket,
    )
    if not desk.levels.calls.take_mail(row):
        return Taken(mail.kind, ticket, repeated=True)
    if ticket is None:
        return Taken(mail.kind, None)
    if mail.kind is MailKind.REPLY:
        known = _known_sender(office, ticket, mail.sender)
        more: Mapping[str, str] = {} if known else {"unknown_sender": mail.sender}
        say(office, ticket, mail.words or mail.subject, now, channel="mail", **more)
    elif mail.kind is MailKind.AUTO:
        office.log(ticket, now, AUTO_REPLY, OWNER, words=mail.words[:200])
    elif notice is not None:
        _report(office, notice, mail, now)
    return Taken(mail.kind, ticket)


def _report(office: Office, notice: Notice, mail: Inbound, now: datetime) -> None:
    """What a mail server says about a notice of ours."""
    if mail.kind is MailKind.BOUNCE:
        if mail.recipient and notice.channel == "mail" and mail.recipient != notice.address.lower():
            # The notice goes another way by now: the address alone is marked.
            office.desk.people.bounced(notice.household, mail.recipient, now)
            return
        bounced(office, notice, now, mail.words or "returned")
    elif mail.kind is MailKind.RECEIPT and notice.state is NoticeState.SENT:
        office.desk.notices.save(replace(notice, state=NoticeState.DELIVERED, delivered=now))
    elif mail.kind is MailKind.DELAY:
        office.log(notice.ticket, now, "delayed", notice=str(notice.id), why=mail.words)


def _notice(office: Office, mail: Inbound) -> Notice | None:
    """The notice that a mail answers; the nearest one it names."""
    found = {each.message_id: each for each in office.desk.levels.reach.notices_of(mail.about)} if mail.about else {}
    return next((found[each] for each in mail.about if each in found), None)


def _by_ref(office: Office, mail: Inbound) -> UUID | None:
    found = (office.desk.levels.reach.ticket_of_ref(each) for each in mail.refs)
    return next((each for each in found if each is not None), None)


def _known_sender(office: Office, ticket_id: UUID, sender: str) -> bool:
    ticket = office.desk.tickets.get(ticket_id)
    if ticket.household is None:
        return False
    return any((each.email or "").lower() == sender for each in office.desk.people.contacts(ticket.household))
