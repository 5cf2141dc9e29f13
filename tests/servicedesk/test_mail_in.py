from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicedesk.mail_in import MailKind, read_mail

_HEAD = "From: Li <Li@Example.org>\nTo: desk@example.org\nSubject: {subject}\nMessage-ID: <a@b>\n"


def mail(body: str = "Yes.", subject: str = "Re: WK-1001", more: str = "") -> bytes:
    return (_HEAD.format(subject=subject) + more + "\n" + body).encode()


def test_a_reply_names_what_it_answers_nearest_first() -> None:
    found = read_mail(mail(more="In-Reply-To: <3@w>\nReferences: <1@w> <2@w>\n <3@w>\n"))
    assert found.kind is MailKind.REPLY
    assert found.about == ("<3@w>", "<2@w>", "<1@w>")
    assert (found.sender, found.refs, found.words) == ("li@example.org", ("WK-1001",), "Yes.")


@pytest.mark.parametrize(
    "quoted",
    [
        "> old words",
        "On Mon, 2 Mar 2026 at 17:00, desk <desk@example.org> wrote:\n> old",
        "-----Original Message-----\nold",
        "在2026年3月2日，客服 写道：\n> old",
        "--\nLi\n+86 131",
    ],
)
def test_what_was_quoted_is_not_said_again(quoted: str) -> None:
    assert read_mail(mail(f"Tuesday is fine.\nThank you.\n\n{quoted}\n")).words == "Tuesday is fine.\nThank you."


@pytest.mark.parametrize(
    ("more", "subject"),
    [
        ("Auto-Submitted: auto-replied\n", "Re: WK-1001"),
        ("Auto-Submitted: auto-generated (vacation)\n", "Re: WK-1001"),
        ("Precedence: bulk\n", "Re: WK-1001"),
        ("X-Autoreply: yes\n", "Re: WK-1001"),
        ("Return-Path: <>\n", "Re: WK-1001"),
        ("", "Automatic reply: WK-1001"),
        ("", "Out of office: WK-1001"),
        ("", "自动回复：WK-1001"),
    ],
)
def test_automatic_answers_are_known(more: str, subject: str) -> None:
    assert read_mail(mail(more=more, subject=subject)).kind is MailKind.AUTO


def test_a_person_is_a_person() -> None:
    assert read_mail(mail(more="Auto-Submitted: no\n")).kind is MailKind.REPLY
    assert read_mail(mail(subject="The automatic door of the fridge")).kind is MailKind.REPLY


def test_chinese_and_html_are_read() -> None:
    chinese = _HEAD.format(subject="=?utf-8?B?5Zue5aSN77yaV0stMTAwMQ==?=").encode()
    chinese += b'Content-Type: text/plain; charset="gb18030"\nContent-Transfer-Encoding: 8bit\n\n' + "明天可以".encode(
        "gb18030"
    )
    found = read_mail(chinese)
    assert (found.words, found.refs, found.subject) == ("明天可以", ("WK-1001",), "回复：WK-1001")
    page = read_mail(mail("<html><style>p{}</style><p>Come <b>soon</b></p></html>", more="Content-Type: text/html\n"))
    assert page.words.split() == ["Come", "soon"]


def test_a_mail_without_a_name_has_one_of_its_bytes() -> None:
    raw = b"From: a@b\nSubject: x\n\nhello"
    assert read_mail(raw).message_id == read_mail(raw).message_id
    assert read_mail(raw).message_id != read_mail(raw + b"!").message_id


@settings(max_examples=100, deadline=None)
@given(
    raw=st.binary(max_size=300)
    | st.binary(max_size=200).map(lambda tail: b"Content-Type: multipart/report; boundary=B\n\n--B\n" + tail)
    | st.text(max_size=200).map(lambda tail: mail(more=f"Content-Type: {tail}\n"))
    | st.text(max_size=60).map(lambda tail: mail(more=f"Message-ID: <{tail}\nFrom: {tail}\nReferences: {tail}>\n"))
    | st.binary(max_size=100).map(
        lambda tail: (
            mail() + b"\n--B\nContent-Type: message/delivery-status\n\nAction: failed\nFinal-Recipient: " + tail
        )
    )
)
def test_nothing_that_comes_in_breaks_the_door(raw: bytes) -> None:
    found = read_mail(raw)
    assert found.message_id
    assert "\0" not in found.words + found.subject + found.sender + found.message_id + found.recipient
