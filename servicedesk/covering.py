"""Who pays: the warranty's verdict on a ticket's appliance, evidence, denials by a person, and the owner's appeal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicedesk import warranty
from servicedesk.errors import DeskError, IllegalMoveError, NeedsReasonError, UnknownError
from servicedesk.model import Ticket
from servicedesk.money_rows import CoverDecision, CoverStep, Evidence
from servicedesk.notices import notify
from servicedesk.office import OWNER, SUPERVISOR, Office
from servicedesk.texts import pick
from servicedesk.warranty import Cover, Facts, Verdict

APPEAL = "appeal"
"""Due: an appeal has not been answered; its ref is the decision."""
ANSWER_WITHIN = timedelta(days=5)
_REASON = 3


class SameReviewerError(DeskError):
    """Whoever decided does not judge the appeal."""


def verdict_on(office: Office, ticket: Ticket, now: datetime) -> Verdict:
    """What the warranty says of a ticket's appliance now.

    A person's denial stands until an appeal overturns it; otherwise the table decides by the recorded evidence, and
    evidence alone denies nothing that a person has not decided.
    """
    facts = _facts(office, ticket, now)
    decision = next(iter(reversed(office.desk.money.covers.of_ticket(ticket.id))), None)
    if decision is not None and decision.step is not CoverStep.OVERTURNED:
        return warranty.deny(facts, decision.rule)
    clean = replace(facts, evidence=facts.evidence - _grounds())
    return warranty.evaluate(clean)


def record_evidence(office: Office, ticket_id: UUID, code: str, now: datetime, actor: str, *, note: str) -> None:
    """Record something found at the appliance; it denies nothing by itself.

    Raises:
        UnknownError: the table knows no such code.
        NeedsReasonError: the note does not say where the evidence is kept.
    """
    ticket = office.desk.tickets.get(ticket_id)
    known = warranty.table().evidence
    if code not in known:
        raise UnknownError(f"no evidence is called {code!r}; there are {', '.join(known)}")
    if len(note.strip()) < _REASON:
        raise NeedsReasonError("evidence carries a note that says what was found and where its picture is kept")
    row = Evidence(device=ticket.device, code=code, at=now, actor=actor, note=note)
    if office.desk.money.covers.note(row):
        office.log(ticket.id, now, "evidence", actor, code=code, note=note)


def deny(office: Office, ticket_id: UUID, rule: str, now: datetime, actor: str) -> CoverDecision:
    """A person says that the warranty does not cover a ticket's fault; the owner is told the reason and how to appeal.

    Raises:
        DenialError: no such rule, or its evidence was not recorded.
        IllegalMoveError: it was decided before.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    earlier = desk.money.covers.of_ticket(ticket.id)
    if earlier:
        raise IllegalMoveError("warranty decision", earlier[-1].step, "decided", ("appealed",))
    verdict = warranty.deny(_facts(office, ticket, now), rule)
    decision = CoverDecision(
        id=office.new_id(),
        ticket=ticket.id,
        device=ticket.device,
        rule=rule,
        cover=Cover.DENIED,
        evidence=verdict.evidence,
        actor=actor,
        at=now,
    )
    desk.money.covers.decide(decision)
    office.log(ticket.id, now, "warranty_denied", actor, rule=rule, evidence=list(verdict.evidence))
    notify(office, ticket, "warranty_denied", now, occasion=len(earlier), say={"why": _said(office, ticket, verdict)})
    return decision


def appeal(office: Office, ticket_id: UUID, words: str, now: datetime) -> CoverDecision:
    """The owner does not agree with a denial: a third person answers within five days.

    Raises:
        IllegalMoveError: nothing was denied, or it was appealed before.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    decisions = desk.money.covers.of_ticket(ticket.id)
    if not decisions or decisions[-1].step is not CoverStep.DECIDED:
        old = decisions[-1].step if decisions else "undecided"
        raise IllegalMoveError("warranty decision", old, "appealed", ())
    found = desk.money.covers.get(decisions[-1].id)
    decision = replace(found, step=CoverStep.APPEALED, words=words, due=now + ANSWER_WITHIN)
    desk.money.covers.save(decision)
    desk.agenda.set_due(APPEAL, decision.id, now + ANSWER_WITHIN)
    office.log(ticket.id, now, "warranty_appealed", OWNER, words=words)
    return decision


def settle_appeal(
    office: Office, decision_id: UUID, now: datetime, actor: str, *, upheld: bool, reason: str
) -> CoverDecision:
    """A third person's answer to an appeal; it is final.

    Raises:
        SameReviewerError: that person made the decision.
        IllegalMoveError: it is not under appeal.
        NeedsReasonError: without a reason.
    """
    desk = office.desk
    found = desk.money.covers.get(decision_id)
    if found.step is not CoverStep.APPEALED:
        raise IllegalMoveError("warranty decision", found.step, "settled", ())
    if found.actor == actor:
        raise SameReviewerError(f"{actor} made the decision; somebody else answers its appeal")
    if len(reason.strip()) < _REASON:
        raise NeedsReasonError("an appeal is answered with a reason")
    step = CoverStep.UPHELD if upheld else CoverStep.OVERTURNED
    decision = replace(found, step=step, reviewer=actor, settled=now, reason=reason)
    desk.money.covers.save(decision)
    desk.agenda.drop_due((APPEAL,), decision.id)
    ticket = desk.tickets.get(decision.ticket)
    office.log(ticket.id, now, "warranty_appeal", actor, outcome=str(step), reason=reason)
    stage = "warranty_upheld" if upheld else "warranty_overturned"
    notify(office, ticket, stage, now, say={"why": reason})
    return decision


def appeal_due(office: Office, decision_id: UUID, now: datetime) -> None:
    """An appeal waits too long: a supervisor answers for it."""
    decision = office.desk.money.covers.get(decision_id)
    if decision.step is not CoverStep.APPEALED:
        return
    ticket = office.desk.tickets.get(decision.ticket)
    office.log(ticket.id, now, "escalated", why="the appeal was not answered in time", severity=ticket.severity)
    office.assign(ticket, SUPERVISOR, "answer_appeal", now)
    office.desk.agenda.set_due(APPEAL, decision.id, now + timedelta(days=1))


def _facts(office: Office, ticket: Ticket, now: datetime) -> Facts:
    desk = office.desk
    appliance = desk.people.appliance(ticket.device)
    fault = office.fault(ticket)
    return Facts(
        on=now.astimezone(UTC).date(),
        sold=appliance.sold,
        until=appliance.warranty_until,
        component=fault.component if fault is not None else None,
        evidence=frozenset(each.code for each in desk.money.covers.evidence(ticket.device)),
    )


def _grounds() -> frozenset[str]:
    """The evidence that a denial rests on."""
    return frozenset(code for rule in warranty.table().rules if rule.result is Cover.DENIED for code in rule.evidence)


def _said(office: Office, ticket: Ticket, verdict: Verdict) -> str:
    return pick(verdict.reason, office.words_for(ticket)[0])
