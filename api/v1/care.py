"""Self-help, photos, surveys, a household's own data, and the audit log."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from api.auth import (
    Auditor,
    CaseReader,
    Confirmer,
    PeopleReader,
    PhotoAdder,
    Principal,
    TicketMover,
    whole_desk,
    whole_org,
)
from api.context import InTx, Tx
from api.problems import invalid, not_found
from api.reads import named, note_read
from api.said import said
from api.v1.care_models import (
    AnswerOut,
    AuditOut,
    CareReportOut,
    ConsentChangeOut,
    ConsentIn,
    ConsentsOut,
    ContactOut,
    ErasureOut,
    ExportOut,
    GivenOut,
    HouseholdOut,
    PhotoContentOut,
    PhotoIn,
    PhotoOut,
    PhotosOut,
    SelfCheckOut,
    StepIn,
    StepOut,
    SurveyIn,
    SurveyOut,
)
from api.v1.models import GivenMoment, Page, TicketDetailOut
from api.v1.money_models import WordsOut
from api.v1.paging import Paging, listing
from api.v1.router import V1Router, changes
from api.v1.service import TICKET, owner_or_desk, read_ticket
from servicedesk.care_rows import CheckAnswer, Erasure, Photo, Purpose
from servicedesk.model import Household
from servicedesk.photos import add_photo
from servicedesk.privacy import ask_erasure, export, set_consent
from servicedesk.selfcheck import answer_step, avoided, progress, withdraw
from servicedesk.survey import content, rate
from storage.read_audit import AuditFilter, AuditView, search_audit
from storage.read_models import household_in
from telemetry.catalogue import GuideStep

router = V1Router()
_REPORT = timedelta(days=30)
_OFFSET_ZERO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")


@router.get("/tickets/{ticket}/self-check", tags=["self-help"])
def self_check(ticket: UUID, who: CaseReader, tx: InTx) -> SelfCheckOut:
    """The guide of a ticket's fault, what was answered, and what is asked next."""
    read_ticket(tx, who, ticket)
    return _check_out(tx, ticket)


@router.post("/tickets/{ticket}/self-check", tags=["self-help"])
def answer_self_check(ticket: UUID, given: StepIn, who: Confirmer, tx: InTx) -> SelfCheckOut:
    """Answer a step. Technician and dispatcher read the answers: nobody asks twice."""
    read_ticket(tx, who, ticket)
    answer_step(tx.office, ticket, given.step, given.answer, tx.now, actor=owner_or_desk(who), note=given.note)
    return _check_out(tx, ticket)


@router.post("/tickets/{ticket}/withdrawal", tags=["self-help"])
@changes(TICKET)
def withdrawal(ticket: UUID, who: Confirmer, tx: InTx) -> TicketDetailOut:
    """The readings have recovered and no visit is needed: one tap ends the case. Twice is the same as once."""
    read_ticket(tx, who, ticket)
    withdraw(tx.office, ticket, tx.now, owner_or_desk(who))
    return read_ticket(tx, who, ticket)


@router.get("/tickets/{ticket}/photos", tags=["self-help"])
def photos(ticket: UUID, who: PeopleReader, tx: InTx) -> PhotosOut:
    """A ticket's photos."""
    read_ticket(tx, who, ticket)
    return PhotosOut(items=[_photo_out(each) for each in tx.office.desk.care.help.photos(ticket)])


