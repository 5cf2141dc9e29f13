"""People of the desk, and what a ticket's page says of a household beyond the ticket itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from storage.pool import Connection
from storage.read_models import TICKET_SCOPE, Scope

_NAMES = "select login, name from staff_user"
_DESK = """
select login, name from staff_user
where disabled is null and role in ('admin', 'dispatcher') and (org is null or org = %s) order by name, login
"""
_TIER = "select tier, named_contact from household_tier where household = %s"
_TIERS = """
select coalesce(x.tier, 'standard') as tier, count(*) from household h left join household_tier x on x.household = h.id
where (%(org)s::text is null or h.org = %(org)s) and (%(areas)s::text[] is null or h.area = any(%(areas)s))
group by 1 order by 2 desc, 1
"""
_OTHERS = f"""
select t.id, t.ref, t.family, t.state, t.severity, t.opened, d.kind, t.device = %(device)s as same
from ticket t join device d on d.no = t.device {TICKET_SCOPE}
  and t.household = %(of)s and t.id <> %(but)s
  and t.state not in ('closed', 'self_fixed', 'false_alarm', 'cancelled')
order by same desc, t.opened desc limit 20
"""  # noqa: S608  (constants of this package)
_DEVICE_NO = "select device from ticket where id = %s"
_CALLS = "select reason, opened, due, assignee, state, escalated, contacted from call_task where ticket = %s order by opened, id"  # noqa: E501  (one list)


@dataclass(frozen=True, slots=True)
class DeskMate:
    """Somebody who may take on a case."""

    login: str
    name: str


@dataclass(frozen=True, slots=True)
class OtherTicket:
    """Another open ticket of a household; `same` when it is about the same appliance."""

    id: UUID
    ref: str
    family: str
    state: str
    severity: int
    opened: datetime
    kind: str
    same: bool


@dataclass(frozen=True, slots=True)
class CallView:
    """A call that is to be made, or was."""

    reason: str
    opened: datetime
    due: datetime
    assignee: str
    state: str
    escalated: datetime | None
    contacted: datetime | None


def staff_names(conn: Connection) -> dict[str, str]:
    """What people of ours are called, by login; whoever has left is still named."""
    return {str(login): str(name) for login, name in conn.execute(_NAMES)}


def desk_mates(conn: Connection, org: str) -> list[DeskMate]:
    """Who may take on a case of an organisation, by name."""
    with conn.cursor(row_factory=class_row(DeskMate)) as cursor:
        return cursor.execute(_DESK, (org,)).fetchall()


def tier_view(conn: Connection, household: UUID) -> tuple[str, str]:
    """A household's tier and the person of ours who is its contact, `standard` and nobody unless set."""
    row = conn.execute(_TIER, (household,)).fetchone()
    return ("standard", "") if row is None else (str(row[0]), str(row[1]))


def tier_counts(conn: Connection, scope: Scope) -> list[tuple[str, int]]:
    """How many households are in each tier."""
    return [(str(tier), int(str(n))) for tier, n in conn.execute(_TIERS, scope.parameters())]


def other_tickets(conn: Connection, scope: Scope, household: UUID, ticket: UUID) -> list[OtherTicket]:
    """Other open tickets of a household, those of the same appliance first."""
    row = conn.execute(_DEVICE_NO, (ticket,)).fetchone()
    asked = scope.parameters() | {"of": household, "but": ticket, "device": row[0] if row else None}
    with conn.cursor(row_factory=class_row(OtherTicket)) as cursor:
        return cursor.execute(_OTHERS, asked).fetchall()


def calls_of(conn: Connection, ticket: UUID) -> list[CallView]:
    """A ticket's call tasks, oldest first; nothing is held."""
    with conn.cursor(row_factory=class_row(CallView)) as cursor:
        return cursor.execute(_CALLS, (ticket,)).fetchall()
