"""Contact: what owners say by any channel and what people of ours do about it, on one ticket."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from api.auth import Acknowledger, Confirmer, TicketMover, whole_desk
from api.context import InTx
from api.problems import invalid, not_found
from api.reads import note_read
from api.said import said
from api.v1.contact_models import CallIn, MailIn, MailTakenOut, MessageIn, UnmatchedListOut, UnmatchedOut
from api.v1.models import TicketDetailOut
from api.v1.router import V1Router, changes
from api.v1.service import TICKET, read_ticket
from servicedesk.calling import Call, CallOutcome, acknowledge, log_call
from servicedesk.contact import answer, say, take_mail
from servicedesk.mail_in import read_mail
from storage.access import Role
from storage.read_desk import get_ticket

router = V1Router()
_OWNERS = (Role.OWNER, Role.PEOPLE)
_MOST_MAILS = 100


@router.post("/tickets/{ticket}/messages", tags=["contact"])
@changes(TICKET)
def ticket_message(ticket: UUID, message: MessageIn, who: Confirmer, tx: InTx) -> TicketDetailOut:
    """An owner's message starts the clock of the first human response; a person's answer goes out and ends it."""
    read_ticket(tx, who, ticket)
    if who.role in _OWNERS:
        say(tx.office, ticket, message.words, tx.now, channel="page")
    else:
        answer(tx.office, ticket, message.words, tx.now, who.actor())
    return read_ticket(tx, who, ticket)


@router.post("/tickets/{ticket}/calls", tags=["contact"])
@changes(TICKET)
def ticket_call(ticket: UUID, call: CallIn, who: TicketMover, tx: InTx) -> TicketDetailOut:
    """Note a call: one that reached the owner is human contact; a wrong number is taken away at once."""
    read_ticket(tx, who, ticket)
    noted = Call(CallOutcome(call.outcome), call.words, call.number)
    log_call(tx.office, ticket, noted, tx.now, who.actor())
    return read_ticket(tx, who, ticket)


@router.post("/tickets/{ticket}/acknowledgement", tags=["contact"])
@changes(TICKET)
def ticket_acknowledge(ticket: UUID, who: Acknowledger, tx: InTx) -> TicketDetailOut:
    """Take a case on: nobody further up the on-call roster is told. Twice is the same as once."""
    read_ticket(tx, who, ticket)
    acknowledge(tx.office, ticket, tx.now, who.actor())
    return read_ticket(tx, who, ticket)


@router.post("/mails", tags=["contact"])
def mail_taken(mail: MailIn, who: TicketMover, tx: InTx) -> MailTakenOut:
    """Take a mail that came in: an answer, an automatic one, or a bounce.

    Its ticket is found by Message-ID or reference. Each Message-ID is taken once.
    """
    try:
        raw = base64.b64decode(mail.message, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise invalid(said("the mail's bytes are expected in base64"), "#/message") from cause
    taken = take_mail(tx.office, read_mail(raw), tx.now)
    if taken.ticket is not None and get_ticket(tx.conn, who.scope, taken.ticket) is None:
        raise not_found("ticket")
    return MailTakenOut(kind=str(taken.kind), ticket=taken.ticket, repeated=taken.repeated)


@router.get("/mails/unmatched", tags=["contact"])
def unmatched_mails(who: TicketMover, tx: InTx) -> UnmatchedListOut:
    """Mails that belong to no ticket we know, newest first: a person who sees the whole desk looks at them."""
    whole_desk(who)
    note_read(tx, who, "unmatched mails")
    rows = tx.office.desk.levels.calls.unmatched(_MOST_MAILS)
    return UnmatchedListOut(
        items=[
            UnmatchedOut(
                message_id=row.message_id,
                at=row.at,
                kind=row.kind,
                sender=row.sender,
                subject=row.subject,
                words=row.words,
            )
            for row in rows
        ]
    )
