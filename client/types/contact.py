"""Shapes of contact. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec


class CallIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call as a person notes it. `missed`: the owner called and nobody took it."""

    outcome: Literal["reached", "no_answer", "wrong_number", "missed"]
    number: str | None = None
    words: str | None = None


class MailIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A mail as it came in: its bytes (RFC 5322) in base64."""

    message: str


class MailTakenOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mail."""

    kind: str
    repeated: bool
    ticket: UUID | None = None


class MessageIn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words: an owner's question, or a person's answer."""

    words: str


class SaidOut(msgspec.Struct, frozen=True, kw_only=True):
    """A message between owner and service."""

    at: datetime
    by: str
    channel: str
    words: str


class TalkOut(msgspec.Struct, frozen=True, kw_only=True):
    """What owner and service wrote to each other, oldest first; never notes among people of ours."""

    items: list[SaidOut]


class UnmatchedListOut(msgspec.Struct, frozen=True, kw_only=True):
    """The newest hundred."""

    items: list[UnmatchedOut]


class UnmatchedOut(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that belongs to no ticket we know."""

    at: datetime
    kind: str
    message_id: str
    sender: str
    subject: str
    words: str
