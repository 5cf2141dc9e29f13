"""Carries notices out: by SMTP with a stable Message-ID, by Apprise, or into the mailbox, which is the row itself."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

from servicedesk import ladder
from servicedesk.calls import ONCALL
from servicedesk.errors import UnknownError
from servicedesk.level_rows import Page
from servicedesk.model import Notice, NoticeState
from servicedesk.notices import bounced, delivered
from servicedesk.office import Office
from servicedesk.reach import CHAT, MAILBOX, chat_url
from telemetry.errors import WellkeptError
from worker.chat import ChatRefusedError, send_chat

CORRELATION_HEADER = "X-Wellkept-Correlation"
"""Names the message that a notice goes back to."""
_TIMEOUT = 10.0
_PERMANENT = 500
_SENDER = "service@wellkept.invalid"


class RefusedError(WellkeptError):
    """The mail server refuses the address for good."""


class Channel(Protocol):
    """A way to a household."""

    final: bool
    """Whether what was taken has arrived; otherwise it may still bounce."""

    def send(self, notice: Notice, correlation: str | None) -> None:
        """Carry a notice out.

        Args:
            notice: what to say.
            correlation: the message that it goes back to, where the way out can name it.

        Raises:
            RefusedError: the address is refused for good.
            OSError: for now it does not work; the job is repeated.
        """
        ...

    def page(self, page: Page) -> bool:
        """Tell a person on call by e-mail; False where there is no mail. Raises as `send`."""
        ...


class Mailbox:
    """The built-in mailbox page shows the row itself: there is nothing to carry."""

    final = True

    def send(self, notice: Notice, correlation: str | None) -> None:
        """Nothing to do."""

    def page(self, page: Page) -> bool:  # noqa: ARG002  (the channel's shape)
        """Nobody looks after colleagues' mail in the mailbox."""
        return False


class Mail:
    """A mail server, from `smtp[s]://user:password@host:port?from=address&starttls=1`."""

    final = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("WELLKEPT_SMTP_URL must be smtp://[user:password@]host[:port] or smtps://…")
        options = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
        self._tls = parts.scheme == "smtps"
        self._starttls = options.get("starttls") == "1"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._tls else 587 if self._starttls else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._sender = unquote(options.get("from", _SENDER))
        # Said in EHLO; smtplib would else ask the name service, which may take seconds to say nothing.
        self._name = self._sender.rpartition("@")[2] or "localhost"

    def send(self, notice: Notice, correlation: str | None) -> None:
        """Hand a message over. A repeat carries the same Message-ID."""
        self._hand_over(message_of(notice, self._sender, correlation), notice.address)

    def page(self, page: Page) -> bool:
        """Tell a person on call. A repeat carries the same Message-ID."""
        message = EmailMessage()
        message["Subject"] = page.text.partition("\n")[0]
        message["From"] = self._sender
        message["To"] = page.address
        message["Date"] = format_datetime(page.at)
        message["Message-ID"] = f"<{page.id}@wellkept>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(page.text)
        self._hand_over(message, page.address)
        return True

    def _hand_over(self, message: EmailMessage, address: str) -> None:
        try:
            with self._connect() as server:
                if self._starttls:
                    server.starttls(context=ssl.create_default_context())
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(message, from_addr=self._sender, to_addrs=[address])
        except smtplib.SMTPRecipientsRefused as cause:
            codes = [code for code, _ in cause.recipients.values()]
            if all(code >= _PERMANENT for code in codes):
                raise RefusedError(f"{address}: {cause.recipients[address][1]!r}") from cause
            raise

    def _connect(self) -> smtplib.SMTP:
        if self._tls:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, self._name, timeout=_TIMEOUT, context=context)
        return smtplib.SMTP(self._host, self._port, self._name, timeout=_TIMEOUT)


def message_of(notice: Notice, sender: str, correlation: str | None = None) -> EmailMessage:
    """The notice as a mail: plain text, its link on a line of its own."""
    message = EmailMessage()
    message["Subject"] = notice.subject
    message["From"] = sender
    message["To"] = notice.address
    message["Date"] = format_datetime(notice.queued)
    message["Message-ID"] = notice.message_id
    message["Content-Language"] = "zh-CN" if notice.lang == "zh" else "en"
    message["Auto-Submitted"] = "auto-generated"
    if correlation is not None:
        message[CORRELATION_HEADER] = correlation
    message.set_content(f"{notice.body}\n\n{notice.link}\n")
    return message


def channel_of(smtp_url: str | None) -> Channel:
    """Mail when a server is set, else the mailbox."""
    return Mail(smtp_url) if smtp_url else Mailbox()


def deliver(office: Office, notice_id: UUID, channel: Channel, now: datetime, correlation: str | None = None) -> None:
    """Carry a queued notice out, once it may reach the household; its row stays locked meanwhile.

    Raises:
        OSError: the channel does not work for now.
    """
    notice = office.desk.notices.get(notice_id)
    if notice.state is not NoticeState.QUEUED:
        return
    if notice.channel == MAILBOX:
        delivered(office, notice, now, final=True)
        return
    if not notice.address or _gone(office, notice):
        lost = replace(notice, state=NoticeState.BOUNCED, bounced=now)
        ladder.climb(office, lost, now, "no address that takes messages")
        return
    try:
        if notice.channel == CHAT:
            send_chat(chat_url(office, notice), notice.subject, f"{notice.body}\n\n{notice.link}")
        else:
            channel.send(notice, correlation)
    except (RefusedError, ChatRefusedError, UnknownError) as refusal:
        bounced(office, notice, now, str(refusal))
        return
    delivered(office, notice, now, final=channel.final and notice.channel != CHAT)


def tell_oncall(office: Office, page_id: UUID, channel: Channel, now: datetime) -> None:
    """Tell a person on call, unless the case has been taken on; its row stays locked meanwhile.

    Raises:
        OSError: the channel does not work for now. The next person is told when the time comes all the same.
    """
    page = office.desk.levels.calls.page(page_id)
    if page.sent is not None or page.acknowledged is not None:
        return
    try:
        if "://" in page.address:
            send_chat(page.address, page.text.partition("\n")[0], page.text)
            sent = True
        else:
            sent = channel.page(page)
    except (RefusedError, ChatRefusedError) as refusal:
        office.log(page.ticket, now, "page_refused", step=page.step, name=page.name, why=str(refusal))
        office.desk.agenda.set_due(ONCALL, page.ticket, now)
        return
    if sent:
        office.desk.levels.calls.save_page(replace(page, sent=now))


def _gone(office: Office, notice: Notice) -> bool:
    """Whether the address bounced since the notice was made: another message of the household has shown it."""
    same = [each for each in office.desk.people.contacts(notice.household) if each.email == notice.address]
    return bool(same) and notice.channel != CHAT and all(each.bounced is not None for each in same)
