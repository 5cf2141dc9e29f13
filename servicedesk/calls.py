"""Call tasks follow a ticket's timeline: severity 1 or a complaint opens one; a person's answer ends it.

What counts as contact is what a person of ours said or did. An automatic reply, of ours or theirs, never counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING
from uuid import UUID

from servicedesk.level_rows import CallState, CallTask
from servicedesk.model import TicketEvent
from servicedesk.signals import ENDING, signals_of

if TYPE_CHECKING:
    from servicedesk.office import Office

CALL = "call"
"""Due: a call that was not made goes up; its ref is the task."""
ONCALL = "oncall"
"""Due: the next person on call is told; its ref is the ticket."""
SEVERITY_1 = "severity_1"
COMPLAINT = "complaint"
UNREACHED = "unreached"
"""A call task because every channel of a notice was tried."""
FIVE_MINUTES = timedelta(minutes=5)
_OPENS = frozenset({"opened", "owner_reported", "severity"})
_DISPATCH = "dispatch"


def heed(office: Office, event: TicketEvent) -> None:
    """Open and end call tasks as a line of the timeline asks; only tasks and due things are written."""
    if event.kind == "complaint":
        open_call(office, event.ticket, COMPLAINT, 1, event.at, within=office.levels.call_due)
    elif event.kind in _OPENS:
        _opened(office, event)
    elif event.kind == "moved":
        if event.body.get("new") in ENDING:
            _finish(office, event, keep=COMPLAINT)
            office.desk.agenda.drop_due((ONCALL,), event.ticket)
    elif "human" in signals_of(event):
        _finish(office, event, contacted=event.at)
        office.desk.agenda.drop_due((ONCALL,), event.ticket)


def open_call(
    office: Office, ticket: UUID, reason: str, severity: int, now: datetime, *, within: timedelta | None = None
) -> CallTask | None:
    """Open a call task, unless one for the same reason is open; due in an hour or as the levels say, or `within`."""
    desk = office.desk
    known = desk.levels.calls.of_ticket(ticket)
    if any(each.state is CallState.OPEN and each.reason == reason for each in known):
        return None
    task = CallTask(
        id=office.new_id(),
        ticket=ticket,
        reason=reason,
        severity=severity,
        opened=now,
        due=now + (within if within is not None else office.levels.call_later),
        assignee=_DISPATCH,
    )
    desk.levels.calls.add(task)
    desk.agenda.set_due(CALL, task.id, task.due)
    office.log(ticket, now, "call_task", task=str(task.id), reason=reason, due=task.due.isoformat())
    return task


@dataclass(frozen=True, slots=True)
class FirstContact:
    """Time from the call for help to the first contact with a person of ours.

    Attributes:
        tasks: call tasks of severity 1 and of complaints that opened.
        contacted: of these, how many a person answered.
        within: of all, how many within five minutes.
        p50: median of the times, None without any.
        p95: 95th percentile, by the nearest rank; a task that nobody has answered counts as long as it is open.
        waiting: tasks without contact.
    """

    tasks: int
    contacted: int
    within: int
    p50: timedelta | None
    p95: timedelta | None
    waiting: int


def first_contact(tasks: Sequence[CallTask], now: datetime) -> FirstContact:
    """Measure the time to first human contact over call tasks.

    A task that ended without contact (its ticket ended) is left out; one that is open counts with its age.
    """
    asked = [each for each in tasks if each.reason in (SEVERITY_1, COMPLAINT)]
    counted = [each for each in asked if each.contacted is not None or each.state is CallState.OPEN]
    times = sorted((each.contacted or now) - each.opened for each in counted)
    answered = [each for each in counted if each.contacted is not None]
    return FirstContact(
        tasks=len(counted),
        contacted=len(answered),
        within=sum(1 for each in answered if each.contacted and each.contacted - each.opened <= FIVE_MINUTES),
        p50=_rank(times, 0.5),
        p95=_rank(times, 0.95),
        waiting=len(counted) - len(answered),
    )


def _rank(times: Sequence[timedelta], part: float) -> timedelta | None:
    return times[max(0, ceil(part * len(times)) - 1)] if times else None


def _opened(office: Office, event: TicketEvent) -> None:
    severity = int(event.body["new"]) if event.kind == "severity" else office.desk.tickets.get(event.ticket).severity
    if severity == 1:
        open_call(office, event.ticket, SEVERITY_1, severity, event.at, within=office.levels.call_due)
    if severity in office.levels.oncall_severities:
        office.desk.agenda.set_due(ONCALL, event.ticket, event.at)


def _finish(office: Office, event: TicketEvent, *, contacted: datetime | None = None, keep: str = "") -> None:
    calls = office.desk.levels.calls
    for task in calls.of_ticket(event.ticket):
        if task.state is not CallState.OPEN or task.reason == keep:
            continue
        calls.save(replace(task, state=CallState.DONE, contacted=task.contacted or contacted, closed=event.at))
        office.desk.agenda.drop_due((CALL,), task.id)
