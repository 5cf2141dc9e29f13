"""From a finding to a ticket: open when the policy says so and none is open, or take up a closed one again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from servicedesk.common_cause import end_wait, waits
from servicedesk.errors import AlreadyOpenError, IllegalMoveError
from servicedesk.judging import held_back
from servicedesk.model import Appliance, Ticket, TicketDraft
from servicedesk.notices import notify
from servicedesk.office import DISPATCH, PLAN, SYSTEM, Office, moved_ticket
from servicedesk.policy import decide, priority, respond_due
from servicedesk.self_tests import ask_where_it_helps
from servicedesk.shared_trait import COMPARE_TICKET
from servicedesk.states import TICKET_ENDED, TicketState
from telemetry.clock import to_datetime
from telemetry.finding import EpisodeState, Finding, Proof

RECUR = "recur"
REVISE = "revise"
VERIFY = "verify"
RESPOND = "respond"
"""Due: the first contact."""

_URGENT = 2
_REOPENS = (TicketState.DONE, TicketState.VERIFIED, TicketState.CLOSED)


def report(office: Office, finding: Finding, appliance: Appliance, now: datetime) -> Ticket | None:
    """What a revision of a finding means to the desk; only inserts, so that a person's edit is never in the way.

    Returns the ticket when one was opened. Verdicts on repairs, recurrences and a worse severity leave as jobs.
    """
    desk, found = office.desk, UUID(finding.id)
    if finding.history:
        return None
    if finding.proof in (Proof.PROVEN, Proof.FAILED) or finding.state is EpisodeState.ENDED:
        desk.agenda.defer(VERIFY, lock=_lock(finding), finding=finding.id, revision=finding.revision)
        return None
    if finding.proof is Proof.PROVING or appliance.kind not in office.catalogue:
        return None
    draft = decide(finding, office.catalogue[appliance.kind], office.policy)
    if draft is None or not _allowed(office, appliance, draft):
        return None
    latest = desk.tickets.latest(appliance.no, finding.family)
    job = None if latest is None else _follow_up(office, latest, finding, now)
    if job is not None:
        desk.agenda.defer(job, lock=_lock(finding), once=f"{job}:{found}", finding=finding.id)
    if latest is not None and (job is not None or latest.finding == found or latest.state not in TICKET_ENDED):
        return None
    return _open_unless_held(office, finding, draft, appliance, now)


def look_again(office: Office, ident: UUID, now: datetime) -> None:
    """A finding has waited: what is still there is no passing matter, and opens its ticket as any other."""
    desk = office.desk
    finding = desk.agenda.finding(ident)
    if not end_wait(office, ident, now) or finding is None or finding.state is not EpisodeState.OPEN:
        return
    if desk.tickets.of_finding(ident) is None:
        report(office, finding, desk.people.appliance(desk.agenda.device_of(finding.device)), now)


def _open_unless_held(
    office: Office, finding: Finding, draft: TicketDraft, appliance: Appliance, now: datetime
) -> Ticket | None:
    held = held_back(office, finding, appliance, draft, now) or waits(office, finding, appliance, draft, now)
    return None if held else _open(office, finding, draft, appliance, now)


def take_up(office: Office, finding: Finding, now: datetime, actor: str) -> Ticket:
    """A person opens the ticket of a finding that was only suggested; its outcome is a verdict like any other.

    Returns:
        The ticket; the one there is when the finding has one.

    Raises:
        IllegalMoveError: the finding has ended, is history, or calls for no visit.
        AlreadyOpenError: another ticket of its device and family is open.
    """
    desk = office.desk
    known = desk.tickets.of_finding(UUID(finding.id))
    if known is not None:
        return known
    appliance = desk.people.appliance(desk.agenda.device_of(finding.device))
    draft = (
        decide(finding, office.catalogue[appliance.kind], office.policy) if appliance.kind in office.catalogue else None
    )
    if draft is None or not _allowed(office, appliance, draft):
        raise IllegalMoveError("finding", finding.state, "ticket", ())
    ticket = _open(office, finding, draft, appliance, now)
    if ticket is None:
        raise AlreadyOpenError(f"another ticket is open for {finding.device} and {finding.family}")
    office.log(ticket.id, now, "taken_up", actor, finding=finding.id)
    return ticket


def _follow_up(office: Office, latest: Ticket, finding: Finding, now: datetime) -> str | None:
    """The job that a finding means for the newest ticket of its device and family, if any."""
    if latest.state is TicketState.DONE:
        # The repaired episode itself may say more before its detector has heard of the repair: that is no verdict.
        return RECUR if _after_repair(latest, finding) else None
    if latest.state is TicketState.VERIFIED:
        return RECUR
    if latest.state is TicketState.CLOSED:
        recent = latest.closed is not None and now - latest.closed <= office.policy.reopen_within
        return RECUR if recent else None
    worse = latest.state not in TICKET_ENDED and finding.severity < latest.severity
    return REVISE if worse else None


def recur(office: Office, finding: Finding, device: int, now: datetime) -> None:
    """A fault that came back: reopen the ticket that was closed, without a second call-out fee."""
    ticket = office.desk.tickets.latest(device, finding.family)
    if ticket is None or finding.proof is not Proof.NONE:
        return
    ticket = office.desk.tickets.get(ticket.id)
    if ticket.state not in _REOPENS or (ticket.state is TicketState.DONE and not _after_repair(ticket, finding)):
        return
    reopen(office, replace(ticket, finding=UUID(finding.id)), now, "recurred")


def reopen(office: Office, ticket: Ticket, now: datetime, reason: str, actor: str = SYSTEM) -> Ticket:
    """Take a ticket up again with a fresh plan and no second call-out fee."""
    ticket = moved_ticket(office, ticket, TicketState.REOPENED, now, actor, reason=reason)
    office.desk.agenda.drop_due(("proof", "close"), ticket.id)
    return office.plan_anew(
        ticket,
        now + office.policy.respond[ticket.severity - 1],
        episode=ticket.episode + 1,
        callout_free=True,
        closed=None,
        verified=None,
        done=None,
    )


def revise(office: Office, finding: Finding, now: datetime) -> None:
    """A ticket whose finding got worse takes the worse severity, at once and with its own due times."""
    found = office.desk.tickets.of_finding(UUID(finding.id))
    if found is None:
        return
    ticket = office.desk.tickets.get(found.id)
    if ticket.state in TICKET_ENDED or finding.severity >= ticket.severity:
        return
    office.log(ticket.id, now, "severity", old=ticket.severity, new=finding.severity)
    due = min(ticket.respond_due, respond_due(finding.severity, now, office.policy))
    safety = ticket.safety or finding.severity == 1
    ticket = office.desk.tickets.save(
        replace(
            ticket,
            severity=finding.severity,
            safety=safety,
            priority=priority(finding.severity, safety=safety),
            respond_due=due,
        )
    )
    if finding.severity <= _URGENT:
        office.desk.agenda.set_due(RESPOND, ticket.id, due)
    if safety:
        notify(office, ticket, "safety", now, occasion=ticket.episode)


def _after_repair(ticket: Ticket, finding: Finding) -> bool:
    """Whether a finding is another episode than the repaired one, begun after the repair."""
    other = ticket.finding != UUID(finding.id)
    return other and ticket.done is not None and to_datetime(finding.opened) >= ticket.done


def _lock(finding: Finding) -> str:
    """Jobs about one finding run one after the other."""
    return f"finding:{finding.id}"


def _allowed(office: Office, appliance: Appliance, draft: TicketDraft) -> bool:
    """Consent to service, where a household is known; safety is said in any case. Nobody waits for a removed one."""
    if appliance.removed is not None and appliance.household is None:
        return False
    if appliance.household is None or draft.safety:
        return True
    household = office.desk.people.household(appliance.household)
    return household is None or household.consent_service


def _open(office: Office, finding: Finding, draft: TicketDraft, appliance: Appliance, now: datetime) -> Ticket | None:
    desk, due = office.desk, respond_due(draft.severity, now, office.policy)
    household = office.household(appliance)
    ticket = desk.tickets.add(
        Ticket(
            id=office.new_id(),
            org=appliance.org,
            device=appliance.no,
            household=household.id if household is not None else None,
            family=draft.family,
            fault=draft.fault,
            finding=UUID(finding.id),
            severity=draft.severity,
            safety=draft.safety,
            priority=draft.priority,
            state=TicketState.OPEN,
            responsible=DISPATCH,
            next_action=PLAN,
            next_due=due,
            expected_cost=round(draft.expected_cost, 2),
            opened=now,
            respond_due=due,
        )
    )
    if ticket is None:
        return None
    office.log(ticket.id, now, "detected", finding=finding.id, score=finding.score, detector=finding.detector)
    # Which revision it was cannot be told from the time: a finding that had to wait opens its ticket between two.
    office.log(
        ticket.id,
        now,
        "opened",
        expected_cost=round(draft.expected_cost, 2),
        visit_cost=round(draft.visit_cost, 2),
        revision=finding.revision,
    )
    if ticket.severity <= _URGENT:
        desk.agenda.set_due(RESPOND, ticket.id, due)
    office.ask_plan(ticket)
    desk.agenda.set_due(COMPARE_TICKET, ticket.id, now)
    ask_where_it_helps(office, ticket, finding, now)
    return ticket
