"""What a home's own automation is told of its appliances: health, the present finding, the next visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from storage.pool import Connection

# The gravest open finding of a device, and the live visit of its open ticket.
_STATES = """
select d.org, d.device, d.kind, d.model, d.room, d.lang, w.version as firmware,
       coalesce(o.health, 'unknown') as health, o.last_t as seen,
       f.body as finding, t.ref as ticket, lower(v.span) as visit_start, upper(v.span) as visit_end,
       v.state as visit_state
from device d
left join device_observed o on o.device = d.no
left join lateral (
    select version from device_firmware where device = d.no order by epoch desc, seq desc limit 1
) w on true
left join lateral (
    select c.body from finding_current c where c.device = d.no and c.state = 'open' and not c.history
    order by c.severity, c.opened limit 1
) f on true
left join lateral (
    select t.id, t.ref from ticket t
    where t.device = d.no and t.state in ('open', 'planned', 'in_repair', 'awaiting_quote', 'awaiting_parts', 'hold',
                                          'reopened')
    order by t.severity, t.opened limit 1
) t on true
left join lateral (
    select v.span, v.state from visit v
    where v.ticket = t.id and v.state in ('proposed', 'confirmed', 'dispatched', 'travelling', 'on_site')
    limit 1
) v on true
where d.org = %s
order by d.no
"""


@dataclass(frozen=True, slots=True)
class HomeState:
    """An appliance as its home sees it.

    Attributes:
        health: ok, faulty or unknown.
        seen: event time of the last observed reading.
        finding: body of the gravest open finding, as stored.
        ticket: reference of its open ticket.
        visit_start: of the live visit, as visit_end and visit_state.
        firmware: that it said last, if any.
    """

    org: str
    device: str
    kind: str
    model: str | None
    room: str | None
    lang: str
    health: str
    seen: datetime | None
    finding: dict[str, Any] | None
    ticket: str | None
    visit_start: datetime | None
    visit_end: datetime | None
    visit_state: str | None
    firmware: str | None = None


def home_states(conn: Connection, org: str) -> list[HomeState]:
    """Every registered appliance of an organisation."""
    with conn.cursor(row_factory=class_row(HomeState)) as cursor:
        return cursor.execute(_STATES, (org,)).fetchall()
