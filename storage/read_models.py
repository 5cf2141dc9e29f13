"""What pages and `/v1` read: rows shaped for showing, always narrowed by a scope.

A scope is part of every statement, so that an object of someone else looks like one that is not there.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the asker may see; a field that is None does not narrow."""

    org: str | None = None
    household: UUID | None = None
    ticket: UUID | None = None

    def parameters(self) -> dict[str, Any]:
        """For the statements of this package."""
        return {"org": self.org, "household": self.household, "only_ticket": self.ticket}


EVERYTHING = Scope()


class CursorError(ValueError):
    """A cursor that this list did not give."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list goes on: after the row with this time and id."""

    at: datetime
    id: UUID

    def encode(self) -> str:
        """Opaque text for the wire."""
        return base64.urlsafe_b64encode(f"{self.at.isoformat()} {self.id}".encode()).decode().rstrip("=")


def decode_cursor(text: str | None) -> Cursor | None:
    """Read a cursor back.

    Raises:
        CursorError: it is not one of ours.
    """
    if text is None:
        return None
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        at, _, ident = plain.partition(" ")
        return Cursor(datetime.fromisoformat(at), UUID(ident))
    except (ValueError, binascii.Error) as cause:
        raise CursorError("this cursor was not given by this list; start without one") from cause