@router.post("/tickets/{ticket}/photos", tags=["self-help"], status_code=201)
def upload_photo(ticket: UUID, photo: PhotoIn, who: PhotoAdder, tx: InTx) -> PhotoOut:
    """Put a photo on a ticket. Its type is told by its content, and metadata is taken out."""
    read_ticket(tx, who, ticket)
    try:
        raw = base64.b64decode(photo.content, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise invalid(said("the photo's bytes are expected in base64"), "#/content") from cause
    return _photo_out(add_photo(tx.office, ticket, raw, tx.now, owner_or_desk(who)))


@router.get("/tickets/{ticket}/photos/{photo}", tags=["self-help"])
def one_photo(ticket: UUID, photo: UUID, who: PeopleReader, tx: InTx) -> PhotoContentOut:
    """A photo as data: nothing that a browser would run."""
    detail = read_ticket(tx, who, ticket)
    found = tx.office.desk.care.help.photo(photo)
    if found.ticket != ticket:
        raise not_found("photo")
    note_read(tx, who, f"photo {photo}", detail.household)
    return PhotoContentOut(**_photo_out(found).model_dump(), content=base64.b64encode(found.content).decode())


@router.get("/tickets/{ticket}/survey", tags=["survey"])
def survey(ticket: UUID, who: CaseReader, tx: InTx) -> SurveyOut:
    """The survey of a case."""
    read_ticket(tx, who, ticket)
    return _survey_out(tx, ticket)


@router.post("/tickets/{ticket}/survey", tags=["survey"])
def answer_survey(ticket: UUID, given: SurveyIn, who: Confirmer, tx: InTx) -> SurveyOut:
    """How it was. It is answered once; two or less opens the case again, and a person calls within two hours."""
    read_ticket(tx, who, ticket)
    rate(tx.office, ticket, given.score, tx.now, words=given.words, follow_up=given.follow_up)
    return _survey_out(tx, ticket)


@router.get("/households/{household}", tags=["privacy"])
def household_read(household: UUID, who: PeopleReader, tx: InTx) -> HouseholdOut:
    """A household with its contacts; that staff looked is logged."""
    row = _household(tx, who, household)
    note_read(tx, who, "household contacts", row.id)
    return HouseholdOut(
        id=row.id,
        org=row.org,
        name=row.name,
        lang=row.lang,
        tz=row.tz,
        address=row.address,
        area=row.area,
        registered=row.registered,
        contacts=[
            ContactOut(
                role=each.role,
                rank=each.rank,
                name=each.name,
                email=each.email,
                phone=each.phone,
                bounced=each.bounced,
            )
            for each in tx.office.desk.people.contacts(row.id)
        ],
    )


@router.get("/households/{household}/consents", tags=["privacy"])
def consents(household: UUID, who: PeopleReader, tx: InTx) -> ConsentsOut:
    """What a household agrees to, purpose by purpose, with its history."""
    return _consents_out(tx, _household(tx, who, household).id)


@router.post("/households/{household}/consents", tags=["privacy"])
def consent(household: UUID, given: ConsentIn, who: Confirmer, tx: InTx) -> ConsentsOut:
    """A yes or no to one purpose; it holds from the next finding and the next message on."""
    row = _household(tx, who, household)
    set_consent(tx.office, row.id, Purpose(given.purpose), tx.now, named(who), granted=given.granted)
    return _consents_out(tx, row.id)


@router.get("/households/{household}/export", tags=["privacy"])
def household_export(household: UUID, who: Confirmer, tx: InTx) -> ExportOut:
    """Everything that is stored of a household; who took it is logged."""
    found = export(tx.office, _household(tx, who, household).id, tx.now, named(who))
    return ExportOut(**{name: _spelled(value) for name, value in found.items()})


@router.get("/households/{household}/erasure", tags=["privacy"])
def erasure(household: UUID, who: Confirmer, tx: InTx) -> ErasureOut:
    """What became of a wish to be forgotten."""
    found = tx.office.desk.care.privacy.erasure(_household(tx, who, household).id)
    if found is None:
        return ErasureOut(household=household, requested=None, done=None, removed={}, kept={})
    return _erasure_out(found)


@router.post("/households/{household}/erasure", tags=["privacy"])
def ask_to_erase(household: UUID, who: Confirmer, tx: InTx) -> ErasureOut:
    """Forget a household: a job takes out what names it. Open cases are cancelled, links end."""
    return _erasure_out(ask_erasure(tx.office, _household(tx, who, household).id, tx.now, named(who)))


@router.get("/audit", tags=["privacy"])
def audit(  # noqa: PLR0917  (named by FastAPI)
    who: Auditor,
    tx: InTx,
    paging: Annotated[Paging, Depends(listing(50))],
    household: UUID | None = None,
    actor: Annotated[str | None, Query(max_length=100, description="a part of who it was")] = None,
    action: Annotated[str | None, Query(max_length=40, description="read, export, consent, erase, override")] = None,
    since: GivenMoment | None = None,
    until: GivenMoment | None = None,
) -> Page[AuditOut]:
    """Who read personal data and who went past a rule, newest first; for no token of a single organisation."""
    whole_desk(who)
    of = None if household is None else str(household)
    wanted = AuditFilter(actor=actor, action=action, household=of, since=since, until=until)
    rows = search_audit(tx.conn, wanted, before=paging.after(int), limit=paging.limit + 1)
    return paging.page(rows, _audit_out, lambda row: row.seq)


@router.get("/reports/care", tags=["self-help"])
def care_report(
    who: TicketMover,
    tx: InTx,
    start: Annotated[GivenMoment | None, Query(alias="from", description="thirty days ago when absent")] = None,
    end: Annotated[GivenMoment | None, Query(alias="to", description="now when absent")] = None,
) -> CareReportOut:
    """Visits that self-help has saved, and how content owners were. Households without consent do not count."""
    whole_org(who)
    until: datetime = end or tx.now
    since = start or until - _REPORT
    saved = avoided(tx.office, who.scope.org, since, until)
    told = content(tx.office, who.scope.org, since, until)
    return CareReportOut(
        start=since,
        end=until,
        guides_tried=saved.tried,
        withdrawn=saved.withdrawn,
        visits_avoided=saved.visits,
        after_a_guide=saved.guided,
        surveys=told.answers,
        mean_score=told.mean,
        by_score={str(score): count for score, count in told.by_score.items()},
    )


def _household(tx: Tx, who: Principal, household: UUID) -> Household:
    """The household, of staff or of its own link; the link of a single case does not open it."""
    found = tx.office.desk.people.household(household)
    if found is None or not household_in(tx.conn, who.scope, household):
        raise not_found("household")
    return found


def _spelled(value: Any) -> Any:  # noqa: ANN401  (JSON values)
    """Times inside timelines as everywhere else: UTC with `Z`."""
    if isinstance(value, dict):
        return {name: _spelled(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(each) for each in value]
    return f"{value[:-6]}Z" if isinstance(value, str) and _OFFSET_ZERO.fullmatch(value) else value


def _check_out(tx: Tx, ticket: UUID) -> SelfCheckOut:
    found = progress(tx.office, tx.office.desk.tickets.get(ticket))
    given = {each.step: each for each in found.answers}
    return SelfCheckOut(
        ticket=ticket,
        fault=found.fault or None,
        steps=[_step_out(number, step, given.get(number)) for number, step in enumerate(found.guide, 1)],
        step=found.step,
        leads=found.leads or None,
        recovered=found.recovered,
        withdrawable=found.withdrawable,
    )


def _step_out(number: int, step: GuideStep, given: CheckAnswer | None) -> StepOut:
    asked = step.question
    return StepOut(
        step=number,
        text=WordsOut(zh=step.zh, en=step.en),
        picture=f"/static/guides/{step.picture}.svg" if step.picture else None,
        question=None if asked is None else WordsOut(zh=asked.zh, en=asked.en),
        answers=[AnswerOut(id=name, title=WordsOut(zh=each.zh, en=each.en)) for name, each in step.choices().items()],
        given=None if given is None else GivenOut(answer=given.answer, note=given.note, actor=given.actor, at=given.at),
    )


def _photo_out(row: Photo) -> PhotoOut:
    return PhotoOut(id=row.id, ticket=row.ticket, at=row.at, actor=row.actor, media=row.media, sha256=row.sha256)


def _survey_out(tx: Tx, ticket: UUID) -> SurveyOut:
    row = tx.office.desk.care.surveys.get(ticket)
    if row is None:
        return SurveyOut(ticket=ticket, asked=None, score=None, words="", follow_up=None, answered=None)
    return SurveyOut(
        ticket=row.ticket,
        asked=row.asked,
        score=row.score,
        words=row.words,
        follow_up=row.follow_up,
        answered=row.answered,
    )


def _consents_out(tx: Tx, household: UUID) -> ConsentsOut:
    privacy = tx.office.desk.care.privacy
    return ConsentsOut(
        household=household,
        now={str(purpose): granted for purpose, granted in privacy.consents(household).items()},
        history=[
            ConsentChangeOut(purpose=each.purpose, granted=each.granted, at=each.at, actor=each.actor)
            for each in privacy.history(household)
        ],
    )


def _erasure_out(row: Erasure) -> ErasureOut:
    return ErasureOut(
        household=row.household,
        requested=row.requested,
        done=row.done,
        removed=row.report.get("removed", {}),
        kept=row.report.get("kept", {}),
    )


def _audit_out(row: AuditView) -> AuditOut:
    return AuditOut(
        seq=row.seq,
        at=row.at,
        action=row.action,
        actor=row.actor,
        what=row.what,
        household=row.household,
        body=row.body,
        hash=row.hash,
    )
