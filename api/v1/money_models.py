"""Shapes of prices, warranty and parts in `/v1`. Sums are decimal numbers as text, tax included."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, EventOut, GivenMoment, Moment, WindowOut

_TICKET = "019a9547-3c00-7a11-8b6f-2f1f0f5d0001"
_QUOTE = "019a9547-3c00-7a11-8b6f-2f1f0f5d0201"
_ORDER = "019a9547-3c00-7a11-8b6f-2f1f0f5d0202"
_DECISION = "019a9547-3c00-7a11-8b6f-2f1f0f5d0203"
_REASON = {"zh": "保修期已过，按报价收费。", "en": "The warranty has ended; the repair costs what the quote says."}
_COVER: dict[str, Any] = {"cover": "expired", "rule": "over", "reason": _REASON, "share": "0", "evidence": []}
_ESTIMATE: dict[str, Any] = {
    "currency": "CNY",
    "low": "420.00",
    "high": "780.00",
    "minutes": 120,
    "quoted": True,
    "warranty": _COVER,
}
_LINES: list[dict[str, Any]] = [
    {"kind": "call_out", "amount": "60.00", "sku": "", "minutes": 0},
    {"kind": "labour", "amount": "180.00", "sku": "", "minutes": 120},
    {"kind": "part", "amount": "360.00", "sku": "RF-GAS-600A", "minutes": 0},
]
_QUOTED: dict[str, Any] = {
    "id": _QUOTE,
    "ticket": _TICKET,
    "ref": "WK-1001",
    "device": "demo/fridge-1",
    "family": "refrigerant",
    "household": "019a9000-7a10-7c52-9d3e-5b0c54b1a001",
    "state": "sent",
    "legal": ["approved", "declined"],
    "currency": "CNY",
    "lines": _LINES,
    "total": "600.00",
    "tax": "69.03",
    "warranty_rule": "over",
    "valid_until": "2026-12-02T01:30:00Z",
    "made": "2026-11-18T01:30:00Z",
    "decided": None,
    "reason": None,
}
_BILL: dict[str, Any] = {
    "id": "019a9547-3c00-7a11-8b6f-2f1f0f5d0204",
    "ticket": _TICKET,
    "visit": "019a9547-3c00-7a11-8b6f-2f1f0f5d0002",
    "way": None,
    "quote": _QUOTE,
    "currency": "CNY",
    "lines": _LINES,
    "total": "600.00",
    "tax": "69.03",
    "most": "600.00",
    "made": "2026-11-19T02:00:00Z",
}
_DECIDED: dict[str, Any] = {
    "id": _DECISION,
    "rule": "liquid",
    "cover": "denied",
    "evidence": ["liquid_inside"],
    "actor": "dispatch",
    "at": "2026-11-18T01:30:00Z",
    "step": "appealed",
    "words": "It never was wet.",
    "due": "2026-11-23T01:30:00Z",
    "reviewer": None,
    "settled": None,
    "reason": None,
}
_EVIDENCE: dict[str, Any] = {
    "code": "liquid_inside",
    "at": "2026-11-18T01:30:00Z",
    "actor": "technician:4b6f2a52-50f5-5b3a-8d3c-3e3cf16a9d01",
    "note": "picture 2 of the visit",
}
_WARRANTY: dict[str, Any] = {"ticket": _TICKET, "now": _COVER, "recorded": [_EVIDENCE], "decisions": [_DECIDED]}
_ORDERED: dict[str, Any] = {
    "id": _ORDER,
    "org": "demo",
    "sku": "RF-FAN-120",
    "quantity": 5,
    "ordered": "2026-11-18T01:30:00Z",
    "arrives": "2026-11-21T01:30:00Z",
    "actor": "dispatch",
    "received": None,
}
_CASE: dict[str, Any] = {
    "ticket": _TICKET,
    "ref": "WK-1001",
    "state": "planned",
    "next_action": "visit",
    "next_due": "2026-11-19T00:00:00Z",
    "window": {"start": "2026-11-19T00:00:00Z", "end": "2026-11-19T02:00:00Z"},
    "parts": ["RF-FAN-120"],
    "estimate": _ESTIMATE,
    "quotes": [_QUOTED],
    "bills": [],
    "timeline": [{"at": "2026-11-16T01:30:00Z", "kind": "opened", "actor": "system", "body": {}}],
}
_SERIAL: dict[str, Any] = {
    "serial": "LX260-004217",
    "device": "demo/fridge-1",
    "kind": "refrigerator",
    "model": "lx260",
    "sold": "2025-03-14",
    "warranty_until": "2028-03-14",
    "cases": [_CASE],
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class LineOut(BaseModel):
    """A line: call_out, labour, part, warranty (what the maker pays) or promise (taken off to keep the agreed sum)."""

    model_config = _example(_LINES[0])

    kind: str
    amount: Decimal
    sku: str
    minutes: int


class WordsOut(BaseModel):
    """A text in both languages."""

    model_config = _example(_REASON)

    zh: str
    en: str


class CoverOut(BaseModel):
    """What the warranty says, by which rule and why; `share` is what the maker pays of the bill, 0 to 1."""

    model_config = _example(_COVER)

    cover: str = Field(description="covered, shared, expired, denied or unproven")
    rule: str
    reason: WordsOut
    share: Decimal
    evidence: list[str]


class EstimateOut(BaseModel):
    """What the owner would pay, from and to, told before anybody books; `quoted`: a quote makes it exact first."""

    model_config = _example(_ESTIMATE)

    currency: str
    low: Decimal
    high: Decimal
    minutes: int
    quoted: bool
    warranty: CoverOut


class QuoteOut(BaseModel):
    """A price put to the owner."""

    model_config = _example(_QUOTED)

    id: UUID
    ticket: UUID
    ref: str
    device: str
    family: str
    household: UUID | None
    state: str
    legal: list[str]
    currency: str
    lines: list[LineOut]
    total: Decimal
    tax: Decimal
    warranty_rule: str
    valid_until: Moment
    made: Moment
    decided: Moment | None
    reason: str | None


class QuoteIn(Body):
    """A quote to be made and sent; other parts than the diagnosis names, or more than the band, need a reason."""

    model_config = _example({"parts": ["RF-GAS-600A"], "reason": None})

    parts: list[Annotated[str, Field(max_length=100)]] | None = Field(default=None, max_length=50)
    reason: str | None = Field(default=None, max_length=500)


class DeclineIn(Body):
    """Why the owner does not agree."""

    model_config = _example({"reason": "I would rather buy a new one."})

    reason: str = Field(min_length=1, max_length=500)


class BillOut(BaseModel):
    """What is charged for a visit, or for the case of another way; never above `most`, which was agreed."""

    model_config = _example(_BILL)

    id: UUID
    ticket: UUID
    visit: UUID = Field(description="the visit; of a repair by another way its case, as in `way`")
    way: UUID | None
    quote: UUID | None
    currency: str
    lines: list[LineOut]
    total: Decimal
    tax: Decimal
    most: Decimal
    made: Moment


class EvidenceOut(BaseModel):
    """Something found at the appliance."""

    model_config = _example(_EVIDENCE)

    code: str
    at: Moment
    actor: str
    note: str


class EvidenceIn(Body):
    """Something found at the appliance; the note says where its picture is kept."""

    model_config = _example({"code": "liquid_inside", "note": "picture 2 of the visit"})

    code: str = Field(max_length=100)
    note: str = Field(min_length=1, max_length=2000)


class DecisionOut(BaseModel):
    """A person's denial and the owner's appeal."""

    model_config = _example(_DECIDED)

    id: UUID
    rule: str
    cover: str
    evidence: list[str]
    actor: str
    at: Moment
    step: str = Field(description="decided, appealed, upheld or overturned")
    words: str
    due: Moment | None
    reviewer: str | None
    settled: Moment | None
    reason: str | None


class WarrantyOut(BaseModel):
    """What the warranty says of a ticket now, what was recorded, and what people decided."""

    model_config = _example(_WARRANTY)

    ticket: UUID
    now: CoverOut
    recorded: list[EvidenceOut]
    decisions: list[DecisionOut]


class DenialIn(Body):
    """The rule of the table that denies; the evidence it rests on was recorded before."""

    model_config = _example({"rule": "liquid"})

    rule: str = Field(max_length=100)


class AppealIn(Body):
    """Why the owner does not agree with a denial."""

    model_config = _example({"words": "It never was wet."})

    words: str = Field(min_length=1, max_length=2000)


class SettlementIn(Body):
    """A third person's answer to an appeal."""

    model_config = _example({"decision": _DECISION, "upheld": False, "reason": "It was condensation."})

    decision: UUID
    upheld: bool
    reason: str = Field(min_length=1, max_length=2000)


