"""How content owners are: asked once a case, after the repair was proven. A bad answer opens the case again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.calls import open_call
from servicedesk.care_rows import Purpose, Survey
from servicedesk.errors import AlreadyOpenError, DeskError, UnknownError
from servicedesk.model import Ticket
from servicedesk.notices import notify
from servicedesk.office import OWNER, Office
from servicedesk.opening import reopen
from servicedesk.privacy import set_consent
from servicedesk.states import TicketState

ASKED, ANSWERED = "survey_asked", "survey"
"""Timeline: how it was is asked; the owner's answer."""
LOW_CSAT = "low_csat"
"""Reason of a call task: the owner is not content."""
CALL_WITHIN = timedelta(hours=2)
_LOW = 2
_REPAIRED = (TicketState.DONE, TicketState.VERIFIED, TicketState.CLOSED)


class SurveyAnsweredError(DeskError):
    """The survey was answered already; there is never a second one."""


def ask(office: Office, ticket_id: UUID, now: datetime) -> bool:
    """Ask the owner of a verified repair how it was, once a case and only who agrees to it. Returns whether it was."""
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    if ticket.state not in (TicketState.VERIFIED, TicketState.CLOSED) or ticket.household is None:
        return False
    if not desk.care.privacy.consents(ticket.household)[Purpose.FOLLOW_UP]:
        return False
    if not desk.care.surveys.ask(Survey(ticket=ticket.id, asked=now)):
        return False
    office.log(ticket.id, now, ASKED)
    notify(office, ticket, "survey", now)
    return True


def rate(
    office: Office,
    ticket_id: UUID,
    score: int,
    now: datetime,
    *,
    words: str = "",
    follow_up: bool | None = None,
) -> Ticket:
    """The owner's answer, 1 (bad) to 5. Two or less opens the case again, and a person calls within two hours.

    Args:
        office: see there.
        ticket_id: the case.
        score: 1 to 5.
        now: when.
        words: the owner's own.
        follow_up: whether the owner may be called about it; False: nobody calls, and nobody asks again.

    Raises:
        UnknownError: the owner was not asked.
        SurveyAnsweredError: it was answered otherwise before.
        ValueError: the score is not one of 1 to 5.
    """
    if not 1 <= score <= 5:  # noqa: PLR2004  (the scale)
        raise ValueError("a score is 1 to 5")
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    survey = desk.care.surveys.get(ticket.id)
    if survey is None:
        raise UnknownError("how it was has not been asked")
    if survey.answered is not None:
        if (survey.score, survey.words) == (score, words):
            return ticket
        raise SurveyAnsweredError("this was answered before; write or call us if something has changed")
    desk.care.surveys.save(replace(survey, score=score, words=words, follow_up=follow_up, answered=now))
    office.log(ticket.id, now, ANSWERED, OWNER, score=score, words=words, follow_up=follow_up)
    if follow_up is not None and ticket.household is not None:
        set_consent(office, ticket.household, Purpose.FOLLOW_UP, now, OWNER, granted=follow_up)
    if score > _LOW:
        return ticket
    if ticket.state in _REPAIRED:
        try:
            ticket = reopen(office, ticket, now, LOW_CSAT, OWNER)
        except AlreadyOpenError:
            # A newer case of the same fault is under way: the call is about that one.
            ticket = desk.tickets.get(ticket_id)
    if follow_up is not False:
        open_call(office, ticket.id, LOW_CSAT, ticket.severity, now, within=CALL_WITHIN)
    return ticket


@dataclass(frozen=True, slots=True)
class Content:
    """How content owners were in a span; the mean is None without answers."""

    answers: int
    mean: float | None
    by_score: Mapping[int, int]


def content(office: Office, org: str | None, since: datetime, until: datetime) -> Content:
    """The answers of a span, of households whose cases count in reports."""
    found = [each.score for each in office.desk.care.surveys.answered(org, since, until) if each.score is not None]
    count = Counter(found)
    mean = round(sum(found) / len(found), 2) if found else None
    return Content(len(found), mean, {score: count[score] for score in range(1, 6)})
