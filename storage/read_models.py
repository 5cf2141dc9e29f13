"""What pages and `/v1` read: rows shaped for showing, always narrowed by a scope.

A scope is part of every statement, so that an object of someone else looks like one that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the asker may see; a field that is None does not narrow.

    Attributes:
        areas: of households.
    """

    org: str | None = None
    household: UUID | None = None
    ticket: UUID | None = None
    areas: tuple[str, ...] | None = None

    def parameters(self) -> dict[str, Any]:
        """For the statements of this package."""
        areas = None if self.areas is None else list(self.areas)
        return {"org": self.org, "household": self.household, "only_ticket": self.ticket, "areas": areas}


EVERYTHING = Scope()
TICKET_SCOPE = """
where (%(org)s::text is null or t.org = %(org)s)
  and (%(household)s::uuid is null or t.household = %(household)s)
  and (%(only_ticket)s::uuid is null or t.id = %(only_ticket)s)
  and (%(areas)s::text[] is null or t.household in (select id from household where area = any(%(areas)s)))
"""
"""What narrows a statement about a ticket `t` to a scope."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list goes on: after the row with this time and id."""

    at: datetime
    id: UUID


_SIGNING = "select signing from api_secret"


def signing_key(conn: Connection) -> bytes:
    """The key that signs what the API gives out and takes back.

    Raises:
        LookupError: the database has none; its migrations were not applied.
    """
    row = conn.execute(_SIGNING).fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise LookupError("there is no signing key")
    return row[0]