class OrderOut(BaseModel):
    """Pieces of a part on their way."""

    model_config = _example(_ORDERED)

    id: UUID
    org: str
    sku: str
    quantity: int
    ordered: Moment
    arrives: Moment
    actor: str
    received: Moment | None


class OrderIn(Body):
    """Pieces of a part to be ordered."""

    model_config = _example({"sku": "RF-FAN-120", "quantity": 5, "arrives": None, "org": None})

    sku: str = Field(min_length=1, max_length=100)
    quantity: int = Field(ge=1, le=10_000)
    arrives: GivenMoment | None = None
    org: str | None = Field(default=None, max_length=64)


class CaseOut(BaseModel):
    """A ticket as the bearer of a serial number may follow it."""

    model_config = _example(_CASE)

    ticket: UUID
    ref: str
    state: str
    next_action: str
    next_due: Moment | None
    window: WindowOut | None
    parts: list[str]
    estimate: EstimateOut | None
    quotes: list[QuoteOut]
    bills: list[BillOut]
    timeline: list[EventOut]


class SerialOut(BaseModel):
    """An appliance by its serial number, with its newest cases."""

    model_config = _example(_SERIAL)

    serial: str
    device: str
    kind: str
    model: str | None
    sold: date | None
    warranty_until: date | None
    cases: list[CaseOut]
