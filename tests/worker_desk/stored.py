"""A desk of either form with one household, and rows to put into it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from servicedesk.model import Notice, Ticket, Visit
from servicedesk.ports import Desk
from servicedesk.states import TicketState, VisitState
from telemetry.finding import Finding
from tests.servicedesk.world import START


@dataclass
class Store:
    """A desk with one household, one device of number `device`, and room for findings."""

    desk: Desk
    household: UUID
    device: int
    findings: Any

    def enter(self, found: Finding) -> None:
        self.findings(found)


def ticket(store: Store, **changes: Any) -> Ticket:  # noqa: ANN401  (columns)
    given: dict[str, Any] = {
        "id": uuid.uuid4(),
        "org": "demo",
        "device": store.device,
        "household": store.household,
        "family": "condenser_airflow",
        "severity": 3,
        "priority": 30,
        "state": TicketState.OPEN,
        "responsible": "dispatch",
        "next_action": "plan_visit",
        "opened": START,
        "respond_due": START + timedelta(hours=24),
    } | changes
    return Ticket(**given)


def added(store: Store, **changes: Any) -> Ticket:  # noqa: ANN401  (columns)
    row = store.desk.tickets.add(ticket(store, **changes))
    assert row is not None
    return row


def visit(store: Store, of: Ticket, hours: float = 24, who: int = 0, **changes: Any) -> Visit:  # noqa: ANN401  (columns)
    start = START + timedelta(hours=hours)
    given: dict[str, Any] = {
        "id": uuid.uuid4(),
        "ticket": of.id,
        "technician": store.desk.people.technicians("demo")[who].id,
        "skill": "cooling",
        "start": start,
        "end": start + timedelta(hours=2),
        "state": VisitState.PROPOSED,
        "hold_until": START,
        "calendar": uuid.uuid4(),
        "proposed": START,
        "parts": ("RF-FAN-120",),
    } | changes
    return Visit(**given)


def notice(store: Store, of: Ticket, **changes: Any) -> Notice:  # noqa: ANN401  (columns)
    new = uuid.uuid4()
    given: dict[str, Any] = {
        "id": new,
        "ticket": of.id,
        "household": store.household,
        "stage": "alert",
        "lang": "zh",
        "channel": "mail",
        "subject": "冰箱",
        "body": "……",
        "message_id": f"<{new}@wellkept>",
        "queued": START,
        "not_before": START,
    } | changes
    return Notice(**given)
