"""The device's own test: asked for before anybody drives, its answer beside the ticket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from api.auth import CaseReader, TicketMover
from api.context import InTx
from api.v1.models import Moment
from api.v1.router import V1Router
from api.v1.service import owner_or_desk, read_ticket
from servicedesk.care_rows import SelfTest
from servicedesk.self_tests import ask_self_test

router = V1Router()
_EXAMPLE: dict[str, Any] = {
    "id": "019a9547-3c00-7a11-8b6f-2f1f0f5d0042",
    "asked": "2026-11-18T01:30:00Z",
    "sent": "2026-11-18T01:30:01Z",
    "answered": "2026-11-18T01:32:40Z",
    "status": "ok",
    "values": {"fan_rpm": 940.0},
    "error": "",
}


class SelfTestOut(BaseModel):
    """A self-test that a device was asked for; `status` is ok, busy, error or silent, null while it runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    asked: Moment
    sent: Moment | None
    answered: Moment | None
    status: str | None
    values: dict[str, float]
    error: str


class SelfTestsOut(BaseModel):
    """A ticket's self-tests, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_EXAMPLE]}]})

    items: list[SelfTestOut]


@router.get("/tickets/{ticket}/self-tests", tags=["self-help"])
def self_tests(ticket: UUID, who: CaseReader, tx: InTx) -> SelfTestsOut:
    """What the ticket's device said of itself."""
    read_ticket(tx, who, ticket)
    return SelfTestsOut(items=[_out(each) for each in tx.office.desk.care.help.tests(ticket)])


@router.post("/tickets/{ticket}/self-tests", tags=["self-help"], status_code=201)
def ask_for_self_test(ticket: UUID, who: TicketMover, tx: InTx) -> SelfTestOut:
    """Ask the device to test itself. It takes minutes; a device that does not answer within 20 is said to be silent."""
    read_ticket(tx, who, ticket)
    return _out(ask_self_test(tx.office, ticket, tx.now, owner_or_desk(who)))


def _out(test: SelfTest) -> SelfTestOut:
    return SelfTestOut(
        id=test.id,
        asked=test.asked,
        sent=test.sent,
        answered=test.answered,
        status=None if test.status is None else str(test.status),
        values=test.values,
        error=test.error,
    )
