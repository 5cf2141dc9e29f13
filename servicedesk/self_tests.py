"""The device's own test, asked for by the desk: remote help before anybody drives.

The request is a row; a worker sends it to the device and repeats it until the device answers or time is up. The answer
comes through the device's partition as a control entry under the same id, and from there to the ticket.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.care_rows import SelfTest, SelfTestStatus
from servicedesk.errors import DeskError, UnknownError
from servicedesk.office import Office
from servicedesk.states import TICKET_ENDED

ANSWERED = "self_test_answered"
"""Due: the device has answered."""
SILENT = "self_test_silent"
"""Due: it should have."""
PATIENCE = timedelta(minutes=20)
"""A test takes minutes, a busy device says so at once, and one that is asleep wakes within a quarter of an hour."""


class NoSelfTestError(DeskError):
    """The device cannot be asked: it has no routine, its case has ended, or a test is under way."""


def ask_self_test(office: Office, ticket_id: UUID, now: datetime, actor: str) -> SelfTest:
    """Ask the ticket's device to test itself.

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
    if waiting is not None:
        raise NoSelfTestError(f"a self-test was asked for at {waiting.asked.isoformat()} and has not been answered yet")
    test = SelfTest(id=office.new_id(), ticket=ticket_id, device=ticket.device, actor=actor, asked=now)
    desk.care.help.add_test(test)
    desk.agenda.set_due(SILENT, test.id, now + PATIENCE)
    office.log(ticket_id, now, "self_test_asked", actor, test=str(test.id))
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
    office.log(test.ticket, now, "self_test", f"device:{test.device}", status=str(status), values=values, error=error)


def fall_silent(office: Office, test_id: UUID, now: datetime) -> None:
    """The device has not answered in time; should it still, its answer counts."""
    test = office.desk.care.help.get_test(test_id)
    if test.status is None:
        office.desk.care.help.save_test(replace(test, answered=now, status=SelfTestStatus.SILENT))
        office.log(test.ticket, now, "self_test", f"device:{test.device}", status=str(SelfTestStatus.SILENT))
