"""Stale contact: the number belonged to someone who had left. Contacts are roles; a bounce reassigns at once."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

from servicedesk.calling import Call, CallOutcome, log_call
from servicedesk.contact import take_mail
from servicedesk.level_rows import ContactChannel
from servicedesk.mail_in import read_mail
from servicedesk.model import Contact, NoticeState
from servicedesk.office import DISPATCH
from tests.servicedesk.acceptance.case import Case
from tests.servicedesk.world import finding

_CONTACT = """
insert into contact (id, household, role, rank, name, email, phone) values (%s, %s, %s, %s, %s, %s, %s)
"""


def add_contact(case: Case, rank: int, *, email: str | None = None, phone: str | None = None) -> None:
    row = Contact(id=uuid.uuid4(), household=case.household, role="tenant", rank=rank, email=email, phone=phone)
    if case.world is not None:
        case.world.desk.people.contact_rows.append(row)
    else:
        assert case.shop is not None
        values = (row.id, row.household, row.role, row.rank, row.name, row.email, row.phone)
        case.shop.conn.execute(_CONTACT, values)


def bounce(mail: EmailMessage, address: str, action: str = "failed") -> bytes:
    """A delivery status notification as a mail server sends it (RFC 3464)."""
    return (
        "From: MAILER-DAEMON@mx.example.org\nTo: desk@example.org\nSubject: Undelivered Mail Returned to Sender\n"
        f"Message-ID: <{uuid.uuid4()}@mx>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n\n'
        "--B\nContent-Type: text/plain\n\nI am sorry.\n\n"
        "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\n\n"
        f"--B\nContent-Type: text/rfc822-headers\n\nMessage-ID: {mail['Message-ID']}\nSubject: x\n\n--B--\n"
    ).encode()


def test_a_late_bounce_gives_the_message_to_the_next_contact_at_once(case: Case) -> None:
    add_contact(case, 1, email="wang@example.org")
    ticket = case.opened()
    case.step(timedelta(hours=25))
    (alert,) = case.notices(ticket, "alert")
    assert alert.state is NoticeState.DELIVERED
    sent = case.mail.mails[0]
    take_mail(case.office, read_mail(bounce(sent, "li@example.org")), case.now)
    case.work()
    (alert,) = case.notices(ticket, "alert")
    assert (alert.address, alert.state) == ("wang@example.org", NoticeState.SENT)
    assert case.mail.mails[-1]["To"] == "wang@example.org"
    # One notice has one Message-ID, whoever it went to.
    assert case.mail.mails[-1]["Message-ID"] == sent["Message-ID"] == alert.message_id
    first, *_ = case.desk.people.contacts(case.household)
    assert (first.email, first.bounced) == ("li@example.org", case.now)
    # Every later message goes to the role's next person from the start.
    case.mail.mails.clear()
    case.report(finding(at=case.now, family="refrigerant", epoch=7))
    case.work()
    assert {mail["To"] for mail in case.mail.mails} == {"wang@example.org"}


def test_a_delay_is_no_bounce_and_a_receipt_is_an_arrival(case: Case) -> None:
    ticket = case.opened()
    (sent,) = case.mail.mails
    take_mail(case.office, read_mail(bounce(sent, "li@example.org", "delayed")), case.now)
    assert case.notices(ticket, "alert")[0].state is NoticeState.SENT
    assert "delayed" in case.kinds(ticket)
    take_mail(case.office, read_mail(bounce(sent, "li@example.org", "delivered")), case.now)
    assert case.notices(ticket, "alert")[0].state is NoticeState.DELIVERED


def test_without_a_next_contact_a_person_has_a_task(case: Case) -> None:
    ticket = case.opened()
    take_mail(case.office, read_mail(bounce(case.mail.mails[0], "li@example.org")), case.now)
    assert case.open_calls(ticket) == ["unreached"]
    assert case.ticket(ticket).next_action == "reach_owner"


def test_a_wrong_number_is_taken_away_at_once(case: Case) -> None:
    """The organisation's SMS gateway needs a number: a contact's that left is never used again."""
    add_contact(case, 1, phone="+86 131 0000 0001")
    add_contact(case, 2, phone="+86 131 0000 0002")
    row = ContactChannel(id=case.office.new_id(), org="demo", url=f"{case.hook.url}/{{phone}}")
    case.desk.levels.reach.add_channel(row)
    ticket = case.opened()
    wrong = Call(CallOutcome.WRONG_NUMBER, "they moved out", "+86 131 0000 0001")
    log_call(case.office, ticket.id, wrong, case.now, DISPATCH)
    assert "+86 131 0000 0001" not in [each.phone for each in case.desk.people.contacts(case.household)]
    assert case.open_calls(ticket) == ["wrong_number"]
    case.mail.refused.add("li@example.org")
    case.report(finding(at=case.now, family="refrigerant", epoch=7))
    case.work()
    (post,) = case.hook.posts
    assert post["path"].endswith("/+8613100000002")


def test_a_reply_from_an_unknown_sender_is_kept_and_marked(case: Case) -> None:
    ticket = case.opened()
    mail = f"From: x@elsewhere.org\nSubject: {ticket.ref}\nMessage-ID: <7@x>\n\nWrong person, please stop.\n"
    assert take_mail(case.office, read_mail(mail.encode()), case.now).ticket == ticket.id
    assert case.lines(ticket, "message")[0]["unknown_sender"] == "x@elsewhere.org"
    lost = replace(read_mail(mail.encode()), message_id="<8@x>", refs=())
    assert take_mail(case.office, lost, case.now).ticket is None
    assert case.desk.levels.calls.unmatched(5)[0].message_id == "<8@x>"
