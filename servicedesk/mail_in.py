"""Reads a mail that came in: whose ticket it speaks of, whether a person wrote it, and what it says.

Automatic answers are told by RFC 3834 (`Auto-Submitted`) and by what older systems set; bounces are delivery status
notifications (RFC 3464). Pure: bytes in, a value out.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import parseaddr
from enum import StrEnum

_IDS = re.compile(r"<[^<>\s]+>")
_REF = re.compile(r"\bWK-\d+\b")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_AUTO_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Vacation")
_AUTO_SUBJECT = re.compile(
    r"^\s*((auto(matic)?[ -]?(reply|response|antwort))|out of (the )?office|abwesenheit|自动回复|自動回覆|外出)",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"^(>|-{2,} ?(original message|原始邮件)|on .{4,200} wrote:|在.{4,100}写道[：:]|am .{4,200} schrieb)", re.IGNORECASE
)
_LONGEST = 8000
_PERMANENT = "5"
_LOST = "\N{REPLACEMENT CHARACTER}"


class MailKind(StrEnum):
    """What a mail is."""

    REPLY = "reply"
    AUTO = "auto"
    """An automatic answer: on the timeline, and no more."""
    BOUNCE = "bounce"
    """A mail of ours did not arrive."""
    DELAY = "delay"
    """A mail of ours is late; the server still tries."""
    RECEIPT = "receipt"
    """A mail of ours has arrived."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A mail as the desk takes it.

    Attributes:
        kind: what it is.
        message_id: its own; made of its bytes when it has none, so that a repeat is known.
        sender: address it says it comes from.
        subject: as it stands.
        words: what the person wrote, without what was quoted; of a bounce the server's reason.
        about: Message-IDs that it answers or reports, the nearest first.
        refs: ticket references in its subject, or in its words when there is none.
        recipient: of a bounce: the address that does not take mail.
    """

    kind: MailKind
    message_id: str
    sender: str
    subject: str
    words: str
    about: tuple[str, ...]
    refs: tuple[str, ...]
    recipient: str = ""


def read_mail(raw: bytes) -> Inbound:
    """Read a mail as RFC 5322 has it; what cannot be read becomes words, never an error.

    Args:
        raw: its bytes, headers first.
    """
    message = message_from_bytes(raw, policy=default)
    own = _IDS.findall(_header(message, "Message-ID"))
    message_id = own[0] if own else f"<{hashlib.sha256(raw).hexdigest()[:32]}@unnamed>"
    sender = parseaddr(_header(message, "From"))[1].lower()
    subject = _header(message, "Subject")[:500]
    about = _ids(message, "In-Reply-To") + _ids(message, "References")[::-1]
    report = _report(message)
    if report is not None:
        kind, recipient, why, original = report
        refs = tuple(_REF.findall(subject)) or tuple(_REF.findall(why))
        return Inbound(kind, message_id, sender, subject, why, _unique(original + about), refs, recipient)
    words = _clean(_text(message))
    kind = MailKind.AUTO if _automatic(message, subject) else MailKind.REPLY
    refs = tuple(_REF.findall(subject)) or tuple(_REF.findall(words))
    return Inbound(kind, message_id, sender, subject, words, _unique(about), refs)


def _automatic(message: Message, subject: str) -> bool:
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        submitted not in ("", "no")
        or _header(message, "Precedence").strip().lower() in _BULK
        or any(message.get(name) is not None for name in _AUTO_HEADERS)
        or _header(message, "Return-Path").strip() == "<>"
        or _AUTO_SUBJECT.match(subject) is not None
    )


def _report(message: Message) -> tuple[MailKind, str, str, list[str]] | None:
    """Kind, address, reason and original Message-IDs of a delivery status notification, or None for another mail."""
    parts = list(message.walk())
    status = next((each for each in parts if each.get_content_type() == "message/delivery-status"), None)
    if status is None:
        return None
    blocks = status.get_payload()
    fields = [each for each in blocks if isinstance(each, Message)] if isinstance(blocks, list) else []
    rows = [each for each in fields if each.get("Action") is not None]
    actions = [_header(each, "Action").strip().lower() for each in rows]
    codes = [_header(each, "Status").strip() for each in rows]
    worst = next((i for i, action in enumerate(actions) if action == "failed"), 0)
    action = actions[worst] if actions else ""
    # A failure whose code says "for now" is the end of this mail, not of the address; the server has given up all the
    # same, so that both are bounces to us.
    failed = action == "failed" or (not action and any(code.startswith(_PERMANENT) for code in codes))
    kind = MailKind.BOUNCE if failed else MailKind.RECEIPT if action in ("delivered", "relayed") else MailKind.DELAY
    row = rows[worst] if rows else None
    recipient = why = ""
    if row is not None:
        said = _header(row, "Original-Recipient") or _header(row, "Final-Recipient")
        recipient = said.rpartition(";")[2].strip().strip("<>").lower()
        why = (_header(row, "Diagnostic-Code") or _header(row, "Status"))[:_LONGEST]
    return kind, recipient, why, _original(parts)


def _original(parts: list[Message]) -> list[str]:
    found: list[str] = []
    for part in parts:
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            for each in inner if isinstance(inner, list) else []:
                if isinstance(each, Message):
                    found += _ids(each, "Message-ID")
        elif part.get_content_type() == "text/rfc822-headers":
            found += _ids(message_from_bytes(_bytes(part), policy=default), "Message-ID")
    return found


def _text(message: Message) -> str:
    """The plain text of a mail, or its HTML without tags."""
    if not isinstance(message, EmailMessage):
        return ""
    try:
        body = message.get_body(("plain", "html"))
        said = "" if body is None else str(body.get_content())
    except (MessageError, LookupError, UnicodeError, AttributeError):
        payload = message.get_payload(decode=True)
        said = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
        body = None
    if body is not None and _LOST in said:
        said = _undeclared(_bytes(body)) or said
    if body is not None and body.get_content_type() == "text/html":
        said = re.sub(r"<(style|script).*?</\1>", "", said, flags=re.DOTALL | re.IGNORECASE)
        said = re.sub(r"<[^>]+>", " ", said)
    return said


def _undeclared(raw: bytes) -> str:
    """Text in an encoding that its mail does not name, or names wrongly; empty when it is neither of the usual two."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def _clean(said: str) -> str:
    """What the person wrote: up to the first quoted line or signature, without control characters."""
    kept = []
    for line in said.replace("\r\n", "\n").split("\n"):
        if _QUOTED.match(line.strip()) or line.rstrip() == "--":
            break
        kept.append("".join(c for c in line if c.isprintable() or c == "\t").rstrip())
    return "\n".join(kept).strip()[:_LONGEST]


def _header(message: Message, name: str) -> str:
    try:
        value = message.get(name)
    except (MessageError, ValueError, IndexError, AttributeError):
        # The standard parser trips over some malformed headers.
        return ""
    said = "" if value is None else str(value)
    return "".join(c for c in said if c.isprintable() or c == " ")


def _ids(message: Message, name: str) -> list[str]:
    return [each for each in _IDS.findall(_header(message, name)) if each.isascii()]


def _unique(found: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
