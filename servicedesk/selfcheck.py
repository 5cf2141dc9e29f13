"""Self-fix first: guides answered step by step and kept on the ticket; a visit that is no longer needed is withdrawn.

Nobody is asked twice: technician and dispatcher read the answers. A guide that does not help leads on to the visit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicedesk.care_rows import CheckAnswer
from servicedesk.errors import DeskError, IllegalMoveError, UnknownError
from servicedesk.model import Ticket, Visit
from servicedesk.notices import notify
from servicedesk.office import Office
from servicedesk.states import PLANNABLE, TICKET, VISIT_LIVE, TicketState, VisitState
from servicedesk.visiting import move_ticket
from telemetry.catalogue.guide import VISIT, WAIT, GuideStep, leads
from telemetry.finding import EpisodeState, Proof

SELF_CHECK = "self_check"
"""Timeline: a step of a guide was answered."""
OFFERED = "withdrawal_offered"
"""Timeline: the readings have recovered, and the owner may withdraw the visit."""
AVOIDED = "visit_avoided"
"""Timeline: a visit that was not needed any more."""
_BEFORE_VISIT = frozenset(
    {TicketState.OPEN, TicketState.PLANNED, TicketState.REOPENED, TicketState.AWAITING_PARTS, TicketState.HOLD}
    | {TicketState.AWAITING_QUOTE}
)
_ON_THE_WAY = (VisitState.TRAVELLING, VisitState.ON_SITE)


class AnswerError(DeskError):
    """The guide has no such step or answer now.

    Attributes:
        legal: the steps, or the answers of the step, that there are.
    """

    def __init__(self, detail: str, legal: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.legal = legal


class NotRecoveredError(DeskError):
    """The readings have not recovered: the visit stays."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a guide is.

    Attributes:
        fault: whose guide it is; empty without one.
        guide: its steps.
        answers: what was answered in this episode, in the order of the steps.
        step: the number of the next step; None when nothing is asked any more.
        leads: `wait` or `visit` once nothing is asked, else empty.
        recovered: the readings are back in their usual range.
        withdrawable: the visit can be withdrawn with one tap.
    """

    fault: str
    guide: tuple[GuideStep, ...]
    answers: tuple[CheckAnswer, ...]
    step: int | None
    leads: str
    recovered: bool
    withdrawable: bool


def progress(office: Office, ticket: Ticket) -> Progress:
    """How far a ticket's guide is, and whether the visit can be withdrawn."""
    fault, guide = guide_of(office, ticket)
    given = {each.step: each for each in _answers(office, ticket, fault)}
    step, path = 1, []
    led = ""
    while guide and not led and step in given:
        path.append(given[step])
        where = given[step].leads
        led, step = (where, step) if where in (WAIT, VISIT) else ("", int(where))
    open_now = ticket.state in _BEFORE_VISIT
    asks = bool(guide) and not led and open_now and step <= len(guide)
    recovered = has_recovered(office, ticket)
    return Progress(
        fault=fault,
        guide=guide,
        answers=tuple(path),
        step=step if asks else None,
        leads=led,
        recovered=recovered,
        withdrawable=recovered and _withdrawable(office, ticket),
    )


def guide_of(office: Office, ticket: Ticket) -> tuple[str, tuple[GuideStep, ...]]:
    """The guide of a ticket's fault with the fault's id; no steps where the catalogue allows none."""
    spec = office.fault(ticket)
    kind = office.desk.people.appliance(ticket.device).kind
    if spec is None or not spec.self_fix or kind not in office.catalogue:
        return "", ()
    faults = office.catalogue[kind].faults
    return next((name for name, each in faults.items() if each is spec), ""), spec.self_fix


