"""A trial's account of its tickets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from servicedesk.common_cause import UNSURE_WAIT
from servicedesk.opening import report
from stack.trial.ledger import Ledger
from storage.registry import DeviceRow
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_micros
from telemetry.finding import Cause
from tests.servicedesk.world import World, finding

_MADE = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_ticket_of_a_finding_that_had_to_wait_is_told_with_what_telemetry_said() -> None:
    world = World()
    row = DeviceRow(1, "demo", "fridge-1", "refrigerator", None, None, None, "en", None, None, None, _MADE)
    ledger = Ledger(world.desk, {1: row}, load_catalogue())
    told = finding(at=world.now, causes=(Cause("unknown", 0.7), Cause("condenser_fan_wear", 0.3)), life=None)
    world.desk.agenda.findings.setdefault(UUID(told.id), []).append(told)
    ledger.revised(told, to_micros(world.now))
    assert report(world.office, told, world.appliance, world.now) is None
    ledger.catch_up()
    assert ledger.tickets() == ()
    # Nobody hands this ticket over: a due thing opens it.
    world.step(world.now + UNSURE_WAIT + timedelta(minutes=1))
    ledger.catch_up()
    (record,) = ledger.tickets()
    assert (record.source, record.device, record.causes[0].fault) == ("telemetry", "demo/fridge-1", "unknown")
    assert ledger.episode_records()[0].ticket == record.ref
