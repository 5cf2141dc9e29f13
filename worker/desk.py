"""The desk's part of a block's transaction: a finding opens its ticket and leaves its jobs. Only inserts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from uuid import UUID

import structlog

from servicedesk.cohorts import take_summary
from servicedesk.model import Appliance, Ticket
from servicedesk.office import Office
from servicedesk.opening import report as open_for
from servicedesk.self_tests import ANSWERED
from storage.correlation import note_correlation
from storage.desk import PgDesk
from storage.pool import Connection
from storage.registry import DeviceRow
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.clock import to_datetime
from telemetry.cohort import CohortSummary
from telemetry.control import ControlEntry
from telemetry.finding import Finding
from telemetry.ids import maker
from worker.levels_file import promised

log = structlog.get_logger()

_RNG = random.SystemRandom()


def report(conn: Connection, finding: Finding, device: DeviceRow, arrival: int) -> Ticket | None:
    """Tell the desk of a revision, after the finding's rows were written in the same transaction.

    Args:
        conn: the block's transaction.
        finding: the revision.
        device: its registry row.
        arrival: fleet time at which its last reading arrived, microseconds.

    Returns:
        The ticket, when one was opened.
    """
    ticket = open_for(_office(conn, arrival), finding, appliance_of(device), to_datetime(arrival))
    if ticket is not None or not finding.revision:
        log.info(
            "finding",
            correlation=note_correlation(conn, finding, device),
            finding=finding.id,
            revision=finding.revision,
            family=finding.family,
            ticket=ticket.ref if ticket is not None else None,
        )
    return ticket


def hear_answer(conn: Connection, entry: ControlEntry) -> None:
    """Tell the desk that a device has answered a self-test; the entry's own row was written before."""
    PgDesk(conn).agenda.set_due(ANSWERED, UUID(entry.id), to_datetime(entry.at))


def hear_summaries(conn: Connection, summaries: Mapping[int, tuple[CohortSummary, int]]) -> None:
    """Keep what devices tell of themselves, with the arrival of what it rests on."""
    if summaries:
        desk = PgDesk(conn)
        for device, (summary, arrival) in sorted(summaries.items()):
            take_summary(desk, device, summary, to_datetime(arrival))


def _office(conn: Connection, now: int) -> Office:
    return Office(PgDesk(conn), _catalogue(), maker(lambda: now, _RNG), levels=promised())


@cache
def _catalogue() -> Catalogue:
    return load_catalogue()


def appliance_of(row: DeviceRow) -> Appliance:
    """A registered device as the desk sees it."""
    return Appliance(
        no=row.no,
        org=row.org,
        device=row.device,
        kind=row.kind,
        lang=row.lang,
        household=row.household,
        room=row.room,
        model=row.model,
        warranty_until=row.warranty_until,
        lot=row.lot,
    )
