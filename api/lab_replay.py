"""Which decision is meant by a ticket's reference or a finding's id, for who may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage.pool import Connection
from storage.read_decisions import read_decision
from storage.read_desk import get_ticket_by_ref
from storage.read_devices import get_device, get_finding
from storage.read_models import Scope
from storage.registry import DeviceRow


@dataclass(frozen=True, slots=True)
class Decision:
    """A finding and the ticket that it opened.

    Attributes:
        subject: reference of the ticket, or id of the finding without one.
        finding: its id.
        device: whose.
        family: of the fault.
        opened: when the finding opened.
        ticket: reference, or None.
    """

    subject: str
    finding: str
    device: DeviceRow
    family: str
    opened: datetime
    ticket: str | None


def find_decision(conn: Connection, scope: Scope, name: str) -> Decision | None:
    """The decision behind a ticket's reference or a finding's id; None when it is not there or not in scope."""
    try:
        ident: UUID | None = UUID(name)
    except ValueError:
        ident = None
    if ident is None:
        ticket = get_ticket_by_ref(conn, scope, name)
        if ticket is None or ticket.finding is None:
            return None
        ident = ticket.finding
    finding = get_finding(conn, scope, ident)
    if finding is None or get_device(conn, scope, finding.org, finding.device) is None:
        return None
    decided = read_decision(conn, str(ident))
    if decided is None:
        return None
    subject = decided.ticket or str(ident)
    return Decision(subject, str(ident), decided.device, finding.family, finding.opened, decided.ticket)
