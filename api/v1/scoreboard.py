"""`/v1/scoreboard`, `/v1/findings/{finding}/ticket`: how far each detector is believed, and what was only suggested."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.auth import Reader, TicketMover
from api.context import InTx
from api.lab_scoreboard import Standing, read_standings
from api.problems import not_found
from api.v1.models import Moment, TicketDetailOut
from api.v1.router import V1Router
from api.v1.service import read_ticket
from servicedesk.opening import take_up
from servicedesk.trust import DEFAULT_TRUST
from storage.read_devices import get_finding

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
    "repair_days": 1.4,
    "repaired": 8,
    "repaired_in_time": 8,
    "told_life": 8,
    "device_years": 41.2,
    "false_per_device_year": {"rate": 0.0728, "low": 0.015, "high": 0.2128},
}


class RateOut(BaseModel):
    """Wrong findings per device-year with the exact 95 % interval of a Poisson count."""

    rate: float
    low: float
    high: float


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
    repair_days: float | None = Field(description="median days from a true finding to its repair")
    repaired: int = Field(description="true findings whose repair is done")
    repaired_in_time: int = Field(description="of these before the earliest end that the finding told when it opened")
    told_life: int = Field(description="of these the ones that told a remaining life")
    device_years: float = Field(description="that devices of the model were observed since registration")
    false_per_device_year: RateOut | None


class ScoreboardOut(BaseModel):
    """All detectors that have a verdict."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"level": 0.8, "bar": 0.5, "scores": [_EXAMPLE]}]})

    level: float = Field(description="of the intervals")
    bar: float = Field(description="a detector whose `low` lies below it, after enough verdicts, only suggests")
    scores: list[ScoreOut]


@router.get("/scoreboard", tags=["findings"])
def scoreboard(who: Reader, tx: InTx) -> ScoreboardOut:
    """Precision of each detector by the outcomes of its tickets."""
    rows = [_score(each) for each in read_standings(tx.conn, who.scope)]
    return ScoreboardOut(level=DEFAULT_TRUST.level, bar=DEFAULT_TRUST.bar, scores=rows)


def _score(standing: Standing) -> ScoreOut:
    came, rate = standing.early, standing.false
    return ScoreOut(
        **standing.plain,
        repair_days=None if came is None else round(came.days, 2),
        repaired=0 if came is None else came.repaired,
        repaired_in_time=0 if came is None else came.in_time,
        told_life=0 if came is None else came.told,
        device_years=0.0 if rate is None else round(rate.exposure, 3),
        false_per_device_year=None
        if rate is None
        else RateOut(rate=round(rate.rate, 4), low=round(rate.low, 4), high=round(rate.high, 4)),
    )


@router.post("/findings/{finding}/ticket", tags=["findings"])
def finding_ticket(finding: UUID, who: TicketMover, tx: InTx) -> TicketDetailOut:
    """Open the ticket of a finding that was only suggested; answers with the one there is when it has one."""
    row = get_finding(tx.conn, who.scope, finding)
    if row is None:
        raise not_found("finding")
    ticket = take_up(tx.office, row.finding, tx.now, who.actor())
    return read_ticket(tx, who, ticket.id)
