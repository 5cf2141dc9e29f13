"""The truth loop: outcomes become verdicts, verdicts move what is believed, and detectors are told."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.model import Appliance, Ticket, TicketDraft
from servicedesk.office import Office
from servicedesk.trust import UNKNOWN, Key, Truth, Verdict, lesson, says_nothing, suggest_only
from telemetry.catalogue import KindSpec
from telemetry.catalogue.guide import WAIT
from telemetry.control import ControlKind
from telemetry.finding import Finding

LEARN = "learn_verdict"
"""Job: tell the detectors of a model what a verdict changed."""

DETECTORS = {"cycles": "cycles", "multichannel": "dynamic_pca"}
"""The name of the detector that would have found a fault of a kind that was missed."""

_SUGGESTION_COUNTS = timedelta(days=30)
"""A report within this time of a suggestion is the suggested fault."""


def key_of(appliance: Appliance, detector: str, family: str) -> Key:
    """Whose precision a finding moves."""
    return Key(appliance.org, detector, appliance.kind, appliance.model or "", family)


def held_back(office: Office, finding: Finding, appliance: Appliance, draft: TicketDraft, now: datetime) -> bool:
    """Whether a finding is only suggested, since its detector is below the bar; it is then noted as such.

    A safety fault is never held back.
    """
    if draft.safety:
        return False
    truth = office.desk.truth
    key = key_of(appliance, finding.detector, finding.family)
    if not suggest_only(truth.tally(key, office.trust.window), office.trust):
        return False
    truth.suggest(UUID(finding.id), appliance.no, finding.family, now)
    return True


def judge(office: Office, ticket: Ticket, now: datetime, *, fault: bool, confirmed: str | None = None) -> None:
    """Take what a ticket turned out to be as a verdict on its detector, in the transaction of the outcome.

    A report of an owner that nobody suggested is a fault that telemetry missed; one without a fault says nothing.

    Args:
        office: see there.
        ticket: as it was before the outcome: its fault is what was told.
        now: when.
        fault: whether there was one.
        confirmed: the cause that was found.
    """
    desk = office.desk
    appliance = desk.people.appliance(ticket.device)
    if appliance.kind not in office.catalogue:
        return
    kind = office.catalogue[appliance.kind]
    since = ticket.opened - _SUGGESTION_COUNTS
    found = ticket.finding or desk.truth.suggested(ticket.device, ticket.family, since)
    finding = None if found is None else desk.agenda.finding(found)
    if finding is None:
        if not fault:
            return
        family = kind.faults[confirmed].family if confirmed in kind.faults else ticket.family
        key, told, version = key_of(appliance, DETECTORS[kind.detector], family), None, ""
        truth, hit = Truth.MISSED, True
    else:
        key, version = key_of(appliance, finding.detector, finding.family), finding.version
        told = _told(ticket, finding)
        truth, hit = _compared(kind, finding.family, told, confirmed, fault=fault)
    desk.truth.note(
        Verdict(
            id=office.new_id(),
            key=key,
            version=version,
            device=ticket.device,
            ticket=ticket.id,
            finding=None if finding is None else UUID(finding.id),
            told=told,
            confirmed=confirmed if fault else None,
            truth=truth,
            hit=hit,
            at=now,
        )
    )
    office.log(ticket.id, now, "verdict", detector=key.detector, truth=str(truth), told=told, confirmed=confirmed)
    desk.agenda.defer(LEARN, once=f"learn:{ticket.id}", ticket=str(ticket.id))


def helped(office: Office, ticket: Ticket) -> bool:
    """Whether the owner has carried out a guide to its end in this episode of the ticket."""
    answers = office.desk.care.help.answers(ticket.id)
    return any(each.episode == ticket.episode and each.leads == WAIT for each in answers)


def learn(office: Office, ticket: UUID, now: datetime) -> int:
    """Tell every device of a verdict's model what its family is now believed to be, by control entries.

    Whatever changes a detector enters its partition's stream. A device that heard the same last is not told again.
    Returns how many were told.
    """
    desk = office.desk
    verdict = desk.truth.of_ticket(ticket)
    if verdict is None or verdict.key.kind not in office.catalogue:
        return 0
    key = verdict.key
    faults = office.catalogue[key.kind].family_faults(key.family)
    if not faults:
        return 0
    tally = desk.truth.tally(key, office.trust.window)
    body = lesson(key.family, tally, desk.truth.causes(key), faults, office.trust)
    # Whoever was never told anything is as made.
    untaught = desk.truth.untaught(key, body, anew=not says_nothing(body))
    for device in untaught:
        desk.agenda.control(office.new_id(), device, str(ControlKind.PRIORS), now, body)
    return len(untaught)


def _told(ticket: Ticket, finding: Finding) -> str | None:
    lead = finding.causes[0].fault if finding.causes else UNKNOWN
    told = ticket.fault if ticket.finding is not None and ticket.fault is not None else lead
    return None if told == UNKNOWN else told


def _compared(
    kind: KindSpec, family: str, told: str | None, confirmed: str | None, *, fault: bool
) -> tuple[Truth, bool]:
    if not fault:
        return Truth.FALSE, False
    if confirmed is None or confirmed == told:
        return Truth.TRUE, True
    hit = confirmed in kind.family_faults(family)
    return (Truth.TRUE if hit and told is None else Truth.OTHER_CAUSE), hit
