"""Shapes of webhooks in `/v1`. Their times are wall times."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, GivenMoment, Moment

_HOOK = "019a9547-3c00-7a11-8b6f-2f1f0f5d0301"
_URL = "https://dispatch.example/wellkept"
_OUT: dict[str, Any] = {
    "id": _HOOK,
    "org": "demo",
    "url": _URL,
    "note": "dispatch system",
    "types": ["ticket", "visit"],
    "areas": [],
    "state": "enabled",
    "why": "",
    "made": "2026-11-22T05:00:00Z",
    "failing": None,
    "waiting": 0,
    "overlap_until": None,
}
_DELIVERY: dict[str, Any] = {
    "id": "019a9547-3c00-7a11-8b6f-2f1f0f5d0302",
    "webhook": _HOOK,
    "message": "change-4712",
    "no": 4712,
    "type": "wellkept.visit.changed",
    "subject": "019a9547-3c00-7a11-8b6f-2f1f0f5d0002",
    "cause": "change",
    "state": "delivered",
    "made": "2026-11-22T05:00:00Z",
    "due": "2026-11-22T05:00:00Z",
    "tries": 1,
    "tried": "2026-11-22T05:00:00Z",
    "status": 204,
    "took_ms": 83,
    "answer": "",
    "why": "",
    "body": {"specversion": "1.0", "id": "change-4712", "type": "wellkept.visit.changed"},
}
Kind = Literal["ticket", "visit", "quote", "notice", "finding", "device"]
Url = Annotated[str, Field(min_length=1, max_length=2000, description="https; a public address")]
Note = Annotated[str, Field(max_length=200)]
Types = Annotated[list[Kind], Field(max_length=6, description="kinds of changes; all when empty")]
Areas = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]],
    Field(max_length=100, description="of households; all when empty"),
]


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class WebhookIn(Body):
    """Where changes shall be sent. `org` where the token is not of one organisation."""

    model_config = _example({"url": _URL, "note": "dispatch system", "types": ["ticket", "visit"]})

    url: Url
    note: Note = ""
    types: Types = Field(default=[])
    areas: Areas = Field(default=[])
    org: str | None = Field(default=None, max_length=64)


class WebhookChangeIn(Body):
    """What is to be another; what is absent stays. `enabled` pauses, or has it go on from where it stopped."""

    model_config = _example({"enabled": True})

    url: Url | None = None
    note: Note | None = None
    types: Types | None = None
    areas: Areas | None = None
    enabled: bool | None = None


class WebhookOut(BaseModel):
    """An endpoint and how it does."""

    model_config = _example(_OUT)

    id: UUID
    org: str
    url: str
    note: str
    types: list[str]
    areas: list[str]
    state: str = Field(description="enabled; paused by a person; disabled by the product, `why` says what for")
    why: str
    made: Moment
    failing: Moment | None = Field(description="since when nothing has got through")
    waiting: int = Field(description="deliveries that have not been taken")
    overlap_until: Moment | None = Field(description="until then the secret before the last rotation signs, too")


class WebhookMadeOut(WebhookOut):
    """An endpoint with its secret, which is told this once."""

    model_config = _example({**_OUT, "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})

    secret: str = Field(description="as Standard Webhooks spells it")


class WebhooksOut(BaseModel):
    """Endpoints, oldest first."""

    model_config = _example({"items": [_OUT]})

    items: list[WebhookOut]


class ReplayIn(Body):
    """From where to send again: behind a number of the feed, or from a time. One of them."""

    model_config = _example({"after": 4700})

    after: int | None = Field(default=None, ge=0, lt=10**18)
    since: GivenMoment | None = None


class ReplayOut(BaseModel):
    """What is sent again."""

    model_config = _example({"count": 12, "after": 4700, "gap": False})

    count: int
    after: int = Field(description="the number behind which it begins")
    gap: bool = Field(description="changes before it are forgotten; a message of type wellkept.feed.reset says so")


class DeliveryOut(BaseModel):
    """A message to an endpoint: how far it got."""

    model_config = _example(_DELIVERY)

    id: UUID
    webhook: UUID
    message: str = Field(description="`webhook-id`, the same however often it is sent")
    no: int = Field(description="of the change in the feed")
    type: str
    subject: str
    cause: str = Field(description="change, replay or test")
    state: str = Field(description="pending, delivered, failed or skipped")
    made: Moment
    due: Moment = Field(description="when it is tried next, while it is pending")
    tries: int
    tried: Moment | None
    status: int | None = Field(description="of the last answer")
    took_ms: int | None
    answer: str = Field(description="the beginning of the last answer")
    why: str = Field(description="the last try failed")
    body: dict[str, Any] = Field(description="what is sent")
