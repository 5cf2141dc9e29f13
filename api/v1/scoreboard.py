"""`/v1/scoreboard`, `/v1/findings/{finding}/ticket`: how far each detector is believed, and what was only suggested."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.auth import Reader, TicketMover
from api.context import InTx
from api.problems import not_found
from api.v1.models import Moment, TicketDetailOut
from api.v1.router import V1Router
from api.v1.service import read_ticket
from servicedesk.opening import take_up
from servicedesk.trust import DEFAULT_TRUST
from storage.read_devices import get_finding
from storage.read_truth import scores

router = V1Router()
_EXAMPLE: dict[str, Any] = {
    "org": "demo",
    "detector": "cycles",
    "kind": "refrigerator",
    "model": "RF-360",
    "family": "condenser_airflow",
    "right": 9,
    "wrong": 3,
    "missed": 1,
    "verdicts": 12,
    "named": 9,
    "named_right": 8,
    "precision": 0.7647,
    "low": 0.6317,
    "high": 0.8847,
    "suggest_only": False,
    "suggestions": 0,
    "latest": "2026-11-18T01:30:00Z",
}


class ScoreOut(BaseModel):
    """One detector on one fault family of one model."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    org: str
    detector: str
    kind: str
    model: str = Field(description="empty where devices have none")
    family: str
    right: int = Field(description="of the last verdicts on findings, those whose fault was there")
    wrong: int
    missed: int = Field(description="faults that owners reported, technicians confirmed, and telemetry did not find")
    verdicts: int = Field(description="on findings, all")
    named: int = Field(description="of them those whose cause was found")
    named_right: int = Field(description="of these those whose cause had been told")
    precision: float = Field(description="posterior mean")
    low: float
    high: float
    suggest_only: bool = Field(
        description="findings open no ticket for now; they stand under /v1/findings as suggested"
    )
    suggestions: int = Field(description="findings without a ticket for that reason")
    latest: Moment


class ScoreboardOut(BaseModel):
    """All detectors that have a verdict."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"level": 0.8, "bar": 0.5, "scores": [_EXAMPLE]}]})

    level: float = Field(description="of the intervals")
    bar: float = Field(description="a detector whose `low` lies below it, after enough verdicts, only suggests")
    scores: list[ScoreOut]


@router.get("/scoreboard", tags=["findings"])
def scoreboard(who: Reader, tx: InTx) -> ScoreboardOut:
    """Precision of each detector by the outcomes of its tickets."""
    rows = scores(tx.conn, who.scope, window=DEFAULT_TRUST.window)
    return ScoreboardOut(
        level=DEFAULT_TRUST.level, bar=DEFAULT_TRUST.bar, scores=[ScoreOut(**row.plain()) for row in rows]
    )


@router.post("/findings/{finding}/ticket", tags=["findings"])
def finding_ticket(finding: UUID, who: TicketMover, tx: InTx) -> TicketDetailOut:
    """Open the ticket of a finding that was only suggested; answers with the one there is when it has one."""
    row = get_finding(tx.conn, who.scope, finding)
    if row is None:
        raise not_found("finding")
    ticket = take_up(tx.office, row.finding, tx.now, who.actor())
    return read_ticket(tx, who, ticket.id)
