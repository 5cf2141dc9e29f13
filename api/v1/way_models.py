"""Shapes of other ways of repair in `/v1`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, Moment

_TICKET = "019a9547-3c00-7a11-8b6f-2f1f0f5d0001"
_WAY = "019a9547-3c00-7a11-8b6f-2f1f0f5d0301"
_CASE = "019a9547-3c00-7a11-8b6f-2f1f0f5d0302"
_OFFER: dict[str, Any] = {
    "id": _WAY,
    "kind": "service_point",
    "name": "North Gate",
    "address": "Road 9",
    "phone": "",
    "hours": "9-18",
    "begins": "2026-11-19T01:00:00Z",
    "back": "2026-11-24T01:00:00Z",
}
_CASED: dict[str, Any] = {
    "id": _CASE,
    "way": _WAY,
    "kind": "service_point",
    "name": "North Gate",
    "state": "booked",
    "legal": ["picked_up", "received", "on_bench", "cancelled"],
    "begins": "2026-11-19T01:00:00Z",
    "back": "2026-11-24T01:00:00Z",
    "cause": None,
    "mended": False,
    "note": "",
    "returned": None,
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class WayOfferOut(BaseModel):
    """A workshop, a service point or a partner that serves the ticket, with its dates."""

    model_config = _example(_OFFER)

    id: UUID
    kind: str = Field(description="mail_in, service_point or partner")
    name: str
    address: str
    phone: str
    hours: str
    begins: Moment
    back: Moment


class WayCaseOut(BaseModel):
    """A repair in another way, and the steps that may follow."""

    model_config = _example(_CASED)

    id: UUID
    way: UUID
    kind: str
    name: str
    state: str
    legal: list[str]
    begins: Moment
    back: Moment
    cause: str | None
    mended: bool
    note: str
    returned: Moment | None


class WaysOut(BaseModel):
    """What is offered instead of a visit, and what was taken."""

    model_config = _example({"ticket": _TICKET, "offers": [_OFFER], "cases": [_CASED]})

    ticket: UUID
    offers: list[WayOfferOut]
    cases: list[WayCaseOut]


class WayIn(Body):
    """The way that the owner takes."""

    model_config = _example({"way": _WAY})

    way: UUID


class WayMoveIn(Body):
    """The next step of a repair in another way; `cause`, `mended`, `parts` and `charged` belong to `mended`.

    What is mended is billed: the fault's parts unless others are named, and never more than was agreed.
    """

    model_config = _example(
        {"to": "mended", "cause": "condenser_fan_wear", "mended": True, "note": "", "parts": None, "charged": "250.00"}
    )

    to: Literal["picked_up", "received", "on_bench", "mended", "returned", "cancelled"]
    cause: str | None = Field(default=None, max_length=100)
    mended: bool = True
    note: str = Field(default="", max_length=2000)
    parts: list[Annotated[str, Field(max_length=100)]] | None = Field(default=None, max_length=50)
    charged: Decimal | None = Field(default=None, ge=0, max_digits=12, decimal_places=2)
