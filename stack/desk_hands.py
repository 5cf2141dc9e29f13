"""The desk in memory at work: what a worker's transaction and its jobs do with PostgreSQL, done with `MemoryDesk`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from servicedesk.memory import MemoryAgenda, MemoryJob
from servicedesk.model import Appliance, Ticket
from servicedesk.office import Office
from servicedesk.opening import report
from telemetry.clock import to_datetime
from telemetry.finding import Finding
from worker.chores import FALL_DUE, Work, carry_out
from worker.notify import Mailbox


def tell(office: Office, agenda: MemoryAgenda, finding: Finding, appliance: Appliance, arrival: int) -> Ticket | None:
    """A revision of a finding: its row, once, and what it means to the desk. Returns the ticket it opened.

    Args:
        office: on the desk that has the agenda.
        agenda: keeps the revisions.
        finding: the revision.
        appliance: whose.
        arrival: of its last reading, fleet microseconds.
    """
    revisions = agenda.findings.setdefault(UUID(finding.id), [])
    if all(each.revision != finding.revision for each in revisions):
        revisions.append(finding)
    return report(office, finding, appliance, to_datetime(arrival))


def hand_over(agenda: MemoryAgenda, now: datetime, most: int) -> None:
    """Make jobs of what is due."""
    for due in agenda.hand_over(now, most):
        agenda.defer(FALL_DUE, once=f"due:{due.id}", due=due.id, kind=due.kind, ref=str(due.ref))


def do(office: Office, job: MemoryJob, now: datetime) -> None:
    """Carry out a job; notices go to the mailbox."""
    carry_out(Work(office, now), Mailbox(), job.task, job.arguments)
