"""The named scenarios at a small size, on a seed for trying out: not refuted by chance, and the same bytes twice.

A small trial cannot prove a figure. What it can do is refute one. A floor is the end, on the bad side, of the exact
95 % interval of what 40 device-years or more of that scenario have shown on another seed (501, calm-year 9001,
confounders 9101; 2026-11-22). The test fails when the exact 99.8 % interval of what is counted here lies wholly beyond
the floor: a product that is as good as its floor fails it in fewer than one of a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from firmware_sim.scenario import appliances, load_scenario
from servicedesk.rates import poisson_interval
from stack.trial.engine import START, run_trial
from stack.trial.hosts import plan_sites, share_out
from stack.trial.report import report
from stack.trial.roster import rows_of
from stack.trial.series import NAMED
from stack.trial.statistics import binomial_interval
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_datetime

SEED = 3201
LEVEL = 0.998
BYTES_DAYS = 12


@dataclass(frozen=True)
class Floor:
    """What a sound product keeps in a scenario, and the size at which it is tried.

    Attributes:
        recall: of the judged faults, caught before their failure, at least.
        false: false tickets a device-year, at most; a blind ticket every 30 days makes twelve.
        devices: of the scenario's mix, spread over two processes.
        days: length.
    """

    recall: float
    false: float
    devices: int = 24
    days: int = 60


FLOORS = {
    "calm-year": Floor(0.83, 0.05),
    "confounders": Floor(0.83, 0.20),
    "heat-wave": Floor(0.73, 0.19),
    "firmware-regression": Floor(0.73, 0.22),
    "bad-batch": Floor(0.77, 0.19),
    "flaky-network": Floor(0.79, 0.37),
    "cold-start": Floor(0.83, 0.26),
    "old-fleet": Floor(0.83, 0.30),
    # One kind, hence one site below 48 of them.
    "plug-only": Floor(0.42, 0.14, devices=48, days=30),
}


def test_every_named_scenario_has_a_floor() -> None:
    assert set(FLOORS) == set(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_two_processes_have_work_each(name: str) -> None:
    scenario = load_scenario(name).scaled(FLOORS[name].devices)
    rows = rows_of(appliances(scenario, SEED, scenario.catalogue(load_catalogue())), to_datetime(START))
    assert len(share_out(plan_sites(scenario, SEED, START, rows, control=False), 2)) == 2


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMED)
def test_a_named_scenario_gives_the_same_bytes_on_two_processes(name: str) -> None:
    scenario, devices = load_scenario(name), FLOORS[name].devices
    one = run_trial(scenario, SEED, devices=devices, days=BYTES_DAYS, processes=1)
    assert one.messages > 0
    assert run_trial(scenario, SEED, devices=devices, days=BYTES_DAYS, processes=2).encode() == one.encode()


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMED)
def test_a_named_scenario_keeps_its_floors(name: str) -> None:
    scenario, floor = load_scenario(name), FLOORS[name]
    record = run_trial(scenario, SEED, devices=floor.devices, days=floor.days, processes=2, control=False)
    found = report(record, scenario.costs, scenario.catalogue(load_catalogue()))
    assert found["detector_errors"] == 0
    fewest, _ = poisson_interval(found["false_tickets"], LEVEL)
    assert fewest / found["device_years"] <= floor.false, found["false"]
    caught = binomial_interval(found["caught"], found["faults"], LEVEL)
    assert caught is None or caught[1] >= floor.recall, found["by_fault"]