def answer_step(
    office: Office, ticket_id: UUID, step: int, answer: str, now: datetime, *, actor: str, note: str = ""
) -> Progress:
    """Answer a step of the guide; the same answer again changes nothing.

    Raises:
        UnknownError: there is no such ticket, or no guide for its fault.
        AnswerError: the step is not asked, or has no such answer.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    fault, guide = guide_of(office, ticket)
    if not guide:
        raise UnknownError("there is no guide for this fault")
    before = progress(office, ticket)
    known = {each.step: each for each in before.answers}
    if step in known and known[step].answer == answer:
        return before
    asked = [*known, *([] if before.step is None else [before.step])]
    if step not in asked or ticket.state not in _BEFORE_VISIT:
        raise AnswerError(f"step {step} is not asked now", tuple(map(str, asked)))
    if answer not in guide[step - 1].choices():
        raise AnswerError(f"step {step} has no answer {answer!r}", tuple(guide[step - 1].choices()))
    row = CheckAnswer(
        ticket=ticket.id,
        episode=ticket.episode,
        fault=fault,
        step=step,
        answer=answer,
        leads=leads(guide, step, answer),
        actor=actor,
        at=now,
        note=note,
    )
    desk.care.help.answer(row)
    said = {"fault": fault, "step": step, "of": len(guide), "answer": answer, "leads": row.leads}
    office.log(ticket.id, now, SELF_CHECK, actor, **said, **({"note": note} if note else {}))
    if row.leads == VISIT and ticket.state in PLANNABLE and _live(office, ticket) is None:
        office.ask_plan(ticket)
    return progress(office, ticket)


def has_recovered(office: Office, ticket: Ticket) -> bool:
    """Whether the finding of a ticket has ended by itself: the readings are back, and no repair did it."""
    if ticket.finding is None:
        return False
    finding = office.desk.agenda.finding(ticket.finding)
    return finding is not None and finding.state is EpisodeState.ENDED and finding.proof is Proof.NONE


def offer_withdrawal(office: Office, ticket_id: UUID, now: datetime) -> bool:
    """Tell the owner that the readings have recovered and the visit can be withdrawn, once an episode.

    Returns whether it was offered now.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    told = any(
        each.kind == OFFERED and each.body.get("episode") == ticket.episode for each in desk.tickets.timeline(ticket.id)
    )
    if told or not has_recovered(office, ticket) or not _withdrawable(office, ticket):
        return False
    visit = _live(office, ticket)
    office.log(ticket.id, now, OFFERED, episode=ticket.episode, visit=None if visit is None else str(visit.id))
    stage = "recovered" if visit is not None else "recovered_no_visit"
    notify(office, ticket, stage, now, visit=visit, occasion=ticket.episode)
    return True


def withdraw(office: Office, ticket_id: UUID, now: datetime, actor: str) -> Ticket:
    """The owner's one tap: no visit is needed, the ticket ends as mended by themselves. Twice is the same as once.

    Raises:
        NotRecoveredError: the readings do not say so.
        IllegalMoveError: a technician is on the way, or the ticket is over.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    if ticket.state is TicketState.SELF_FIXED:
        return ticket
    if not _withdrawable(office, ticket):
        legal = tuple(str(each) for each in TICKET[ticket.state] if each is not TicketState.SELF_FIXED)
        raise IllegalMoveError("ticket", ticket.state, TicketState.SELF_FIXED, legal)
    if not has_recovered(office, ticket):
        raise NotRecoveredError("the readings have not come back to their usual range yet: the visit stays")
    visit, (fault, _) = _live(office, ticket), guide_of(office, ticket)
    guided = any(each.leads == WAIT for each in _answers(office, ticket, fault))
    ticket = move_ticket(office, ticket.id, TicketState.SELF_FIXED, now, actor)
    office.log(ticket.id, now, AVOIDED, actor, guided=guided, visit=None if visit is None else str(visit.id))
    notify(office, ticket, "self_fixed", now, occasion=ticket.episode)
    return ticket


@dataclass(frozen=True, slots=True)
class Avoided:
    """Visits that were not needed.

    Attributes:
        withdrawn: tickets that ended so.
        visits: of these, how many had a visit that was planned.
        guided: of all, how many after a guide.
        tried: tickets on which a guide was begun.
    """

    withdrawn: int
    visits: int
    guided: int
    tried: int


def avoided(office: Office, org: str | None, since: datetime, until: datetime) -> Avoided:
    """Count the visits that self-help has saved in a span, of households whose cases count in reports."""
    lines = office.desk.care.surveys.lines(org, (AVOIDED, SELF_CHECK), since, until)
    ended = [each.body for each in lines if each.kind == AVOIDED]
    return Avoided(
        withdrawn=len(ended),
        visits=sum(1 for body in ended if body.get("visit")),
        guided=sum(1 for body in ended if body.get("guided")),
        tried=len({each.ticket for each in lines if each.kind == SELF_CHECK}),
    )


def _answers(office: Office, ticket: Ticket, fault: str) -> Sequence[CheckAnswer]:
    found = office.desk.care.help.answers(ticket.id)
    return [each for each in found if (each.episode, each.fault) == (ticket.episode, fault)]


def _live(office: Office, ticket: Ticket) -> Visit | None:
    return next((each for each in office.desk.visits.of_ticket(ticket.id) if each.state in VISIT_LIVE), None)


def _withdrawable(office: Office, ticket: Ticket) -> bool:
    visit = _live(office, ticket)
    return ticket.state in _BEFORE_VISIT and (visit is None or visit.state not in _ON_THE_WAY)
