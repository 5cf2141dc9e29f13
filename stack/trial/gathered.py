"""The record of a trial that ran through the real stack, from its database."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from firmware_sim.scenario import Scenario
from firmware_sim.wear import DAY, Fault
from servicedesk.model import Ticket
from servicedesk.policy import decide
from stack.trial.ledger import Ledger
from stack.trial.record import ConfounderRecord, DeviceRecord, TrialRecord
from stack.trial.service import promises_of
from storage.desk import PgDesk
from storage.overview import count_readings, read_counts
from storage.pool import Connection
from storage.read_desk import list_tickets
from storage.read_devices import list_findings
from storage.read_models import EVERYTHING
from telemetry.finding import Finding

_MOST = 100_000


def gather(
    conn: Connection,
    ledger: Ledger,
    scenario: Scenario,
    seed: int,
    *,
    span: tuple[int, int],
    truth: Sequence[Fault],
    confounders: Sequence[ConfounderRecord] = (),
) -> TrialRecord:
    """Read everything; there is no control fleet.

    Args:
        conn: to the database.
        ledger: that heard what people did; its desk is filled.
        scenario: of the trial.
        seed: of the trial.
        span: fleet times of its start and end.
        truth: of the fleet.
        confounders: what was innocent.
    """
    pg, desk = PgDesk(conn), ledger.desk
    visits, promises = [], []
    for view in list_tickets(conn, EVERYTHING, states=None, after=None, limit=_MOST):
        ticket = pg.tickets.get(view.id)
        desk.tickets.rows[ticket.id] = ticket
        desk.tickets.events += pg.tickets.timeline(ticket.id)
        ledger.opened(ticket, _opening(pg, ledger, ticket))
        visits += pg.visits.of_ticket(ticket.id)
        promises += pg.levels.clocks.of_ticket(ticket.id)
    for visit in sorted(visits, key=lambda one: (one.proposed, one.id)):
        desk.visits.rows[visit.id] = visit
        outcome = pg.visits.outcome(visit.id)
        if outcome is not None:
            desk.visits.report(outcome)
    desk.people.technician_rows = list(pg.people.technicians(scenario.org))
    for found in list_findings(conn, EVERYTHING, device=None, state=None, after=None, limit=_MOST):
        for finding in _revisions(pg, found.id):
            ledger.revised(finding, finding.observed)
    start, end = span
    counts, days = read_counts(conn), (end - start) // DAY
    return TrialRecord(
        scenario=scenario.id,
        seed=seed,
        start=start,
        end=end,
        days=days,
        devices=tuple(
            DeviceRecord(device=str(row.key), kind=row.kind, model=row.model or "") for row in ledger.rows.values()
        ),
        device_days=float(len(ledger.rows) * days),
        faults=ledger.faults(truth),
        tickets=ledger.tickets(),
        visits=ledger.visit_records(),
        episodes=ledger.episode_records(),
        confounders=tuple(confounders),
        messages=counts.messages,
        readings=count_readings(conn, ledger.catalogue),
        lost=counts.lost,
        detector_errors=counts.detector_errors,
        notices=counts.notices,
        promises=promises_of(promises),
    )


def _revisions(pg: PgDesk, finding: UUID) -> list[Finding]:
    newest = pg.agenda.finding(finding)
    if newest is None:
        return []
    found = [pg.agenda.finding(finding, number) for number in range(newest.revision + 1)]
    return [one for one in found if one is not None]


def _opening(pg: PgDesk, ledger: Ledger, ticket: Ticket) -> Finding | None:
    """The revision that opened a ticket: the first that the policy made one of; None when an owner did."""
    told = next((event for event in pg.tickets.timeline(ticket.id) if event.kind == "detected"), None)
    if told is None:
        return None
    kind = ledger.catalogue[ledger.rows[ticket.device].kind]
    revisions = _revisions(pg, UUID(str(told.body["finding"])))
    return next((one for one in revisions if decide(one, kind) is not None), None)
