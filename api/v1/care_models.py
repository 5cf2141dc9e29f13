"""The JSON of self-help, photos, surveys, consent, export, erasure and the audit log."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.v1.models import Body, Moment
from api.v1.money_models import WordsOut

_TICKET = "019a9547-3c00-7a11-8b6f-2f1f0f5d0001"
_HOUSEHOLD = "019a9000-7a10-7c52-9d3e-5b0c54b1a001"


class StepIn(Body):
    """An answer to a step of the guide."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"step": 1, "answer": "done"}]})

    step: int = Field(ge=1, le=100)
    answer: str = Field(min_length=1, max_length=32, description="one of the step's answers")
    note: str = Field(default="", max_length=500)


class AnswerOut(BaseModel):
    """What may be answered to a step."""

    id: str
    title: WordsOut


class GivenOut(BaseModel):
    """What was answered."""

    answer: str
    note: str
    actor: str
    at: Moment


class StepOut(BaseModel):
    """A step of a guide."""

    step: int
    text: WordsOut
    picture: str | None = Field(description="address of a drawing")
    question: WordsOut | None
    answers: list[AnswerOut]
    given: GivenOut | None


class SelfCheckOut(BaseModel):
    """A guide and how far it is. `step` is asked next; null when nothing is."""

    ticket: UUID
    fault: str | None = Field(description="null without a guide")
    steps: list[StepOut]
    step: int | None
    leads: str | None = Field(description="wait (the readings will show) or visit, once nothing is asked any more")
    recovered: bool = Field(description="the readings are back in their usual range")
    withdrawable: bool = Field(description="POST …/withdrawal ends the case without a visit")


class PhotoIn(Body):
    """A JPEG, PNG or WebP in base64, at most 700,000 bytes. What the camera wrote about itself is taken out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": "/9j/4AAQSkZJRgABAQ…"}]})

    content: str = Field(min_length=1, max_length=940_000)


class PhotoOut(BaseModel):
    """A photo of a ticket."""

    id: UUID
    ticket: UUID
    at: Moment
    actor: str
    media: str
    sha256: str


class PhotosOut(BaseModel):
    """A ticket's photos, oldest first."""

    items: list[PhotoOut]


class PhotoContentOut(PhotoOut):
    """A photo with its content in base64."""

    content: str


class SurveyIn(Body):
    """How it was, 1 (bad) to 5. Two or less opens the case again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"score": 5, "words": "On time and friendly."}]})

    score: int = Field(ge=1, le=5)
    words: str = Field(default="", max_length=2000)
    follow_up: bool | None = Field(default=None, description="whether we may call about it; null: as agreed before")


class SurveyOut(BaseModel):
    """The survey of a case; there is one."""

    ticket: UUID
    asked: Moment | None = Field(description="null until the repair was proven, and for who does not agree to it")
    score: int | None
    words: str
    follow_up: bool | None
    answered: Moment | None


class ContactOut(BaseModel):
    """A person of a household."""

    role: str
    rank: int
    name: str
    email: str | None
    phone: str | None
    bounced: Moment | None


class HouseholdOut(BaseModel):
    """A household with its contacts. Each look of staff is logged."""

    id: UUID
    org: str
    name: str
    lang: str
    tz: str
    address: str
    area: str
    registered: Moment
    contacts: list[ContactOut]


class ConsentIn(Body):
    """A yes or no to one purpose."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"purpose": "service", "granted": False}]})

    purpose: Literal["alerts", "service", "analytics", "follow_up"]
    granted: bool


class ConsentChangeOut(BaseModel):
    """A yes or no and who said it."""

    purpose: str
    granted: bool
    at: Moment
    actor: str


class ConsentsOut(BaseModel):
    """What a household agrees to, and how that came about."""

    household: UUID
    now: dict[str, bool]
    history: list[ConsentChangeOut]


class ExportOut(BaseModel):
    """Everything that is stored of a household but readings, which have a route of their own."""

    made: Moment
    household: dict[str, Any]
    contacts: list[dict[str, Any]]
    consents: dict[str, bool]
    consent_history: list[dict[str, Any]]
    appliances: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    erasure: dict[str, Any] | None
    access: dict[str, Any] | None = Field(default=None, description="what was said about getting in")


class ErasureOut(BaseModel):
    """A household's wish to be forgotten, and what became of it."""

    household: UUID
    requested: Moment | None = Field(description="null: there is none")
    done: Moment | None
    removed: dict[str, int]
    kept: dict[str, str] = Field(description="what stays, and why")


class AuditOut(BaseModel):
    """A row of the audit log."""

    seq: int
    at: Moment
    action: str
    actor: str
    what: str
    household: UUID | None
    body: dict[str, Any]
    hash: str


class CareReportOut(BaseModel):
    """Visits that self-help has saved, and how content owners were, in a span."""

    start: Moment
    end: Moment
    guides_tried: int
    withdrawn: int = Field(description="cases that ended without a visit since the readings recovered")
    visits_avoided: int = Field(description="of these, how many had a visit that was planned")
    after_a_guide: int
    surveys: int
    mean_score: float | None
    by_score: dict[str, int]
