"""`/v1/reports/service` and `causes`: how well the service does, and what broke, by groups, with intervals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from api.auth import TicketMover
from api.context import InTx
from api.v1.models import GivenMoment
from api.v1.router import V1Router
from servicedesk.cause_report import CauseLine, cause_lines
from servicedesk.cause_report import Group as Trait
from servicedesk.service_report import Share, Summary, by, causes, summarise, technicians
from storage.read_causes import read_causes
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

_LINE: dict[str, Any] = {
    "kind": "refrigerator",
    "group": "2025-32",
    "cause": "condenser_fan_wear",
    "count": 9,
    "share": 0.1915,
    "cumulated": 0.1915,
    "device_years": 21.4,
    "rate": 0.4206,
    "interval": [0.1923, 0.7983],
    "rest_rate": 0.0412,
    "chance": 0.000004,
    "stands_out": True,
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


class CauseLineOut(BaseModel):
    """A confirmed cause in a group of appliances, the most frequent first."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    kind: str
    group: str = Field(description="firmware, lot or model; empty where it is not known")
    cause: str
    count: int = Field(description="cases whose last visit confirmed it")
    share: float
    cumulated: float
    device_years: float = Field(description="for which appliances of the group were in service in the period")
    rate: float | None = Field(description="cases a device-year")
    interval: tuple[float, float] | None = Field(description="of the rate, exact at 95 %")
    rest_rate: float | None = Field(description="of the other appliances of the kind")
    chance: float | None = Field(description="how likely so many or more are, were the group like the rest")
    stands_out: bool = Field(description="three cases or more, and below 1 % over all groups compared")


class CauseReportOut(BaseModel):
    """The Pareto of causes by what appliances have in common."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"by": "lot", "items": [_LINE]}]})

    by: Trait
    items: list[CauseLineOut]


@router.get("/reports/causes", tags=["reports"])
def cause_report(  # noqa: PLR0917  (named by FastAPI)
    who: TicketMover,
    tx: InTx,
    by_trait: Annotated[Trait, Query(alias="by", description="what tells appliances apart")] = "model",
    since: GivenMoment | None = None,
    until: GivenMoment | None = None,
    kind: Annotated[str | None, Query(max_length=64, description="of appliance")] = None,
) -> CauseReportOut:
    """Confirmed causes by firmware at the onset, lot or model: counts, cumulated share, rates with intervals."""
    lines = cause_lines(*read_causes(tx.conn, who.scope, since, until, tx.now), by_trait)
    return CauseReportOut(by=by_trait, items=[_line(line) for line in lines if kind in (None, line.kind)])


def _line(line: CauseLine) -> CauseLineOut:
    return CauseLineOut(
        kind=line.kind,
        group=line.group,
        cause=line.cause,
        count=line.count,
        share=line.share,
        cumulated=line.cumulated,
        device_years=line.years,
        rate=line.rate,
        interval=line.interval,
        rest_rate=line.rest_rate,
        chance=line.chance,
        stands_out=line.stands_out,
    )


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
