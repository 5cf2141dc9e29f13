"""A real mail server on the loopback that keeps what it is given, and strikes when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from enum import StrEnum

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from stack.process import free_port


class Moment(StrEnum):
    """When the blow falls."""

    BEFORE = "before"
    """The sender is named, nothing of the mail was seen."""
    DURING = "during"
    """The mail is here, the sender has no answer."""
    AFTER = "after"
    """The sender has its answer and says goodbye."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived."""

    id: str
    to: str
    subject: str
    whole: bytes


class _Office:
    """aiosmtpd's hooks."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def handle_MAIL(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._post.strike(Moment.BEFORE)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  (likewise)
        content = envelope.content
        assert isinstance(content, bytes)
        self._post.take(content)
        self._post.strike(Moment.DURING)
        return "250 taken"

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802  (likewise)
        self._post.strike(Moment.AFTER)
        return "221 Bye"


class Post:
    """The server; `url` is what `WELLKEPT_SMTP_URL` takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mails: list[Mail] = []
        self._blow: tuple[Moment, Callable[[], None]] | None = None
        port = free_port()
        self._controller = Controller(_Office(self), hostname="127.0.0.1", port=port)
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{port}?from=service@wellkept.example"

    def close(self) -> None:
        """End the server."""
        self._controller.stop()

    def at(self, moment: Moment, blow: Callable[[], None]) -> None:
        """Strike once, at the next such moment."""
        with self._lock:
            self._blow = moment, blow

    @property
    def struck(self) -> bool:
        """Whether the blow has fallen."""
        with self._lock:
            return self._blow is None

    def strike(self, moment: Moment) -> None:
        """Called by the server at each moment."""
        with self._lock:
            blow = self._blow
            if blow is None or blow[0] is not moment:
                return
            self._blow = None
        blow[1]()

    def take(self, content: bytes) -> None:
        """Keep a mail."""
        parsed: Message = message_from_bytes(content)
        mail = Mail(str(parsed["Message-ID"]), str(parsed["To"]), str(parsed["Subject"]), content)
        with self._lock:
            self._mails.append(mail)

    def mails(self) -> list[Mail]:
        """Everything that arrived, in order."""
        with self._lock:
            return list(self._mails)
