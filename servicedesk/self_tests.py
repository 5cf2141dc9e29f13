"""The device's own test, asked for by the desk: remote help before anybody drives.

The request is a row; a worker sends it to the device and repeats it until the device answers or time is up. The answer
comes through the device's partition as a control entry under the same id, and from there to the ticket.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from servicedesk.care_rows import SelfTest, SelfTestStatus
from servicedesk.errors import DeskError, UnknownError
from servicedesk.model import Ticket
from servicedesk.office import SYSTEM, Office
from servicedesk.policy import self_test_helps
from servicedesk.states import TICKET_ENDED, VisitState
from telemetry.clock import to_micros
from telemetry.finding import Finding

ANSWERED = "self_test_answered"
"""Due: the device has answered."""
SILENT = "self_test_silent"
"""Due: it should have."""
PATIENCE = timedelta(minutes=20)
"""A test takes minutes, a busy device says so at once, and one that is asleep wakes within a quarter of an hour."""

UNHURRIED = timedelta(hours=6)
"""Where the desk asks by itself nobody waits: a programme may end first."""
_SHOWN = 3


class NoSelfTestError(DeskError):
    """The device cannot be asked: it has no routine, its case has ended, or a test is under way."""


def ask_self_test(office: Office, ticket_id: UUID, now: datetime, actor: str) -> SelfTest:
    """Ask the ticket's device to test itself; what the desk has asked for by itself gives way.

    Raises:
        UnknownError: there is no such ticket.
        NoSelfTestError: the device cannot be asked now; the sentence says why.
    """
    desk = office.desk
    ticket = desk.tickets.get(ticket_id)
    if ticket.state in TICKET_ENDED:
        raise NoSelfTestError(f"ticket {ticket.ref} has ended: its device is not asked for a self-test")
    appliance = desk.people.appliance(ticket.device)
    kind = office.catalogue.kinds.get(appliance.kind)
    if kind is None or not kind.phases:
        raise NoSelfTestError(f"a {appliance.kind} has no routine to test itself: it only measures")
    waiting = next((each for each in desk.care.help.tests(ticket_id) if each.answered is None), None)
    if waiting is not None and waiting.actor != SYSTEM:
        raise NoSelfTestError(f"a self-test was asked for at {waiting.asked.isoformat()} and has not been answered yet")
    if waiting is not None:
        # Somebody waits now: this question takes the place of the unhurried one, whose answer would still count.
        desk.care.help.save_test(replace(waiting, answered=now, status=SelfTestStatus.SILENT))
        desk.agenda.drop_due((SILENT,), waiting.id)
    return _ask(office, ticket, now, actor)


def ask_where_it_helps(office: Office, ticket: Ticket, finding: Finding, now: datetime) -> SelfTest | None:
    """A ticket has opened: its device is asked once, where its answer may tell the causes apart. Only inserts."""
    kind = office.catalogue[office.desk.people.appliance(ticket.device).kind]
    if ticket.safety or not self_test_helps(finding, kind, office.policy):
        return None
    return _ask(office, ticket, now, SYSTEM)


def _ask(office: Office, ticket: Ticket, now: datetime, actor: str) -> SelfTest:
    desk = office.desk
    test = SelfTest(id=office.new_id(), ticket=ticket.id, device=ticket.device, actor=actor, asked=now)
    desk.care.help.add_test(test)
    desk.agenda.set_due(SILENT, test.id, now + (UNHURRIED if actor == SYSTEM else PATIENCE))
    office.log(ticket.id, now, "self_test_asked", actor, test=str(test.id))
    return test


def take_answer(office: Office, test_id: UUID, now: datetime) -> None:
    """Put a device's answer on its ticket; a repeat changes nothing."""
    help_ = office.desk.care.help
    try:
        test = help_.get_test(test_id)
    except UnknownError:
        return
    answer = help_.test_answer(test_id)
    if answer is None or test.status not in (None, SelfTestStatus.SILENT):
        return
    values = {str(name): float(x) for name, x in answer.get("values", {}).items()}
    status, error = SelfTestStatus(answer["status"]), str(answer.get("error") or "")
    help_.save_test(replace(test, answered=now, status=status, values=values, error=error))
    office.desk.agenda.drop_due((SILENT,), test_id)
    effect = _effect(office, test) if status is SelfTestStatus.OK else {}
    office.log(
        test.ticket,
        now,
        "self_test",
        f"device:{test.device}",
        status=str(status),
        values=values,
        error=error,
        **effect,
    )


def _effect(office: Office, test: SelfTest) -> dict[str, Any]:
    """What the answer did to the causes: those before and after; the ticket follows the most probable one.

    The revision that goes back to the answer was written in the same transaction as the answer itself.
    """
    desk = office.desk
    ticket = desk.tickets.get(test.ticket)
    told = desk.agenda.finding(ticket.finding) if ticket.finding is not None else None
    if told is None or told.revision == 0 or told.observed < to_micros(test.asked):
        return {}
    before = desk.agenda.finding(UUID(told.id), told.revision - 1)
    if before is None or before.causes == told.causes:
        return {}
    kind = desk.people.appliance(ticket.device).kind
    family = office.catalogue[kind].family_faults(ticket.family) if kind in office.catalogue else {}
    lead = next((cause.fault for cause in told.causes if cause.fault in family), ticket.fault)
    if ticket.state not in TICKET_ENDED and lead != ticket.fault:
        desk.tickets.save(replace(ticket, fault=lead))
        _bring(office, ticket, tuple(part.sku for part in family[lead].parts) if lead is not None else ())
    return {"before": _ranked(before), "causes": _ranked(told), "fault": lead}


def _bring(office: Office, ticket: Ticket, parts: tuple[str, ...]) -> None:
    """A visit that nobody has set out for brings what the new cause asks for; what is not in stock stays as it was."""
    desk = office.desk
    for visit in desk.visits.of_ticket(ticket.id):
        if visit.state not in (VisitState.PROPOSED, VisitState.CONFIRMED):
            continue
        desk.parts.release(visit.id)
        if all(desk.parts.reserve(ticket.org, visit.id, sku, visit.technician) for sku in parts):
            desk.visits.save(replace(desk.visits.get(visit.id), parts=parts))
            continue
        desk.parts.release(visit.id)
        for sku in visit.parts:
            desk.parts.reserve(ticket.org, visit.id, sku, visit.technician)


def _ranked(finding: Finding) -> list[list[str | float]]:
    """The leading causes, as JSON."""
    return [[cause.fault, round(cause.probability, 3)] for cause in finding.causes[:_SHOWN]]


def fall_silent(office: Office, test_id: UUID, now: datetime) -> None:
    """The device has not answered in time; should it still, its answer counts."""
    test = office.desk.care.help.get_test(test_id)
    if test.status is None:
        office.desk.care.help.save_test(replace(test, answered=now, status=SelfTestStatus.SILENT))
        office.log(test.ticket, now, "self_test", f"device:{test.device}", status=str(SelfTestStatus.SILENT))
