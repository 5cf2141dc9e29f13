"""Shapes of reports. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec


class CauseLineOut(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmed cause in a group of appliances, the most frequent first."""

    cause: str
    count: int
    cumulated: float
    device_years: float
    group: str
    kind: str
    share: float
    stands_out: bool
    chance: float | None = None
    interval: tuple[float, float] | None = None
    rate: float | None = None
    rest_rate: float | None = None


class CauseOut(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmed cause, the most frequent first."""

    cause: str
    count: int
    cumulated: float
    kind: str
    model: str


class CauseReportOut(msgspec.Struct, frozen=True, kw_only=True):
    """The Pareto of causes by what appliances have in common."""

    by: Literal["firmware", "lot", "model"]
    items: list[CauseLineOut]


class FaultGroupOut(msgspec.Struct, frozen=True, kw_only=True):
    """Appliances that share a model, a region, both, a lot or a firmware, and have the same finding open."""

    by: Literal["model", "region", "both", "firmware", "lot"]
    chance: float
    devices: int
    expected: float
    family: str
    findings: int
    first: datetime
    kind: str
    name: str
    stands_out: bool


class FaultGroupsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Groups with open findings, those least likely by chance first; and what began together, the newest first."""

    items: list[FaultGroupOut]
    together: list[FleetFindingOut]


class FleetFindingOut(msgspec.Struct, frozen=True, kw_only=True):
    """Findings that began together: one cause, which is not the appliances' own. Their tickets wait for it to pass."""

    devices: int
    expected: float
    family: str
    findings: int
    id: UUID
    kind: str
    newest: datetime
    opened: datetime
    shared: SharedOut | None = None


class GroupOut(msgspec.Struct, frozen=True, kw_only=True):
    """The shares of a group of cases."""

    avoided: int
    billed: float
    breaches: ShareOut
    cases: int
    first_time_fix: ShareOut
    group: str
    no_fault_found: ShareOut
    on_time: ShareOut
    repeat: ShareOut
    rating: float | None = None


class ServiceReportOut(msgspec.Struct, frozen=True, kw_only=True):
    """The whole, its groups, and the confirmed causes."""

    causes: list[CauseOut]
    groups: list[GroupOut]
    whole: GroupOut


class ShareOut(msgspec.Struct, frozen=True, kw_only=True):
    """A share of cases with its 95 % interval; `few`: below twenty, too few to compare."""

    few: bool
    hits: int
    of: int
    interval: tuple[float, float] | None = None
    value: float | None = None


class SharedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What those with a finding have in common, and the other appliances of the kind have not, by an exact test."""

    chance: float
    members: int
    members_having: int
    name: str
    others: int
    others_having: int
    what: Literal["firmware", "lot"]
