"""What time and telemetry bring: verdicts on repairs, closing, and every due thing. Nothing ends silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk import (
    calling,
    cohorts,
    common_cause,
    covering,
    ladder,
    opening,
    ordering,
    promises,
    quoting,
    self_tests,
    shared_trait,
)
from servicedesk.calls import CALL, ONCALL
from servicedesk.covering import APPEAL
from servicedesk.errors import UnknownError
from servicedesk.ladder import CHANNEL_DOWN, LADDER
from servicedesk.levels import LEVEL
from servicedesk.notices import DELIVER, SEND, SETTLE, arrived, notify, settle
from servicedesk.office import DISPATCH, SUPERVISOR, SYSTEM, Office, moved_ticket, moved_visit
from servicedesk.opening import RESPOND, reopen
from servicedesk.ordering import ARRIVES
from servicedesk.planning import ANSWER, LAPSE, OVERDUE, REMIND, REPLAN, plan
from servicedesk.quoting import QUOTE_ENDS
from servicedesk.states import TICKET_ENDED, VISIT_LIVE, TicketState, VisitState
from servicedesk.visiting import PROOF, RESUME
from telemetry.finding import EpisodeState, Finding, Proof

CLOSE = "close"
"""Due: a verified ticket closes when the owner has been told."""
TOLD = "proven"
"""The notice of a verified repair."""

_REPAIRED = (TicketState.DONE, TicketState.VERIFIED, TicketState.CLOSED)
_ANSWERED = (TicketState.PLANNED, TicketState.IN_REPAIR, TicketState.DONE, TicketState.VERIFIED)


def verify(office: Office, finding: Finding, device: int, now: datetime) -> None:
    """A verdict of the telemetry: the repair worked, or the fault is still there."""
    desk = office.desk
    found = desk.tickets.of_finding(UUID(finding.id)) or desk.tickets.latest(device, finding.family)
    if found is None:
        return
    ticket = desk.tickets.get(found.id)
    if finding.proof is Proof.PROVEN:
        if ticket.state is not TicketState.DONE:
            return
        ticket = moved_ticket(office, ticket, TicketState.VERIFIED, now, SYSTEM)
        due = now + office.policy.close_after
        ticket = office.assign(ticket, DISPATCH, CLOSE, due, verified=now)
        desk.agenda.drop_due((PROOF,), ticket.id)
        desk.agenda.set_due(CLOSE, ticket.id, due)
        notify(office, ticket, TOLD, now, occasion=ticket.episode)
    elif finding.proof is Proof.FAILED and _is_verdict(office, finding):
        newest = desk.tickets.latest(device, finding.family)
        if ticket.state in _REPAIRED and (newest is None or newest.id == ticket.id):
            reopen(office, ticket, now, "repair_failed")
    elif finding.state is EpisodeState.ENDED and ticket.state not in TICKET_ENDED:
        office.log(ticket.id, now, "recovered", finding=finding.id)


def _is_verdict(office: Office, finding: Finding) -> bool:
    """Whether this revision brings "failed", and does not only carry on that an earlier repair had failed."""
    before = office.desk.agenda.finding(UUID(finding.id), finding.revision - 1)
    return before is None or before.proof is not Proof.FAILED


def fall_due(office: Office, kind: str, ref: UUID, now: datetime) -> None:
    """Do what a due thing asks for, when it is still called for.

    Raises:
        UnknownError: no due thing of this kind exists.
    """
    if kind not in _HANDLERS:
        raise UnknownError(f"no due thing is called {kind!r}; there are {', '.join(_HANDLERS)}")
    _HANDLERS[kind](office, ref, now)


def _remind(office: Office, ref: UUID, now: datetime) -> None:
    ticket, visit = office.case(ref)
    if visit.state is VisitState.PROPOSED:
        notify(office, ticket, "remind", now, visit=visit, occasion=len(office.desk.visits.of_ticket(ticket.id)))


def _answer(office: Office, ref: UUID, now: datetime) -> None:
    """The hold ends without an answer: a person calls. The window stays held until it begins."""
    ticket, visit = office.case(ref)
    if visit.state is VisitState.PROPOSED:
        office.log(ticket.id, now, "no_answer", visit=str(visit.id))
        office.assign(ticket, DISPATCH, "call_owner", visit.start)


def _lapse(office: Office, ref: UUID, now: datetime) -> None:
    """The window begins and nobody said yes. Given up only when the owner had been told; the call stays open."""
    desk = office.desk
    ticket, visit = office.case(ref)
    if visit.state is not VisitState.PROPOSED:
        return
    asked = [each for each in desk.notices.of_ticket(ticket.id) if each.queued >= visit.proposed]
    if not any(arrived(each) for each in asked):
        office.log(ticket.id, now, "not_reached", visit=str(visit.id))
        office.assign(ticket, SUPERVISOR, "reach_owner", now + timedelta(hours=1))
        return
    desk.visits.save(moved_visit(office, visit, VisitState.CANCELLED, now, SYSTEM, reason="no_answer"))
    desk.parts.release(visit.id)
    notify(office, ticket, "cancelled", now, visit=visit, occasion=len(desk.visits.of_ticket(ticket.id)))
    office.assign(ticket, DISPATCH, "call_owner", now + timedelta(hours=4))


def _overdue(office: Office, ref: UUID, now: datetime) -> None:
    ticket, visit = office.case(ref)
    if visit.state in VISIT_LIVE:
        office.log(ticket.id, now, "visit_overdue", visit=str(visit.id), state=str(visit.state))
        office.assign(ticket, DISPATCH, "check_visit", now + timedelta(hours=1))


def _respond(office: Office, ref: UUID, now: datetime) -> None:
    """Severity 1 and 2: without an answer from the owner the case goes up, and a person calls."""
    ticket = office.desk.tickets.get(ref)
    if ticket.state not in TICKET_ENDED and ticket.state not in _ANSWERED:
        office.log(ticket.id, now, "escalated", why="no contact in time", severity=ticket.severity)
        office.assign(ticket, SUPERVISOR, "call_owner", now + timedelta(hours=1))


def _proof(office: Office, ref: UUID, now: datetime) -> None:
    """No verdict: a person judges. Never closed by itself."""
    ticket = office.desk.tickets.get(ref)
    if ticket.state is TicketState.DONE:
        office.log(ticket.id, now, "escalated", why="no verdict of the telemetry")
        office.assign(ticket, SUPERVISOR, "judge_repair", now + timedelta(hours=24))


def _close(office: Office, ref: UUID, now: datetime) -> None:
    desk = office.desk
    ticket = desk.tickets.get(ref)
    if ticket.state is not TicketState.VERIFIED:
        return
    told = [each for each in desk.notices.of_ticket(ticket.id) if (each.stage, each.occasion) == (TOLD, ticket.episode)]
    # Without consent to alerts there is no notice to wait for.
    if not all(arrived(each) for each in told):
        due = now + office.policy.close_after
        office.log(ticket.id, now, "close_waits", why="the last notice has not arrived")
        office.assign(ticket, DISPATCH, "reach_owner", due)
        desk.agenda.set_due(CLOSE, ticket.id, due)
        return
    ticket = moved_ticket(office, ticket, TicketState.CLOSED, now, SYSTEM)
    office.assign(ticket, DISPATCH, "none", None, closed=now)


def _replan(office: Office, ref: UUID, now: datetime) -> None:
    plan(office, ref, now)


def _resume(office: Office, ref: UUID, now: datetime) -> None:
    ticket = office.desk.tickets.get(ref)
    if ticket.state in (TicketState.HOLD, TicketState.AWAITING_PARTS, TicketState.AWAITING_QUOTE):
        office.log(ticket.id, now, "still_waiting", state=str(ticket.state))
        office.desk.agenda.set_due(RESUME, ticket.id, now + timedelta(hours=24))
        office.desk.tickets.save(replace(ticket, next_due=now))


def _send(office: Office, ref: UUID, now: datetime) -> None:  # noqa: ARG001  (handlers share a shape)
    office.desk.agenda.defer(DELIVER, once=f"deliver:{ref}", notice=str(ref))


def _settle(office: Office, ref: UUID, now: datetime) -> None:
    settle(office, office.desk.notices.get(ref), now)


_HANDLERS: dict[str, Callable[[Office, UUID, datetime], object]] = {
    REMIND: _remind,
    ANSWER: _answer,
    LAPSE: _lapse,
    OVERDUE: _overdue,
    RESPOND: _respond,
    PROOF: _proof,
    CLOSE: _close,
    REPLAN: _replan,
    RESUME: _resume,
    SEND: _send,
    SETTLE: _settle,
    LEVEL: promises.fall_due,
    CALL: calling.call_due,
    ONCALL: calling.page_next,
    LADDER: ladder.fall_due,
    CHANNEL_DOWN: ladder.warn,
    QUOTE_ENDS: quoting.quote_ends,
    APPEAL: covering.appeal_due,
    ARRIVES: ordering.part_arrives,
    common_cause.WAITED: opening.look_again,
    shared_trait.COMPARE_FLEET: shared_trait.compare_fleet,
    shared_trait.COMPARE_TICKET: shared_trait.compare_ticket,
    cohorts.COMPARE: cohorts.compare,
    self_tests.ANSWERED: self_tests.take_answer,
    self_tests.SILENT: self_tests.fall_silent,
}
