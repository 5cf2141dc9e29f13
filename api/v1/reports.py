"""`/v1/reports/service`: how well the service does, as a whole or by groups, with intervals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import TicketMover
from api.context import InTx
from api.v1.models import GivenMoment
from api.v1.router import V1Router
from servicedesk.service_report import Share, Summary, by, causes, summarise, technicians
from storage.read_reports import read_cases

router = V1Router()
Group = Literal["region", "tier", "origin", "kind", "model", "technician"]
_SHARE: dict[str, Any] = {"hits": 41, "of": 48, "value": 0.8542, "interval": [0.7283, 0.9275], "few": False}
_GROUP: dict[str, Any] = {
    "group": "North",
    "cases": 61,
    "first_time_fix": _SHARE,
    "repeat": _SHARE,
    "no_fault_found": _SHARE,
    "on_time": _SHARE,
    "breaches": _SHARE,
    "avoided": 4,
    "billed": 9120.5,
    "rating": 4.4,
}
_CAUSE: dict[str, Any] = {
    "kind": "refrigerator",
    "model": "lx260",
    "cause": "condenser_fan_wear",
    "count": 12,
    "cumulated": 0.2553,
}


class ShareOut(BaseModel):
    """A share of cases with its 95 % interval; `few`: below twenty, too few to compare."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SHARE]})

    hits: int
    of: int
    value: float | None
    interval: tuple[float, float] | None
    few: bool


class GroupOut(BaseModel):
    """The shares of a group of cases."""

    model_config = ConfigDict(json_schema_extra={"examples": [_GROUP]})

    group: str
    cases: int
    first_time_fix: ShareOut
    repeat: ShareOut
    no_fault_found: ShareOut
    on_time: ShareOut
    breaches: ShareOut
    avoided: int = Field(description="cases that the owner mended with a guide: no visit")
    billed: float
    rating: float | None


class CauseOut(BaseModel):
    """A confirmed cause, the most frequent first."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CAUSE]})

    kind: str
    model: str
    cause: str
    count: int
    cumulated: float


class ServiceReportOut(BaseModel):
    """The whole, its groups, and the confirmed causes."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"whole": _GROUP, "groups": [_GROUP], "causes": [_CAUSE]}]}
    )

    whole: GroupOut
    groups: list[GroupOut]
    causes: list[CauseOut]


@router.get("/reports/service", tags=["reports"])
def service_report(
    who: TicketMover,
    tx: InTx,
    since: GivenMoment | None = None,
    until: GivenMoment | None = None,
    group: Annotated[Group | None, Query(alias="by", description="groups to compare")] = None,
) -> ServiceReportOut:
    """First-time fix, repeat within 30 days, no fault found, on time, broken promises, causes."""
    cases = read_cases(tx.conn, who.scope, since, until)
    groups = technicians(cases) if group == "technician" else by(cases, group) if group is not None else {}
    return ServiceReportOut(
        whole=_group("all", summarise(cases)),
        groups=[_group(name, each) for name, each in groups.items()],
        causes=[
            CauseOut(kind=kind, model=model, cause=cause, count=count, cumulated=upto)
            for kind, model, cause, count, upto in causes(cases)
        ],
    )


def _group(name: str, summary: Summary) -> GroupOut:
    return GroupOut(
        group=name,
        cases=summary.cases,
        first_time_fix=_share(summary.first_time_fix),
        repeat=_share(summary.repeat),
        no_fault_found=_share(summary.no_fault_found),
        on_time=_share(summary.on_time),
        breaches=_share(summary.breaches),
        avoided=summary.avoided,
        billed=summary.billed,
        rating=summary.rating,
    )


def _share(share: Share) -> ShareOut:
    return ShareOut(hits=share.hits, of=share.of, value=share.value, interval=share.interval, few=share.few)
