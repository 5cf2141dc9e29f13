from __future__ import annotations

import pytest

from firmware_sim.scenario import Scenario
from firmware_sim.scenario_file import read_scenario
from stack.trial.engine import STEP, run_trial
from stack.trial.hosts import HostError, ProcessHost, plan_sites, share_out
from stack.trial.progress import Progress
from stack.trial.record import TrialRecord
from stack.trial.roster import rows_of
from telemetry.clock import to_datetime

DAY = 24 * STEP
SEED = 5
DAYS = 9
# Two appliances are part worn; everybody does what he should, so that the way of a fault through the product is known.
TEXT = """
id = "engine"
title = "Two faults among a few appliances"
org = "t"
start = 2026-03-02T08:00:00+08:00
days = 30.0

[[fleet]]
kind = "refrigerator"
count = 6

[[fleet]]
kind = "washing_machine"
count = 3

[[fault]]
device = "fridge-002"
fault = "condenser_fan_wear"
day = -8.0
lead_days = 18.0

[people]
moves = 0.0
declines = 0.0
ignores = 0.0
self_fixes = 0.0
finds = 1.0
wrong_part = 0.0
badly = 0.0
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return read_scenario(TEXT, "engine.toml")


@pytest.fixture(scope="module")
def record(scenario: Scenario) -> TrialRecord:
    return run_trial(scenario, SEED, days=DAYS)


def test_a_fault_goes_all_the_way(record: TrialRecord) -> None:
    fault = next(one for one in record.faults if one.fault == "condenser_fan_wear")
    ticket = next(one for one in record.tickets if one.device == fault.device)
    assert (ticket.family, ticket.source) == (fault.family, "telemetry")
    assert ticket.causes[0].fault == fault.fault
    assert ticket.onset is not None
    assert ticket.opened < fault.failure
    visit = next(one for one in record.visits if one.id == ticket.visits[-1])
    assert (visit.outcome, visit.cause, visit.reactive) == ("repaired", fault.fault, False)
    assert visit.arrived is not None
    assert visit.start <= visit.arrived <= visit.end
    assert ticket.confirmed is not None
    assert ticket.opened <= ticket.confirmed < visit.arrived
    # A repair takes effect when the step ends in which it was done.
    assert fault.repaired is not None
    assert 0 <= fault.repaired - visit.arrived <= 2 * STEP
    assert (fault.by, fault.visits) == ("visit", ticket.visits[-1:])
    assert ticket.verified is not None
    assert ticket.verified > fault.repaired
    assert ticket.state in {"verified", "closed"}
    episode = next(one for one in record.episodes if one.ticket == ticket.ref)
    assert episode.ended is not None


def test_every_message_is_stored_once(record: TrialRecord) -> None:
    assert record.messages > len(record.devices) * DAYS * 24
    assert (record.duplicates, record.lost, record.dead_letters, record.detector_errors) == (0, 0, {}, 0)
    assert record.readings > record.messages


def test_without_the_product_the_appliance_fails(record: TrialRecord) -> None:
    alone = next(one for one in record.control if one.fault == "condenser_fan_wear")
    assert (alone.repaired, alone.visits, alone.reported) == (None, (), None)
    fridges = next(one for one in record.peaks if one.kind == "refrigerator")
    peaks = fridges.values()
    assert peaks.shape == (6, DAYS, len(fridges.channels))
    assert (peaks[:, :6] == 0).all()
    assert (peaks[:, -1] > 0).any()


def test_the_record_survives_its_file(record: TrialRecord) -> None:
    assert TrialRecord.decode(record.encode()) == record


@pytest.mark.long
def test_two_processes_give_the_same_bytes(scenario: Scenario, record: TrialRecord) -> None:
    heard: list[Progress] = []
    assert run_trial(scenario, SEED, days=DAYS, processes=2, progress=heard.append).encode() == record.encode()
    assert len(heard) == DAYS * 24
    assert heard[-1].day == DAYS


def test_another_seed_gives_another_trial(scenario: Scenario) -> None:
    one, other = (run_trial(scenario, seed, devices=4, days=1, control=False) for seed in (1, 2))
    assert one.readings != other.readings


def test_sites_do_not_depend_on_processes(scenario: Scenario) -> None:
    from firmware_sim.scenario import appliances  # noqa: PLC0415  (only here)
    from telemetry.catalogue import load_catalogue  # noqa: PLC0415  (only here)

    large = scenario.scaled(300)
    rows = rows_of(appliances(large, SEED, load_catalogue()), to_datetime(0))
    plans = plan_sites(large, SEED, 0, rows, control=False)
    assert sorted(row.no for plan in plans for row in plan.rows) == list(range(1, 301))
    assert all(len({row.kind for row in plan.rows}) == 1 for plan in plans)
    for hosts in (1, 2, 3, 50):
        shares = share_out(plans, hosts)
        assert sorted(plan.number for share in shares for plan in share) == list(range(len(plans)))


def test_a_process_that_fails_says_why(scenario: Scenario) -> None:
    rows = rows_of([], to_datetime(0))
    with pytest.raises(HostError, match="IndexError"):
        ProcessHost(plan_sites(scenario, SEED, 0, rows, control=False)).told()


FAILING = """
id = "answered"
title = "An appliance fails at once and its owner calls"
org = "t"
start = 2026-03-02T08:00:00+08:00

[[fleet]]
kind = "refrigerator"
count = 1

[[fault]]
fault = "refrigerator.damper_stuck"
day = 0.1
lead_days = 0.1

[people]
reports = 1.0
report_hours = [0.5, 2.0]
describes = 1.0
response_minutes = [MINUTES]
"""


@pytest.mark.parametrize(("minutes", "kept", "broken"), [("2.0, 12.0", 1, 0), ("20.0, 30.0", 0, 1)])
def test_an_owners_call_is_answered_and_the_promise_is_measured(minutes: str, kept: int, broken: int) -> None:
    told = read_scenario(FAILING.replace("MINUTES", minutes), "answered.toml")
    found = run_trial(told, SEED, days=2, control=False)
    assert found.promises["first_response"] == (kept, broken)
