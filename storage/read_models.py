"""What pages and `/v1` read: rows shaped for showing, always narrowed by a scope.

A scope is part of every statement, so that an object of someone else looks like one that is not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.pool import Connection


@dataclass(frozen=True, slots=True)
class Scope:
    """What the asker may see; a field that is None does not narrow.

    Attributes:
        areas: of households.
        technician: name or id of the one whose visits' cases alone are seen; no such technician sees none.
    """

    org: str | None = None
    household: UUID | None = None
    ticket: UUID | None = None
    areas: tuple[str, ...] | None = None
    technician: str | None = None

    @property
    def whole_org(self) -> bool:
        """Whether nothing inside an organisation is left out."""
        return self.household is None and self.ticket is None and self.areas is None and self.technician is None

    @property
    def whole_desk(self) -> bool:
        """Whether nothing at all is left out."""
        return self.whole_org and self.org is None

    def parameters(self) -> dict[str, Any]:
        """For the statements of this package."""
        areas = None if self.areas is None else list(self.areas)
        return {
            "org": self.org,
            "household": self.household,
            "only_ticket": self.ticket,
            "areas": areas,
            "own_technician": self.technician,
        }


EVERYTHING = Scope()
_OWN_TICKETS = """
select w.ticket from visit w join technician x on x.id = w.technician
where %(own_technician)s in (x.name, x.id::text) and (%(org)s::text is null or x.org = %(org)s)
"""
TICKET_SCOPE = f"""
where (%(org)s::text is null or t.org = %(org)s)
  and (%(household)s::uuid is null or t.household = %(household)s)
  and (%(only_ticket)s::uuid is null or t.id = %(only_ticket)s)
  and (%(areas)s::text[] is null or t.household in (select id from household where area = any(%(areas)s)))
  and (%(own_technician)s::text is null or t.id in ({_OWN_TICKETS}))
"""  # noqa: S608  (constants of this module)
"""What narrows a statement about a ticket `t` to a scope."""
DEVICE_SCOPE = f"""
where (%(org)s::text is null or d.org = %(org)s)
  and (%(household)s::uuid is null or d.household = %(household)s)
  and (%(only_ticket)s::uuid is null or d.no = (select y.device from ticket y where y.id = %(only_ticket)s))
  and (%(areas)s::text[] is null or d.household in (select id from household where area = any(%(areas)s)))
  and (%(own_technician)s::text is null or d.no in (select y.device from ticket y where y.id in ({_OWN_TICKETS})))
"""  # noqa: S608  (likewise)
"""What narrows a statement about a device `d` to a scope."""
EVENT_SCOPE = f"""
  and (%(org)s::text is null or e.org = %(org)s)
  and (%(household)s::uuid is null or e.household = %(household)s)
  and (%(areas)s::text[] is null or e.household in (select id from household where area = any(%(areas)s)))
  and (%(own_technician)s::text is null or e.ticket in ({_OWN_TICKETS})
       or (e.ticket is null and e.device in (select y.device from ticket y where y.id in ({_OWN_TICKETS}))))
  and (%(own_technician)s::text is null or e.kind <> 'visit'
       or e.technician in (select x.id from technician x where %(own_technician)s in (x.name, x.id::text)))
  and (%(only_ticket)s::uuid is null or e.ticket = %(only_ticket)s
       or (e.kind = 'device' and e.device = (select y.device from ticket y where y.id = %(only_ticket)s))
       or (e.kind = 'finding' and e.subject = (select y.finding::text from ticket y where y.id = %(only_ticket)s)))
"""  # noqa: S608  (likewise)
"""What narrows a statement about a change `e` further, to a scope."""
_TICKETS_IN = f"select t.id from ticket t {TICKET_SCOPE} and t.id = any(%(tickets)s)"  # noqa: S608  (likewise)
_HOUSEHOLD_IN = f"""
select 1 from household h
where h.id = %(id)s and %(only_ticket)s::uuid is null
  and (%(org)s::text is null or h.org = %(org)s)
  and (%(household)s::uuid is null or h.id = %(household)s)
  and (%(areas)s::text[] is null or h.area = any(%(areas)s))
  and (%(own_technician)s::text is null
       or h.id in (select y.household from ticket y where y.id in ({_OWN_TICKETS})))
"""  # noqa: S608  (likewise)


def tickets_in(conn: Connection, scope: Scope, tickets: Iterable[UUID]) -> set[UUID]:
    """Which of some tickets a scope holds."""
    wanted = list(tickets)
    if not wanted or scope == EVERYTHING:
        return set(wanted)
    rows = conn.execute(_TICKETS_IN, scope.parameters() | {"tickets": wanted}).fetchall()
    return {row[0] for row in rows if isinstance(row[0], UUID)}


def household_in(conn: Connection, scope: Scope, household: UUID) -> bool:
    """Whether a scope holds a household as a whole; that of a single case holds none."""
    return conn.execute(_HOUSEHOLD_IN, scope.parameters() | {"id": household}).fetchone() is not None


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
