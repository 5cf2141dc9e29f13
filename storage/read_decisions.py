"""What was decided, as it was stored: a finding's revisions, and the line with which it opened a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from storage.pool import Connection
from storage.registry import DeviceRow

_TICKET = """
select t.ref, t.finding, t.opened, (
    select e.body from ticket_event e where e.ticket = t.id and e.kind = 'opened' order by e.id limit 1
) from ticket t where t.ref = %(ref)s or t.id = %(id)s or t.finding = %(id)s
order by t.opened limit 1
"""
_FINDING = "select device from finding where id = %s"
_REVISIONS = "select revision, version, arrived, body from finding_revision where finding = %s order by revision"
_DEVICE = """
select no, org, device, kind, model, serial, room, lang, household, installed, warranty_until, registered
from device where no = %s
"""


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """A revision as it stands in the database; `body` is the whole finding as JSON."""

    revision: int
    version: str
    arrived: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A finding with the ticket that it opened, if any.

    Attributes:
        finding: its id.
        device: whose it is.
        revisions: in order.
        ticket: its reference.
        opened: fleet time at which it opened.
        costs: what the ticket's first line says: `expected_cost` and `visit_cost`.
        opening: the revision that opened it; None where the ticket's first line does not say, as older ones do not.
    """

    finding: UUID
    device: DeviceRow
    revisions: list[StoredRevision]
    ticket: str | None = None
    opened: datetime | None = None
    costs: dict[str, Any] | None = None
    opening: int | None = None


def read_decision(conn: Connection, name: str) -> StoredDecision | None:
    """The decision behind a ticket's reference or id, or a finding's id.

    None when there is none: no such ticket, or one that an owner's report opened.
    """
    try:
        ident = UUID(name)
    except ValueError:
        ident = None
    row: Any = conn.execute(_TICKET, {"ref": name, "id": ident}).fetchone()
    ref, finding, opened, costs = row or (None, ident, None, None)
    if finding is None:
        return None
    found = conn.execute(_FINDING, (finding,)).fetchone()
    if found is None:
        return None
    with conn.cursor(row_factory=class_row(DeviceRow)) as cursor:
        device = cursor.execute(_DEVICE, found).fetchone()
    if device is None:
        return None
    with conn.cursor(row_factory=class_row(StoredRevision)) as cursor:
        revisions = cursor.execute(_REVISIONS, (finding,)).fetchall()
    opening = None if costs is None else costs.pop("revision", None)
    return StoredDecision(finding, device, revisions, ref, opened, costs, opening)
