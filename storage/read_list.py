"""The ticket list: filters, search, and pages of it by what is due first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row

from storage.pool import Connection
from storage.read_desk import TICKET_VIEW, TicketView
from storage.read_models import TICKET_SCOPE, Cursor, Scope

_LEAST_DIGITS = 5
_FROM = "from ticket t join device d on d.no = t.device left join household h on h.id = t.household "
MATCHES = """
  and (%(states)s::text[] is null or t.state = any(%(states)s))
  and (%(severity)s::int is null or t.severity = %(severity)s)
  and (%(kind)s::text is null or d.kind = %(kind)s)
  and (%(area)s::text is null or h.area = %(area)s)
  and (%(sought)s::text is null
       or position(%(sought)s in lower(t.ref)) > 0
       or position(%(sought)s in lower(coalesce(d.serial, ''))) > 0
       or position(%(sought)s in lower(d.device)) > 0
       or (%(people)s and position(%(sought)s in lower(coalesce(h.name, ''))) > 0)
       or (%(digits)s::text is not null and exists (
           select from contact c where c.household = h.id
           and position(%(digits)s in regexp_replace(coalesce(c.phone, ''), '\\D', '', 'g')) > 0)))
"""
_PAGE = f"""
with picked as (
    select t.id, row_number() over (order by t.safety desc, t.next_due nulls last, t.severity, t.opened, t.id) as place
    {_FROM} {TICKET_SCOPE} {MATCHES}
    order by place limit %(limit)s offset %(offset)s
) {TICKET_VIEW} join picked p on p.id = t.id order by p.place
"""
_COUNT = f"select count(*) {_FROM} {TICKET_SCOPE} {MATCHES}"
_NEWEST = f"""
{TICKET_VIEW} {TICKET_SCOPE} {MATCHES}
  and (%(after_at)s::timestamptz is null or (t.opened, t.id) < (%(after_at)s, %(after_id)s::uuid))
order by t.opened desc, t.id desc limit %(limit)s
"""
_AREAS = f"""
select distinct h.area from ticket t join household h on h.id = t.household {TICKET_SCOPE} and h.area <> '' order by 1
"""  # noqa: S608  (likewise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which tickets are asked for; what is None does not narrow.

    Attributes:
        sought: a part of the reference, the serial number, the device's or the household's name, or a phone number.
        people: whether households are found by name and phone.
    """

    states: tuple[str, ...] | None = None
    severity: int | None = None
    kind: str | None = None
    area: str | None = None
    sought: str | None = None
    people: bool = True

    def parameters(self) -> dict[str, Any]:
        """For statements with `MATCHES`."""
        sought = (self.sought or "").strip().lower() or None
        digits = "".join(each for each in sought or "" if each.isdigit())
        phone = sought is not None and len(digits) >= _LEAST_DIGITS and not any(each.isalpha() for each in sought)
        return {
            "states": None if self.states is None else list(self.states),
            "severity": self.severity,
            "kind": self.kind,
            "area": self.area,
            "sought": sought,
            "digits": digits if phone and self.people else None,
            "people": self.people,
        }


def ticket_page(
    conn: Connection, scope: Scope, wanted: Filter, *, limit: int, offset: int
) -> tuple[list[TicketView], int]:
    """A page of tickets by what is due first, safety before everything; and how many there are in all."""
    parameters = scope.parameters() | wanted.parameters()
    row = conn.execute(_COUNT, parameters).fetchone()
    whole = int(str(row[0])) if row else 0
    with conn.cursor(row_factory=class_row(TicketView)) as cursor:
        return cursor.execute(_PAGE, parameters | {"limit": limit, "offset": offset}).fetchall(), whole


def newest_tickets(
    conn: Connection, scope: Scope, wanted: Filter, *, after: Cursor | None, limit: int
) -> list[TicketView]:
    """Tickets that match, newest first, after one."""
    place = {"after_at": after.at if after else None, "after_id": after.id if after else None, "limit": limit}
    with conn.cursor(row_factory=class_row(TicketView)) as cursor:
        return cursor.execute(_NEWEST, scope.parameters() | wanted.parameters() | place).fetchall()


def list_areas(conn: Connection, scope: Scope) -> list[str]:
    """The areas that have tickets."""
    return [str(area) for (area,) in conn.execute(_AREAS, scope.parameters())]
