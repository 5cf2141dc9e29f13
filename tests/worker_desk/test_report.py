"""`wellkept report service` on a real database: a case from its finding to its repair."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

from typer.testing import CliRunner

from servicedesk.model import Outcome, OutcomeCode
from servicedesk.office import OWNER
from servicedesk.planning import confirm, plan
from servicedesk.states import VisitState
from servicedesk.visiting import finish, move_visit
from stack.cli import app
from storage.read_models import Scope
from storage.read_reports import read_cases
from tests.servicedesk.world import START, finding
from tests.worker_desk.shop import Shop


def told(shop: Shop, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["report", "service", *arguments], env={"WELLKEPT_DATABASE_URL": shop.url})
    assert done.exit_code == 0, done.output
    return done.stdout


def repaired(shop: Shop) -> None:
    ticket = shop.report(finding())
    assert ticket is not None
    visit = plan(shop.office(), ticket.id, shop.now)
    assert visit is not None
    confirm(shop.office(), visit.id, shop.now, OWNER)
    shop.now = visit.start + timedelta(minutes=30)
    for state in (VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE):
        move_visit(shop.office(), visit.id, state, shop.now, "technician:1")
    shop.now += timedelta(hours=1)
    outcome = Outcome(
        visit=visit.id,
        code=OutcomeCode.REPAIRED,
        at=shop.now,
        actor="technician:1",
        cause="condenser_fan_wear",
        parts=visit.parts,
    )
    finish(shop.office(), outcome)
    shop.conn.commit()


def test_a_repair_is_in_the_report(shop: Shop) -> None:
    repaired(shop)
    (row,) = json.loads(told(shop, "--json"))
    assert row["cases"] == 1
    assert row["first_time_fix"]["value"] == row["on_time"]["value"] == 1.0
    assert row["billed"] > 0
    (line,) = csv.DictReader(io.StringIO(told(shop, "--by", "technician", "--csv")))
    assert line["first_time_fix"].startswith("100%")
    (cause,) = json.loads(told(shop, "--by", "cause", "--json"))
    assert (cause["cause"], cause["count"]) == ("condenser_fan_wear", 1)
    assert json.loads(told(shop, "--by", "region", "--since", "2027-01-01", "--json")) == []


def test_a_household_that_does_not_agree_is_not_counted_and_a_strangers_scope_sees_nothing(shop: Shop) -> None:
    repaired(shop)
    assert read_cases(shop.conn, Scope(org="elsewhere"), None, None) == []
    assert read_cases(shop.conn, Scope(household=shop.household), None, None) == []
    assert read_cases(shop.conn, Scope(), None, START) == []
    assert len(read_cases(shop.conn, Scope(org="demo"), START, None)) == 1
    shop.conn.execute("update household set consent_analytics = false")
    assert read_cases(shop.conn, Scope(), None, None) == []


def test_an_unknown_group_is_said() -> None:
    done = CliRunner().invoke(app, ["report", "service", "--by", "weather"], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert "region" in done.output
